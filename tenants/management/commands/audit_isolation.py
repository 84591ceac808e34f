"""`manage.py audit_isolation`: what the database would let cross from one tenant to another."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenants.isolation.catalogue import Finding, audit_isolation


class Command(BaseCommand):
    help = "Look for every known way across from one tenant to another; 1 is returned for any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--database", help="a connection of the run-time role; if not given, each that serves"
        )
        parser.add_argument(
            "--language",
            default=settings.LANGUAGE_CODE,
            choices=[code for code, _name in settings.LANGUAGES],
            help="what to speak",
        )

    def handle(self, *, database: str | None, language: str, **_options: object) -> None:
        findings = audit_isolation(using=database)
        with translation.override(language):
            if not findings:
                self.stdout.write(_("The database keeps the tenants apart: nothing was found."))
                return
            for line in _table(findings):
                self.stdout.write(line)
            raise CommandError(
                ngettext(
                    "There is %(count)d way across from one tenant to another.",
                    "There are %(count)d ways across from one tenant to another.",
                    len(findings),
                )
                % {"count": len(findings)}
            )


def _table(findings: list[Finding]) -> list[str]:
    """Three columns, the first two as wide as their longest cell; a title and a rule on top."""
    rows = [(_("What"), _("Where"), _("What closes it"))]
    rows += [(finding.code, finding.object, _(finding.remedy)) for finding in findings]
    what, where = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{code:<{what}}  {name:<{where}}  {remedy}" for code, name, remedy in rows]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
