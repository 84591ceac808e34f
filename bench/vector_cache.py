"""Vectors kept on disk: a benchmark then embeds each text once, which is most of its time."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.language_plane import without_language
from souvenir.embedding.local import LocalEmbedder, local_embedder

_AT_ONCE = 64


class VectorCache:
    """The local model's own vectors, by text, in a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = LocalEmbedder.model_id.replace("/", "-")
        self._file = sqlite3.connect(folder / f"{name}.sqlite", check_same_thread=False)
        self._file.execute("CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, value BLOB)")

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        """As `LocalEmbedder.embed`: float32, shape (len(texts), 384), rows of unit length."""
        rows = np.empty((len(texts), LocalEmbedder.dimensions), np.float32)
        keys = [_key(text, kind) for text in texts]
        missing = []
        for place, key in enumerate(keys):
            found = self._file.execute("SELECT value FROM vector WHERE key = ?", (key,)).fetchone()
            if found:
                rows[place] = np.frombuffer(found[0], np.float32)
            else:
                missing.append(place)
        for start in range(0, len(missing), _AT_ONCE):
            places = missing[start : start + _AT_ONCE]
            made = local_embedder().embed([texts[place] for place in places], kind=kind)
            rows[places] = made
            kept = [(keys[place], row.tobytes()) for place, row in zip(places, made, strict=True)]
            self._file.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?)", kept)
            self._file.commit()
        return rows


class CachedEmbedder:
    """Souvenir's embedder over such a cache: the same vectors, sooner."""

    model_id = BilingualEmbedder.model_id
    dimensions = BilingualEmbedder.dimensions
    nearness_range = BilingualEmbedder.nearness_range

    def __init__(self, cache: VectorCache) -> None:
        self._cache = cache

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        """See `Embedder.embed`."""
        return without_language(self._cache.embed(texts, kind=kind))


def _key(text: str, kind: TextKind) -> bytes:
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()
