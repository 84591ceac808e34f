"""The planner never surprises: how a question is answered, at each size, as the run-time role.

The statements are those that search and context send. They are explained with and without
statistics, since those lag behind: a history that was just brought in, by somebody who was not
there at the last ANALYZE, must not be read in another way.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.models import Passage
from souvenir.ingestion.services import correct, remember
from souvenir.memories.metadata import wanted_in
from souvenir.memories.models import Memory, MemoryVersion, Message
from souvenir.memories.selectors import personal_store
from souvenir.memories.services import Statement, ensure_person, ensure_shared_store
from souvenir.search.context import context
from souvenir.search.neighbours import Expand
from souvenir.search.questions import Filters, Question
from souvenir.search.services import search
from tenants.isolation.catalogue import MAINTAINED
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.maintainer import maintain
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs
from tests.souvenir.search.planned import Node, copy_row, fill, plans, reading
from tests.vectors import fill_store_with, some_vectors

_SIZES = (10, 1_000, 6_000, 50_000)
_STATES = ("just brought in", "tended")
_BESIDE = 3_000  # rows of another organization, in every table that search reads
_ASKED = "Où est la bouilloire bleue de Nadine?"
_TALK = [f"Où est la clé {number}?" for number in range(40)]
_MARCH, _NOW = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sized:
    """A person's store of some size."""

    tenant: Tenant
    store_id: UUID
    passages: int
    is_tended: bool = False


