"""The local embedder for two languages: its vectors without the language of the text."""

from collections.abc import Sequence

from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.language_plane import without_language
from souvenir.embedding.local import LocalEmbedder, local_embedder


class BilingualEmbedder:
    """multilingual-e5-small, in this process; French and English meet (language_plane.py)."""

    model_id = "multilingual-e5-small/q4/2"
    dimensions = LocalEmbedder.dimensions
    nearness_range = LocalEmbedder.nearness_range

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        """See `LocalEmbedder.embed`.

        Raises:
            WeightsMissing, WeightsMismatch
        """
        return without_language(local_embedder().embed(texts, kind=kind))


_PROCESS_WIDE = BilingualEmbedder()


def bilingual_embedder() -> BilingualEmbedder:
    """The one of this process."""
    return _PROCESS_WIDE
