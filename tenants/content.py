"""Columns that hold what people wrote. They are bytes in the database: nothing there can read,
match or sort them, so that nothing depends on it and sealing them changes no query.
"""

import json
from typing import TYPE_CHECKING, Any

from django.db import models

from souvenir.core.canonical_json import canonical_json

# Django's Field takes type arguments in its stubs only.
if TYPE_CHECKING:
    _TextField = models.Field[str, str]
    _JsonField = models.Field[Any, Any]
else:
    _TextField = _JsonField = models.Field


class ContentTextField(_TextField):
    """Text, as UTF-8 bytes. Cannot be filtered on."""

    def get_prep_value(self, value: Any) -> Any:
        return value.encode() if isinstance(value, str) else value

    def from_db_value(self, value: Any, *_: object) -> str | None:
        return None if value is None else bytes(value).decode()

    def get_internal_type(self) -> str:
        return "BinaryField"


class ContentJsonField(_JsonField):
    """A JSON value, as canonical bytes: keys sorted, no spaces, UTF-8. Cannot be filtered on."""

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else canonical_json(value)

    def from_db_value(self, value: Any, *_: object) -> Any:
        return None if value is None else json.loads(bytes(value))

    def get_internal_type(self) -> str:
        return "BinaryField"
