"""`manage.py check_search`: whether passages, vectors and token sets agree, by organization."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from souvenir.embedding.counts import SearchCounts, search_counts
from souvenir.embedding.selectors import serving_model
from tenants.commands import ServingCommand
from tenants.isolation.scope import tenant_scope
from tenants.selectors import organizations

_NUMBER = 12


class Command(ServingCommand):
    help = "Count passages, vectors and token sets, which must agree; 1 is returned if they do not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those that agree")

    def handle(self, **options: Any) -> None:
        serving = serving_model().name
        titles = (
            _("passages"), _("waiting"), _("set aside"), _("vectors"), _("token sets"), _("strays")
        )  # fmt: skip
        self.stdout.write("".join(f"{title:>{_NUMBER}}" for title in titles))
        wrong = 0
        for organization in organizations().filter(state="active").iterator():
            with tenant_scope(organization.id):
                counts = search_counts()
            agree = counts.agree(serving=serving)
            wrong += not agree
            if options["all"] or not agree:
                self.stdout.write(_line(counts, serving) + f"  {organization.slug}")
        if wrong:
            raise CommandError(
                ngettext(
                    "The search tables of %(count)d organization do not agree.",
                    "The search tables of %(count)d organizations do not agree.",
                    wrong,
                )
                % {"count": wrong}
            )


def _line(counts: SearchCounts, serving: str) -> str:
    numbers = (
        counts.passages,
        counts.pending,
        counts.set_aside,
        counts.vectors[serving],
        counts.token_sets,
        counts.strays,
    )
    return "".join(f"{number:>{_NUMBER}}" for number in numbers)
