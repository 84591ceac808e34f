"""`manage.py compile_translations`: makes the .mo files that Django reads, without gettext."""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compile every translation catalogue (.po) into what Django reads (.mo)."
    requires_system_checks = ()

    def handle(self, **_: object) -> None:
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                compile_catalogue(source)
                self.stdout.write(f"{source.parent.parent.name}: {source.stem}")


def compile_catalogue(source: Path) -> None:
    """Write the .mo beside a .po, whole or not at all.

    A server may be reading the old one, and another process writing the same.
    """
    draft = source.with_suffix(f".{os.getpid()}.mo")
    with source.open("rb") as text, draft.open("wb") as compiled:
        write_mo(compiled, read_po(text))
    draft.replace(source.with_suffix(".mo"))
