"""The planner never surprises: how a question is answered, at each size, as the run-time role.

The statement is the one that search sends. It is explained with and without statistics, since
those lag behind: a history that was just brought in must not be read in another way.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.models import Passage, PassageToken
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import ensure_person, ensure_shared_store
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants.isolation.catalogue import MAINTAINED
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.maintainer import maintain
from tests.builders import Tenant, make_tenant, run_jobs
from tests.vectors import fill_store_with, some_vectors

Node = dict[str, Any]
_SIZES = (10, 1_000, 6_000)
_TOKENS_EACH = 2
_ASKED = "Où est la bouilloire bleue de Nadine?"


@dataclass(frozen=True)
class Sized:
    """A person's store of some size."""

    tenant: Tenant
    store_id: UUID


@pytest.fixture(scope="module", params=_SIZES)
def sized(request: pytest.FixtureRequest) -> Sized:
    tenant = make_tenant()
    with tenant_scope(tenant.id):
        store_id = personal_store(person=ensure_person(external_id="alice")).id
        _fill(store_id, request.param)
    return Sized(tenant, store_id)


def _fill(store_id: UUID, count: int) -> None:
    ids = fill_store_with(store_id, some_vectors(count))
    PassageToken.objects.bulk_create(
        [
            PassageToken(
                store_id=store_id, token=7 * place + k, passage_id=id_, frequency=1, terms=9
            )
            for place, id_ in enumerate(ids)
            for k in range(_TOKENS_EACH)
        ],
        batch_size=5_000,
    )


def _plan(sized: Sized, *, asked: str = _ASKED, **options: Any) -> list[Node]:
    """Every node of the plan of a question to the store."""
    with tenant_scope(sized.tenant.id):
        with CaptureQueriesContext(connection) as queries:
            search(Question(asked, [sized.store_id], **options))
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {queries[-1]['sql']}")
            (answer,) = cursor.fetchone()
    told = json.loads(answer) if isinstance(answer, str) else answer
    return list(_nodes(told[0]["Plan"]))


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _of(nodes: list[Node], table: str) -> list[Node]:
    """The nodes that read a table, or a partition of it."""
    return [
        node
        for node in nodes
        if node.get("Relation Name", "") == table
        or node.get("Relation Name", "").startswith(f"{table}_")
    ]


def _check(nodes: list[Node]) -> None:
    read = [node for table in MAINTAINED for node in _of(nodes, table)]
    # A handful of passages may be gathered through a bitmap of an index: never by reading a table.
    by_index = {"Index Only Scan", "Index Scan", "Bitmap Heap Scan"}
    assert {node["Node Type"] for node in read} <= by_index
    for table in ("ingestion_passagevector", "ingestion_passagetoken"):
        found = _of(nodes, table)
        assert found
        assert {node["Node Type"] for node in found} == {"Index Only Scan"}
        assert len({node["Relation Name"] for node in found}) == 1, "one partition"
        assert all(node["Index Name"].endswith("_pkey") for node in found)
        # All that is asked is asked of the index: nothing was demoted by row-level security.
        assert all("Filter" not in node for node in found)
        assert all("tenant_id =" in node["Index Cond"] for node in found)
    assert all("token =" in node["Index Cond"] for node in _of(nodes, "ingestion_passagetoken"))


def test_a_person_s_question_reads_covering_indexes_of_one_partition(sized: Sized) -> None:
    _check(_plan(sized))


def test_it_still_does_once_the_tables_are_tended(sized: Sized) -> None:
    for table in MAINTAINED:
        # As autovacuum does. Where no page is known to be all visible, a bitmap may be cheaper.
        maintain(f"VACUUM (ANALYZE) {table}")

    _check(_plan(sized))


def test_a_filter_looks_up_passages_by_their_whole_keys(sized: Sized) -> None:
    nodes = _plan(sized, only=Filters(roles=["user"]))

    _check(nodes)
    looked_up = [n for n in _of(nodes, "ingestion_passage") if n.get("Alias", "").startswith("p")]
    assert looked_up
    conditions = [node.get("Index Cond", node.get("Recheck Cond", "")) for node in looked_up]
    assert all("id =" in str(condition) for condition in conditions)


@pytest.mark.parametrize("when", ["hier", "en 2024", "« bleue de Nadine »"])
def test_a_time_or_a_phrase_is_looked_up_by_indexes_too(sized: Sized, when: str) -> None:
    _check(_plan(sized, asked=f"Où est la bouilloire, {when}?"))


def test_a_large_store_is_asked_by_its_graph_and_the_rest_exactly(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")
        mine = personal_store(person=ensure_person(external_id="alice")).id
        _fill(store.id, 4_000)
        _fill(mine, 50)
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(acme, Kind.PROMOTE_STORE)
    maintain("ANALYZE ingestion_passagevector")

    nodes = _plan(Sized(acme, store.id))

    (near,) = [n for n in _of(nodes, "ingestion_passagevector") if "Order By" in n]
    assert near["Node Type"] == "Index Scan"
    assert near["Index Name"].endswith("_m2")
    own = _plan(Sized(acme, mine))
    _check(own)


def test_graph_and_exact_scan_find_nearly_the_same(acme: Tenant) -> None:
    vectors = some_vectors(4_000)
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")
        ids = fill_store_with(store.id, vectors)
        question = Question("bouilloire", [store.id], limit=10, dense_weight=1.0)
        exact = [found.passage_id for found in search(question).results]
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(acme, Kind.PROMOTE_STORE)

    with tenant_scope(acme.id):
        found = [found.passage_id for found in search(question).results]

    assert set(exact) <= set(ids)
    assert len(set(found) & set(exact)) >= 9
    assert len(found) == 10


def test_a_filter_on_a_large_store_misses_nothing_however_little_it_leaves(acme: Tenant) -> None:
    """By the graph where it leaves much, by comparing all that is left where that is little."""
    vectors = some_vectors(4_000)
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")
        ids = fill_store_with(store.id, vectors)
        Passage.objects.filter(id__in=ids[::2]).update(role="user")
        Passage.objects.filter(id__in=ids[7::500]).update(role="tool")
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
        questions = [
            Question("kettle", [store.id], only=Filters(roles=roles), dense_weight=1.0)
            for roles in (["user"], ["tool"])
        ]
        exact = [[found.passage_id for found in search(one).results] for one in questions]
    run_jobs(acme, Kind.PROMOTE_STORE)

    with tenant_scope(acme.id):
        found = [[one.passage_id for one in search(question).results] for question in questions]

    assert len(found[1]) == 8, "min(k, n)"
    assert found[1] == exact[1]
    assert len(found[0]) == len(exact[0]) == 10
    assert len(set(found[0]) & set(exact[0])) >= 9


def test_plans_are_made_for_each_question() -> None:
    """A generic plan knows no tenant: it prunes no partition, and trusts averages."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_custom_plan",)
        cursor.execute("SHOW hnsw.ef_search")
        assert cursor.fetchone() == ("1000",)
