"""Each broker an operator may choose, for real: what it loses or says twice changes nothing."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.models import Conversation
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.models import Job, Ring
from tests.brokers import Broker, rabbitmq_broker, redis_broker
from tests.builders import Tenant, chatgpt_export, empty_the_broker
from tests.processes import Running, start, start_manage, start_worker

_PATIENCE_SECONDS = 60.0
_RING = (
    "import sys, django; django.setup();"
    "from uuid import UUID; from souvenir.core.jobs import Job, ring;"
    "[ring(Job(sys.argv[1]), organization_id=UUID(sys.argv[2]), job_id=UUID(sys.argv[3]))"
    " for _ in range(3)]"
)
BROKERS: dict[str, Callable[[], Broker] | None] = {
    "pgmq": None,  # the one that the tests have anyway
    "redis": redis_broker,
    "rabbitmq": rabbitmq_broker,
}


@dataclass
class Service:
    """A worker and a relay on one broker."""

    broker: Broker | None
    worker: Running
    environment: dict[str, str]

    def stop(self) -> None:
        """The worker that is there by then."""
        self.worker.stop()

    def ring_three_times(self, kind: Kind, tenant: Tenant, job_id: UUID) -> None:
        said = start(
            "ring", ["-c", _RING, kind.value, str(tenant.id), str(job_id)],
            environment=self.environment,
        )  # fmt: skip
        assert said.process.wait(30) == 0


@pytest.fixture(scope="module", params=BROKERS)
def service(
    request: pytest.FixtureRequest, database: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    make = BROKERS[request.param]
    log = tmp_path_factory.mktemp(request.param)
    with ExitStack() as leaving:
        broker = make() if make else None
        if broker is not None:
            leaving.callback(broker.stop)
        else:
            empty_the_broker()
        environment = {"SOUVENIR_BROKER_URL": broker.url} if broker else {}
        worker = start_worker(
            "bulk", "interactive", "erasure", environment=environment, log=log / "worker"
        )
        relay = start_manage("relay", environment=environment, log=log / "relay")
        leaving.callback(relay.stop)
        service = Service(broker, worker, environment)
        leaving.callback(service.stop)
        yield service


def _begin(tenant: Tenant, text: str = "Bonjour") -> UUID:
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        record = accept_import(person=person, upload=Upload("c.json", [chatgpt_export(text)]))
    assert record.job_id is not None
    return record.job_id


def _ended(tenant: Tenant, job_id: UUID, service: Service) -> Job:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with tenant_scope(tenant.id):
            job = Job.objects.get(id=job_id)
        if job.finished_at or time.monotonic() > deadline:
            return job
        assert service.worker.is_alive, "the worker has died"
        time.sleep(0.1)


def test_what_is_accepted_is_done(acme: Tenant, service: Service) -> None:
    Ring.objects.exclude(organization_id=acme.id).delete()  # other tests' work is not waited for
    job_id = _begin(acme)

    job = _ended(acme, job_id, service)

    assert (job.state, job.fence) == ("succeeded", 1)
    with tenant_scope(acme.id):
        assert Conversation.objects.count() == 1


def test_messages_that_come_three_times_do_it_once(acme: Tenant, service: Service) -> None:
    job_id = _begin(acme)
    service.ring_three_times(Kind.RUN_IMPORT, acme, job_id)

    job = _ended(acme, job_id, service)
    service.ring_three_times(Kind.RUN_IMPORT, acme, job_id)

    assert (job.state, job.fence) == ("succeeded", 1)
    after = _ended(acme, _begin(acme, "Salut"), service)  # by then the three have been heard
    assert after.state == "succeeded"
    with tenant_scope(acme.id):
        assert Job.objects.get(id=job_id).version == job.version


def test_a_worker_that_is_killed_is_replaced_and_the_work_is_done(
    acme: Tenant, service: Service
) -> None:
    if children := service.worker.children():
        for pid in children:
            os.kill(pid, signal.SIGKILL)  # Celery starts another
    else:
        service.worker.kill()  # as the embedded profile's supervisor does
        service.worker = start_worker("bulk", "interactive", "erasure")

    job = _ended(acme, _begin(acme), service)

    assert job.state == "succeeded"


def test_a_broker_that_loses_everything_loses_nothing(acme: Tenant, service: Service) -> None:
    job_ids = [_begin(acme, f"Bonjour {number}") for number in range(3)]

    if service.broker is None:
        empty_the_broker()
    else:
        service.broker.forget_everything()

    assert {_ended(acme, job_id, service).state for job_id in job_ids} == {"succeeded"}


def test_a_broker_that_goes_before_the_work_is_acknowledged_is_met_again(
    acme: Tenant, service: Service
) -> None:
    children = service.worker.children()
    if service.broker is None or not children:
        pytest.skip("PostgreSQL is killed in tests/chaos; here everything stands on it")
    for pid in children:
        os.kill(pid, signal.SIGSTOP)
    job_id = _begin(acme)
    _await_sent(job_id)

    service.broker.kill()
    for pid in children:
        os.kill(pid, signal.SIGCONT)
    time.sleep(3.0)  # until it is done, and its acknowledgement has failed
    service.broker.start()

    assert _ended(acme, job_id, service).state == "succeeded"
    assert _ended(acme, _begin(acme, "Salut"), service).state == "succeeded"


def _await_sent(job_id: UUID) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while Ring.objects.get(job_id=job_id).state != Ring.State.RUNG:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.0)  # until the worker has it in hand
