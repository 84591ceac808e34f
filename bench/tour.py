"""The whole way through, timed: import, embed, 50 searches, export, restore elsewhere, erase.

    PYTHONPATH=platform:. .venv/bin/python -m bench.tour path/to/conversations.json

Starts a Souvenir of its own, in a folder of its own, as `make run` does, and talks to it as any
client would. Prints one table.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from souvenir.config.embedded.postgres import EmbeddedPostgres
from souvenir.config.embedded.roles import bootstrap
from souvenir.config.embedded.secrets_file import read_or_make_secrets

PORT = 8765
SEARCHES = 50
PATIENCE_SECONDS = 3600
PERSON = "someone"
Rows = list[tuple[str, str]]  # what was measured, and the figure
_KEPT = {"tenants_job", "deletion_erasure", "tenants_apikey"}


@dataclass(frozen=True)
class Client:
    """A caller with a key."""

    base: str
    key: str

    def call(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        request = urllib.request.Request(self.base + path, data=body, method=method)  # noqa: S310
        request.add_header("Authorization", f"Bearer {self.key}")
        if kind:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 — loopback
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(error.read().decode()) from error

    def get(self, path: str) -> Any:
        return json.loads(self.call("GET", "/api/v1/" + path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        data = json.dumps(body).encode()
        return json.loads(self.call("POST", "/api/v1/" + path, data, "application/json"))

    def upload(self, file: Path) -> Any:
        mark = uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="person"\r\n\r\n{PERSON}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"'
            "\r\n\r\n"
        )
        body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        kind = f"multipart/form-data; boundary={mark}"
        return json.loads(self.call("POST", "/api/v1/imports", body, kind))

    def wait(self, job_id: str) -> Any:
        """Follow a job to its end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            job = self.get(f"jobs/{job_id}")
            if job["state"] not in {"queued", "running"}:
                if job["state"] != "succeeded":
                    raise SystemExit(f"job {job['kind']}: {job['error']}")
                return job
            time.sleep(0.1)
        raise SystemExit(f"job {job_id} did not end")

    def wait_until_embedded(self) -> int:
        """Wait until nothing is pending; gives the number of passages embedded."""
        jobs = [
            job for job in self.get("jobs?limit=200")["results"] if job["kind"] == "embed-passages"
        ]
        return sum(int(self.wait(job["id"])["done"]) for job in jobs)


@contextmanager
def running(home: Path) -> Iterator[Client]:
    """A Souvenir without demonstration; gives the operator's client."""
    environment = os.environ | {
        "SOUVENIR_HOME": str(home),
        "SOUVENIR_PORT": str(PORT),
        "SOUVENIR_DEMO": "false",
        "LANG": "C",
    }
    command = [sys.executable, "-m", "souvenir.config.embedded"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        said = []
        for line in process.stdout or ():
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        address = next(line.split()[-1] for line in said if "is ready" in line)
        yield Client(
            address, next(line.split()[-1] for line in said if "Key of the platform" in line)
        )
    finally:
        process.terminate()  # not Ctrl-C: what a shell starts in the background does not hear it
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()  # the kernel ends the others with it


def rows_left(home: Path, organization_id: str) -> int:
    """Rows of an organization in every table that has tenants, but for keys and reports."""
    secrets = read_or_make_secrets(home)
    server = EmbeddedPostgres(home, password=secrets.passwords.superuser)
    cluster = bootstrap(server.address, secrets.passwords)
    with psycopg.connect(cluster.app_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [organization_id])
        tables = connection.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'"
        ).fetchall()
        counts = [
            connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
            for (table,) in tables
            if table not in _KEPT
        ]
    return sum(count[0] for count in counts if count)


def provision(operator: Client) -> tuple[str, Client]:
    body = {
        "slug": f"tour-{uuid4().hex[:12]}",
        "name_en": "Tour",
        "name_fr": "Visite",
        "region": "local",
    }
    made = operator.post("organizations", body)
    return made["id"], Client(operator.base, made["owner_key"])


