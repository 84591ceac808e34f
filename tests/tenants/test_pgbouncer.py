"""Scopes through a real PgBouncer in transaction mode, where all tenants share one connection."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from souvenir.config.embedded.address import PORT
from souvenir.config.embedded.processes import Start, bare_environment, spawn
from souvenir.config.embedded.roles import APP
from souvenir.config.embedded.throwaway import Throwaway, new_open_folder
from souvenir.memories.models import Message, Person
from souvenir.memories.services import ensure_person
from tenants.isolation.catalogue import audit_isolation
from tenants.isolation.scope import tenant_scope
from tests.builders import Tenant, chatgpt_export, import_bytes
from tests.tenants.planted.hole import DATABASE
from tests.tenants.second_server import leading

# Debian puts it where only root's PATH leads.
_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
_READY_SECONDS = 10.0

pytestmark = [
    pytest.mark.skipif(
        _PROGRAM is None, reason="PgBouncer is not installed (Debian: apt-get install pgbouncer)"
    ),
    pytest.mark.usefixtures("through_pgbouncer"),
]


@pytest.fixture(scope="module")
def bouncer(second_server: Throwaway, migrated_elsewhere: None) -> Iterator[Path]:
    """The folder of the socket of a PgBouncer with one connection to the second server."""
    folder = new_open_folder()
    account = second_server.server.places.account  # PgBouncer refuses to be root, as PostgreSQL
    for name, text in _configuration(folder, second_server).items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    if account is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.uid, account.gid)
    with (folder / "log").open("wb") as output:
        process = spawn(
            Start(
                command=[str(_PROGRAM), folder / "pgbouncer.ini"],
                environment=bare_environment(),
                output=output,
                last_signal=signal.SIGTERM,
                account=account,
            )
        )
    socket = folder / f".s.PGSQL.{PORT}"
    deadline = time.monotonic() + _READY_SECONDS
    while not socket.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert socket.exists(), (folder / "log").read_text()
    yield folder
    process.terminate()
    process.wait(timeout=_READY_SECONDS)
    shutil.rmtree(folder)


@pytest.fixture
def through_pgbouncer(bouncer: Path, second_server: Throwaway) -> Iterator[None]:
    """Whatever this test does in the database, it does through PgBouncer, on the second server."""
    password = second_server.passwords.app
    with leading("default", {"NAME": DATABASE, "HOST": str(bouncer), "PASSWORD": password}):
        yield


def _configuration(folder: Path, server: Throwaway) -> dict[str, str]:
    return {
        "users.txt": f'"{APP}" "{server.passwords.app}"\n',
        "pgbouncer.ini": f"""
            [databases]
            {DATABASE} = host={server.server.address.sockets} port={PORT}
            [pgbouncer]
            pool_mode = transaction
            default_pool_size = 1
            max_client_conn = 20
            listen_addr =
            listen_port = {PORT}
            unix_socket_dir = {folder}
            auth_type = scram-sha-256
            auth_file = {folder / "users.txt"}
            """.replace("            ", ""),
    }


def _asked(question: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def test_the_audit_finds_nothing_there_either() -> None:
    assert audit_isolation() == []


def test_tenants_take_turns_on_one_connection(acme: Tenant, globex: Tenant) -> None:
    seen: dict[str, set[object]] = {"acme": set(), "globex": set(), "backends": set()}

    def alternate(name: str, tenant: Tenant) -> None:
        for _ in range(20):
            with tenant_scope(tenant.id):
                ensure_person(external_id=name)
                seen[name] |= set(Person.objects.values_list("external_id", flat=True))
                seen[name].add(_asked("SELECT count(*) FROM memories_person"))
                seen["backends"].add(_asked("SELECT pg_backend_pid()"))
        connection.close()

    threads = [
        threading.Thread(target=alternate, args=(name, tenant))
        for name, tenant in (("acme", acme), ("globex", globex)) * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (seen["acme"], seen["globex"]) == ({"acme", 1}, {"globex", 1})
    assert len(seen["backends"]) == 1


def test_a_scope_leaves_nothing_on_the_connection(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        ensure_person(external_id="alice")
        inside = _asked("SELECT pg_backend_pid()")

    assert _asked("SELECT pg_backend_pid()") == inside
    assert _asked("SELECT current_setting('app.tenant_id', true)") in {None, ""}
    assert _asked("SELECT count(*) FROM memories_person") == 0


def test_a_scope_that_failed_leaves_nothing_on_the_connection(acme: Tenant) -> None:
    with pytest.raises(DatabaseError), tenant_scope(acme.id):
        _asked("SELECT 1 / 0 FROM tenants_organization")

    assert _asked("SELECT current_setting('app.tenant_id', true)") in {None, ""}
    assert _asked("SELECT count(*) FROM memories_person") == 0


def test_rows_are_streamed_inside_a_scope(acme: Tenant) -> None:
    names = {f"person-{number}" for number in range(30)}
    with tenant_scope(acme.id):
        for name in names:
            ensure_person(external_id=name)

        # A cursor of the server, which would not outlive the transaction here.
        streamed = {person.external_id for person in Person.objects.iterator(chunk_size=7)}

    assert streamed == names


def test_an_import_and_its_reading_go_through(acme: Tenant, globex: Tenant) -> None:
    import_bytes(acme, chatgpt_export("Where is the key?", "Under the mat."))

    ours = acme.http.get("/api/v1/conversations").json()["results"]
    theirs = globex.http.get("/api/v1/conversations").json()["results"]
    with tenant_scope(acme.id):
        messages = Message.objects.count()

    assert messages >= 2
    assert (len(ours), len(theirs)) == (1, 0)
