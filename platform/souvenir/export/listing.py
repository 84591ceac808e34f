"""Which objects go into an archive, in which order, and how they are cut into parts.

The list is of one moment of the database: it holds ids, and the version of each memory. What it
names is read afterwards, a part at a time; where it is cut depends on what there is, and on nothing
else.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from django.db import connection
from django.db.models import Count, Model, Q, QuerySet
from django.db.models.functions import Collate

from souvenir.ingestion import archive_rows as rows
from souvenir.ingestion.models import Asset, RawObject
from souvenir.memories.models import Conversation, Memory, Message, Person, Source, Store
from tenants.ledger.items import Part

# Parts that no file of lines is named for.
BODIES, FILES = "bodies", "files"
# Text in the order of its bytes: two databases may sort their languages differently.
BY_STORE = Collate("store__slug", "C")
_AT_ONCE = 2_000  # rows of the list itself
_PART_ROWS = 500
_PART_CONVERSATIONS, _PART_MESSAGES = 200, 2_000
_PART_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Listed:
    """One object of the list."""

    entry: list[str | int | None]  # its id, and what of it is held fast
    objects: int = 0  # how much further a copy is with it
    weight: float = 0.0  # of what a part may hold; 1: all of it


def begin_snapshot() -> None:
    """See one moment of the database until the scope ends. First thing in a tenant scope."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def write_list(person: Person | None, stream: BinaryIO) -> Iterator[Part]:
    """Write down everything of one person, or of the organization, and give the parts it makes.

    A part's name is its kind and its place in the list. Needs a scope that began with
    `begin_snapshot`.
    """
    place = stream.tell()
    for kind, listed in _kinds(person):
        for group in _cut(listed):
            line = json.dumps([one.entry for one in group]).encode() + b"\n"
            stream.write(line)
            yield Part(f"{kind}:{place}", size=sum(one.objects for one in group))
            place += len(line)
    yield Part(f"{rows.IMPORTS}:{place}", size=0)  # at the end: whatever the others refer to


def read_list(stream: BinaryIO, name: str) -> tuple[str, list[list[Any]]]:
    """The kind of a part, and what the list says of it."""
    kind, _, place = name.rpartition(":")
    stream.seek(int(place))
    line = stream.readline()
    return kind, json.loads(line) if line else []


def kind_of(name: str) -> str:
    """The kind of a part."""
    return name.rpartition(":")[0]


def stores_of(person: Person | None) -> QuerySet[Store]:
    """The stores that a copy holds. Lazy."""
    leaving = Person.State.LEAVING  # their keys may be gone already
    stores = Store.objects.exclude(person__state=leaving)
    return stores if person is None else stores.filter(person_id=person.id)


def _kinds(person: Person | None) -> Iterator[tuple[str, Iterable[_Listed]]]:
    people = Person.objects.exclude(state=Person.State.LEAVING)
    people = people if person is None else people.filter(id=person.id)
    stores = stores_of(person)
    here = Q(store_id__in=stores.values("id"))
    by_source = (BY_STORE, Collate("provider", "C"), Collate("account", "C"))
    yield rows.PEOPLE, _ids(people.order_by(Collate("external_id", "C")))
    yield rows.STORES, _ids(stores.order_by(Collate("slug", "C")))
    yield rows.SOURCES, _ids(Source.objects.filter(here).order_by(*by_source))
    yield rows.CONVERSATIONS, _conversations(here)
    yield rows.MEMORIES, _memories(here)
    yield rows.RAW, _raw_objects(here)
    yield rows.ASSETS, _ids(Asset.objects.filter(here).order_by(BY_STORE, "id"), objects=1)
    yield BODIES, _bodies(RawObject.objects.filter(here))
    yield FILES, _bodies(Asset.objects.filter(here))


def _ids(found: QuerySet[Any], *, objects: int = 0) -> Iterator[_Listed]:
    for id_ in found.values_list("id", flat=True).iterator(_AT_ONCE):
        yield _Listed([str(id_)], objects, 1 / _PART_ROWS)


def _conversations(here: Q) -> Iterator[_Listed]:
    """Each with all of its messages."""
    counted = Message.objects.filter(here).order_by().values_list("conversation_id")
    messages = dict(counted.annotate(number=Count("id")).iterator(_AT_ONCE))
    found = Conversation.objects.filter(here).order_by(BY_STORE, "id")
    for id_ in found.values_list("id", flat=True).iterator(_AT_ONCE):
        number = messages.get(id_, 0)
        yield _Listed([str(id_)], 1 + number, max(1 / _PART_CONVERSATIONS, number / _PART_MESSAGES))


def _memories(here: Q) -> Iterator[_Listed]:
    """What is being forgotten is not taken home."""
    found = Memory.objects.filter(here, state=Memory.State.ACTIVE).order_by(BY_STORE, "id")
    for id_, version in found.values_list("id", "version").iterator(_AT_ONCE):
        yield _Listed([str(id_), version], 1, 1 / _PART_ROWS)


def _raw_objects(here: Q) -> Iterator[_Listed]:
    found = RawObject.objects.filter(here).order_by(BY_STORE, "id")
    for id_, conversation_id in found.values_list("id", "conversation_id").iterator(_AT_ONCE):
        yield _Listed([str(id_), _text(conversation_id)], 1, 1 / _PART_ROWS)


def _bodies(found: QuerySet[Any]) -> Iterator[_Listed]:
    """Bytes are written once, whichever stores have them."""
    written = ""
    asked = found.order_by("sha256", "id").values_list("id", "sha256", "size_bytes")
    for id_, sha256, size in asked.iterator(_AT_ONCE):
        if sha256 != written:
            yield _Listed([str(id_)], 0, max(1 / _PART_ROWS, size / _PART_BYTES))
        written = sha256


def _cut(listed: Iterable[_Listed]) -> Iterator[list[_Listed]]:
    """Groups that are within what a part may hold, or of one object that alone is not."""
    group: list[_Listed] = []
    weight = 0.0
    for one in listed:
        if group and weight + one.weight > 1:
            yield group
            group, weight = [], 0.0
        group.append(one)
        weight += one.weight
    if group:
        yield group


def _text(id_: UUID | None) -> str | None:
    return str(id_) if id_ else None


def here_by_id(model: type[Model], ids: Iterable[str]) -> QuerySet[Any]:
    """Rows that the list names, those that are still here. Lazy."""
    return model._default_manager.filter(id__in=list(ids))
