"""Questions put in the other language, to a memory in both: LoCoMo and PIAF beside each other.

    PYTHONPATH=platform:. .venv/bin/python -m bench.recall_across --vectors FOLDER \
        --locomo locomo10.json --piaf cnil.json dila.json --translated locomo-fr.tsv piaf-en.tsv

Each line of a file of translations: a question as its set has it, a tab, the same in the other
language. Each talk of LoCoMo stands in one memory with all of PIAF; PIAF's questions are put to a
memory of PIAF and all talks. Those that have a translation are asked in both languages.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from bench.recall_metrics import RANKED, means, scores
from bench.recall_sets import Asked, QuestionSet, Unit, locomo, piaf
from bench.recall_ways import MEANING, SOUVENIR, answers_of_search, bring_in
from bench.vector_cache import CachedEmbedder, VectorCache
from souvenir.embedding.registry import EMBEDDERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that keeps vectors")
    parser.add_argument("--locomo", type=Path, required=True)
    parser.add_argument("--piaf", type=Path, nargs="+", required=True)
    parser.add_argument("--translated", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    embedder = CachedEmbedder(VectorCache(options.vectors))
    EMBEDDERS[CachedEmbedder.model_id] = lambda: embedder
    translated = dict(_pairs(options.translated))
    talks = [_renamed(one, f"{n} ") for n, one in enumerate(locomo(options.locomo))]
    texts = piaf(options.piaf)
    rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for talk in talks:
        _measure(_asked(talk, translated, "en", "fr", beside=texts.units), rows)
    others = [unit for talk in talks for unit in talk.units]
    _measure(_asked(texts, translated, "fr", "en", beside=others), rows)
    _print(rows)


def _pairs(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            question, _, translation = line.partition("\t")
            yield question.strip(), translation.strip()


def _renamed(one: QuestionSet, prefix: str) -> QuestionSet:
    """With keys that are no other talk's."""
    units = [
        replace(unit, key=prefix + unit.key, talk=f"{prefix}{unit.talk}") for unit in one.units
    ]
    questions = [
        replace(asked, evidence=frozenset(prefix + key for key in asked.evidence))
        for asked in one.questions
    ]
    return QuestionSet(one.name, questions, units)


def _asked(
    one: QuestionSet, translated: dict[str, str], own: str, other: str, *, beside: list[Unit]
) -> QuestionSet:
    """What of it has a translation, in both languages."""
    questions = []
    for asked in one.questions:
        if there := translated.get(asked.text.strip()):
            questions.append(Asked(asked.text, asked.evidence, f"{own}→{own}"))
            questions.append(Asked(there, asked.evidence, f"{other}→{own}"))
    return QuestionSet(one.name, questions, [*one.units, *beside])


def _measure(one: QuestionSet, rows: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    if not one.questions:
        return
    answers = answers_of_search(bring_in(one))
    for way in (SOUVENIR, MEANING):
        for asked, answer in zip(one.questions, answers[way], strict=True):
            rows[asked.group, way].append(scores(answer, asked.evidence))


def _print(rows: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    print("| asked in → said in | | " + " | ".join(RANKED) + " |")
    print("| --- | --- |" + " --- |" * len(RANKED))
    for (group, way), found in sorted(rows.items()):
        mean = means(found)
        figures = " | ".join(f"{mean[metric]:.3f}" for metric in RANKED)
        print(f"| {group} ({len(found)}) | {way} | {figures} |")


if __name__ == "__main__":
    main()