@pytest.fixture(scope="module")
def beside() -> None:
    """Another organization, which was there before, and of which there are statistics."""
    other = make_tenant()
    import_bytes(other, chatgpt_export(*_TALK))
    with tenant_scope(other.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        memory = remember(store=store, statement=Statement(text="La bouilloire est bleue"))
        correct(memory_id=memory.id, statement=Statement(text="La bouilloire est verte"))
        fill(store.id, _BESIDE)
        copy_row(Message.objects.all()[0], _BESIDE, number="ordinal", name="provider_id")
        copy_row(Memory.objects.get(id=memory.id), _BESIDE)
        copy_row(MemoryVersion.objects.all()[0], _BESIDE, number="number")
    for table in MAINTAINED:
        maintain(f"VACUUM (ANALYZE) {table}")


_sized: dict[int, Sized] = {}


@pytest.fixture(
    scope="module",
    params=[(size, state) for size in _SIZES for state in _STATES],
    ids=lambda param: f"{param[0]}, {param[1]}",
)
def sized(request: pytest.FixtureRequest, beside: None) -> Sized:
    """Of each size first as it was brought in, then once the tables are tended."""
    size, state = request.param
    if size not in _sized:
        tenant = make_tenant()
        import_bytes(tenant, chatgpt_export(*_TALK))
        with tenant_scope(tenant.id):
            store = personal_store(person=ensure_person(external_id="alice"))
            fill(store.id, size)
        _sized[size] = Sized(tenant, store.id, size)
    if state == "tended":
        for table in MAINTAINED:
            maintain(f"VACUUM (ANALYZE) {table}")
    return replace(_sized[size], is_tended=state == "tended")


def _plan(sized: Sized, question: Question) -> list[Node]:
    """Every node of the plan of a search."""
    with tenant_scope(sized.tenant.id):
        with CaptureQueriesContext(connection) as queries:
            search(question)
        return plans(queries)[-1]  # asked again where a store has moved meanwhile


def _check(nodes: list[Node]) -> None:
    """Read by indexes, of one partition, as far as a key goes; and by nothing else."""
    read = reading(nodes)
    assert {node["Node Type"] for node in read} <= {"Index Only Scan", "Index Scan"}
    for table in ("ingestion_passagevector", "ingestion_passagetoken"):
        found = reading(nodes, table)
        assert found
        assert {node["Node Type"] for node in found} == {"Index Only Scan"}
        assert len({node["Relation Name"] for node in found}) == 1, "one partition"
        assert all(node["Index Name"].endswith("_pkey") for node in found)
        # All that is asked is asked of the index: nothing was demoted by row-level security.
        assert all("Filter" not in node for node in found)
        assert all("(tenant_id =" in node["Index Cond"] for node in found)
        assert all("(store_id =" in node["Index Cond"] for node in found)
    assert all(
        "(token =" in node["Index Cond"] for node in reading(nodes, "ingestion_passagetoken")
    )
    for node in read:
        _check_key(node)


# What narrows a look-up down to a row, or to the few that belong together.
_NARROW = {
    "ingestion_passage": ("(id =", "(store_id =", "(message_id =", "(memory_id ="),
    "memories_message": ("(id =", "(conversation_id =", "(store_id ="),
    "memories_conversation": ("(id =",),
    "memories_memory": ("(id =",),
    "memories_memoryversion": ("(memory_id =", "(store_id ="),
    "memories_metadatatoken": ("(token =", "(memory_id ="),
}


def _check_key(node: Node) -> None:
    """A look-up never reads all that a tenant has, to keep one row of it."""
    narrow = _NARROW.get(node["Relation Name"])
    if narrow is None:
        return
    condition = node.get("Index Cond", "")
    assert "(tenant_id =" in condition, str(node)
    assert any(part in condition for part in narrow), str(node)


_WAYS: dict[str, tuple[str, Filters]] = {
    "plain": (_ASKED, Filters()),
    "a short time": ("Où est la bouilloire, hier?", Filters()),
    "a long time": ("Où est la bouilloire, en 2024?", Filters()),
    "a phrase": ("Où est « la bouilloire bleue »?", Filters()),
    "as of": (_ASKED, Filters(as_of=_MARCH)),
    "known at": (_ASKED, Filters(known_at=_NOW)),
    "both clocks": (_ASKED, Filters(as_of=_MARCH, known_at=_NOW)),
    "both clocks, a time and a phrase": (
        "Où est « la bouilloire bleue », hier?", Filters(as_of=_MARCH, known_at=_NOW)),
    "since": (_ASKED, Filters(since=_MARCH)),
    "until": (_ASKED, Filters(until=_NOW)),
    "a source": (_ASKED, Filters(providers=["chatgpt"])),
    "a role": (_ASKED, Filters(roles=["user"])),
    "a kind": (_ASKED, Filters(kinds=["message"])),
    "a language": (_ASKED, Filters(languages=["fr"])),
    "trust": (_ASKED, Filters(least_trust=2)),
    "metadata": (_ASKED, Filters(metadata=wanted_in({"room": "kitchen"}))),
    "a role, as of": (_ASKED, Filters(roles=["user"], as_of=_MARCH)),
}  # fmt: skip
# Those that a passage's own row answers.
_FACTS = ("since", "until", "a source", "a role", "a kind", "a language", "trust")


@pytest.mark.parametrize("way", _WAYS)
def test_a_person_s_question_reads_indexes_of_one_partition(sized: Sized, way: str) -> None:
    text, only = _WAYS[way]

    _check(_plan(sized, Question(text, [sized.store_id], only=only, asked_at=_NOW)))


@pytest.mark.parametrize("way", _FACTS)
def test_what_a_filter_leaves_is_listed_from_an_index_and_its_vectors_are_those_read(
    sized: Sized, way: str
) -> None:
    text, only = _WAYS[way]

    nodes = _plan(sized, Question(text, [sized.store_id], only=only, asked_at=_NOW))

    listed = [n for n in reading(nodes, "ingestion_passage") if "store_id" in n["Index Cond"]]
    # Until it is tended, the rows have to be looked at for who may see them; and ten of them, on a
    # page that others were just given rows of, may be had as cheaply that way.
    if sized.is_tended and sized.passages >= 1_000:
        assert {node["Node Type"] for node in listed} == {"Index Only Scan"}
    near, _ = reading(nodes, "ingestion_passagevector")
    assert "(passage_id = ANY" in near["Index Cond"]


def test_so_does_a_question_of_several_stores(sized: Sized) -> None:
    with tenant_scope(sized.tenant.id):
        team = ensure_shared_store(slug="team")

    _check(_plan(sized, Question(_ASKED, [sized.store_id, team.id])))


@pytest.mark.parametrize("way", ["plain", "both clocks", "a role"])
@pytest.mark.parametrize("expand", [Expand.NEIGHBOURS, Expand.CONVERSATION])
def test_what_was_said_around_it_is_looked_up_by_its_keys(
    sized: Sized, expand: Expand, way: str
) -> None:
    question = Question(_TALK[7], [sized.store_id], only=_WAYS[way][1], asked_at=_NOW)
    with tenant_scope(sized.tenant.id):
        with CaptureQueriesContext(connection) as queries:
            assert context(question, budget=2_000, expand=expand).items
        hybrid, *others = plans(queries)

    _check(hybrid)
    assert len(others) == 3, "the messages of the tree, its leaves, the passages beside"
    for nodes in others:
        assert {node["Node Type"] for node in reading(nodes)} <= {"Index Only Scan", "Index Scan"}
        for node in reading(nodes):
            _check_key(node)
    (passages,) = reading(others[-1], "ingestion_passage")
    assert "(message_id =" in passages["Index Cond"]


def test_a_large_store_is_asked_by_its_graph_and_the_rest_exactly(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        store = ensure_shared_store(slug="team")
        mine = personal_store(person=ensure_person(external_id="alice")).id
        fill(store.id, 4_000)
        fill(mine, 50)
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    run_jobs(acme, Kind.PROMOTE_STORE)
    maintain("ANALYZE ingestion_passagevector")

    nodes = _plan(Sized(acme, store.id, 4_000), Question(_ASKED, [store.id]))

    (near,) = [n for n in reading(nodes, "ingestion_passagevector") if "Order By" in n]
    assert near["Node Type"] == "Index Scan"
    assert near["Index Name"].endswith("_m2")
    own = _plan(Sized(acme, mine, 50), Question(_ASKED, [mine]))
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
