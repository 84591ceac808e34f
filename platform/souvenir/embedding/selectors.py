"""Questions about models. They belong to the cell, and need no scope."""

from souvenir.embedding.models import EmbeddingModel

State = EmbeddingModel.State


def serving_model() -> EmbeddingModel:
    """The model that search asks. One query."""
    return EmbeddingModel.objects.get(state=State.SERVING)


def filling_model() -> EmbeddingModel | None:
    """The model that is filled beside it, if there is one. One query."""
    return EmbeddingModel.objects.filter(state=State.FILLING).first()


def models_in_use() -> list[EmbeddingModel]:
    """Those whose vectors are kept, that of search first. One query."""
    found = EmbeddingModel.objects.exclude(state=State.RETIRED)
    return sorted(found, key=lambda model: model.state != State.SERVING)
