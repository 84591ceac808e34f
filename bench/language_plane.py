"""Make the file of the two directions that carry the language of a text.

    PYTHONPATH=platform:. .venv/bin/python -m bench.language_plane

From sentences and questions written for this purpose in both languages
(`parallel_sentences.json`). Prints how near a sentence is to its translation, and to the other
sentences of its own language, before and after.
"""

import json
import os
from pathlib import Path

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "souvenir.config.settings")

from souvenir.embedding.bilingual import BilingualEmbedder
from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.language_plane import PLANE_FILE, plane_of
from souvenir.embedding.local import LocalEmbedder

_SENTENCES = json.loads(Path(__file__).with_name("parallel_sentences.json").read_text("utf-8"))
_KINDS: dict[str, TextKind] = {"statements": "passage", "questions": "query"}


def main() -> None:
    embedder = LocalEmbedder()
    differences = []
    for group, kind in _KINDS.items():
        english, french = (
            embedder.embed([pair[language] for pair in _SENTENCES[group]], kind=kind)
            for language in ("en", "fr")
        )
        difference = french.mean(axis=0) - english.mean(axis=0)
        differences.append(difference / np.linalg.norm(difference))
    plane = plane_of(np.stack(differences))
    np.save(PLANE_FILE, plane, allow_pickle=False)
    print(f"{PLANE_FILE.name}: {plane.shape}")
    _show(embedder)


def _show(embedder: LocalEmbedder) -> None:
    pairs = _SENTENCES["statements"]
    for name, embed in (("as trained", embedder.embed), ("outside", BilingualEmbedder().embed)):
        english, french = (
            embed([pair[language] for pair in pairs], kind="passage") for language in ("en", "fr")
        )
        print(
            f"{name:<12} to its translation {np.mean(np.sum(english * french, axis=1)):.3f},"
            f" to others in English {_others(english):.3f}, in French {_others(french):.3f},"
            f" across {np.mean(english @ french.T):.3f}"
        )


def _others(vectors: Vectors) -> float:
    nearness = vectors @ vectors.T
    return float((nearness.sum() - np.trace(nearness)) / (nearness.size - len(nearness)))


if __name__ == "__main__":
    main()
