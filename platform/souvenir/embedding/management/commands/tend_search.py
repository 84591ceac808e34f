"""`manage.py tend_search`: keep the tables of search in order, once."""

from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from souvenir.core.errors import SouvenirError
from souvenir.embedding.large_stores import ask_to_place
from souvenir.embedding.upkeep import keep_in_order
from tenants.commands import ServingCommand
from tenants.isolation.scope import tenant_scope
from tenants.selectors import organizations


class Command(ServingCommand):
    help = "Vacuum, analyse and build anew what has grown; ask for large stores to be moved."

    def handle(self, **_options: Any) -> None:
        try:
            done = keep_in_order()
        except SouvenirError as error:
            raise CommandError(str(error)) from error
        if done is None:
            self.stdout.write(_("Another round is under way."))
            return
        asked = 0
        for organization in organizations().filter(state="active").iterator():
            with tenant_scope(organization.id):
                asked += ask_to_place()
        self.stdout.write(
            _(
                "Vacuumed: %(vacuumed)d. Built anew: %(rebuilt)d. Unfinished and dropped: "
                "%(dropped)d. Buckets closed: %(closed)d. Stores asked to move: %(asked)d."
            )
            % {
                "vacuumed": len(done.vacuumed),
                "rebuilt": len(done.rebuilt),
                "dropped": done.unfinished_dropped,
                "closed": done.buckets_closed,
                "asked": asked,
            }
        )
