"""Rows as the lines of a Souvenir archive, and back. docs/archive-format.md tells what each holds.

People, stores and sources are known by their own names, for whoever restores them may have made
them already; everything else keeps its id. Nothing of the tenant itself is written.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    IntegerField,
    Model,
    UUIDField,
)

from souvenir.core.canonical_json import canonical_json
from souvenir.ingestion.models import Asset, Import, RawObject
from souvenir.memories.models import Conversation, Evidence, Memory, MemoryVersion, Message
from souvenir.portability.souvenir_archive import Line
from tenants.sealed import SealedJsonField, SealedTextField
from tenants.time_zones import zone_named

# Files of the archive, in the order in which they can be restored.
PEOPLE, STORES, SOURCES = "people.jsonl", "stores.jsonl", "sources.jsonl"
IMPORTS, CONVERSATIONS, MESSAGES = "imports.jsonl", "conversations.jsonl", "messages.jsonl"
RAW, ASSETS, MEMORIES = "raw.jsonl", "assets.jsonl", "memories.jsonl"

# What an archive keeps of a row besides its references, under the names of its columns.
COLUMNS: dict[type[Model], tuple[str, ...]] = {
    Import: ("id", "file_name", "sha256", "size_bytes", "layout", "report", "recorded_at"),
    Conversation: (
        "id", "provider_id", "title", "started_at", "updated_at", "current_leaf_id",
        "current_leaf_origin", "extra", "import_id", "recorded_at",
    ),
    Message: (
        "id", "conversation_id", "parent_id", "provider_id", "ordinal", "role", "author_name",
        "model", "hidden", "occurred_at", "time_original", "blocks", "extra", "import_id",
        "recorded_at",
    ),
    RawObject: (
        "id", "batch_id", "conversation_id", "kind", "path", "ordinal", "sha256", "size_bytes",
        "recorded_at",
    ),
    Asset: ("id", "batch_id", "path", "sha256", "size_bytes", "recorded_at"),
    Memory: ("id", "kind", "version", "recorded_at"),
    MemoryVersion: (
        "id", "number", "text", "occurred_at", "valid_from", "valid_to", "observed_at",
        "recorded_at", "origin", "method", "author", "reason", "metadata",
    ),
    Evidence: ("id", "message_id", "block", "start", "end", "quote_sha256"),
}  # fmt: skip
# What older archives do not have, and what that means.
_LATER: dict[str, Any] = {"metadata": {}}


def line_of(row: Model, **more: Any) -> Line:
    """A row as a line, with what its caller adds."""
    return {name: _plain(getattr(row, name)) for name in COLUMNS[type(row)]} | more


def values_of(model: type[Model], line: Line) -> dict[str, Any]:
    """A line as the values of a new row's columns.

    Raises:
        KeyError, ValueError: the line is not one of this kind.
    """
    whole = _LATER | line
    return {name: _column(model, name, whole[name]) for name in COLUMNS[model]}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value


def instant(text: str) -> datetime:
    """A time as an archive writes it."""
    return datetime.fromisoformat(text)


def time_zone_of(line: Line) -> str:
    """A person's; "": not told, as in older archives, or of a name that is not known here."""
    name = str(line.get("time_zone", ""))
    return name if zone_named(name) else ""


def text_of(moment: datetime) -> str:
    """A time as an archive writes it: UTC, microseconds, Z."""
    return str(_plain(moment))


def _column(model: type[Model], name: str, value: Any) -> Any:
    """A value as its column takes it. Raises ValueError or TypeError where it would not."""
    if name in _REFERENCES:
        return None if value is None and name != "batch_id" else UUID(value)
    field = model._meta.get_field(name)
    if value is None and field.null:
        return None
    return _READERS[type(field)](field, value)


def _short_text(field: Any, value: Any) -> str:
    if not isinstance(value, str) or len(value) > field.max_length or "\x00" in value:
        raise ValueError
    return value


def _number(limit: int) -> Callable[[Any, Any], int]:
    def read(_: Any, value: Any) -> int:
        if type(value) is not int or abs(value) >= limit:
            raise ValueError
        return value

    return read


def _truth(_: Any, value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError
    return value


def _json(_: Any, value: Any) -> Any:
    canonical_json(value)
    return value


_REFERENCES = {"conversation_id", "parent_id", "batch_id", "message_id"}
_READERS: dict[type[object], Callable[[Any, Any], Any]] = {
    DateTimeField: lambda _, value: instant(value),
    UUIDField: lambda _, value: UUID(value),
    CharField: _short_text,
    IntegerField: _number(2**31),
    BigIntegerField: _number(2**63),
    BooleanField: _truth,
    SealedTextField: lambda _, value: value.encode().decode(),
    SealedJsonField: _json,
}
