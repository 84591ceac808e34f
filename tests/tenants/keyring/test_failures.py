"""The keystore, or the keyring's database, slow, down, or refusing in the middle of a request.

Through the real doors: a defined answer, nothing half written, and it goes on without a restart.
"""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connections
from django.urls import reverse
from pytest_django import Settings

from souvenir.config.embedded.roles import APP
from souvenir.config.embedded.throwaway import Throwaway
from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.keyring.database import ALIAS
from tenants.keyring.held import unwrapped_keys
from tenants.keyring.providers.registry import key_provider
from tenants.models import Job
from tests.builders import chatgpt_export, import_bytes, make_tenant, run_jobs
from tests.openbao import OpenBao
from tests.souvenir.console.visitors import make_member
from tests.tenants.keyring.through_doors import (
    REQUESTS,
    Answer,
    Ground,
    Json,
    make_ground,
    provision,
    read,
    written,
)
from tests.tenants.planted.hole import DATABASE
from tests.tenants.second_server import leading


@pytest.fixture
def in_openbao(
    openbao: OpenBao,
    token_file: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Whatever is done with keys is done with those of OpenBao, patiently for a tenth."""
    monkeypatch.setattr("tenants.keyring.providers.transit_client.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("tenants.keyring.providers.transit_client.PAUSE_SECONDS", 0.1)
    settings.SOUVENIR_KEY_PROVIDER = "transit"
    settings.SOUVENIR_KEYSTORE_URL = openbao.url
    settings.SOUVENIR_KEYSTORE_TOKEN_FILE = token_file
    key_provider.cache_clear()
    unwrapped_keys.clear()
    yield
    key_provider.cache_clear()
    unwrapped_keys.clear()


@pytest.fixture
def ground(in_openbao: None, openbao: OpenBao) -> Ground:
    found = make_ground(openbao)
    unwrapped_keys.clear()
    return found


each_request = pytest.mark.parametrize("ask", REQUESTS, ids=lambda ask: ask.__name__)


def _seal(bao: OpenBao) -> None:
    bao.sealed = True


def _hang(bao: OpenBao) -> None:
    bao.slow_seconds = 1.0


def _deny(bao: OpenBao) -> None:
    bao.denied = {"*"}


FAILURES: dict[str, tuple[Callable[[OpenBao], None], HTTPStatus, str]] = {
    "slow": (_hang, HTTPStatus.SERVICE_UNAVAILABLE, "keystore-unavailable"),
    "down": (OpenBao.stop, HTTPStatus.SERVICE_UNAVAILABLE, "keystore-unavailable"),
    "sealed": (_seal, HTTPStatus.SERVICE_UNAVAILABLE, "keystore-unavailable"),
    "denied": (_deny, HTTPStatus.LOCKED, "key-refused"),
}
each_failure = pytest.mark.parametrize(
    ("fail", "status", "code"), FAILURES.values(), ids=FAILURES.keys()
)


@each_failure
@each_request
def test_it_is_said_and_nothing_is_half_written(
    ground: Ground,
    ask: Callable[[Ground], Answer],
    fail: Callable[[OpenBao], None],
    status: HTTPStatus,
    code: str,
) -> None:
    before = written(ground.tenant)
    fail(ground.openbao)

    answer = ask(ground)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert int(answer.headers["Retry-After"]) > 0
    assert written(ground.tenant) == before
    ground.openbao.stop()
    ground.openbao.start()
    ground.heal()
    assert ask(ground).status_code < 300


@pytest.mark.parametrize("answered", range(1, 5))
@each_request
def test_a_key_that_is_revoked_in_the_middle_of_a_request(
    ground: Ground, ask: Callable[[Ground], Answer], answered: int
) -> None:
    before = written(ground.tenant)
    ground.openbao.deny_after = answered

    answer = ask(ground)

    if answer.status_code < 300:  # it asked less often than that
        assert ground.openbao.deny_after is not None
        assert ground.openbao.deny_after >= 0
        return
    assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.LOCKED, "key-refused")
    assert written(ground.tenant) == before
    ground.heal()
    unwrapped_keys.clear()
    assert ask(ground).status_code < 300


@each_failure
@pytest.mark.parametrize("page", ["my-memory", "my-conversations", "my-memories", "my-memory-one"])
def test_a_person_in_the_console_reads_what_is_the_matter(
    ground: Ground,
    page: str,
    fail: Callable[[OpenBao], None],
    status: HTTPStatus,
    code: str,
) -> None:
    del code
    browser = make_member(ground.tenant).browser
    arguments = {"memory_id": ground.memory_id} if page == "my-memory-one" else {}
    unwrapped_keys.clear()
    fail(ground.openbao)

    answer = browser.get(reverse(f"console:{page}", kwargs=arguments))

    assert answer.status_code == status
    assert "The keystore" in answer.content.decode()


@each_failure
def test_an_import_waits_and_is_whole_in_the_end(
    ground: Ground, fail: Callable[[OpenBao], None], status: HTTPStatus, code: str
) -> None:
    del status
    body = chatgpt_export("One", "two", "three", "four", conversation="c-2")
    with tenant_scope(ground.tenant.id):
        person = ensure_person(external_id="alice")
        record = accept_import(person=person, upload=Upload("conversations.json", [body]))
    unwrapped_keys.clear()
    fail(ground.openbao)

    for _ in range(8):  # more often than a job of ours may break
        (job,) = run_jobs(ground.tenant, Kind.RUN_IMPORT)

    assert job.state == Job.State.QUEUED
    assert job.error_code == code
    ground.openbao.stop()
    ground.openbao.start()
    ground.heal()
    (job,) = run_jobs(ground.tenant, Kind.RUN_IMPORT)
    assert job.state == Job.State.SUCCEEDED
    with tenant_scope(ground.tenant.id):
        record.refresh_from_db()
        assert record.report["messages"] == 4


class TestTheKeyringSDatabase:
    """Its own failures, on a server that can be stopped."""

    @pytest.fixture
    def elsewhere(self, second_server: Throwaway, migrated_elsewhere: None) -> Iterator[Throwaway]:
        place = {
            "NAME": DATABASE,
            "HOST": str(second_server.server.address.sockets),
            "USER": APP,
            "PASSWORD": second_server.passwords.app,
        }
        with leading(ALIAS, place):
            unwrapped_keys.clear()
            yield second_server
        unwrapped_keys.clear()
        second_server.server.start()

    @pytest.fixture
    def ground(self, elsewhere: Throwaway, in_openbao: None, openbao: OpenBao) -> Ground:
        return make_ground(openbao)

    def test_stopped_it_stops_everything_also_what_is_held_and_it_goes_on_by_itself(
        self, ground: Ground, elsewhere: Throwaway
    ) -> None:
        assert read(ground).status_code == 200  # its key is held from now on
        before = written(ground.tenant)
        elsewhere.server.stop()
        time.sleep(1.1)  # until then, nobody had to ask what was destroyed

        asked = [ask for ask in REQUESTS if ask is not provision]
        answers = [ask(ground) for ask in asked]

        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json()["code"] for answer in answers} == {"keystore-unavailable"}
        assert written(ground.tenant) == before
        elsewhere.server.start()
        assert {ask(ground).status_code // 100 for ask in asked} == {2}

    def test_an_erasure_waits_for_it_and_deletes_nothing_before_the_keys(
        self, ground: Ground, elsewhere: Throwaway
    ) -> None:
        body = {"target": "person", "person": "alice"}
        accepted = ground.tenant.http.post("/api/v1/erasures", body, Json)
        assert accepted.status_code == 202
        before = written(ground.tenant)
        elsewhere.server.stop()
        time.sleep(1.1)

        (job,) = run_jobs(ground.tenant, Kind.ERASE)

        assert job.state == Job.State.QUEUED
        assert written(ground.tenant) == before
        elsewhere.server.start()
        (job,) = run_jobs(ground.tenant, Kind.ERASE)
        assert job.state == Job.State.SUCCEEDED

    def test_a_statement_that_takes_too_long_is_given_up(
        self, ground: Ground, elsewhere: Throwaway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tenants.keyring.database.STATEMENT_MILLISECONDS", 300)
        unwrapped_keys.clear()
        superuser = connections["superuser-elsewhere"]
        superuser.ensure_connection()
        superuser.set_autocommit(False)
        with superuser.cursor() as cursor:
            cursor.execute("LOCK TABLE keyring_subjectkey IN ACCESS EXCLUSIVE MODE")

        answer = read(ground)

        superuser.rollback()
        superuser.set_autocommit(True)
        assert (answer.status_code, answer.json()["code"]) == (503, "keystore-unavailable")
        assert read(ground).status_code == 200


def test_keys_that_are_held_serve_while_the_keystore_is_away(ground: Ground) -> None:
    """For five minutes at most, as docs/security-model.md says."""
    assert read(ground).status_code == 200

    with ground.openbao.down():
        assert read(ground).status_code == 200
        unwrapped_keys.clear()
        assert read(ground).status_code == 503


@pytest.mark.parametrize("page", ["people", "memories", "conversations"])
def test_a_page_about_many_people_is_one_question_to_the_keystore(
    ground: Ground, page: str
) -> None:
    for number in range(4):
        name = f"person-{number}"
        person = {"external_id": name, "display_name": name.title()}
        ground.tenant.http.post("/api/v1/people", person, Json)
        memory = {"text": "The bicycle is red", "person": name}
        ground.tenant.http.post("/api/v1/memories", memory, Json)
        import_bytes(ground.tenant, chatgpt_export("Hello", conversation=name), person=name)
    unwrapped_keys.clear()
    ground.openbao.seen.clear()

    answer = ground.tenant.http.get(f"/api/v1/{page}")

    assert len(answer.json()["results"]) >= 5
    assert len(ground.openbao.seen) == 1


def test_another_organization_is_not_stopped_by_one_that_is_refused(ground: Ground) -> None:
    other = make_tenant()
    body = {"text": "We are well", "person": "bob"}
    ground.openbao.denied_keys = {f"tenant-{ground.tenant.id}"}

    assert read(ground).status_code == HTTPStatus.LOCKED
    assert other.http.post("/api/v1/memories", body, Json).status_code == 201
