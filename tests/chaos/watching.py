"""How soon the system makes progress again: small requests of a bystander, one after the other.

After a kill, what was sent before it counts too: it has to be answered before the next is sent.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from tests.builders import chatgpt_export
from tests.chaos.clients import Client

_PAUSE_SECONDS = 0.7
_LONGEST_SECONDS = 180.0
# One for each: an erasure ends the exports of whoever it is about.
_EXPORTS, _BRINGS_IN, _FORGETS = "watcher-1", "watcher-2", "watcher-3"


@dataclass(frozen=True)
class Kill:
    """What was killed, and when (monotonic)."""

    what: str
    at: float


@dataclass
class Watch:
    """One kind of progress, tried again and again in a thread of its own."""

    name: str
    once: Callable[[], None]
    went: list[tuple[float, float]] = field(default_factory=list)  # begun, done (monotonic)
    trouble: str = ""
    _ends: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let it see one more through, so that the last kill is followed too."""
        begins = time.monotonic()
        while self._thread.is_alive() and not any(begun > begins for begun, _ in self.went):
            time.sleep(0.1)
        self._ends.set()
        self._thread.join()

    def seconds_after(self, kill: Kill) -> float:
        """From a kill until something that was begun after it was done."""
        done = [done for begun, done in self.went if begun >= kill.at]
        return min(done) - kill.at if done else float("inf")

    def _run(self) -> None:
        while not self._ends.wait(_PAUSE_SECONDS):
            begun = time.monotonic()
            try:
                self.once()
            except AssertionError as error:
                self.trouble = str(error)
                return
            self.went.append((begun, time.monotonic()))


class Watches:
    """A question, and a job of each queue."""

    def __init__(self, client: Client) -> None:
        self._client = client
        for person in (_EXPORTS, _BRINGS_IN, _FORGETS):
            client.send("/api/v1/people", {"external_id": person})
        self._brought = 0
        self.all = [
            Watch("question", self._ask),
            Watch("interactive", self._export),
            Watch("bulk", self._bring_in),
            Watch("erasure", self._erase),
        ]

    def start(self) -> None:
        for watch in self.all:
            watch.start()

    def stop(self) -> None:
        for watch in self.all:
            watch.stop()

    @property
    def troubles(self) -> list[str]:
        """What went wrong for good, by kind of progress."""
        return [f"{watch.name}: {watch.trouble}" for watch in self.all if watch.trouble]

    def recoveries(self, kills: list[Kill]) -> dict[str, list[float]]:
        """By what was killed: the seconds until all four made progress again."""
        took: dict[str, list[float]] = {}
        for kill in kills:
            longest = max(watch.seconds_after(kill) for watch in self.all)
            took.setdefault(kill.what, []).append(longest)
        return took

    def _ask(self) -> None:
        self._client.send("/api/v1/memories/search", {"query": "What happened?"})

    def _export(self) -> None:
        reply = self._client.send("/api/v1/exports", {"person": _EXPORTS})
        self._await(reply.json["job_id"])

    def _bring_in(self) -> None:
        self._brought += 1
        file = chatgpt_export("Is it up?", "It is.", conversation=f"w-{self._brought}")
        reply = self._client.bring_in(person=_BRINGS_IN, file=file, once=f"w-{self._brought}")
        self._await(reply.json["job_id"])

    def _erase(self) -> None:
        said = {"person": _FORGETS, "text": "This is said to be forgotten."}
        made = self._client.send("/api/v1/memories", said).json
        asked = {"target": "memory", "id": made["id"]}
        self._await(self._client.send("/api/v1/erasures", asked).json["job_id"])

    def _await(self, job_id: str) -> None:
        job = self._client.await_end(job_id, seconds=_LONGEST_SECONDS)
        assert job["state"] == "succeeded", job


def table(recoveries: dict[str, list[float]]) -> str:
    """For a person: what was killed, how often, and how long recovery took."""
    lines = [
        f"{what}: {len(took)} kills, recovery median {median(took):.1f} s, most {max(took):.1f} s"
        for what, took in sorted(recoveries.items())
    ]
    return "\n".join(lines)
