"""A store is searched and written to without a pause while it moves, by other connections."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.db import connection, connections

from souvenir.core.jobs import Job as Kind
from souvenir.embedding.large_stores import ask_to_move
from souvenir.embedding.selectors import serving_model
from souvenir.embedding.vectors import keep_vectors
from souvenir.ingestion.models import Passage
from souvenir.ingestion.services import correct
from souvenir.memories.services import Statement
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, run_jobs
from tests.souvenir.embedding.moves import (
    KETTLE,
    assert_whole,
    filled_store,
    go_on,
    kill_at,
    run,
    say,
    texts,
)
from tests.vectors import some_vectors

_MOVES = (Kind.PROMOTE_STORE, Kind.DEMOTE_STORE)


def _embed_what_waits(store_id: UUID, *, seed: int) -> None:
    """Give passages some vectors, as the job would. Needs a tenant scope."""
    model = serving_model()
    waiting = Passage.objects.filter(store_id=store_id, embedded_with="")
    passages = list(waiting)
    keep_vectors(passages, some_vectors(len(passages), seed=seed), model=model)
    waiting.filter(id__in=[passage.id for passage in passages]).update(embedded_with=model.name)


def _until_somebody_waits_for_us(is_over: Callable[[], bool]) -> None:
    blocked = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    while not is_over():
        with connection.cursor() as cursor:
            cursor.execute(blocked)
            if cursor.fetchone()[0]:
                return


@pytest.mark.parametrize("kind", _MOVES)
def test_a_vector_that_is_written_while_the_store_is_put_in_effect_is_not_lost(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    store_id = filled_store(acme)
    if kind == Kind.DEMOTE_STORE:
        run(acme, Kind.PROMOTE_STORE, store_id)
    else:
        kill_at("copy_some", monkeypatch, acme, store_id)
        go_on(acme)
    say(acme, store_id, "Nadine repairs the snow blower")
    is_written, has_moved = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with tenant_scope(acme.id):
            _embed_what_waits(store_id, seed=2)
            is_written.set()
            _until_somebody_waits_for_us(has_moved.is_set)
        connections.close_all()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    is_written.wait(60)
    with tenant_scope(acme.id):
        ask_to_move(slug="team", kind=kind)
    (job,) = run_jobs(acme, kind)
    has_moved.set()
    writer.join(60)

    assert job.state == Job.State.SUCCEEDED
    assert_whole(acme, store_id)


@dataclass
class _Others:
    """Other connections, each of which does one thing again and again, and waits for no lock."""

    over: threading.Event = field(default_factory=threading.Event)
    times: dict[str, int] = field(default_factory=dict)
    failures: list[BaseException] = field(default_factory=list)

    @contextmanager
    def doing(self, *bodies: Callable[[int], None]) -> Iterator[None]:
        threads = [threading.Thread(target=self._repeat, args=[body]) for body in bodies]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join(60)

    def _repeat(self, body: Callable[[int], None]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            while not self.over.is_set():
                number = self.times.get(body.__name__, 0)
                body(number)
                self.times[body.__name__] = number + 1
        except BaseException as error:  # told by the test: a thread's own end tells nobody
            self.failures.append(error)
            raise
        finally:
            connections.close_all()


def test_others_search_and_write_all_the_while_a_store_goes_and_comes_back(
    acme: Tenant, globex: Tenant
) -> None:
    store_id, theirs = filled_store(acme, 400), filled_store(globex)

    def ask(_: int) -> None:
        assert texts(acme, store_id)[0] == KETTLE

    def ask_theirs(_: int) -> None:
        assert texts(globex, theirs)[0] == KETTLE

    def write(number: int) -> None:
        memory_id = say(acme, store_id, f"Note {number} about the garden")
        with tenant_scope(acme.id):
            _embed_what_waits(store_id, seed=number)
        with tenant_scope(acme.id):
            correct(memory_id=memory_id, statement=Statement(text=f"Note {number}, changed"))
            _embed_what_waits(store_id, seed=-number - 1 & 0xFFFF)

    def move(kind: Kind) -> str:
        job = run(acme, kind, store_id)
        while job.state == Job.State.QUEUED:  # a partition in use is not waited for: again, later
            (job,) = run_jobs(acme, kind)
        return job.state

    others = _Others()
    with others.doing(ask, ask_theirs, write):
        moves = [move(kind) for kind in (*_MOVES, Kind.PROMOTE_STORE)]

    assert others.failures == []
    assert moves == [Job.State.SUCCEEDED] * 3
    assert others.times.keys() == {"ask", "ask_theirs", "write"}
    assert_whole(acme, store_id)
