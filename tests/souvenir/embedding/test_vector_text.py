"""Vectors on their way to the database lose nothing that half precision has."""

import numpy as np
from pgvector import HalfVector

from souvenir.embedding.vectors import vector_text


def test_every_number_of_half_precision_arrives_as_it_is() -> None:
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    numbers = every[np.isfinite(every)]

    told = HalfVector.from_text(vector_text(numbers.astype(np.float32))).to_numpy()

    assert np.array_equal(told, numbers)
