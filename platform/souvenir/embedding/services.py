"""Stage 2: give passages their vectors."""

from uuid import UUID

from souvenir.embedding.registry import embedder_of
from souvenir.embedding.selectors import models_in_use
from souvenir.embedding.vectors import keep_vectors
from souvenir.ingestion.models import Passage
from souvenir.memories.models import MemoryVersion, Message
from tenants.ledger import Lease

_STEP_PASSAGES = 32  # about two seconds of one core


def embed_store(lease: Lease) -> None:
    """Give a vector to every passage of a store that has none. Safe to run twice, or side by side.

    While a new model is being filled it gets one of that too.

    The texts are read in one step and the vectors written in the next: no transaction is open
    while the model works. A passage that has gone in between gets none.

    Raises:
        EmbedderUnavailable
        LeaseLost
    """
    done = 0
    while True:
        with lease.step(done=done):
            models = models_in_use()
            waiting = _waiting(lease.subject_id)
            texts = passage_texts(waiting)
            if not waiting:
                lease.finish()
                return
        wanted = [passage for passage in waiting if passage.id in texts]
        said = [texts[passage.id] for passage in wanted]
        made = [embedder_of(model.name).embed(said, kind="passage") for model in models]
        with lease.step(done=done + len(waiting)):
            for model, vectors in zip(models, made, strict=True):
                keep_vectors(wanted, vectors, model=model)
            Passage.objects.filter(id__in=[passage.id for passage in waiting]).update(
                embedded_with=models[0].name
            )
        done += len(waiting)


def passage_texts(passages: list[Passage]) -> dict[UUID, str]:
    """The text of each passage, by its id; without those whose text has gone. Two queries."""
    message_ids = {passage.message_id for passage in passages if passage.message_id}
    memory_ids = {passage.memory_id for passage in passages if passage.memory_id}
    messages = Message.objects.filter(id__in=message_ids).only("id", "tenant_id", "blocks")
    blocks = {message.id: message.blocks for message in messages}
    versions = MemoryVersion.objects.filter(memory_id__in=memory_ids).order_by("number")
    newest = {version.memory_id: version for version in versions}
    says = {memory_id: version.text for memory_id, version in newest.items()}
    texts = {}
    for passage in passages:
        if passage.memory_id in says:
            texts[passage.id] = says[passage.memory_id][passage.start : passage.end]
        elif passage.message_id in blocks:
            block = blocks[passage.message_id][passage.block]
            texts[passage.id] = block["text"][passage.start : passage.end]
    return texts


def _waiting(store_id: UUID) -> list[Passage]:
    found = Passage.objects.filter(store_id=store_id, embedded_with="")
    return list(found.order_by("id")[:_STEP_PASSAGES])
