"""An erasure of much is many short steps: it is left and gone on with, and nothing is missed."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from souvenir.audit.actions import Action
from souvenir.audit.models import Entry
from souvenir.core.jobs import Job as Kind
from souvenir.deletion import erasing, removing
from souvenir.deletion.erasing import erase
from souvenir.deletion.models import Erasure
from souvenir.deletion.services import request_erasure
from souvenir.export.models import Export
from souvenir.export.services import request_export
from souvenir.ingestion.models import PassageToken, PassageVector
from souvenir.ingestion.services import remember
from souvenir.memories.models import Conversation, Message
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger import job_items
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs, take_job
from tests.killed import Killed


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("souvenir.deletion.removing.STEP_ROWS", 2)
    monkeypatch.setattr(removing, "_NARROW", dict.fromkeys(removing._NARROW, 3))
    monkeypatch.setattr("souvenir.deletion.erasing.STEP_ROWS", 2)
    monkeypatch.setattr("tenants.ledger.together.STEP_SECONDS", 0.0)


def _ask(tenant: Tenant, target: str = "person", target_id: UUID | None = None) -> Erasure:
    with tenant_scope(tenant.id):
        asked = target_id or get_person(external_id="alice").id
        return request_erasure(target=target, target_id=asked)


def _job_of(erasure: Erasure) -> Job:
    assert erasure.job_id is not None
    return Job.objects.get(id=erasure.job_id)


def _rows_left(tenant: Tenant) -> dict[str, int]:
    tables = ("ingestion_passagetoken", "ingestion_passage", "memories_message", "memories_store",
              "memories_conversation", "ingestion_rawobject", "memories_memory")  # fmt: skip
    counts = {}
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def _fill(tenant: Tenant) -> None:
    for number in range(3):
        words = [f"Une phrase de plusieurs mots, {place}" for place in range(5)]
        import_bytes(tenant, chatgpt_export(*words, conversation=f"c-{number}"))
    with tenant_scope(tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
        for number in range(5):
            remember(store=store, statement=Statement(text=f"Souvenir {number}"))


def test_tables_larger_than_a_step_go_whole(
    acme: Tenant, globex: Tenant, small_steps: None
) -> None:
    _fill(acme)
    _fill(globex)
    theirs = _rows_left(globex)
    erasure = _ask(acme)

    run_jobs(acme, Kind.ERASE)

    assert _rows_left(acme) == {}
    assert _rows_left(globex) == theirs
    with tenant_scope(acme.id):
        erasure.refresh_from_db()
        tokens = job_items(job_id=_job_of(erasure).id).get(name="passage_tokens")
    assert erasure.counts["messages"] == 15
    assert erasure.counts["conversations"] == 3
    assert tokens.attempts > 10, "three at a time"
    assert erasure.finished_at is not None


@pytest.mark.parametrize("call", [1, 7, 20])
def test_an_erasure_whose_worker_is_killed_goes_on_and_counts_once(
    acme: Tenant, small_steps: None, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    _fill(acme)
    erasure = _ask(acme)
    real, calls = erasing._count, iter(range(10_000))

    def dying(erasure_id: UUID, counts: dict[str, int]) -> None:
        if next(calls) == call + 1:
            raise Killed
        real(erasure_id, counts)

    lease = take_job(acme, erasure.job_id)
    with monkeypatch.context() as patched:
        patched.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 60.0)
        patched.setattr(erasing, "_count", dying)
        with pytest.raises(Killed):
            erase(lease)
    with tenant_scope(acme.id):
        Job.objects.filter(id=erasure.job_id or erasure.id).update(holder="")

    run_jobs(acme, Kind.ERASE)

    assert _rows_left(acme) == {}
    with tenant_scope(acme.id):
        erasure.refresh_from_db()
        job = _job_of(erasure)
        ended = [one for one in Entry.objects.all() if one.action == Action.KEYS_DESTROYED]
    assert (erasure.counts["messages"], erasure.counts["conversations"]) == (15, 3)
    assert (job.state, job.done) == ("succeeded", job.total)
    assert len(ended) == 1


def test_keys_end_once_however_often_an_erasure_is_begun_or_asked_for(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(acme)
    erasure = _ask(acme)
    again = _ask(acme, "person", erasure.target_id)
    lease = take_job(acme, erasure.job_id)
    with monkeypatch.context() as patched:
        patched.setattr(
            erasing, "_tell_of_keys", _die
        )  # they have ended: the keyring commits apart
        with pytest.raises(Killed):
            erase(lease)
    with tenant_scope(acme.id):
        Job.objects.filter(id=erasure.job_id or erasure.id).update(holder="")

    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        told = [(one.action, one.object) for one in Entry.objects.order_by("at")]
        again.refresh_from_db()
    person = f"person:{erasure.target_id}"
    assert [on for action, on in told if action == Action.KEYS_DESTROYED] == [person]
    assert again.finished_at is not None


def _die(*_: object, **__: object) -> None:
    raise Killed


def test_a_long_erasure_leaves_off_between_two_steps(
    acme: Tenant, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(acme)
    erasure = _ask(acme)
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)

    erase(take_job(acme, erasure.job_id))

    with tenant_scope(acme.id):
        job = _job_of(erasure)
        assert (job.state, job.holder) == ("running", ""), "others have the worker now"
        assert PassageToken.objects.exists()
    run_jobs(acme, Kind.ERASE)
    assert _rows_left(acme) == {}


def test_an_import_of_many_conversations_goes_conversation_by_conversation(
    acme: Tenant, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = import_bytes(acme, chatgpt_export("Bonjour", "Salut", "À effacer"))
    import_bytes(acme, chatgpt_export("Bonjour", "Salut", title="A newer title"))
    import_bytes(acme, chatgpt_export("Autre", conversation="c-2"))
    monkeypatch.setattr("tenants.ledger.lease.QUANTUM_SECONDS", 0.0)

    _ask(acme, "import", first.id)
    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        said = [message.blocks[0]["text"] for message in Message.objects.order_by("ordinal", "id")]
        assert Conversation.objects.count() == 2
    assert sorted(said) == ["Autre", "Bonjour", "Salut"]


def test_copies_of_whoever_remembers_the_person_go_too(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        alice = ensure_person(external_id="alice")
        ensure_person(external_id="carl")
        store = personal_store(person=ensure_person(external_id="bob"))
        remember(store=store, statement=Statement(text="Alice déménage"), about=["alice"])
        request_export(person=get_person(external_id="bob"))
        kept = request_export(person=get_person(external_id="carl"))
    run_jobs(acme, Kind.WRITE_EXPORT)

    _ask(acme, "person", alice.id)
    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        assert [export.id for export in Export.objects.all()] == [kept.id]
        assert objects.names("exports") == [str(kept.id)]


def test_a_person_s_little_goes_in_a_few_steps(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a step costs besides is most of it."""
    monkeypatch.setattr("tenants.ledger.together.STEP_SECONDS", 60.0)
    _fill(acme)
    erasure = _ask(acme)
    with tenant_scope(acme.id):
        before = _job_of(erasure).version

    run_jobs(acme, Kind.ERASE)

    with tenant_scope(acme.id):
        job = _job_of(erasure)
    assert (job.state, job.done) == ("succeeded", job.total)
    assert job.version - before <= 4, "claimed, planned, done, ended"
    assert _rows_left(acme) == {}


@pytest.mark.parametrize("model", [PassageToken, PassageVector])
def test_rows_are_removed_by_their_places_though_nothing_was_counted(
    acme: Tenant, model: type[PassageToken | PassageVector]
) -> None:
    """A policy lets through only what leaks nothing; what it costs is told by the plan."""
    _fill(acme)
    with tenant_scope(acme.id):
        store = personal_store(person=get_person(external_id="alice"))
        with CaptureQueriesContext(connection) as queries:
            removing._remove_narrow(model, [store.id])
        (statement,) = (one["sql"] for one in queries if "DELETE" in one["sql"])
        with connection.cursor() as cursor:
            cursor.execute(removing._BY_PLACE, {"value": "off"})
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "TID Cond: (ctid = ANY" in plan
    assert plan.count("  Delete on ") == 1, "one partition: others are not even locked"
