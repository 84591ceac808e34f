"""What the width of the pool costs, and a quoted phrase, which opens what it finds to read it.

    PYTHONPATH=platform:. .venv/bin/python -m bench.recall_costs --vectors FOLDER --piaf cnil.json

One store of PIAF's passages, asked its own questions by the search service, in this process: the
statement, what it brings, keys, texts and all but the question's vector, which is in the cache.
Each question is asked once to warm up, then once in each way, the ways in turn.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import own_souvenir  # noqa: F401 — first: it starts what the models stand on
from bench.recall_sets import piaf
from bench.recall_ways import bring_in
from bench.vector_cache import CachedEmbedder, VectorCache
from souvenir.embedding.registry import EMBEDDERS
from souvenir.memories.selectors import get_person, personal_store
from souvenir.search import candidates
from souvenir.search.questions import Question
from souvenir.search.services import search
from tenants.isolation.scope import tenant_scope

_QUESTIONS = 100
_POOLS = (30, 80, 160, 280)
_LONG_WORD = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that keeps vectors")
    parser.add_argument("--piaf", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    embedder = CachedEmbedder(VectorCache(options.vectors))
    EMBEDDERS[CachedEmbedder.model_id] = lambda: embedder
    stored = bring_in(piaf(options.piaf))
    with tenant_scope(stored.tenant.id):
        store = personal_store(person=get_person(external_id="alice"))
    spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for asked in stored.asked.questions[:_QUESTIONS]:
        question = Question(asked.text, [store.id])
        with tenant_scope(stored.tenant.id):
            for name, pool, asking in _ways(question):
                candidates.LEAST_POOL = pool
                search(asking)
                spent[name].append(_timed(partial(search, asking)))
    _print(spent)


def _ways(question: Question) -> list[tuple[str, int, Question]]:
    quoted = replace(question, text=f"{question.text} {_phrase(question.text)}")
    named = [(f"pool of {pool}", pool, question) for pool in _POOLS]
    return [*named, ("pool of 80 and 200 that have a quoted word", 80, quoted)]


def _phrase(text: str) -> str:
    words = [word for word in text.split() if word.isalpha() and len(word) >= _LONG_WORD]
    return f"« {min(words, key=len)} »" if words else "« données »"


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process: the database's are not among these."""
    wall, own = time.perf_counter(), time.process_time()
    call()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - own)


def _print(spent: dict[str, list[tuple[float, float]]]) -> None:
    print("| 10 results, from a | ms p50 | p95 | of these in this process, p50 |")
    print("| --- | --- | --- | --- |")
    for name, times in spent.items():
        walls = sorted(wall for wall, _ in times)
        own = statistics.median(own for _, own in times)
        late = walls[int(0.95 * (len(walls) - 1))]
        print(f"| {name} | {statistics.median(walls):.1f} | {late:.1f} | {own:.1f} |")


if __name__ == "__main__":
    main()
