"""What others notice of one organization's flood, and how evenly equals are served."""

import json
import time
from collections.abc import Iterator
from statistics import quantiles
from uuid import UUID, uuid4

from bench.jobs_waiting import await_ended, ended, waits
from souvenir.core.jobs import Job as Kind
from souvenir.ingestion.services import Upload, accept_import
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import ensure_person
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.ledger import cancel_job
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs

_IN_A_CONVERSATION = 100  # messages
_MARK = "00000000-0000-4000-8000-000000000000"
_SEARCHES = 40
_BETWEEN_SECONDS = 0.3  # between two small jobs
_QUESTIONS = ("What did we say about the kettle", "Qui a parlé du jardin", "the plan of the trip")
Row = tuple[str, str]


def beside(*, messages: int, small_jobs: int) -> list[Row]:
    """One imports `messages` messages; another sends small jobs, and searches."""
    acme, globex = make_tenant(), make_tenant()
    import_bytes(globex, _talks(40, 4))
    run_jobs(globex, Kind.EMBED_PASSAGES)
    alone = _searches(globex, _SEARCHES)
    began = time.monotonic()
    long_one = start_import(acme, messages)
    accepted = time.monotonic() - began
    loaded, sent = [], []
    for number in range(small_jobs):
        sent.append(_small_import(globex, number))
        loaded += _searches(globex, 1)
        time.sleep(_BETWEEN_SECONDS)
    await_ended(globex, sent)
    late = _p95(waits(globex, sent))
    finished = ended(acme, [long_one])
    if not finished:
        with tenant_scope(acme.id):
            cancel_job(job_id=long_one)
    return [
        (f"upload of {messages:,} messages accepted, s", f"{accepted:.1f}"),
        ("… whose import went on for the whole time", "no" if finished else "yes"),
        (f"start of {small_jobs} small imports of another beside it, p95, s", f"{late:.2f}"),
        ("its searches with nothing beside, p95, ms", f"{1000 * _p95(alone):.0f}"),
        ("its searches beside the import, p95, ms", f"{1000 * _p95(loaded):.0f}"),
    ]


def evenly(*, tenants: int, seconds: float) -> list[Row]:
    """Jain's index of the seconds of work that equal organizations were given in the same time."""
    equals = [make_tenant() for _ in range(tenants)]
    for tenant in equals:
        start_import(tenant, 40_000)
    began = time.monotonic()
    before = _given(equals)
    time.sleep(seconds)
    given = [now - then for now, then in zip(_given(equals), before, strict=True)]
    lasted = time.monotonic() - began
    squares = sum(one**2 for one in given)
    jain = sum(given) ** 2 / (len(given) * squares) if squares else 0.0
    return [
        (f"Jain’s index of {tenants} equal imports in {lasted:.0f} s", f"{jain:.3f}"),
        ("least and most seconds given to one", f"{min(given):.1f} {max(given):.1f}"),
    ]


def start_import(tenant: Tenant, messages: int) -> UUID:
    """Send so many messages in, and have the import accepted."""
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        record = accept_import(person=person, upload=Upload("c.json", _upload(messages)))
    if record.job_id is None:
        raise ValueError(record)
    return record.job_id


def _upload(messages: int) -> Iterator[bytes]:
    """A provider's export, a conversation at a time: all alike but for their ids and one word."""
    texts = [f"Word {n} of {_MARK}, and some more of what people say." for n in range(100)]
    talk = chatgpt_export(*texts[:_IN_A_CONVERSATION], conversation=_MARK)[1:-1]
    mark = _MARK.encode()
    for number in range(max(messages // _IN_A_CONVERSATION, 1)):
        yield (b"," if number else b"[") + talk.replace(mark, str(uuid4()).encode())
    yield b"]"


def _talks(count: int, messages: int) -> bytes:
    made = [
        chatgpt_export(*[f"Talk {n}, word {m}" for m in range(messages)], conversation=f"c-{n}")
        for n in range(count)
    ]
    return json.dumps([json.loads(one)[0] for one in made]).encode()


def _small_import(tenant: Tenant, number: int) -> UUID:
    body = chatgpt_export("A question", "An answer", conversation=f"small-{number}")
    with tenant_scope(tenant.id):
        person = ensure_person(external_id="alice")
        record = accept_import(person=person, upload=Upload("c.json", [body]))
    if record.job_id is None:
        raise ValueError(record)
    return record.job_id


def _searches(tenant: Tenant, count: int) -> list[float]:
    took = []
    for number in range(count):
        with tenant_scope(tenant.id):
            store = personal_store(person=get_person(external_id="alice"))
            text = f"{_QUESTIONS[number % len(_QUESTIONS)]} {uuid4().hex[:6]}"
            began = time.perf_counter()
            search(Question(text, [store.id]))
            took.append(time.perf_counter() - began)
    return took


def _given(tenants: list[Tenant]) -> list[float]:
    given = []
    for tenant in tenants:
        with tenant_scope(tenant.id):
            given.append(sum(Job.objects.values_list("cost_seconds", flat=True)))
    return given


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
