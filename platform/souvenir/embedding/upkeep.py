"""Keep the tables of search in order: statistics, visibility, grown indexes, what was left behind.

Run now and then by whoever has the maintainer's connection; it reads no row. There are no pending
lists to flush: nothing here is a GIN index.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError
from psycopg import sql

from souvenir.embedding.models import EmbeddingModel
from souvenir.ingestion.models import LargeStore
from tenants.errors import TablesBusy
from tenants.isolation.catalogue import MAINTAINED
from tenants.isolation.scope import tenant_scope
from tenants.maintainer import maintain

# A covering index that grew by itself, in no order, is half as large again, and five times as slow
# to read from the disk.
GROWN = 1.3
_SEEN = 0.95  # an index-only scan reads the heap for each page that vacuum has not seen
_FEW_PAGES = 1_000  # 8 MB: not worth it
_LOCK = 7_301_616  # of the one round that may run
# To build an index anew, whoever began before is waited for: a long copy may take hours.
_LONGEST_WAIT = "10s"

# Pages against those of an index that was just built: 90 in 100 bytes of a page are filled.
_INDEXES = """
    WITH entries AS (
        SELECT i.indexrelid, 12 + 8 * ceil(sum(
                   CASE WHEN a.attlen > 0 THEN a.attlen ELSE 8 + 2 * %s END)::float8 / 8) AS bytes
          FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid AND t.relkind = 'r'
          JOIN pg_attribute a ON a.attrelid = i.indexrelid
         WHERE i.indisprimary AND pg_partition_root(t.oid)::regclass::text = ANY (%s)
         GROUP BY i.indexrelid
    )
    SELECT x.relname, x.relpages, x.relpages / greatest(1, t.reltuples / floor(7336 / e.bytes))
      FROM entries e JOIN pg_class x ON x.oid = e.indexrelid
      JOIN pg_index i ON i.indexrelid = x.oid JOIN pg_class t ON t.oid = i.indrelid
     WHERE t.reltuples > 0 ORDER BY 1
"""
_UNSEEN = """
    SELECT t.relname FROM pg_class t
     WHERE t.relkind = 'r' AND (t.relname = ANY (%s)
           OR (t.relispartition AND pg_partition_root(t.oid)::regclass::text = ANY (%s)))
       AND t.relpages >= %s AND t.relallvisible < %s * t.relpages ORDER BY 1
"""
_BUCKETS = """
    SELECT obj_description(t.oid, 'pg_class'), substring(t.relname from '_b([0-9]+)$')
      FROM pg_class t
     WHERE t.relispartition AND t.relkind = 'r' AND t.relname ~ '_b[0-9]+$'
       AND pg_partition_root(t.oid) = 'ingestion_passagevector'::regclass
"""
_SIXTEENTH = """
    SELECT format('ingestion_passagevector_%%s', lpad(part::text, 2, '0'))
      FROM generate_series(0, 15) AS part
     WHERE satisfies_hash_partition('ingestion_passagevector'::regclass, 16, part, %s)
"""


@dataclass(frozen=True, slots=True)
class CoveringIndex:
    """An index that carries its table. `growth`: its pages against those of a new one."""

    name: str
    pages: int
    growth: float


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a round did."""

    vacuumed: tuple[str, ...] = ()
    rebuilt: tuple[str, ...] = ()
    unfinished_dropped: int = 0
    buckets_closed: int = 0


def keep_in_order() -> Upkeep | None:
    """One round; None: another one is running. Holds nobody up, and waits for nobody for long: what
    is in use is left for the next round.

    Raises:
        MaintainerMissing
    """
    with _alone() as alone:
        if not alone:
            return None
        dropped = _drop_unfinished()
        closed = _close_abandoned()
        vacuumed = tuple(_vacuum())
        rebuilt = tuple(_rebuild())
        dropped += _drop_unfinished()  # of this round: each is written to until it is gone
        for table in MAINTAINED:
            _on("ANALYZE (SKIP_LOCKED) {}", table)
    return Upkeep(vacuumed, rebuilt, dropped, closed)


def vacuum_partitions(tenant_id: UUID, bucket: int) -> None:
    """Vacuum the common partition that a tenant's vectors are in, and that of a bucket.

    Raises:
        MaintainerMissing
    """
    (sixteenth,) = maintain(_SIXTEENTH, tenant_id)[0]
    for name in (f"{sixteenth}_common", f"{sixteenth}_b{bucket}"):
        _on("VACUUM (SKIP_LOCKED, ANALYZE) {}", name)


def covering_indexes() -> list[CoveringIndex]:
    """The primary keys of the partitions, by what vacuum last saw of them. One query.

    Raises:
        MaintainerMissing
    """
    widest = max(EmbeddingModel.objects.values_list("dimensions", flat=True))
    return [CoveringIndex(*row) for row in maintain(_INDEXES, widest, list(MAINTAINED))]


def _vacuum() -> Iterator[str]:
    tables = list(MAINTAINED)
    for (name,) in maintain(_UNSEEN, tables, tables, _FEW_PAGES, _SEEN):
        _on("VACUUM (SKIP_LOCKED, ANALYZE) {}", name)
        yield name


def _rebuild() -> Iterator[str]:
    for index in covering_indexes():
        if index.pages >= _FEW_PAGES and index.growth >= GROWN:
            with suppress(TablesBusy), _waiting_at_most(_LONGEST_WAIT):
                _on("REINDEX INDEX CONCURRENTLY {}", index.name)
                yield index.name


@contextmanager
def _waiting_at_most(interval: str) -> Iterator[None]:
    maintain(f"SET lock_timeout = '{interval}'")
    try:
        yield
    finally:
        maintain("RESET lock_timeout")


def _drop_unfinished() -> int:
    """Drop what interrupted builds left. Where one is in use, all wait for the next round."""
    try:
        return int(maintain("SELECT drop_unfinished_indexes()")[0][0])
    except TablesBusy:
        return 0


def _close_abandoned() -> int:
    """Close buckets whose store is gone. One that is not empty is left: somebody is at it."""
    closed = 0
    for tenant, bucket in maintain(_BUCKETS):
        if not _is_kept(UUID(tenant), int(bucket)):
            try:
                maintain("SELECT close_bucket(%s, %s)", UUID(tenant), int(bucket))
            except (TablesBusy, DatabaseError):
                continue
            closed += 1
    return closed


def _is_kept(tenant_id: UUID, bucket: int) -> bool:
    with tenant_scope(tenant_id):
        return LargeStore.objects.filter(bucket=bucket).exists()


def _on(statement: str, name: str) -> None:
    maintain(sql.SQL(statement).format(sql.Identifier(name)).as_string())


@contextmanager
def _alone() -> Iterator[bool]:
    got = maintain("SELECT pg_try_advisory_lock(%s)", _LOCK)[0][0]
    try:
        yield got
    finally:
        if got:
            maintain("SELECT pg_advisory_unlock(%s)", _LOCK)
