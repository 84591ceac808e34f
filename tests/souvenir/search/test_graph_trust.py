"""A graph is believed only as far as was measured; beyond that, every vector is compared.

The graph is made to find little, by asking it narrowly: where it is believed nevertheless, that
shows; where it is not, the answers are those of an exact scan.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.models import LargeStore, Passage
from souvenir.memories.services import ensure_shared_store
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tests.builders import Tenant, make_tenant, run_jobs
from tests.vectors import fill_store_with, some_vectors

ALL, HALF, FEW = Filters(), Filters(roles=["user"]), Filters(roles=["tool"])
_LIMIT = 30
_NARROW = "SET LOCAL hnsw.ef_search = 12; SET LOCAL hnsw.iterative_scan = off"


@dataclass(frozen=True)
class Large:
    """A store with a graph, and what an exact scan answered before there was one."""

    tenant: Tenant
    store_id: UUID
    exact: dict[str, list[UUID]]


def _question(store_id: UUID, only: Filters) -> Question:
    return Question("bouilloire", [store_id], limit=_LIMIT, dense_weight=1.0, only=only)


def _ids(store_id: UUID, only: Filters) -> list[UUID]:
    return [found.passage_id for found in search(_question(store_id, only)).results]


@pytest.fixture(scope="module")
def large() -> Large:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        ids = fill_store_with(store.id, some_vectors(3_000))
        Passage.objects.filter(id__in=ids[::2]).update(role="user")
        Passage.objects.filter(id__in=ids[7::500]).update(role="tool")
        exact = {str(only): _ids(store.id, only) for only in (ALL, HALF, FEW)}
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(tenant, Kind.PROMOTE_STORE)
    return Large(tenant, store.id, exact)


def _believe(distance: float | None, *, gap: float | None = None, model: int = 2) -> None:
    LargeStore.objects.update(trusted_distance=distance, trusted_gap=gap, trusted_model=model)


def _asked_narrowly(large: Large, only: Filters) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_NARROW)
    return _ids(large.store_id, only)


@pytest.mark.parametrize("only", [ALL, HALF, FEW], ids=["all", "half", "few"])
@pytest.mark.parametrize(
    "believed",
    [
        {"distance": None},
        {"distance": -0.999, "gap": 0.999},
        {"distance": 1.0, "gap": 0.0, "model": 1},
    ],
    ids=["never measured", "not that far", "of another model"],
)
def test_where_the_graph_is_not_trusted_the_answer_is_that_of_an_exact_scan(
    large: Large, only: Filters, believed: dict[str, Any]
) -> None:
    with tenant_scope(large.tenant.id):
        _believe(**believed)

        assert _asked_narrowly(large, only) == large.exact[str(only)]


@pytest.mark.parametrize(("distance", "gap"), [(1.0, None), (None, 0.0)])
def test_where_the_graph_is_trusted_it_is_believed(
    large: Large, distance: float | None, gap: float | None
) -> None:
    with tenant_scope(large.tenant.id):
        _believe(distance, gap=gap)

        found = _asked_narrowly(large, ALL)

    assert 10 <= len(found) < len(large.exact[str(ALL)]), "all that so narrow a look can find"


def _vectors_read(large: Large) -> dict[str, int]:
    """How often each index over the store's vectors was read by a question."""
    with CaptureQueriesContext(connection) as queries:
        search(_question(large.store_id, ALL))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {queries[-1]['sql']}")
        (answer,) = cursor.fetchone()
    told = json.loads(answer) if isinstance(answer, str) else answer
    read: dict[str, int] = {}
    waiting = [told[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name", "").startswith("ingestion_passagevector"):
            assert node["Node Type"] != "Seq Scan"
            if "passage_id =" not in node.get("Index Cond", ""):  # a look-up of one is no scan
                read[node["Index Name"][-4:]] = node["Actual Loops"]
    return read


def test_vectors_are_compared_only_where_the_graph_is_not_trusted(large: Large) -> None:
    with tenant_scope(large.tenant.id):
        _believe(1.0)
        trusted = _vectors_read(large)
        _believe(None)
        distrusted = _vectors_read(large)

    assert trusted["pkey"] == 0
    assert distrusted["pkey"] == 1


def test_globex_finds_nothing_of_a_graph_that_is_not_trusted(large: Large, globex: Tenant) -> None:
    with tenant_scope(large.tenant.id):
        _believe(None)

    with tenant_scope(globex.id):
        assert _ids(large.store_id, ALL) == []
