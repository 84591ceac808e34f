"""The model is given each text as it wants it: questions as questions, passages as passages.

From the doors through jobs down to what is cut into tokens; nothing here asks an embedder itself.
"""

import numpy as np
import pytest

from souvenir.core.jobs import Job as Kind
from souvenir.embedding import local
from souvenir.embedding.changing import compare_models, start_model, switch_model
from souvenir.embedding.e5_tokenizer import E5Tokenizer
from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.language_plane import without_language
from souvenir.embedding.registry import EMBEDDERS
from souvenir.ingestion.models import PassageVector
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs
from tests.souvenir.search.asked_ways import DOORS, body_of
from tests.word_embedder import WordEmbedder

_SAID, _ANSWERED = "Où est la clé?", "Sous le pot de géranium."
_QUESTION = "Où est la clé du chalet?"
# An answer is embedded with what was said just before it.
_PASSAGES = {f"passage: {_SAID}", f"passage: {_SAID}\n{_ANSWERED}"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that the local model is given, word for word."""
    texts: list[str] = []
    encode = E5Tokenizer.encode

    def recording(self: E5Tokenizer, text: str, *, limit: int) -> list[int]:
        texts.append(text)
        return encode(self, text, limit=limit)

    monkeypatch.setattr(E5Tokenizer, "encode", recording)
    return texts


def _keep(tenant: Tenant) -> None:
    import_bytes(tenant, chatgpt_export(_SAID, _ANSWERED, title=""))
    run_jobs(tenant, Kind.EMBED_PASSAGES)


def _ask(tenant: Tenant, door: str) -> None:
    path, body = body_of(door, "plain", person="alice")
    answer = tenant.http.post(path, body, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["by_meaning"]


@pytest.mark.parametrize("door", DOORS)
def test_what_is_kept_is_read_as_passages_and_what_is_asked_as_a_question(
    acme: Tenant, read: list[str], door: str
) -> None:
    _keep(acme)
    kept = set(read)
    read.clear()

    _ask(acme, door)

    assert kept == _PASSAGES
    assert read == [f"query: {_QUESTION}"]


def test_what_is_stored_is_the_vector_of_the_text_with_its_prefix(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prefix reaches the model, and not only its tokenizer."""
    import_bytes(acme, chatgpt_export(_SAID, title=""))
    run_jobs(acme, Kind.EMBED_PASSAGES)
    with tenant_scope(acme.id):
        stored = np.array(PassageVector.objects.get().embedding, np.float32)

    monkeypatch.setattr(local, "_PREFIXES", {"query": "", "passage": ""})
    bare, prefixed, swapped = (
        without_language(local.local_embedder().embed([f"{prefix}{_SAID}"], kind="passage"))[0]
        for prefix in ("", "passage: ", "query: ")
    )

    assert stored @ prefixed > 0.999
    assert stored @ prefixed > max(stored @ bare, stored @ swapped) + 0.001


class _Remote:
    """Another model, wherever it runs: it is told of each text which it is, and keeps what it is
    told. What it makes of that is its own affair."""

    model_id = WordEmbedder.model_id
    dimensions = WordEmbedder.dimensions
    nearness_range = WordEmbedder.nearness_range

    def __init__(self) -> None:
        self.told: list[tuple[TextKind, str]] = []

    def embed(self, texts: list[str], *, kind: TextKind) -> Vectors:
        self.told += [(kind, text) for text in texts]
        return WordEmbedder().embed(texts, kind=kind)


@pytest.fixture
def remote(other_cell: None, monkeypatch: pytest.MonkeyPatch) -> _Remote:
    embedder = _Remote()
    monkeypatch.setitem(EMBEDDERS, _Remote.model_id, lambda: embedder)
    return embedder


def test_another_model_is_told_which_is_which_too(remote: _Remote) -> None:
    acme = make_tenant()
    _keep(acme)
    start_model(name=_Remote.model_id)
    run_jobs(acme, Kind.FILL_MODEL)  # what was there
    import_bytes(acme, chatgpt_export("Le pot est bleu.", conversation="c-2", title=""))
    run_jobs(acme, Kind.EMBED_PASSAGES)  # what came meanwhile
    kept, remote.told = remote.told, []

    switch_model()
    for door in DOORS:
        _ask(acme, door)

    assert {kind for kind, _ in kept} == {"passage"}
    assert {text for _, text in kept} >= {_SAID, "Le pot est bleu."}
    assert set(remote.told) == {("query", _QUESTION)}


def test_passages_that_two_models_are_compared_by_are_asked_as_questions(
    remote: _Remote, read: list[str]
) -> None:
    acme = make_tenant()
    _keep(acme)
    start_model(name=_Remote.model_id)
    run_jobs(acme, Kind.FILL_MODEL)
    remote.told.clear()
    read.clear()

    assert compare_models().asked == 2

    assert {kind for kind, _ in remote.told} == {"query"}
    assert {text.split(": ")[0] for text in read} == {"query"}
