"""Ready, or not and why; and what is done later or less well meanwhile."""

import pytest
from django.db import connections
from django.test import Client

from souvenir.config import health
from souvenir.core.jobs import broker_answers
from tenants.keyring.errors import KeystoreUnavailable
from tenants.keyring.providers.registry import key_provider
from tests.tenants.second_server import leading
from workers.app import app


def _ready() -> tuple[int, list[str], list[str]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()["reasons"], answer.json()["degraded"]


def test_a_process_that_lives_says_so() -> None:
    assert Client().get("/livez").json() == {"status": "alive"}


@pytest.fixture(autouse=True)
def _warm() -> None:
    health.warm_embedder()


def test_a_process_that_lacks_nothing_is_ready() -> None:
    assert _ready() == (200, [], [])


def test_without_its_database_nothing_is_served() -> None:
    with leading("default", {"HOST": "/nowhere"}):
        status, reasons, _ = _ready()

    assert (status, reasons) == (503, ["database"])


def test_with_another_schema_nothing_is_served() -> None:
    health._pending.cache_clear()
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'idempotency' RETURNING name")
        names = [row[0] for row in cursor.fetchall()]

    behind = _ready()

    with connections["owner"].cursor() as cursor:
        for name in names:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
                ["idempotency", name],
            )
    assert behind[:2] == (503, ["migrations"])
    assert _ready()[0] == 200


def test_without_its_keystore_it_stays_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = key_provider()
    monkeypatch.setattr(type(provider), "check", _refusing)

    assert _ready() == (200, [], ["keystore"])


def _refusing(_: object) -> None:
    raise KeystoreUnavailable


def test_without_a_broker_it_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")

    assert not broker_answers()
    assert _ready()[2] == ["broker"]


def test_until_the_model_is_loaded_questions_are_answered_by_words() -> None:
    health._embedder.clear()

    status, _, degraded = _ready()
    health._embedder.set()

    assert (status, degraded) == (200, ["embedder"])
