"""`manage.py write_settings_page`: writes docs/settings.md from the typed settings."""

from pathlib import Path
from typing import Literal, get_args, get_origin

from django.core.management.base import BaseCommand
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from souvenir.config.environment import CHECKOUT, Environment

_PAGE = CHECKOUT / "docs" / "settings.md"
_TOP = """# Settings

*Written by `python manage.py write_settings_page` from `platform/souvenir/config/environment.py`.
Change that file, then run the command; a test compares the two.*

Settings are variables of the environment. A value that does not fit stops the process at its start,
with the reason.

| variable | default | what it is |
| --- | --- | --- |
"""
_END = """
## What `production` refuses

With `SOUVENIR_PROFILE=production` the process does not start unless all of these hold:

- `SOUVENIR_SECRET_KEY` has 50 characters or more;
- `SOUVENIR_PUBLIC_URL` begins with `https://`;
- `SOUVENIR_BROKER_URL` is not `memory://`;
- `SOUVENIR_DATABASE_URL` says `sslmode=verify-full`;
- `SOUVENIR_KEYRING_DATABASE_URL` is set, says `sslmode=verify-full`, and leads to another database;
- `SOUVENIR_KEY_PROVIDER` is not `file`;
- with `transit`, `SOUVENIR_KEYSTORE_URL` begins with `https://`.

## With `make run`

`make run` makes its own secrets and addresses, and sets the variables that hold them. It reads two
more:

| variable | default | what it is |
| --- | --- | --- |
| `SOUVENIR_HOME` | `.souvenir` in the checkout | Everything: database, objects, secrets, logs. |
| `SOUVENIR_PORT` | `8700` | The port to try first; if it is taken, the next free one. |
"""


class Command(BaseCommand):
    help = "Write docs/settings.md from the typed settings."
    requires_system_checks = ()

    def handle(self, **_: object) -> None:
        _PAGE.write_text(settings_page(), encoding="utf-8")


def settings_page() -> str:
    """The whole page, in Markdown. No secret is in it, not even a default one."""
    fields = Environment.model_fields.items()
    return _TOP + "".join(_row(name, field) for name, field in fields) + _END


def _row(name: str, field: FieldInfo) -> str:
    about = " ".join(part for part in (field.description, _bounds(field)) if part)
    return f"| `SOUVENIR_{name.upper()}` | {_default(field)} | {about} |\n"


def _default(field: FieldInfo) -> str:
    """What holds if nothing is said, as it would be typed; of a secret only that it is one."""
    match field.default:
        case None:
            return "none"
        case bool() as is_on:
            return f"`{str(is_on).lower()}`"
        case SecretStr():
            return "a secret; set it"
        case Path() as path if path.is_relative_to(CHECKOUT):
            return f"`{path.relative_to(CHECKOUT)}` in the checkout"
        case list() as several:
            return f"`{','.join(map(str, several))}`"
        case value:
            return f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    """What values are taken, where the type says."""
    if get_origin(field.annotation) is Literal:
        return f"One of {', '.join(f'`{value}`' for value in get_args(field.annotation))}."
    limits = {
        word: getattr(rule, name)
        for rule in field.metadata
        for name, word in {"ge": "At least", "le": "at most"}.items()
        if hasattr(rule, name)
    }
    return f"{', '.join(f'{word} {limit}' for word, limit in limits.items())}." if limits else ""
