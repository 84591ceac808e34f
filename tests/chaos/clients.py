"""Clients as they should be: each sends what it wants, under one key, until it is answered."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.builders import chatgpt_export
from tests.serving import Address, Reply

TURNS = 2  # messages in each object that is brought in: a question and an answer
_AGAIN_SECONDS = 0.3  # between two attempts at one request
_POLL_SECONDS = 0.3
_PASSES_BY_ITSELF = frozenset({409, 429, 500, 502, 503, 504})
_LOST = (OSError, http.client.HTTPException)


class Refused(AssertionError):
    """An answer that no retry can mend: something is broken."""


@dataclass(frozen=True)
class Client:
    """Whoever holds one key of an organization."""

    address: Address
    key: str

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        """Ask once, whatever the answer: when nothing is killed any more."""
        return self.address.ask(method, path, key=self.key, body=body)

    def get(self, path: str) -> Reply:
        """Ask, until there is an answer."""
        return _until_answered(lambda: self.address.ask("GET", path, key=self.key))

    def send(self, path: str, body: object = None, *, kind: str = "application/json") -> Reply:
        """Ask for something to be done once: the same key at each attempt."""
        return self.send_as(str(uuid4()), path, body, kind=kind)

    def send_as(
        self, once: str, path: str, body: object = None, *, kind: str = "application/json"
    ) -> Reply:
        """The same under a key of one's own."""
        return _until_answered(
            lambda: self.address.ask(
                "POST", path, key=self.key, body=body, kind=kind, Idempotency_Key=once
            )
        )

    def bring_in(self, *, person: str, file: bytes, once: str) -> Reply:
        """Send a history in."""
        boundary = uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="person"\r\n\r\n{person}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="c.json"\r\n'
            "Content-Type: application/json\r\n\r\n"
        )
        body = head.encode() + file + f"\r\n--{boundary}--\r\n".encode()
        return self.send_as(
            once, "/api/v1/imports", body, kind=f"multipart/form-data; boundary={boundary}"
        )

    def await_end(self, job_id: str, *, seconds: float) -> dict[str, Any]:
        """A job's end, or what it is after so long."""
        ends = time.monotonic() + seconds
        while True:
            job: dict[str, Any] = self.get(f"/api/v1/jobs/{job_id}").json
            if job["finished_at"] or time.monotonic() > ends:
                return job
            time.sleep(_POLL_SECONDS)


def _until_answered(ask: Callable[[], Reply]) -> Reply:
    """Try again what was not answered, or could not be done just now.

    Raises:
        Refused
    """
    while True:
        try:
            reply = ask()
        except _LOST:
            time.sleep(_AGAIN_SECONDS)
            continue
        if reply.status < 300:
            return reply
        if reply.status not in _PASSES_BY_ITSELF:
            raise Refused(reply)
        time.sleep(_AGAIN_SECONDS)


@dataclass
class Wanted:
    """What one person's client asks for, and what was answered: accepted is what has an answer."""

    number: int
    objects: int
    has_export: bool
    is_erased: bool
    waits: bool  # for the import's end, before anything else
    keys: dict[str, str] = field(default_factory=dict)  # what was asked -> its Idempotency-Key
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def person(self) -> str:
        return f"person-{self.number}"

    @property
    def canary(self) -> str:
        """A word that only this person has said."""
        return f"canary{self.number}z"

    def history(self) -> bytes:
        """A ChatGPT export of so many conversations. The same each time."""
        said = (
            chatgpt_export(
                f"Is {self.canary} number {n}?",
                f"It is {n}.",
                conversation=f"c-{self.number}-{n}",
            )
            for n in range(self.objects)
        )
        return json.dumps([json.loads(one)[0] for one in said]).encode()


def wanted(*, people: int, objects: int, exports: int, erasures: int) -> list[Wanted]:
    """Who wants what. Half of those who are erased wait for what they have asked for before."""
    kept = people - erasures
    return [
        Wanted(
            number=number,
            objects=objects,
            has_export=number < kept or number - kept < exports - kept,
            is_erased=number >= kept,
            waits=number < kept or number % 2 == 0,
        )
        for number in range(people)
    ]


class Crowd:
    """Some clients at once, each seeing one person after the other through."""

    def __init__(self, client: Client, everyone: list[Wanted], *, at_once: int, seed: int) -> None:
        self._client = client
        self._left = list(everyone)
        random.Random(seed).shuffle(self._left)  # noqa: S311 — the same each time
        self._lock = threading.Lock()
        self._longest_seconds = 600.0
        self.troubles: list[str] = []
        self._threads = [threading.Thread(target=self._go_on, daemon=True) for _ in range(at_once)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def join(self, *, seconds: float) -> None:
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(ends - time.monotonic(), 0.0))
        assert self.is_done, "clients still wait for an answer"

    def _go_on(self) -> None:
        while True:
            with self._lock:
                if not self._left:
                    return
                one = self._left.pop()
            try:
                self._see_through(one)
            except AssertionError as error:
                self.troubles.append(f"{one.person}: {error}")

    def _see_through(self, one: Wanted) -> None:
        for what in ("import", "export", "erasure"):
            one.keys[what] = str(uuid4())
        one.answers["import"] = ask_import(self._client, one).json
        if one.waits:
            self._client.await_end(one.answers["import"]["job_id"], seconds=self._longest_seconds)
        if one.has_export:
            one.answers["export"] = ask_export(self._client, one).json
            if one.waits:
                self._client.await_end(
                    one.answers["export"]["job_id"], seconds=self._longest_seconds
                )
        if one.is_erased:
            one.answers["erasure"] = ask_erasure(self._client, one).json


def ask_import(client: Client, one: Wanted) -> Reply:
    return client.bring_in(person=one.person, file=one.history(), once=one.keys["import"])


def ask_export(client: Client, one: Wanted) -> Reply:
    return client.send_as(one.keys["export"], "/api/v1/exports", {"person": one.person})


def ask_erasure(client: Client, one: Wanted) -> Reply:
    asked = {"target": "person", "person": one.person}
    return client.send_as(one.keys["erasure"], "/api/v1/erasures", asked)
