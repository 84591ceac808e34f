"""A store is searched and written to without a pause while it moves, by other connections."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, connections

from souvenir.core.jobs import Job as Kind
from souvenir.embedding.large_stores import ask_to_move
from souvenir.embedding.selectors import serving_model
from souvenir.embedding.vectors import keep_vectors
from souvenir.ingestion.models import Passage
from tenants.isolation.scope import tenant_scope
from tenants.models import Job
from tests.builders import Tenant, run_jobs
from tests.souvenir.embedding.moves import (
    assert_whole,
    filled_store,
    go_on,
    kill_at,
    run,
    say,
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
