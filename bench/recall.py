"""How much of what answers is found: LoCoMo, PIAF, and the demonstration in two languages.

    PYTHONPATH=platform:. .venv/bin/python -m bench.recall --vectors FOLDER \
        --locomo locomo10.json --piaf cnil.json dila.json --mem0-python ELSEWHERE/bin/python

Starts a database of its own, brings each set in through the ordinary path, embeds it, and asks. In
the same run: each half of the search alone, both by reciprocal rank, and (where its Python is
named) mem0 OSS over pgvector with the same model's vectors. Vectors are kept in FOLDER, by text.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench import own_souvenir  # first: it starts what the models stand on
from bench.recall_mem0 import MEM0, Peer, answers_of_mem0
from bench.recall_metrics import BUDGETED, RANKED, means, scores
from bench.recall_sets import QuestionSet, demonstration, locomo, piaf
from bench.recall_ways import (
    BUDGETED_ONLY,
    CONTEXT,
    DATED,
    SOUVENIR,
    Answers,
    answers_dated,
    answers_of_context,
    answers_of_search,
    bring_in,
)
from bench.vector_cache import CachedEmbedder, VectorCache
from souvenir.embedding.registry import EMBEDDERS

_Row = dict[str, float]
_Rows = dict[str, dict[str, list[_Row]]]  # by way and group: one for each question


def main() -> None:
    options = _options()
    embedder = CachedEmbedder(VectorCache(options.vectors))
    EMBEDDERS[CachedEmbedder.model_id] = lambda: embedder
    peer = None
    if options.mem0_python:
        peer = Peer(options.mem0_python, own_souvenir.another_database("mem0"), embedder)
    for title, sets, budgets in _sets(options):
        _print(title, measured(sets, peer, blocks=budgets and options.blocks), budgets=budgets)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that keeps vectors")
    parser.add_argument("--locomo", type=Path, help="locomo10.json, or a part of it")
    parser.add_argument("--piaf", type=Path, nargs="+", help="files in SQuAD's form")
    parser.add_argument("--mem0-python", type=Path, help="a Python that has mem0ai (mem0_peer.py)")
    parser.add_argument("--blocks", action="store_true", help="also make each block for a prompt")
    return parser.parse_args()


def _sets(options: argparse.Namespace) -> list[tuple[str, list[QuestionSet], bool]]:
    """The title of a table, what it is about, and whether a context's budget makes sense there."""
    found = []
    if options.locomo:
        found.append(("LoCoMo, turns", list(locomo(options.locomo)), True))
    if options.piaf:
        found.append(("PIAF, French", [piaf(options.piaf)], False))
    return [*found, ("The demonstration, question → text", [demonstration()], False)]


def measured(sets: Sequence[QuestionSet], peer: Peer | None, *, blocks: bool) -> _Rows:
    """What each way of answering got for each question."""
    rows: _Rows = defaultdict(lambda: defaultdict(list))
    stored = [bring_in(one) for one in sets]
    answers: list[Answers] = [answers_of_search(one) for one in stored]
    if peer:
        for found, theirs in zip(answers, answers_of_mem0(stored, peer), strict=True):
            found[MEM0] = theirs
    if blocks:
        for found, brought in zip(answers, stored, strict=True):
            found[CONTEXT] = answers_of_context(brought)
            found[DATED] = answers_dated(brought)
    for one, found in zip(sets, answers, strict=True):
        for way, answered in found.items():
            for question, answer in zip(one.questions, answered, strict=True):
                rows[way][question.group].append(scores(answer, question.evidence))
    return rows


def _print(title: str, rows: _Rows, *, budgets: bool) -> None:
    groups = sorted(rows[SOUVENIR])
    count = sum(len(rows[SOUVENIR][group]) for group in groups)
    print(f"\n**{title}**: {count} questions\n")
    flat = {way: _flat(by_group) for way, by_group in rows.items()}
    if budgets:
        _table("tokens", flat, BUDGETED)
    ranked = {way: by_group for way, by_group in rows.items() if way not in BUDGETED_ONLY}
    _table("all", {way: flat[way] for way in ranked}, RANKED)
    if len(groups) > 1:
        for group in groups:
            _table(group, {way: by_group[group] for way, by_group in ranked.items()}, RANKED)


def _flat(by_group: dict[str, list[_Row]]) -> list[_Row]:
    return [row for rows in by_group.values() for row in rows]


def _table(name: str, by_way: dict[str, list[_Row]], metrics: Sequence[str]) -> None:
    count = len(next(iter(by_way.values())))
    print(f"| {name} ({count}) | " + " | ".join(metrics) + " |")
    print("| --- |" + " --- |" * len(metrics))
    for way, rows in by_way.items():
        mean = means(rows)
        print(f"| {way} | " + " | ".join(f"{mean[metric]:.3f}" for metric in metrics) + " |")
    print()


if __name__ == "__main__":
    main()
