"""What is readable in a stolen disk or dump: a known text is put in, and looked for everywhere.

    PYTHONPATH=platform:. .venv/bin/python -m bench.dump

Starts a Souvenir of its own, brings a text of invented words in through every door, erases one of
its people, and then searches a dump, the raw files of the database (write-ahead log included), the
folder of objects, the logs, and the temporary files that were seen on the way. Of metadata it also
looks for what a token would be if it were made without a key. What is not looked for, and why,
stands in docs/security-model.md. Prints one table.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
from numpy.typing import NDArray

from bench.byte_search import RUN_BYTES, Found, Search, Words, runs_of, words_of
from bench.known_text import Piece, Writer, chatgpt_file, chatgpt_history
from bench.tour import Client, running
from souvenir.config.embedded.address import PORT
from souvenir.config.embedded.postgres import SUPERUSER, EmbeddedPostgres
from souvenir.config.embedded.roles import BROKER_DATABASE, DATABASE
from souvenir.config.embedded.secrets_file import read_or_make_secrets
from souvenir.core.sealing import blind_entry
from souvenir.memories.metadata import entry_of

# Declared to stand in clear: they find rows, and people choose them. They prove that we can find.
CLEAR = {
    "external id of a person": "clearexternalzv",
    "label of a key": "clearlabelzv",
    "name of the organization": "clearnamezv",
}
ALICE, BOB = CLEAR["external id of a person"], "bob"
_DIGESTS = ("sha256", "blake2b", "sha1", "md5")
_HEX = re.compile(rb"\\{1,2}x([0-9a-f]{16,})")
_LOOK_SECONDS = 0.02
_TURNS_PER_CENSUS = 50


@dataclass(frozen=True)
class Place:
    """A running Souvenir: its home, its temporary files, and its database server."""

    home: Path
    temporary: Path
    seen: Path  # copies of temporary files, made while they were there

    @property
    def server(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.home, password=self.password)

    @property
    def password(self) -> str:
        return read_or_make_secrets(self.home).passwords.superuser

    def run_sql(self, statement: str) -> None:
        dsn = self.server.address.dsn(user=SUPERUSER, password=self.password, database=DATABASE)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(statement)

    def dump(self, database: str) -> bytes:
        server = self.server
        command = [
            str(server.places.programs / "pg_dump"),
            *("--host", str(server.address.sockets), "--port", str(PORT)),
            *("--username", SUPERUSER, database),
        ]
        environment = os.environ | {"PGPASSWORD": self.password}
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout  # noqa: S603


class TemporaryFiles:
    """Copies every temporary file of Souvenir's processes while it is there, named or not."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "TemporaryFiles":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        processes: list[Path] = []
        for turn in itertools.count():
            if self._stop.wait(_LOOK_SECONDS):
                return
            if turn % _TURNS_PER_CENSUS == 0:
                processes = _processes_in(self._place.temporary)
            for name, path in [*self._named(), *self._opened(processes)]:
                with contextlib.suppress(OSError):
                    content = path.read_bytes()
                    copy = self._place.seen / name
                    if content and len(content) > (copy.stat().st_size if copy.exists() else 0):
                        copy.write_bytes(content)

    def _named(self) -> list[tuple[str, Path]]:
        found = (path for path in self._place.temporary.rglob("*") if path.is_file())
        return [(f"named-{path.name}", path) for path in found]

    def _opened(self, processes: list[Path]) -> list[tuple[str, Path]]:
        """What has no name any more is still reached through whoever has it open."""
        found = []
        for process in processes:
            with contextlib.suppress(OSError):
                for link in (process / "fd").iterdir():
                    with contextlib.suppress(OSError):
                        if str(link.readlink()).startswith(str(self._place.temporary)):
                            found.append((f"open-{link.stat().st_ino}", link))
        return found


def _processes_in(temporary: Path) -> list[Path]:
    """The processes, as folders of /proc, that were told to keep temporary files there."""
    mark = f"TMPDIR={temporary}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes():
                found.append(process)
    return found


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def scan_folder(search: Search, folder: Path) -> Found:
    found = Found()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):  # of a server that is running
                found.add(search.in_bytes(path.read_bytes(), place=str(path.relative_to(folder))))
    return found


