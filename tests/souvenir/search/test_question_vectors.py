"""A question's vector is made once, for one organization, for minutes; many are made together."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import pytest

from souvenir.config.environment import CHECKOUT
from souvenir.deletion.services import request_erasure
from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.errors import EmbedderUnavailable
from souvenir.embedding.registry import EMBEDDERS
from souvenir.memories.services import ensure_person, ensure_shared_store
from souvenir.search.batching import Batches
from souvenir.search.question_vectors import QuestionVectors, _together, question_vectors
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope
from tenants.keyring.held import unwrapped_keys
from tests.builders import Tenant
from tests.word_embedder import WordEmbedder

ACME, GLOBEX = uuid4(), uuid4()


class Asked:
    """An embedder that remembers what it was asked, and a clock."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.now = 0.0

    def embed(self, model: str, text: str) -> Vectors:
        self.texts.append((model, text))
        return np.full(4, len(self.texts), np.float32)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def kept(asked: Asked) -> QuestionVectors:
    return QuestionVectors(asked.embed, life_seconds=60, most=3, clock=lambda: asked.now)


def test_the_same_question_is_embedded_once(kept: QuestionVectors, asked: Asked) -> None:
    first, again = kept.vector(ACME, "m", "Où?"), kept.vector(ACME, "m", "Où?")

    assert asked.texts == [("m", "Où?")]
    assert first is again


def test_another_model_or_organization_is_asked_anew(kept: QuestionVectors, asked: Asked) -> None:
    kept.vector(ACME, "m", "Où?")
    kept.vector(ACME, "n", "Où?")
    kept.vector(GLOBEX, "m", "Où?")

    assert len(asked.texts) == 3


def test_it_ends_by_itself_and_the_oldest_makes_room(kept: QuestionVectors, asked: Asked) -> None:
    kept.vector(ACME, "m", "a")
    asked.now = 61.0
    kept.vector(ACME, "m", "a")
    for text in "bcd":
        kept.vector(ACME, "m", text)
    kept.vector(ACME, "m", "b")
    kept.vector(ACME, "m", "a")

    assert [text for _, text in asked.texts] == ["a", "a", "b", "c", "d", "a"]


def test_no_text_is_kept(kept: QuestionVectors) -> None:
    kept.vector(ACME, "m", "the secret word")

    assert "secret" not in repr(vars(kept))


def test_what_was_asked_before_an_erasure_is_not_kept_after_it(asked: Asked) -> None:
    def embed_slowly(model: str, text: str) -> Vectors:
        slow.forget(ACME)  # meanwhile, in another thread
        return asked.embed(model, text)

    slow = QuestionVectors(embed_slowly)
    slow.vector(ACME, "m", "a")
    slow.vector(ACME, "m", "a")

    assert len(asked.texts) == 2


@pytest.fixture
def of_this_process(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> QuestionVectors:
    monkeypatch.setattr(question_vectors, "_embed", asked.embed)
    return question_vectors


def test_an_erasure_ends_what_the_organization_asked_and_no_other_s(
    of_this_process: QuestionVectors, asked: Asked, acme: Tenant, globex: Tenant
) -> None:
    for tenant in (acme, globex):
        of_this_process.vector(tenant.id, "m", "Où?")

    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice")
        request_erasure(target="person", target_id=person.id)

    for tenant in (acme, globex):
        of_this_process.vector(tenant.id, "m", "Où?")
    assert len(asked.texts) == 3


@pytest.mark.parametrize("subject", [None, uuid4()])
def test_so_does_a_key_that_was_destroyed_elsewhere(
    of_this_process: QuestionVectors, asked: Asked, subject: UUID | None
) -> None:
    tenant_id = uuid4()
    of_this_process.vector(tenant_id, "m", "Où?")

    unwrapped_keys.drop(tenant_id, subject)

    of_this_process.vector(tenant_id, "m", "Où?")
    assert len(asked.texts) == 2


_ERASE = """
import sys, django
django.setup()
from uuid import UUID
from souvenir.core.jobs import Job
from souvenir.deletion.erasing import erase
from souvenir.config.environment import CHECKOUT
from souvenir.deletion.services import request_erasure
from souvenir.memories.selectors import get_person
from tenants.isolation.scope import tenant_scope
from tenants.ledger import claim_job
from workers.running import work
with tenant_scope(UUID(sys.argv[1])):
    erasure = request_erasure(target="person", target_id=get_person(external_id="alice").id)
with tenant_scope(UUID(sys.argv[1])):
    lease = claim_job(erasure.job_id)
work(lease, erase)
"""


def _ask(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        team = ensure_shared_store(slug="team")
        search(Question("Où est la clé?", [team.id]))


def test_an_erasure_in_another_process_ends_what_this_one_keeps(
    acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    embed = question_vectors._embed

    def counting(model: str, text: str) -> Vectors:
        texts.append(text)
        return embed(model, text)

    monkeypatch.setattr(question_vectors, "_embed", counting)
    monkeypatch.setattr(unwrapped_keys, "_look_seconds", 0.0)
    with tenant_scope(acme.id):
        ensure_person(external_id="alice")
    for tenant in (acme, globex, acme, globex):
        _ask(tenant)
    assert len(texts) == 2

    subprocess.run([sys.executable, "-c", _ERASE, str(acme.id)], check=True, cwd=CHECKOUT)  # noqa: S603 — our own
    for tenant in (acme, globex):
        _ask(tenant)

    assert len(texts) == 3


def test_what_is_asked_at_once_is_embedded_together() -> None:
    sizes: list[int] = []
    free = threading.Event()

    def embed(texts: Sequence[str]) -> Vectors:
        sizes.append(len(texts))
        free.wait(10)
        return np.array([[float(text)] for text in texts], np.float32)

    batches = Batches(embed, at_once=1)
    found: dict[int, float] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: float(batches.embed(str(n))[0])}))
        for n in range(20)
    ]
    threads[0].start()
    while not sizes:
        time.sleep(0.001)
    for thread in threads[1:]:
        thread.start()
    while len(batches._waiting) < 19:
        time.sleep(0.001)
    free.set()
    for thread in threads:
        thread.join(10)

    assert found == {n: float(n) for n in range(20)}
    assert sizes == [1, 16, 3]


def test_so_are_the_questions_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    free = threading.Event()

    class Slow(WordEmbedder):
        model_id = f"slow-{uuid4().hex}"

        def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
            sizes.append(len(texts))
            free.wait(10)
            return super().embed(texts, kind=kind)

    monkeypatch.setitem(EMBEDDERS, Slow.model_id, Slow)
    threads = [
        threading.Thread(target=question_vectors.vector, args=[uuid4(), Slow.model_id, f"Où {n}?"])
        for n in range(6)
    ]
    threads[0].start()
    while not sizes:
        time.sleep(0.001)
    for thread in threads[1:]:
        thread.start()
    while len(_together._batches[Slow.model_id]._waiting) < 5:
        time.sleep(0.001)
    free.set()
    for thread in threads:
        thread.join(10)

    assert sizes == [1, 5]


def test_an_embedder_that_fails_fails_each_of_a_batch_and_not_the_next() -> None:
    answers: list[Exception | None] = [EmbedderUnavailable(), None]

    def embed(texts: Sequence[str]) -> Vectors:
        error = answers.pop(0)
        if error is not None:
            raise error
        return np.zeros((len(texts), 1), np.float32)

    batches = Batches(embed)
    with pytest.raises(EmbedderUnavailable):
        batches.embed("a")

    assert batches.embed("b").shape == (1,)