def questions(client: Client) -> list[str]:
    """Things to ask: the titles of the conversations, again and again."""
    titles = [c["title"] for c in client.get("conversations?limit=200")["results"] if c["title"]]
    return [titles[number % len(titles)] for number in range(SEARCHES)]


def bring_in(client: Client, file: Path) -> Rows:
    start = time.monotonic()
    record = client.upload(file)
    client.wait(record["job_id"])
    seconds = time.monotonic() - start
    report = client.get(f"imports/{record['id']}")["report"]
    return [
        ("conversations in", str(report["conversations"])),
        ("messages in", str(report["messages"])),
        ("complete", str(report["complete"])),
        ("messages/s in", f"{report['messages'] / seconds:.0f}"),
    ]


def embed(client: Client) -> Rows:
    start = time.monotonic()
    passages = client.wait_until_embedded()
    rate = passages / (time.monotonic() - start)
    return [("passages", str(passages)), ("vectors/s", f"{rate:.1f}")]


def ask(client: Client) -> Rows:
    timings = []
    for question in questions(client):
        start = time.monotonic()
        client.post("memories/search", {"query": question, "person": PERSON})
        timings.append(1000 * (time.monotonic() - start))
    return [
        (f"search p50 ms ({SEARCHES} questions)", f"{statistics.median(timings):.0f}"),
        ("search p95 ms", f"{sorted(timings)[int(0.95 * len(timings))]:.0f}"),
    ]


def take_home(client: Client, elsewhere: Client, folder: Path) -> Rows:
    start = time.monotonic()
    first = _copy(client, folder / "first.zip")
    megabytes = first.stat().st_size / 1e6
    seconds = time.monotonic() - start
    start = time.monotonic()
    elsewhere.wait(elsewhere.upload(first)["job_id"])
    restored = time.monotonic() - start
    second = _copy(elsewhere, folder / "second.zip")
    return [
        ("export MB", f"{megabytes:.2f}"),
        ("export MB/s", f"{megabytes / seconds:.2f}"),
        ("restored elsewhere in s", f"{restored:.1f}"),
        ("second copy has the same content", str(_same(first, second))),
    ]


def erase(client: Client, organization_id: str, home: Path) -> Rows:
    start = time.monotonic()
    erasure = client.post("erasures", {"target": "person", "person": PERSON})
    client.wait(erasure["job_id"])
    return [
        ("erased in s", f"{time.monotonic() - start:.1f}"),
        ("rows left after erasure", str(rows_left(home, organization_id))),
    ]


def tour(operator: Client, file: Path, home: Path) -> Rows:
    organization_id, client = provision(operator)
    other_id, elsewhere = provision(operator)
    return [
        *bring_in(client, file),
        *embed(client),
        *ask(client),
        *take_home(client, elsewhere, home),
        *erase(client, organization_id, home),
        *erase(elsewhere, other_id, home),
    ]


def _copy(client: Client, target: Path) -> Path:
    export = client.post("exports", {"person": PERSON})
    client.wait(export["job_id"])
    link = client.get(f"exports/{export['id']}")["download"]
    target.write_bytes(client.call("GET", link))
    return target


def _same(first: Path, second: Path) -> bool:
    """Whether two archives list the same files with the same hashes."""
    lists = []
    for path in (first, second):
        with zipfile.ZipFile(path) as archive:
            lists.append(json.loads(archive.read("manifest.json"))["files"])
    return bool(lists[0] == lists[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("export", type=Path, help="a ChatGPT or Claude export, JSON or zip")
    file = parser.parse_args().export
    with tempfile.TemporaryDirectory(prefix="souvenir-tour-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running(home / "home") as operator:
            rows = tour(operator, file, home / "home")
    width = max(len(name) for name, _ in rows)
    print(f"| {'what'.ljust(width)} | {file.parent.name}/{file.name} |")
    print(f"| {'-' * width} | --- |")
    for name, value in rows:
        print(f"| {name.ljust(width)} | {value} |")


if __name__ == "__main__":
    main()
