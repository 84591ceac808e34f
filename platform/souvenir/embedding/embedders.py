"""What an embedder is, whichever one runs: in this process, or behind an address in the cell."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

# A question is compared with passages, never with questions: most models embed the two differently.
TextKind: TypeAlias = Literal["query", "passage"]
Vectors: TypeAlias = npt.NDArray[np.float32]


class Embedder(Protocol):
    @property
    def model_id(self) -> str:
        """Which vector space: stored beside each vector. Vectors compare only inside one space."""

    @property
    def dimensions(self) -> int: ...

    @property
    def nearness_range(self) -> tuple[float, float]:
        """The cosines between which this model says anything: unrelated, and the same."""

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        """The meaning of each text. Any text will do: empty, too long (its end is ignored), broken.

        Returns:
            float32, shape (len(texts), dimensions), rows of unit length, in the order of `texts`.

        Raises:
            EmbedderUnavailable: the model cannot be reached or loaded.
        """