def scan_dump(search: Search, dump: bytes) -> Found:
    """A dump as it is written, and the bytes that it writes as hexadecimal digits."""
    found = search.in_bytes(dump, place="dump")
    hidden = b"\n".join(
        bytes.fromhex(m[1][: len(m[1]) // 2 * 2].decode()) for m in _HEX.finditer(dump)
    )
    found.add(search.in_bytes(hidden, place="dump, decoded"))
    return found


def scan_all(search: Search, place: Place) -> dict[str, Found]:
    place.run_sql("ANALYZE")
    place.run_sql("CHECKPOINT")
    say("searching")
    return {
        "dump of the data": scan_dump(search, place.dump(DATABASE)),
        "dump of the broker": scan_dump(search, place.dump(BROKER_DATABASE)),
        "raw files of the database, with its log of changes": scan_folder(
            search, place.server.places.data
        ),
        "folder of objects": scan_folder(search, place.home / "objects"),
        "logs": scan_folder(search, place.home / "log"),
        "temporary files": scan_folder(search, place.seen),
    }


def upload(client: Client, person: str, name: str, body: bytes) -> None:
    mark = uuid4().hex
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="person"\r\n\r\n{person}\r\n'
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    whole = head.encode() + body + f"\r\n--{mark}--\r\n".encode()
    kind = f"multipart/form-data; boundary={mark}"
    client.wait(json.loads(client.call("POST", "/api/v1/imports", whole, kind))["job_id"])


def send(client: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    """A request that may be sent again, and one that may be refused: both keep or log something."""
    request = urllib.request.Request(  # noqa: S310 (loopback)
        f"{client.base}/api/v1/{path}", data=json.dumps(body).encode(), method=method
    )
    for name, value in {
        "Authorization": f"Bearer {client.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid4().hex,
    }.items():
        request.add_header(name, value)
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.loads(answer.read())
    return None


@dataclass(frozen=True)
class Story:
    """All that one person brings in."""

    person: str
    history: list[Piece]
    asset: Piece
    names: list[Piece]  # of the person, the asset and the upload
    memories: list[Piece]
    corrections: list[Piece]
    metadata: list[dict[str, str]]  # of each memory, and then what it is changed to

    @property
    def texts(self) -> list[str]:
        pieces = [*self.history, self.asset, *self.names, *self.memories, *self.corrections]
        said = [text for one in self.metadata for entry in one.items() for text in entry]
        return [*(piece.text for piece in pieces), *said]

    @property
    def entries(self) -> list[str]:
        """Of its metadata, each as its token is made of it."""
        return [entry_of(*entry) for one in self.metadata for entry in one.items()]

    def archive(self) -> bytes:
        """A zip that is not compressed: what is kept of it somewhere could be read there."""
        written = BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as file:
            file.writestr("conversations.json", chatgpt_file(self.history))
            file.writestr(f"{self.names[1].text}.txt", self.asset.text)
        return written.getvalue()


def write_story(person: str, *, seed: int, conversations: int, asset_sentences: int) -> Story:
    writer = Writer(seed, words=1500)
    return Story(
        person=person,
        history=list(chatgpt_history(writer, conversations=conversations, messages=20)),
        asset=Piece("asset", writer.sentences(asset_sentences)),
        names=[Piece("name", writer.words(count)) for count in (2, 1, 1)],
        memories=[Piece("memory", writer.sentences(1)) for _ in range(30)],
        corrections=[Piece("correction", writer.sentences(1)) for _ in range(30)],
        metadata=[
            {writer.words(1): writer.sentences(1), writer.words(2): writer.words(1)}
            for _ in range(2 * 30)
        ],
    )


def fill(client: Client, story: Story) -> None:
    """Through every door that takes something in, and out again as a copy."""
    display, _, file_name = story.names
    send(client, "POST", "people", {"external_id": story.person, "display_name": display.text})
    say(f"bringing in what {story.person} has")
    upload(client, story.person, f"{file_name.text}.zip", story.archive())
    remember(client, story)
    say("waiting for vectors")
    client.wait_until_embedded()
    take_home(client, story.person)


def remember(client: Client, story: Story) -> None:
    """Each memory with what is said besides, corrected, described anew, and asked for."""
    whose = {"person": story.person}
    described = zip(story.metadata[::2], story.metadata[1::2], strict=True)
    for memory, correction, (said, later) in zip(
        story.memories, story.corrections, described, strict=True
    ):
        made = send(client, "POST", "memories", {"text": memory.text, "metadata": said} | whose)
        body = {"text": correction.text, "version": 1, "reason": correction.text}
        send(client, "PUT", f"memories/{made['id']}", body)
        send(client, "PUT", f"memories/{made['id']}", body)  # refused: it is version 2 by now
        send(client, "PATCH", f"memories/{made['id']}", {"metadata": later})
        send(client, "PATCH", f"memories/{made['id']}", {"metadata": {"": memory.text}})  # refused
        for asked in (said, later):
            question = {"query": memory.text[:60], "metadata": asked} | whose
            send(client, "POST", "memories/search", question)
        if not client.post("memories/list", {"metadata": said | later} | whose)["results"]:
            raise SystemExit("Nothing is found by its metadata.")


def guessable(entries: Sequence[str]) -> bytes:
    """The beginnings of what their tokens could be without a key: who guesses an entry can tell."""
    made = [blind_entry(entry, key=b"") for entry in entries]
    made += [hashlib.new(name, one.encode()).digest() for name in _DIGESTS for one in entries]
    return b"".join(token[:RUN_BYTES] for token in made)


def rows_of(table: str, dump: bytes) -> int:
    """How many rows of a table are in a dump."""
    rows = dump.partition(f"COPY public.{table} ".encode())[2].partition(b"\n\\.\n")[0]
    return rows.count(b"\n")


def come_and_go(client: Client) -> None:
    """Somebody who brings nothing in: what the audit log says of it are words of ours."""
    client.post("people", {"external_id": "of-nothing"})
    take_home(client, "of-nothing")
    erasure = client.post("erasures", {"target": "person", "person": "of-nothing"})
    client.wait(erasure["job_id"])


def take_home(client: Client, person: str) -> None:
    export = client.post("exports", {"person": person})
    client.wait(export["job_id"])
    client.call("GET", client.get(f"exports/{export['id']}")["download"])


@contextlib.contextmanager
def souvenir(folder: Path) -> Iterator[tuple[Place, Client]]:
    place = Place(folder / "home", folder / "temporary", folder / "seen")
    for path in (place.temporary, place.seen):
        path.mkdir(mode=0o777)
    os.environ["TMPDIR"] = str(place.temporary)
    with running(place.home) as operator:
        body = {"slug": "dump", "name_en": CLEAR["name of the organization"], "name_fr": "Vidage"}
        made = operator.post("organizations", body | {"region": "local"})
        client = Client(operator.base, made["owner_key"])
        client.post("keys", {"label": CLEAR["label of a key"], "scopes": ["memories:read"]})
        come_and_go(client)
        yield place, client


def looked_for(
    words: Words, runs: NDArray[np.uint64], search: Search, empty: Found
) -> Iterator[str]:
    every = set(words.values())
    yield f"Words of four letters or more: {len(every)}; of them in an empty Souvenir too, and"
    yield f"so not looked for: {len(every - set(search.words.values()))}."
    yield f"8-byte runs: {len(runs)}; of them in an empty Souvenir too: {len(empty.runs)}."
    yield "What the search finds, where it is:"


def table(search: Search, found: dict[str, Found]) -> Iterator[str]:
    yield "| where | MB | words | 4 and 5 letters among random bytes (by chance) | 8-byte runs |"
    yield "| --- | --- | --- | --- | --- |"
    for where, what in found.items():
        chance = search.expected_by_chance(what.searched_bytes)
        yield (
            f"| {where} | {what.searched_bytes / 1e6:.1f} | {len(what.words)} |"
            f" {sum(what.maybe_chance.values())} ({chance:.1f}) | {len(what.runs)} |"
        )


def remarks(found: dict[str, Found]) -> Iterator[str]:
    for where, what in found.items():
        if what.maybe_chance:
            yield f"{where}, among random bytes: {dict(what.maybe_chance)}"
        yield from what.examples


def main() -> None:
    alice = write_story(ALICE, seed=1, conversations=10, asset_sentences=30_000)
    bob = write_story(BOB, seed=2, conversations=2, asset_sentences=500)
    texts = [*alice.texts, *bob.texts]
    tokens = guessable([*alice.entries, *bob.entries])
    words = words_of(texts)
    runs = np.unique(np.concatenate([runs_of(texts), np.frombuffer(tokens, dtype="<u8")]))
    with tempfile.TemporaryDirectory(prefix="souvenir-dump-") as folder:
        Path(folder).chmod(0o711)
        with souvenir(Path(folder)) as (place, client):
            empty = Found()
            for what in scan_all(Search(words, runs, excepted=Found()), place).values():
                empty.add(what)
            search = Search(words, runs, excepted=empty)
            with TemporaryFiles(place):
                fill(client, alice)
                fill(client, bob)
                erasure = client.post("erasures", {"target": "person", "person": BOB})
                client.wait(erasure["job_id"])
            found = scan_all(search, place)
            clear = place.dump(DATABASE)
    brought = alice.archive() + bob.archive()
    print(*looked_for(words, runs, search, empty), sep="\n")
    print(f"In what was brought in, {len(search.in_bytes(brought, place='').words)} words; of what")
    print(f"tokens without a key would be, {len(search.in_bytes(tokens, place='').runs)}.")
    print(f"Tokens of metadata in the dump: {rows_of('memories_metadatatoken', clear)}.")
    for name, mark in CLEAR.items():
        print(f"Declared clear, and found: {name}: {mark.encode() in clear}")
    print(*table(search, found), *remarks(found), sep="\n")
    if any(what.words or what.runs for what in found.values()):
        raise SystemExit("Something is readable that is not declared.")


if __name__ == "__main__":
    main()
