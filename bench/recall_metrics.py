"""What is counted of an answer, without a judge: where the evidence stands in the ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

BUDGETS = (1_000, 2_000, 4_000)  # tokens of a context
RANKED = ("any@1", "any@5", "any@10", "all@5", "all@10", "share@10", "NDCG@10", "MRR@10")
BUDGETED = tuple(f"{kind} {budget // 1_000}k" for budget in BUDGETS for kind in ("any", "all"))
_FIRST = 10


@dataclass(frozen=True)
class Result:
    """One thing that was found: the unit that it is of, and how many tokens it takes."""

    key: str
    tokens: int
    passage: str = ""  # which of the unit's


@dataclass(frozen=True)
class Answered:
    """Best first: the ten that are shown, and as many as a context can take.

    `blocks`: units by budget, where a context was made; else `long` is cut where it is full.
    """

    first: Sequence[Result]
    long: Sequence[Result]
    blocks: Mapping[int, set[str]] = field(default_factory=dict)


def scores(answered: Answered, evidence: frozenset[str]) -> dict[str, float]:
    """Each metric of one question, between 0 and 1.

    Places are those of results: a second passage of the same unit takes one, and gains nothing.
    """
    found = _hits(answered.first[:_FIRST], evidence)
    counted = {f"any@{k}": float(any(found[:k])) for k in (1, 5, 10)}
    counted |= {f"all@{k}": float(sum(found[:k]) == len(evidence)) for k in (5, 10)}
    counted["share@10"] = sum(found) / len(evidence)
    gain = sum(hit / log2(place + 2) for place, hit in enumerate(found))
    best = sum(1 / log2(place + 2) for place in range(min(_FIRST, len(evidence))))
    counted["NDCG@10"] = gain / best
    counted["MRR@10"] = next((1 / (place + 1) for place, hit in enumerate(found) if hit), 0.0)
    for budget in BUDGETS:
        within = answered.blocks.get(budget) or _within(answered.long, budget)
        counted[f"any {budget // 1_000}k"] = float(not within.isdisjoint(evidence))
        counted[f"all {budget // 1_000}k"] = float(within >= evidence)
    return counted


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over questions."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def _hits(results: Sequence[Result], evidence: frozenset[str]) -> list[bool]:
    seen: set[str] = set()
    hits = []
    for result in results:
        hits.append(result.key in evidence and result.key not in seen)
        seen.add(result.key)
    return hits


def _within(results: Sequence[Result], budget: int) -> set[str]:
    """The units that fit into a context, taken in order; one that does not fit ends it."""
    taken: set[str] = set()
    for result in results:
        budget -= result.tokens
        if budget < 0:
            break
        taken.add(result.key)
    return taken
