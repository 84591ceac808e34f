"""Stores of any size in seconds, and how what is asked of them is planned."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from pgvector import HalfVector

from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.models import Passage
from souvenir.ingestion.services import remember
from souvenir.memories.models import Store
from souvenir.memories.services import Statement
from tenants.isolation.scope import current_tenant
from tests.vectors import some_vectors

Node = dict[str, Any]
_NUMBERS = 1_900  # words of four letters, each of which is a passage
_VECTORS = 100
_PARTITION = re.compile(r"_\d\d.*$")  # of ingestion_passagevector_07_common, and the like
_TOKENS_EACH = 3
# Copies of one passage, at other places of its text; with vectors and tokens.
_PASSAGES = """
    WITH made AS (
        INSERT INTO ingestion_passage
        SELECT (jsonb_populate_record(one, jsonb_build_object(
            'id', uuidv7(), 'start', 5 * (n %% %(numbers)s), 'embedded_with', 'x',
            'end', 5 * (n %% %(numbers)s + n / %(numbers)s) + 4,
            'occurred_at', timestamptz '2020-01-01' + n * interval '1 hour'
        ))).* FROM ingestion_passage one, generate_series(0, %(count)s - 1) n
        WHERE one.tenant_id = %(tenant)s AND one.id = %(passage)s RETURNING id
    ), numbered AS MATERIALIZED (
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM made
    ), near AS (
        INSERT INTO ingestion_passagevector
            (tenant_id, store_id, model, passage_id, bucket, embedding)
        SELECT %(tenant)s, %(store)s, %(model)s, m.id, 0, v.vector::halfvec FROM numbered m
        JOIN unnest(%(vectors)s::text[]) WITH ORDINALITY v (vector, place)
          ON v.place = 1 + m.n %% cardinality(%(vectors)s::text[])
    )
    INSERT INTO ingestion_passagetoken (tenant_id, store_id, token, passage_id, frequency, terms)
    SELECT %(tenant)s, %(store)s, %(each)s * (m.n * 7919 * k %% 20000) + k, m.id, 4, 9
    FROM numbered m, generate_series(1, %(each)s) k
"""
_COPIES = """
    INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object(
        'id', uuidv7(), %(number)s::text, %(from)s + n, %(name)s::text, 'copy-' || n))).*
    FROM {table} one, generate_series(1, %(count)s) n
    WHERE one.tenant_id = %(tenant)s AND one.id = %(id)s
"""


def fill(store_id: UUID, count: int) -> None:
    """That many passages of one memory, no two of which say the same. Needs a tenant scope."""
    store = Store.objects.get(id=store_id)
    text = " ".join(str(number) for number in range(1_000, 1_000 + _NUMBERS))
    memory = remember(store=store, statement=Statement(text=text))
    one = Passage.objects.filter(memory_id=memory.id)[0]
    with connection.cursor() as cursor:
        cursor.execute(
            _PASSAGES,
            {
                "tenant": current_tenant(), "store": store_id, "passage": one.id, "count": count,
                "model": serving_model().number, "numbers": _NUMBERS, "each": _TOKENS_EACH,
                "vectors": [HalfVector(v).to_text() for v in some_vectors(_VECTORS)],
            },
        )  # fmt: skip


def copy_row(row: Model, count: int, *, number: str = "", name: str = "") -> None:
    """So many more rows like one, which nobody can open. Needs a tenant scope.

    In the columns `number` and `name` no two are alike.
    """
    values = {"tenant": current_tenant(), "id": row.pk, "count": count, "from": 10**6}
    statement = _COPIES.format(table=row._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement, values | {"number": number, "name": name})


def plans(queries: CaptureQueriesContext) -> list[list[Node]]:
    """Every node of the plan of each statement that was caught. Needs a tenant scope."""
    found = []
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {query['sql']}")
            (answer,) = cursor.fetchone()
            told = json.loads(answer) if isinstance(answer, str) else answer
            found.append(list(_nodes(told[0]["Plan"])))
    return found


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def reading(nodes: list[Node], table: str = "") -> list[Node]:
    """The nodes that read a table or its partitions; without a name, any table."""
    found = [node for node in nodes if "Relation Name" in node]
    return [
        node for node in found if not table or _PARTITION.sub("", node["Relation Name"]) == table
    ]
