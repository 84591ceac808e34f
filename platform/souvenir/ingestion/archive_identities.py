"""Who and what an archive speaks of, here: its people, stores and sources, and whose ids stand for
which. A row keeps its id, unless another store of the organization has that, or it is here already.
"""

from typing import Any, TypeVar
from uuid import UUID, uuid5

from django.db.models import Model

from souvenir.ingestion import archive_rows as rows
from souvenir.memories.models import Person, Source, Store
from souvenir.memories.selectors import personal_slug
from souvenir.memories.services import ensure_person, ensure_shared_store, ensure_source
from souvenir.portability.souvenir_archive import ArchiveReader, Line

DatedT = TypeVar("DatedT", Person, Store, Source)


class Identities:
    """Of one restore. The archive of one person becomes that of `person`, if there is one."""

    def __init__(self, person: Person | None) -> None:
        self.stores: dict[str, Store] = {}  # by the slug that the archive has for it
        self._person = person
        self._sources: dict[tuple[str, str, str], Source] = {}
        self._instead: dict[UUID, UUID] = {}  # ids of rows that are here under another id
        self._derived: set[str] = set()  # slugs of stores whose ids all have to be derived

    def learn(self, archive: ArchiveReader) -> None:
        """Make its people, stores and sources known here; the earlier of two dates wins."""
        for line in archive.lines(rows.PEOPLE):
            _earlier(self._someone(line), line)
        for line in archive.lines(rows.STORES):
            self.stores[line["slug"]] = _earlier(self._store(line), line)
        for line in archive.lines(rows.SOURCES):
            self._sources[_source_key(line)] = _earlier(self._source(line), line)

    def source(self, line: Line) -> Source:
        """Where the row came from."""
        return self._sources[_source_key(line)]

    def find_strangers(self, model: type[Model], batch: list[Line]) -> None:
        """Ids that another store of this organization uses: this copy then gets ids of its own."""
        by_store: dict[str, list[str]] = {}
        for line in batch:
            by_store.setdefault(line["store"], []).append(line["id"])
        for slug, ids in by_store.items():
            others = model._default_manager.filter(pk__in=ids)
            if others.exclude(store_id=self.stores[slug].id).exists():
                self._derived.add(slug)

    def is_here(self, line: Line, id_: UUID) -> None:
        """The row of a line is here under another id, which stands for its own from now on."""
        self._instead[self.id_of(line, "id")] = id_

    def id_of(self, line: Line, name: str) -> Any:
        """The id here of what a column of a line names; None where it names nothing."""
        if line[name] is None:
            return None
        own = UUID(line[name])
        if line.get("store") in self._derived:
            own = uuid5(self.stores[line["store"]].id, line[name])
        return self._instead.get(own, own)

    def _external_id(self, archived: str) -> str:
        return self._person.external_id if self._person is not None else archived

    def _someone(self, line: Line) -> Person:
        """Who is here already keeps the name and the time zone that they have."""
        name = self._external_id(line["external_id"])
        person = ensure_person(external_id=name, display_name=line["display_name"])
        zone = rows.time_zone_of(line)
        if zone and not person.time_zone:
            ensure_person(external_id=name, time_zone=zone)
        return person

    def _store(self, line: Line) -> Store:
        if line["person"] is None:
            return ensure_shared_store(slug=line["slug"])
        return Store.objects.get(slug=personal_slug(self._external_id(line["person"])))

    def _source(self, line: Line) -> Source:
        return ensure_source(
            store=self.stores[line["store"]], provider=line["provider"], account=line["account"]
        )


def _earlier(row: DatedT, line: Line) -> DatedT:
    """Give a row the archive's date, if that is the earlier one."""
    moment = rows.instant(line["recorded_at"])
    if moment < row.recorded_at:
        row.recorded_at = moment
        row.save(update_fields=["recorded_at"])
    return row


def _source_key(line: Line) -> tuple[str, str, str]:
    return (line["store"], line["provider"], line["account"])
