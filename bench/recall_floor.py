"""Is there a score below which nothing answers? The first result's, where the answer is and not.

    PYTHONPATH=platform:. .venv/bin/python -m bench.recall_floor --vectors FOLDER \
        --locomo locomo10.json --piaf cnil.json dila.json

Each set's questions are put to its own memory and to those of others, and LoCoMo's fifth category,
which asks of one what the other did, to its own talk. Without files: the demonstration alone.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from bench.recall_sets import ADVERSARIAL, Asked, demonstration, locomo, piaf
from bench.recall_ways import Stored, bring_in
from bench.vector_cache import CachedEmbedder, VectorCache
from souvenir.embedding.registry import EMBEDDERS
from souvenir.memories.selectors import get_person, personal_store
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope

_FLOORS = (0.1, 0.15, 0.2, 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that keeps vectors")
    parser.add_argument("--locomo", type=Path)
    parser.add_argument("--piaf", type=Path, nargs="+")
    options = parser.parse_args()
    embedder = CachedEmbedder(VectorCache(options.vectors))
    EMBEDDERS[CachedEmbedder.model_id] = lambda: embedder
    print("| questions | | median | " + " | ".join(f"kept by {f}" for f in _FLOORS) + " |")
    print("| --- |" + " ---: |" * (2 + len(_FLOORS)))
    demo = bring_in(demonstration())
    for group in sorted({asked.group for asked in demo.asked.questions}):
        own = [asked for asked in demo.asked.questions if asked.group == group]
        _row(f"the demonstration, {group}", _firsts(demo, own))
    if options.locomo:
        _of_talks(options.locomo, demo)
    if options.piaf:
        texts = bring_in(piaf(options.piaf))
        _row("PIAF, of its own texts", _firsts(texts, texts.asked.questions))
        _row("no answer: the demonstration, of PIAF", _firsts(texts, demo.asked.questions))
        _row("no answer: PIAF, of the demonstration", _firsts(demo, texts.asked.questions))


def _of_talks(path: Path, demo: Stored) -> None:
    talks = [bring_in(one) for one in locomo(path)]
    next_ones = [*talks[1:], talks[0]]
    _row(
        "LoCoMo, of its own talk",
        [score for talk in talks for score in _firsts(talk, talk.asked.questions)],
    )
    _row(
        "no answer: LoCoMo, of another talk",
        [
            score
            for talk, other in zip(talks, next_ones, strict=True)
            for score in _firsts(other, talk.asked.questions)
        ],
    )
    _row(
        "no answer: the demonstration, of a talk of LoCoMo",
        _firsts(talks[0], demo.asked.questions),
    )
    _row(
        "no answer: LoCoMo’s fifth category, of its own talk",
        [
            score
            for talk, asked in zip(talks, _turned_round(path), strict=True)
            for score in _firsts(talk, asked)
        ],
    )


def _turned_round(path: Path) -> Iterator[list[Asked]]:
    """By talk."""
    for sample in json.loads(path.read_text("utf-8")):
        yield [
            Asked(asked["question"], frozenset(), "")
            for asked in sample["qa"]
            if asked["category"] == ADVERSARIAL
        ]


def _firsts(stored: Stored, questions: Sequence[Asked]) -> list[float]:
    """The score of the first result of each question; 0 where nothing is found."""
    with tenant_scope(stored.tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
        answers = [search(Question(asked.text, [store.id], limit=1)) for asked in questions]
    return [answer.results[0].score if answer.results else 0.0 for answer in answers]


def _row(name: str, firsts: list[float]) -> None:
    kept = [sum(score >= floor for score in firsts) / len(firsts) for floor in _FLOORS]
    shares = " | ".join(f"{share:.2f}" for share in kept)
    print(f"| {name} | {len(firsts)} | {statistics.median(firsts):.2f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
