"""Saying things to whoever started Souvenir, in their terminal's language."""

import gettext
import os
import sys
from functools import cache
from pathlib import Path

from souvenir.core.errors import SouvenirError

_CATALOGUES = Path(__file__).resolve().parents[2] / "locale"


def say(message: str, **params: object) -> None:
    """Write one sentence for a person. `message` is English, and marked for the catalogue."""
    sys.stdout.write(spoken(message).format(**params) + "\n")
    sys.stdout.flush()


def say_error(error: SouvenirError) -> None:
    """Write what went wrong, and what helps."""
    say(error.message, **error.params)


def spoken(message: str) -> str:
    """The sentence in the terminal’s language."""
    return _catalogue(_language()).gettext(message)


def _language() -> str:
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "fr_CA" if chosen.startswith("fr") else "en_CA"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("django", _CATALOGUES, languages=[language], fallback=True)
