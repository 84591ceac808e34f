"""A second model: the words of a text, hashed. It knows no language and needs no weights."""

import zlib
from collections.abc import Sequence

import numpy as np

from souvenir.embedding.embedders import TextKind, Vectors


class WordEmbedder:
    """Texts are near where they share words."""

    model_id = "hashed-words/1"
    dimensions = 64
    nearness_range = (0.0, 1.0)

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        """See `Embedder.embed`; a question and a passage are embedded alike."""
        del kind
        vectors = np.full((len(texts), self.dimensions), 1e-3, np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in text.casefold().split():
                row[zlib.crc32(word.encode()) % self.dimensions] += 1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors
