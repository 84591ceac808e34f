"""Remove rows some thousands at a time: a store may have millions of them, a step has a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, TextField
from django.db.models.expressions import RawSQL
from psycopg import sql

from souvenir.deletion.registry import Erasable, Reach, Rows
from souvenir.ingestion import buckets
from souvenir.ingestion.models import LargeStore, PassageToken, PassageVector
from souvenir.ingestion.past import homes
from souvenir.memories.models import Message, MetadataToken
from tenants.isolation.scope import current_tenant
from tenants.ledger.together import Portion

STEP_ROWS = 5_000  # with what refers to them looked for, less than a second
# Of tables that nothing refers to. Whoever goes on meets what went before in the index once more,
# so the fewer times the better.
_NARROW: dict[type[Model], int] = {PassageToken: 200_000, PassageVector: 50_000}
# Rows that go with others of their table: a message's parent is in its conversation.
_TOGETHER: dict[type[Model], str] = {Message: "conversation_id", MetadataToken: "memory_id"}
# By their places: no id is read, and of no index is asked twice.
_REMOVE = "DELETE FROM {table} WHERE tenant_id = %s AND ctid = ANY (ARRAY({places}))"
# A place in one partition may be one in another too: whatever stands there is one of these rows
# all the same.
_REMOVE_NARROW = """
    DELETE FROM {table}
     WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s) {here} AND ctid = ANY (ARRAY(
           SELECT ctid FROM {table}
            WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s) {here} LIMIT %(rows)s))
"""
# Partitions of others are not even locked: a graph may be being built in one.
_HERE: dict[type[Model], str] = {
    PassageToken: "",
    PassageVector: "AND bucket = ANY (%(buckets)s)",
}
# Where nothing was counted yet, the planner would hold each row of the tenant against each place.
_BY_PLACE = """
    SELECT set_config('enable_indexscan', %(value)s, true),
           set_config('enable_bitmapscan', %(value)s, true),
           set_config('enable_seqscan', %(value)s, true)
"""


def remove_some(erasable: Erasable, reach: Reach) -> Portion:
    """Remove some of the rows of a table that a reach takes. Call in a step."""
    model = erasable.model
    if model in _NARROW:
        number, most = _remove_narrow(model, reach.store_ids), _NARROW[model]
        return Portion({erasable.name: number}, more=number >= most)
    if model in _TOGETHER:
        return _remove_together(erasable, reach, _TOGETHER[model])
    number = 0
    for rows in erasable.rows(reach):
        if number < STEP_ROWS:
            number += _remove(rows[: STEP_ROWS - number])
    return Portion({erasable.name: number}, more=number == STEP_ROWS)


def _remove_together(erasable: Erasable, reach: Reach, column: str) -> Portion:
    some: list[UUID] = []
    for rows in erasable.rows(reach):
        if len(some) < STEP_ROWS:
            some += rows.values_list(column, flat=True)[: STEP_ROWS - len(some)]
    found = {f"{column}__in": list(dict.fromkeys(some))}
    number, _ = erasable.model._default_manager.filter(**found).delete()
    return Portion({erasable.name: number}, more=len(some) == STEP_ROWS)


def _remove(rows: Rows) -> int:
    """Remove rows of one table. Gives how many."""
    table = rows.model._meta.db_table
    place = RawSQL(f'"{table}".ctid', (), output_field=TextField())  # noqa: S611 (a name of ours)
    try:
        places, values = rows.values_list(place).query.sql_with_params()
    except EmptyResultSet:  # of no store, or of nobody
        return 0
    statement = sql.SQL(_REMOVE).format(table=sql.Identifier(table), places=sql.SQL(places))
    with _by_place() as cursor:
        cursor.execute(statement.as_string(cursor.connection), [current_tenant(), *values])
        return int(cursor.rowcount)


def _remove_narrow(model: type[Model], store_ids: list[UUID]) -> int:
    large = LargeStore.objects.filter(store_id__in=store_ids)
    statement = sql.SQL(_REMOVE_NARROW).format(
        table=sql.Identifier(model._meta.db_table), here=sql.SQL(_HERE[model])
    )
    values: dict[str, Any] = {
        "tenant": current_tenant(),
        "stores": homes(store_ids),
        "buckets": [buckets.COMMON, *large.values_list("bucket", flat=True)],
        "rows": _NARROW[model],
    }
    with _by_place() as cursor:
        cursor.execute(statement.as_string(cursor.connection), values)
        return int(cursor.rowcount)


@contextmanager
def _by_place() -> Iterator[CursorWrapper]:
    """A cursor whose statements find rows by their places, where they name them."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_PLACE, {"value": "off"})
        yield cursor
        cursor.execute(_BY_PLACE, {"value": "on"})
