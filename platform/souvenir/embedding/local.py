"""The embedder that runs in this process: no server, no network, one thread."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession, SessionOptions

from souvenir.core.metrics import added_up, embedding_seconds, texts_embedded
from souvenir.embedding.e5_graph import build_graph
from souvenir.embedding.e5_tokenizer import E5Tokenizer
from souvenir.embedding.e5_weights import E5Weights, installed_weights
from souvenir.embedding.embedders import TextKind, Vectors
from souvenir.embedding.once_per_process import OncePerProcess

LONGEST_TEXT = 8_000  # characters; the rest of a text is not looked at
LONGEST_INPUT = 510  # tokens, with the prefix and without the two markers
# The model was trained with these words before each text (Wang et al., 2024, §3).
_PREFIXES: dict[TextKind, str] = {"query": "query: ", "passage": "passage: "}
_BATCH_TEXTS = 16
_BATCH_TOKENS = 1_024  # with padding: larger is no faster, and attention takes the square of it
_PADDING_MASK = np.float32(-1e9)


class LocalEmbedder:
    """multilingual-e5-small, by onnxruntime. Loads at first use (1 s); threads may share it."""

    model_id = "multilingual-e5-small/q4/1"
    dimensions = 384
    # The cosines of this model: what has nothing in common is rarely below the first, and what
    # says the same rarely above the second.
    nearness_range = (0.70, 0.95)

    def __init__(self, weights: Path | None = None) -> None:
        """Take `weights` instead of the installed ones; either must be the expected file."""
        self._path = weights
        self._weights = OncePerProcess(self._open_weights)
        self._tokenizer = OncePerProcess(self._build_tokenizer)
        self._session = OncePerProcess(self._build_session)

    def embed(self, texts: Sequence[str], *, kind: TextKind) -> Vectors:
        """See `Embedder.embed`: what lies past 8,000 characters or 510 tokens is ignored.

        Raises:
            WeightsMissing: the weights are not installed.
            WeightsMismatch: the file is not the expected one.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        with added_up(embedding_seconds.labels(kind)):
            inputs = [self._input(text, kind) for text in texts]
            for places in _batches([len(ids) for ids in inputs]):
                vectors[places] = self._run([inputs[place] for place in places])
        texts_embedded.labels(kind).inc(len(texts))
        return vectors

    def count_tokens(self, text: str) -> int:
        """How many tokens the whole text takes, without prefix or markers; no cap."""
        return sum(1 for _ in self._tokenizer.get().pieces(text))

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each token, in characters of `text`; as many as `count_tokens` says.

        In order and never going backwards; the space before a word belongs to no token. Spans of
        neighbours are equal where one character stands for several tokens.
        """
        return [(piece.start, piece.end) for piece in self._tokenizer.get().pieces(text)]

    def _open_weights(self) -> E5Weights:
        return E5Weights(self._path or installed_weights())

    def _build_tokenizer(self) -> E5Tokenizer:
        return E5Tokenizer(self._weights.get().vocabulary)

    def _build_session(self) -> InferenceSession:
        options = SessionOptions()
        options.intra_op_num_threads = 1  # processes scale; threads that spin for work do not
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # an arena never gives back what its peak took
        graph = build_graph(self._weights.get())
        return InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def _input(self, text: str, kind: TextKind) -> list[int]:
        prefixed = _PREFIXES[kind] + text[:LONGEST_TEXT]
        return self._tokenizer.get().encode(prefixed, limit=LONGEST_INPUT)

    def _run(self, inputs: list[list[int]]) -> Vectors:
        """float32, shape (len(inputs), dimensions), rows of unit length."""
        lengths = np.array([len(ids) for ids in inputs])
        is_token = np.arange(lengths.max()) < lengths[:, np.newaxis]
        mask = np.where(is_token, np.float32(0), _PADDING_MASK)[:, np.newaxis, np.newaxis, :]
        feed = {"x": self._embeddings(inputs, is_token), "mask": mask}
        (hidden,) = self._session.get().run(None, feed)
        sums: Vectors = np.where(is_token[:, :, np.newaxis], hidden, np.float32(0)).sum(axis=1)
        # The mean and the sum point the same way, and only the direction is kept.
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        return sums

    def _embeddings(self, inputs: list[list[int]], is_token: npt.NDArray[np.bool_]) -> Vectors:
        """float32, shape (len(inputs), longest, dimensions); whatever on padding: it is masked."""
        weights = self._weights.get()
        positions = weights.plain("emb.pos").reshape(-1, self.dimensions)
        x = np.zeros((*is_token.shape, self.dimensions), np.float32)
        x[is_token] = weights.word_vectors([token for ids in inputs for token in ids])
        x += positions[: is_token.shape[1]] + weights.plain("emb.type")[: self.dimensions]
        return x


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of `lengths` in batches, short ones together, so that little is padding."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        is_full = len(batch) == _BATCH_TEXTS or (len(batch) + 1) * lengths[place] > _BATCH_TOKENS
        if batch and is_full:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


_PROCESS_WIDE = LocalEmbedder()


def local_embedder() -> LocalEmbedder:
    """The one of this process: loading is shared by all its threads."""
    return _PROCESS_WIDE
