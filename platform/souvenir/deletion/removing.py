"""Remove rows some thousands at a time: a store may have millions of them, a step has a second."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Model
from psycopg import sql

from souvenir.deletion.registry import Erasable, Reach
from souvenir.ingestion.models import PassageToken, PassageVector
from souvenir.ingestion.past import homes
from souvenir.memories.models import Message, MetadataToken
from tenants.isolation.scope import current_tenant

STEP_ROWS = 5_000  # with what refers to them looked for, less than a second
STEP_NARROW_ROWS = 50_000  # of tables that nothing refers to
_NARROW: tuple[type[Model], ...] = (PassageToken, PassageVector)
# Rows that go with others of their table: a message's parent is in its conversation.
_TOGETHER: dict[type[Model], str] = {Message: "conversation_id", MetadataToken: "memory_id"}
# By their places, of which no index has to be asked. A place in one partition may be one in another
# too: whatever stands there is one of these rows all the same.
_REMOVE = """
    DELETE FROM {table}
     WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s) AND ctid = ANY (ARRAY(
           SELECT ctid FROM {table}
            WHERE tenant_id = %(tenant)s AND store_id = ANY (%(stores)s) LIMIT %(rows)s))
"""
# Where nothing was counted yet, the planner would hold each row of the tenant against each place.
_BY_PLACE = """
    SELECT set_config(name, %(value)s, true) FROM pg_settings
     WHERE name IN ('enable_indexscan', 'enable_bitmapscan', 'enable_seqscan')
"""


@dataclass(frozen=True, slots=True)
class Removed:
    """What one step has removed, by table, and whether there may be more."""

    counts: dict[str, int]
    more: bool = False


def remove_some(erasable: Erasable, reach: Reach) -> Removed:
    """Remove some of the rows of a table that a reach takes. Call in a step."""
    if erasable.model in _NARROW:
        number = _remove_narrow(erasable.model, homes(reach.store_ids))
        return Removed({erasable.name: number}, more=number >= STEP_NARROW_ROWS)
    column = _TOGETHER.get(erasable.model, "pk")
    some: list[UUID] = []
    for rows in erasable.rows(reach):
        if len(some) < STEP_ROWS:
            some += rows.values_list(column, flat=True)[: STEP_ROWS - len(some)]
    together = {f"{column}__in": list(dict.fromkeys(some))}
    number, _ = erasable.model._default_manager.filter(**together).delete()
    return Removed({erasable.name: number}, more=len(some) == STEP_ROWS)


def _remove_narrow(model: type[Model], store_ids: list[UUID]) -> int:
    statement = sql.SQL(_REMOVE).format(table=sql.Identifier(model._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(_BY_PLACE, {"value": "off"})
        cursor.execute(
            statement.as_string(cursor.connection),
            {"tenant": current_tenant(), "stores": store_ids, "rows": STEP_NARROW_ROWS},
        )
        number = int(cursor.rowcount)
        cursor.execute(_BY_PLACE, {"value": "on"})
    return number
