"""How fast the local embedder is, and how much memory it takes: `python -m bench.embedding`.

One process, one thread. Rates are per second of processor time, so that a busy machine counts
for less; resident memory includes the pages of the weights' file, which processes share.
"""

import resource
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

from souvenir.embedding.local import LocalEmbedder

# Half in each language; about 16 tokens each.
_SENTENCES = [
    "Marie wrote to her lawyer in Montréal about the lease on Tuesday.",
    "Le chauffage de l'appartement ne marche plus depuis la fin novembre.",
    "My brother is allergic to peanuts, and so is his youngest daughter.",
    "Nous avons choisi le train de nuit plutôt que l'avion pour Halifax.",
]
_SHORT, _LONG = 3, 15  # sentences: about 49 and 240 tokens
_QUERIES = 40


def main() -> None:
    embedder = LocalEmbedder()
    load_seconds, load_cpu_seconds = _time(lambda: embedder.embed(["warm"], kind="query"))
    rows = [
        ("load, s (of processor time)", f"{load_seconds:.2f} ({load_cpu_seconds:.2f})"),
        ("resident after load, MB", f"{_resident_megabytes():.0f}"),
        ("one query, ms of processor time", f"{_query_milliseconds(embedder):.1f}"),
        _rate(embedder, sentences=_SHORT, texts=96),
        _rate(embedder, sentences=_LONG, texts=24),
        ("tokens counted per processor second", f"{_tokens_per_second(embedder):,.0f}"),
        ("resident at the end, MB", f"{_resident_megabytes():.0f}"),
        ("resident at the peak, MB", f"{_peak_megabytes():.0f}"),
    ]
    print(f"{embedder.model_id}, 1 thread")
    for label, value in rows:
        print(f"{label:<44}{value:>16}")


def _rate(embedder: LocalEmbedder, *, sentences: int, texts: int) -> tuple[str, str]:
    several = [_text(sentences, number) for number in range(texts)]
    mean = sum(map(embedder.count_tokens, several)) / texts
    _, cpu_seconds = _time(lambda: embedder.embed(several, kind="passage"))
    return f"texts of {mean:.0f} tokens per processor second", f"{texts / cpu_seconds:.1f}"


def _query_milliseconds(embedder: LocalEmbedder) -> float:
    queries = [_text(1, number) for number in range(_QUERIES)]
    _, cpu_seconds = _time(lambda: [embedder.embed([query], kind="query") for query in queries])
    return 1000 * cpu_seconds / _QUERIES


def _tokens_per_second(embedder: LocalEmbedder) -> float:
    text = _text(600, 0)
    tokens = embedder.count_tokens(text)
    _, cpu_seconds = _time(lambda: embedder.count_tokens(text))
    return tokens / cpu_seconds


def _text(sentences: int, number: int) -> str:
    chosen = [_SENTENCES[(number + place) % len(_SENTENCES)] for place in range(sentences)]
    return f"{number}: " + " ".join(chosen)


def _time(run: Callable[[], object]) -> tuple[float, float]:
    """(seconds on the wall, seconds of this process's processor time)."""
    began, began_cpu = perf_counter(), process_time()
    run()
    return perf_counter() - began, process_time() - began_cpu


def _resident_megabytes() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    (kilobytes,) = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    return kilobytes / 1024


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
