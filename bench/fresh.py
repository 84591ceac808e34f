"""Read your writes: add → search by words, at once; add → search by meaning, until it is there.

    PYTHONPATH=platform:. .venv/bin/python -m bench.fresh [statements]

Starts a Souvenir of its own, as `make run` does, with its real worker, and asks over HTTP. Each
statement (200) is asked for right after it was added, by a name that only it has. Of the first 50,
the same question is asked again until the statement has been compared by meaning.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.tour import Client, provision, running

_STATEMENTS, _BY_MEANING = 200, 50
_PERSON = "someone"
_PAUSE_SECONDS, _PATIENCE_SECONDS = 0.02, 60.0
_THINGS = ("bicycle", "telescope", "kettle", "violin", "ladder", "camera", "tent", "typewriter")
_PLACES = ("attic", "garage", "cellar", "kitchen", "shed", "hallway", "office", "balcony")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _STATEMENTS
    with tempfile.TemporaryDirectory(prefix="souvenir-fresh-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running(home / "home") as operator:
            _, client = provision(operator)
            measure(client, count)


def measure(client: Client, count: int) -> None:
    chance = random.Random(5)  # noqa: S311 — the same statements each time
    misses, words, meaning = 0, [], []
    for number in range(count):
        name = "".join(chance.choice("bdfglmnprtv") + chance.choice("aeiou") for _ in range(4))
        thing, place = chance.choice(_THINGS), chance.choice(_PLACES)
        began = time.monotonic()
        text = f"The {thing} of {name.title()} stands in the {place}."
        memory = client.post("memories", {"person": _PERSON, "text": text})
        question = f"Where is what {name.title()} owns?"
        found = similarities(client, question)
        misses += memory["id"] not in found
        words.append(time.monotonic() - began)
        if number < _BY_MEANING:
            meaning.append(_seconds_to_meaning(client, question, memory["id"], began))
    print("| what | |\n| --- | --- |")
    print(f"| added, then asked by words at once: misses of {count} | {misses} |")
    print(f"| added and found by words, s: p50 / p95 | {_p(words)} |")
    print(f"| added and compared by meaning, s, {len(meaning)} times: p50 / p95 | {_p(meaning)} |")


def similarities(client: Client, question: str) -> dict[str, float | None]:
    """By memory, of what was found; None: not embedded yet."""
    body = {"query": question, "person": _PERSON}
    results = client.post("memories/search", body)["results"]
    return {found["memory_id"]: found["similarity"] for found in results}


def _seconds_to_meaning(client: Client, question: str, memory_id: str, began: float) -> float:
    while similarities(client, question).get(memory_id) is None:
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise SystemExit(f"not embedded after {_PATIENCE_SECONDS:.0f} s")
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic() - began


def _p(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{statistics.median(ordered):.2f} / {ordered[int(0.95 * len(ordered))]:.2f}"


if __name__ == "__main__":
    main()
