"""Takes the language of a text out of its vector, so that French and English meet.

The model puts texts of one language near each other, whatever they say: a French question then
finds French passages before the English one that answers it. Two directions carry most of that,
one for passages and one for questions: the difference between the mean vectors of sentences and of
their translations. What a vector has along these two directions is removed.

Measured in docs/benchmarks.md. `bench/language_plane.py` makes the file anew.
"""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from souvenir.embedding.embedders import Vectors

PLANE_FILE = Path(__file__).with_name("language_plane.npy")


def without_language(vectors: Vectors) -> Vectors:
    """The same vectors, float32, shape (n, dimensions), of unit length, outside of the plane."""
    plane = _plane()
    outside = vectors - (vectors @ plane.T) @ plane
    unit: Vectors = (outside / np.linalg.norm(outside, axis=1, keepdims=True)).astype(np.float32)
    return unit


def plane_of(differences: Vectors) -> Vectors:
    """The plane that two directions span: float32, shape (2, dimensions), orthonormal rows."""
    orthonormal: npt.NDArray[np.float32] = np.linalg.qr(differences.T)[0].T.astype(np.float32)
    return orthonormal


@cache
def _plane() -> Vectors:
    plane: npt.NDArray[np.float32] = np.load(PLANE_FILE, allow_pickle=False)
    return plane
