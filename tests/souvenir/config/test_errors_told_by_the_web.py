"""The web knows the sentence of each error that a worker may have written down."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from souvenir.core.errors import SouvenirError

CHECKOUT = Path(__file__).resolve().parents[3]
# As a web process begins: nothing is loaded but what its addresses load.
KNOWN_TO_THE_WEB = """
import django
django.setup()
from django.urls import get_resolver
from souvenir.core.errors import SouvenirError
get_resolver().url_patterns
def codes(kind):
    for child in kind.__subclasses__():
        yield child.code
        yield from codes(child)
print("\\n".join(codes(SouvenirError)))
"""


def _written_down() -> set[str]:
    """Codes of all errors but those of starting up, which no job meets."""
    files = [
        *CHECKOUT.glob("platform/souvenir/*/errors.py"),
        *CHECKOUT.glob("tenants/**/errors.py"),
    ]
    roots = (CHECKOUT / "platform", CHECKOUT)
    names = [
        ".".join(file.relative_to(next(r for r in roots if file.is_relative_to(r))).parts)[:-3]
        for file in files
    ]
    found = [vars(import_module(name)).values() for name in names]
    return {
        kind.code
        for kinds in found
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, SouvenirError) and "code" in vars(kind)
    }


def test_what_a_worker_wrote_down_is_told_in_words(database: None) -> None:
    environment = {**os.environ, "PYTHONPATH": "platform:."}
    environment |= {"DJANGO_SETTINGS_MODULE": "souvenir.config.settings"}
    ran = subprocess.run(  # noqa: S603 — the interpreter that runs this, on code of ours
        [sys.executable, "-c", KNOWN_TO_THE_WEB],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    missing = _written_down() - set(ran.stdout.split())

    assert missing == set()
    assert "import-image" in ran.stdout
