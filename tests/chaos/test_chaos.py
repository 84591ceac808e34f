"""Processes are killed at random while imports, exports and erasures run: each is done once.

Short by default, and the same each time; `make chaos` runs it longer (SOUVENIR_CHAOS_…).
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from souvenir.deletion.services import request_erasure
from souvenir.export.models import Export
from souvenir.export.services import request_export
from souvenir.ingestion.models import Passage, PassageToken, RawObject
from souvenir.ingestion.services import REPORTS, UNITS, UPLOADS, Upload, accept_import
from souvenir.memories.models import Conversation, Message, Person
from souvenir.memories.services import ensure_person
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.models import Job, JobItem, Ring
from tests.builders import Tenant, chatgpt_export, empty_the_broker
from tests.processes import Running, start_manage, start_worker

SEED = int(os.environ.get("SOUVENIR_CHAOS_SEED", "22"))
PEOPLE = int(os.environ.get("SOUVENIR_CHAOS_PEOPLE", "4"))
OBJECTS = int(os.environ.get("SOUVENIR_CHAOS_OBJECTS", "30"))  # in each person's import
KILLING_SECONDS = float(os.environ.get("SOUVENIR_CHAOS_SECONDS", "15"))
RECOVERY_SECONDS = float(os.environ.get("SOUVENIR_CHAOS_RECOVERY", "120"))

START: dict[str, Callable[[], Running]] = {
    "bulk": lambda: start_worker("bulk"),
    "express": lambda: start_worker("interactive", "erasure"),
    "relay": lambda: start_manage("relay"),
    "sweep": lambda: start_manage("sweep"),
}


@pytest.fixture
def service(database: None) -> Iterator[dict[str, Running]]:
    Ring.objects.all().delete()  # other tests' work is not waited for
    empty_the_broker()
    running = {name: make() for name, make in START.items()}
    yield running
    for process in running.values():
        process.stop()


def _history(person: int) -> bytes:
    return json.dumps(
        [
            json.loads(chatgpt_export(f"P{person} Q{n}", "A", conversation=f"c-{person}-{n}"))[0]
            for n in range(OBJECTS)
        ]
    ).encode()


def _begin(tenant: Tenant) -> list[UUID]:
    """Bring everyone's history in, and take it home. Gives the people."""
    with tenant_scope(tenant.id):
        people = [ensure_person(external_id=f"p-{n}") for n in range(PEOPLE)]
        for number, person in enumerate(people):
            accept_import(person=person, upload=Upload("c.json", [_history(number)]))
            request_export(person=person)
        return [person.id for person in people]


def _kill_at_random(service: dict[str, Running], chance: random.Random) -> None:
    """kill -9 of one after the other, each started again at once; once, the broker is emptied."""
    ends = time.monotonic() + KILLING_SECONDS
    emptied = False
    while time.monotonic() < ends:
        time.sleep(chance.uniform(2, 5))
        name = chance.choice(list(START))
        service[name].kill()
        service[name] = START[name]()
        if not emptied:
            empty_the_broker()
            emptied = True


def _unfinished(tenant: Tenant) -> list[tuple[str, str, str]]:
    with tenant_scope(tenant.id):
        left = Job.objects.filter(state__in=("queued", "running")).exclude(kind="embed-passages")
        return list(left.values_list("kind", "state", "error_code"))


def _settle(tenant: Tenant) -> None:
    ends = time.monotonic() + RECOVERY_SECONDS
    while _unfinished(tenant) and time.monotonic() < ends:
        time.sleep(0.5)
    assert _unfinished(tenant) == [], f"seed {SEED}"


def test_whatever_is_killed_each_is_done_once(acme: Tenant, service: dict[str, Running]) -> None:
    people = _begin(acme)

    _kill_at_random(service, random.Random(SEED))  # noqa: S311 — the same each time
    _settle(acme)

    with tenant_scope(acme.id):
        failed = Job.objects.filter(state="failed").values_list("kind", "error_code")
        assert list(failed) == []
        assert Conversation.objects.count() == RawObject.objects.count() == PEOPLE * OBJECTS
        assert Message.objects.count() == Passage.objects.count() == 2 * PEOPLE * OBJECTS
        imports = Job.objects.filter(kind="run-import").values_list("done", "failed", "total")
        assert set(imports) == {(OBJECTS, 0, OBJECTS)}
        assert set(JobItem.objects.values_list("state", flat=True)) == {"succeeded"}
        assert Export.objects.filter(size_bytes__isnull=False).count() == PEOPLE
        assert [name for kind in (UPLOADS, UNITS, REPORTS) for name in objects.names(kind)] == []

        for person_id in people[: PEOPLE // 2]:
            request_erasure(target="person", target_id=person_id)
    _kill_at_random(service, random.Random(SEED + 1))  # noqa: S311 — the same each time
    _settle(acme)

    left = PEOPLE - PEOPLE // 2
    with tenant_scope(acme.id):
        assert Person.objects.count() == left
        assert Conversation.objects.count() == RawObject.objects.count() == left * OBJECTS
        passages = set(Passage.objects.values_list("id", flat=True))
        assert len(passages) == 2 * left * OBJECTS
        tokens = set(PassageToken.objects.values_list("passage_id", flat=True))
        assert tokens <= passages, "nothing derived is left of what is gone"
        assert len(objects.names("exports")) == Export.objects.count() == left
