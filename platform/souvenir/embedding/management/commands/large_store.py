"""`manage.py large_store …`: shared stores, and which have a partition of their own."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from souvenir.core.errors import SouvenirError
from souvenir.core.jobs import Job
from souvenir.embedding.large_stores import ask_to_move, shared_stores
from tenants.commands import TenantCommand
from tenants.models import Organization

_KINDS = {"promote": Job.PROMOTE_STORE, "demote": Job.DEMOTE_STORE}


class Command(TenantCommand):
    help = "List an organization's shared stores; give one a partition of its own, or take it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", *_KINDS])
        parser.add_argument("--store", default="", help="the store's own name")

    def handle_tenant(self, *, organization: Organization, **options: Any) -> None:
        if options["action"] == "list":
            self._list()
            return
        try:
            ask_to_move(slug=options["store"], kind=_KINDS[options["action"]])
        except SouvenirError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("A job moves the store. Search goes on."))

    def _list(self) -> None:
        for store in shared_stores():
            place = f"{store.state} in {store.bucket}" if store.state else "-"
            self.stdout.write(f"{store.passages:>12}  {place:<24}  {store.slug}")
