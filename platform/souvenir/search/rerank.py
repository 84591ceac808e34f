"""A second look at what search has found, by a model behind an address. Off unless configured.

Never needed: where it is refused, slow, broken or not there, the order stays as it was, and the
answer says so. The call leaves through `tenants.egress`, which asks the policy first.
"""

import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings

from souvenir.search.ranking import Ranked
from souvenir.search.rerank_pause import Pause
from tenants import placements
from tenants.egress import HTTPS, Call, send
from tenants.errors import AddressRefused, FlowRefused
from tenants.residency import Flow

logger = logging.getLogger(__name__)
_SUCCESS = range(200, 300)
_MOST_ANSWER_BYTES = 1024 * 1024


class Rerank(StrEnum):
    """What became of the second look."""

    OFF = "off"
    DONE = "done"
    REFUSED = "refused"  # by the residency policy
    UNAVAILABLE = "unavailable"


class RerankerFailed(Exception):
    """It did not answer, or with nothing that can be used. Never leaves this module."""


class Reranker(Protocol):
    @property
    def most_passages(self) -> int:
        """How many it is shown at once."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers, in the order of `texts`; more is better, without a unit.

        Raises:
            RerankerFailed, FlowRefused
        """


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one kind of endpoint is asked, and where its answer has the scores."""

    body: Callable[[str, Sequence[str], str], dict[str, Any]]
    entries: Callable[[Any], Any]
    score: str


DIALECTS = {
    "tei": Dialect(
        body=lambda question, texts, _: {"query": question, "texts": texts, "truncate": True},
        entries=lambda answer: answer,
        score="score",
    ),
    "cohere": Dialect(
        body=lambda question, texts, model: {
            "model": model,
            "query": question,
            "documents": texts,
            "top_n": len(texts),
        },
        entries=lambda answer: answer["results"],
        score="relevance_score",
    ),
}


@dataclass(frozen=True, slots=True)
class HttpReranker:
    """An endpoint that speaks one of DIALECTS."""

    url: str
    kind: str
    model: str
    key_file: Path | None
    placement: str
    timeout_seconds: float
    most_passages: int

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `Reranker.scores`. Needs to be named whom it is for; holds no transaction."""
        dialect = DIALECTS[self.kind]
        call = self._call(dialect.body(question, list(texts), self.model))
        try:
            reply = send(call)
        except (OSError, AddressRefused) as error:
            raise RerankerFailed(type(error).__name__) from error
        if reply.status not in _SUCCESS:
            raise RerankerFailed(f"status {reply.status}")
        return _read(reply.body, dialect, len(texts))

    def _call(self, body: dict[str, Any]) -> Call:
        place = placements.placements().get(self.placement)
        if place is None:
            raise FlowRefused(reasons=("not-in-the-registry",))
        address = urlsplit(self.url)
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.key_file is not None:
            headers["authorization"] = f"Bearer {self._key(self.key_file)}"
        return Call(
            host=address.hostname or "",
            port=address.port or HTTPS,
            path=address.path or "/",
            placement=place,
            flow=Flow(kind="rerank", declared=True),
            body=json.dumps(body).encode(),
            headers=headers,
            most_answer_bytes=_MOST_ANSWER_BYTES,
            deadline_seconds=self.timeout_seconds,
        )

    @staticmethod
    def _key(path: Path) -> str:
        try:
            return path.read_text("ascii").strip()
        except (OSError, UnicodeError) as error:
            raise RerankerFailed("key file") from error


def _read(body: bytes, dialect: Dialect, count: int) -> list[float]:
    """The scores, by index.

    Raises:
        RerankerFailed: not one score for each text; nothing of such an answer is used.
    """
    try:
        entries = dialect.entries(json.loads(body))
        found = {entry["index"]: entry[dialect.score] for entry in entries}
        scores = [found[index] for index in range(count)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RerankerFailed("malformed") from error
    if len(entries) != count or not all(_is_score(score) for score in scores):
        raise RerankerFailed("malformed")
    return scores


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def has_reranker() -> bool:
    """Whether a second look is taken: then whoever searches holds no transaction meanwhile."""
    return bool(settings.SOUVENIR_RERANK_URL)


def configured_reranker() -> Reranker | None:
    """The one of the settings; None: there is none."""
    if not has_reranker():
        return None
    return HttpReranker(
        url=settings.SOUVENIR_RERANK_URL,
        kind=settings.SOUVENIR_RERANK_KIND,
        model=settings.SOUVENIR_RERANK_MODEL,
        key_file=settings.SOUVENIR_RERANK_KEY_FILE,
        placement=settings.SOUVENIR_RERANK_PLACEMENT,
        timeout_seconds=settings.SOUVENIR_RERANK_TIMEOUT_SECONDS,
        most_passages=settings.SOUVENIR_RERANK_PASSAGES,
    )


process_pause = Pause()


def opened(items: list[Ranked], *, by: Reranker) -> list[Ranked]:
    """The items, those that it is to be shown opened while there is a transaction to ask for keys
    in. What nobody can open any more is left out: it has no text to be judged by.
    """
    shown: list[Ranked] = []
    for place, item in enumerate(items):
        if len(shown) == by.most_passages:
            return shown + items[place:]
        if item.candidate.text:
            shown.append(item)
    return shown


def reranked(
    question: str, items: list[Ranked], *, by: Reranker, pause: Pause
) -> tuple[list[Ranked], Rerank]:
    """The best of them in the reranker's order, then the others; equals stay as they were.

    They are as `opened` gave them. Scores stay what search gave.
    """
    best, others = items[: by.most_passages], items[by.most_passages :]
    if not best or pause.holds():
        return items, Rerank.UNAVAILABLE if best else Rerank.DONE
    try:
        scores = by.scores(question, [item.candidate.text for item in best])
    except FlowRefused:
        return items, Rerank.REFUSED
    except RerankerFailed as error:
        logger.warning("the reranker did not help: %s", error)  # a word of ours, never content
        pause.note_failure()
        return items, Rerank.UNAVAILABLE
    pause.note_success()
    order = sorted(range(len(best)), key=lambda place: (-scores[place], place))
    return [best[place] for place in order] + others, Rerank.DONE
