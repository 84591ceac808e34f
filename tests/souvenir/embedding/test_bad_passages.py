"""A text that breaks the embedder, or kills its process, has no vector; the others have theirs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.counts import search_counts
from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.embedding.registry import EMBEDDERS
from souvenir.embedding.services import SET_ASIDE, embed_store
from souvenir.ingestion.models import Passage
from tenants.isolation.scope import tenant_scope
from tenants.ledger import Lease, claim_job, job_items, jobs, retry_failed_items
from tenants.models import Breaker, Job
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.killed import Killed

_DIMENSIONS = 384


@dataclass
class _Picky:
    """An embedder that does as it is told when a text holds the word."""

    at_the_word: Callable[[], None]
    model_id: str = BilingualEmbedder.model_id
    dimensions: int = _DIMENSIONS
    nearness_range: tuple[float, float] = BilingualEmbedder.nearness_range

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        if any("poison" in text for text in texts):
            self.at_the_word()
        vectors = np.zeros((len(texts), _DIMENSIONS), np.float32)
        vectors[:, 0 if kind == "passage" else 1] = 1.0  # by meaning, no passage answers anything
        return vectors


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    def use(at_the_word: Callable[[], None]) -> None:
        monkeypatch.setitem(EMBEDDERS, BilingualEmbedder.model_id, lambda: _Picky(at_the_word))

    return use


def _raise(error: type[BaseException]) -> Callable[[], None]:
    def at_the_word() -> None:
        raise error

    return at_the_word


def _bring_in(tenant: Tenant) -> None:
    """The bad one is the last: a passage carries the words that were said before it."""
    import_bytes(tenant, chatgpt_export(*(f"Good {n}" for n in range(41)), "poison"))


def _embedded(tenant: Tenant) -> tuple[int, int]:
    """Passages with a vector, and passages that were set aside."""
    with tenant_scope(tenant.id):
        done = Passage.objects.filter(embedded_with=BilingualEmbedder.model_id).count()
        return done, Passage.objects.filter(embedded_with=SET_ASIDE).count()


def _claim(tenant: Tenant) -> Lease:
    with tenant_scope(tenant.id):
        Job.objects.filter(kind=Kind.EMBED_PASSAGES.value).update(holder="")
        lease = claim_job(jobs(kind=Kind.EMBED_PASSAGES.value)[0].id)  # the newest
    assert lease is not None
    return lease


def _die_until(tenant: Tenant, *, embedded: tuple[int, int]) -> int:
    """Let worker after worker take the job on, until that many are embedded and set aside."""
    deaths = 0
    while _embedded(tenant) != embedded:
        try:
            embed_store(_claim(tenant))
        except Killed:
            deaths += 1
        assert deaths < 10
    return deaths


def test_a_passage_that_breaks_it_is_set_aside_and_can_be_tried_again(
    acme: Tenant, embedder: Callable[[Callable[[], None]], None]
) -> None:
    embedder(_raise(ValueError))
    _bring_in(acme)

    run_jobs(acme, Kind.EMBED_PASSAGES)

    assert _embedded(acme) == (41, 1)
    with tenant_scope(acme.id):
        job = jobs().get(kind=Kind.EMBED_PASSAGES.value)
        (bad,) = job_items(job_id=job.id)
    assert (job.state, job.done, job.failed) == ("succeeded", 41, 1)
    with tenant_scope(acme.id):
        assert search_counts().agree(serving=BilingualEmbedder.model_id)
    assert (bad.state, bad.error_code) == ("quarantined", "item-breaks")

    embedder(lambda: None)
    with tenant_scope(acme.id):
        retry_failed_items(job_id=job.id)
    run_jobs(acme, Kind.EMBED_PASSAGES)

    assert _embedded(acme) == (42, 0)


@pytest.mark.parametrize(
    ("before", "deaths"),
    [
        (["Good"] * 20, 3),  # among the first: with them, then alone, and once more to be sure
        (["Good"] * 40, 4),  # among the second: with the first ones' success, it is tried twice so
    ],
)
def test_a_passage_that_kills_its_process_is_found_and_set_aside(
    acme: Tenant,
    embedder: Callable[[Callable[[], None]], None],
    before: list[str],
    deaths: int,
) -> None:
    embedder(_raise(Killed))
    import_bytes(acme, chatgpt_export(*before))
    # Brought in by itself: its id, and so its place, comes after those of the others.
    import_bytes(acme, chatgpt_export("poison", conversation="c-2"))

    died = _die_until(acme, embedded=(len(before), 1))

    assert died == deaths


def test_a_passage_whose_process_was_killed_by_chance_is_not_set_aside(
    acme: Tenant, embedder: Callable[[Callable[[], None]], None]
) -> None:
    embedder(_raise(Killed))
    import_bytes(acme, chatgpt_export("poison"))
    for _ in range(2):  # with others as far as anyone knows, then alone
        with pytest.raises(Killed):
            embed_store(_claim(acme))

    embedder(lambda: None)
    embed_store(_claim(acme))

    assert _embedded(acme) == (1, 0)
    with tenant_scope(acme.id):
        job = jobs().get(kind=Kind.EMBED_PASSAGES.value)
        assert (job.state, job.failed) == ("succeeded", 0)
        assert not job_items(job_id=job.id).exists()


def test_an_embedder_that_is_away_parks_the_job_and_nothing_is_set_aside(
    acme: Tenant, embedder: Callable[[Callable[[], None]], None]
) -> None:
    embedder(_raise(EmbedderUnavailable))
    _bring_in(acme)

    run_jobs(acme, Kind.EMBED_PASSAGES)

    with tenant_scope(acme.id):
        job = jobs().get(kind=Kind.EMBED_PASSAGES.value)
        assert not job_items(job_id=job.id).exists()
    assert (job.state, job.error_class, job.waits) == ("queued", "transient", 1)
    assert _embedded(acme)[1] == 0
    Breaker.objects.filter(kind=Kind.EMBED_PASSAGES.value).delete()


def test_what_was_set_aside_is_found_by_its_words(
    acme: Tenant, embedder: Callable[[Callable[[], None]], None]
) -> None:
    embedder(_raise(ValueError))
    _bring_in(acme)
    run_jobs(acme, Kind.EMBED_PASSAGES)
    embedder(lambda: None)

    answer = acme.http.post("/api/v1/memories/search", {"query": "poison"}, "application/json")

    assert answer.status_code == 200
    assert "poison" in answer.json()["results"][0]["text"]
