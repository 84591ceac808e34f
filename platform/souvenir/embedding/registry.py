"""Which embedder makes the vectors of which model."""

from collections.abc import Callable

from souvenir.embedding.bilingual import BilingualEmbedder, bilingual_embedder
from souvenir.embedding.embedders import Embedder
from souvenir.embedding.errors import EmbedderUnknown
from souvenir.embedding.local import LocalEmbedder, local_embedder

# A model's name → what gives its embedder. Another model is a line here, and its vectors a change
# that operators start (docs/runbooks/search.md).
EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    BilingualEmbedder.model_id: bilingual_embedder,
    LocalEmbedder.model_id: local_embedder,
}


def embedder_of(model: str) -> Embedder:
    """The embedder of a model, by its name.

    Raises:
        EmbedderUnknown: this process has none; another version of the code may.
    """
    if model not in EMBEDDERS:
        raise EmbedderUnknown(model=model)
    return EMBEDDERS[model]()
