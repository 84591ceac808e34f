"""What frequent words cost in a large store, with and without the bound on them.

    PYTHONPATH=platform:. .venv/bin/python -m bench.frequent_words

Half a million passages in one large store of a database of its own, with tokens of four words and
no text: a question of these four, one of them in more and more of the passages, by words alone.
Both statements in the same run, in turns; the processor's time of the server process, and the wall.
"""

import statistics
import time
from pathlib import Path
from uuid import UUID

from django.db import connection

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.selectors import serving_model
from souvenir.ingestion.models import LargeStore
from souvenir.memories.services import ensure_shared_store
from souvenir.search import frequent
from souvenir.search.beliefs import Belief, Model
from souvenir.search.candidates import Statement, Words, hybrid_statement
from souvenir.search.questions import Question
from tenants.isolation.scope import tenant_scope
from tenants.maintainer import maintain
from tests.builders import make_tenant

_PASSAGES = 500_000
_RARE = (11, 12, 13)  # tokens of words that 500 passages have
_FREQUENT = {1: 500, 2: 10_000, 3: 24_000, 4: 50_000, 5: 200_000, 6: 470_000}  # token: passages
_TIMES = 5
_BUCKET = 7
_BOUNDING = frequent.words_asked
_FILL = """
    INSERT INTO ingestion_passagetoken
        (tenant_id, store_id, token, passage_id, frequency, terms)
    SELECT %(tenant)s, %(store)s, %(token)s, md5((n::bigint * 7919 %% %(all)s)::text)::uuid, 4, 40
    FROM generate_series(1, %(count)s) n
"""


def main() -> None:
    tenant = make_tenant().id
    with tenant_scope(tenant):
        store = ensure_shared_store(slug="large").id
        LargeStore.objects.create(
            store_id=store, bucket=_BUCKET, state=LargeStore.State.SERVING,
            passages=_PASSAGES, terms=40 * _PASSAGES,
        )  # fmt: skip
        for token, count in {**_FREQUENT, **dict.fromkeys(_RARE, 500)}.items():
            _fill(tenant, store, token, count)
    maintain("VACUUM (ANALYZE) ingestion_passagetoken")
    print("| the most frequent word is in | of | CPU ms, all read | bounded | wall ms | bounded |")
    print("| --- | --- | --- | --- | --- | --- |")
    for token, count in _FREQUENT.items():
        with tenant_scope(tenant):
            (all_cpu, all_wall), (cpu, wall) = _both(store, token)
        print(f"| {count:,} | {_PASSAGES:,} | {all_cpu:.0f} | {cpu:.0f} | {all_wall:.0f} |"
              f" {wall:.0f} |")  # fmt: skip


def _fill(tenant: UUID, store: UUID, token: int, count: int) -> None:
    values: dict[str, UUID | int] = {
        "tenant": tenant,
        "store": store,
        "token": token,
        "count": count,
        "all": _PASSAGES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)


def _both(store: UUID, token: int) -> tuple[tuple[float, float], ...]:
    """(Processor's, wall's) milliseconds, medians: every word read; bounded."""
    bounded = _statement(store, token)
    frequent.words_asked = _every_word
    unbounded = _statement(store, token)
    frequent.words_asked = _BOUNDING
    spent = [[_spent(one) for one in (unbounded, bounded)] for _ in range(_TIMES)]
    return tuple(
        (statistics.median(t[n][0] for t in spent), statistics.median(t[n][1] for t in spent))
        for n in (0, 1)
    )


def _every_word(*, is_large: bool, by_meaning: bool) -> str:
    del is_large
    return _BOUNDING(is_large=False, by_meaning=by_meaning)


def _statement(store: UUID, token: int) -> Statement:
    model = Model(serving_model().number, BilingualEmbedder.model_id, BilingualEmbedder.dimensions)
    return hybrid_statement(
        Question("x", [store], dense_weight=0.0),
        belief=Belief(model, {store: _BUCKET}),
        vector=None,
        words=Words([token, *_RARE], [0, 1, 2, 3], [1.0] * 4),
    )


def _spent(statement: Statement) -> tuple[float, float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
        before, began = _processor_ms(pid), time.perf_counter()
        cursor.execute(statement.sql, statement.parameters)
        cursor.fetchall()
        return _processor_ms(pid) - before, 1000 * (time.perf_counter() - began)


def _processor_ms(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


if __name__ == "__main__":
    main()
