"""The keyring in a database of its own, as production has it: migrated, audited and used."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.roles import Cluster, create_database, drop_database
from souvenir.config.embedded.throwaway import Throwaway, settings_of
from souvenir.config.environment import CHECKOUT

DATA, KEYS = "apart_data", "apart_keys"


@dataclass(frozen=True)
class Apart:
    """Two databases of the second server, and the settings that lead to them."""

    data: Cluster
    keys: Cluster
    environment: dict[str, str]
    server: Throwaway

    def run(self, *arguments: str) -> str:
        """What a process of ours says that has these settings and nothing of this one's."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, *arguments],
            env=self.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tables(self, database: str) -> set[str]:
        dsn = self.server.server.address.dsn(
            user=SUPERUSER, password=self.server.passwords.superuser, database=database
        )
        with psycopg.connect(dsn) as connection:
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            return {name for (name,) in rows}


@pytest.fixture(scope="module")
def apart(second_server: Throwaway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    address, passwords = second_server.server.address, second_server.passwords
    data = create_database(address, passwords, DATA)
    keys = create_database(address, passwords, KEYS)
    folder = tmp_path_factory.mktemp("apart")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SOUVENIR_")}
    environment = ours | settings_of(data, folder)
    environment |= {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SOUVENIR_KEYRING_DATABASE_URL": keys.app_url,
        "SOUVENIR_KEYRING_OWNER_DATABASE_URL": keys.owner_url,
    }
    found = Apart(data, keys, environment, second_server)
    # As the migration Job does it.
    for database in ("owner", "keyring_owner"):
        found.run("manage.py", "migrate", "--database", database, "--no-input", "--verbosity", "0")
    yield found
    for database in (DATA, KEYS):
        drop_database(address, passwords, database)


def test_each_database_has_its_own_tables_and_no_other(apart: Apart) -> None:
    keys = {"keyring_subjectkey", "keyring_indexkey", "keyring_keychange"}

    assert apart.tables(KEYS) == keys | {"django_migrations"}
    assert not apart.tables(DATA) & keys


def test_those_who_serve_see_that_both_are_up_to_date(apart: Apart) -> None:
    for database in ("default", "keyring"):
        apart.run("manage.py", "migrate", "--check", "--database", database)


def test_nothing_is_found_in_either(apart: Apart) -> None:
    apart.run("manage.py", "audit_isolation")


def test_a_hole_in_the_keyring_s_database_stops_what_serves(apart: Apart) -> None:
    with psycopg.connect(apart.keys.owner_url) as connection:
        connection.execute("ALTER TABLE keyring_subjectkey NO FORCE ROW LEVEL SECURITY")
    try:
        with pytest.raises(AssertionError, match="row-security-not-forced"):
            apart.run("-c", "import souvenir.config.wsgi")
    finally:
        with psycopg.connect(apart.keys.owner_url) as connection:
            connection.execute("ALTER TABLE keyring_subjectkey FORCE ROW LEVEL SECURITY")


_LIFE = """
import json
import django
django.setup()
from souvenir.memories.services import ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.keyring.errors import ContentGone
from tenants.keyring.held import unwrapped_keys
from tenants.keyring.services import (
    destroy_subject_keys, rotate_subject_key, rotate_tenant_key, sealing_secrets
)
from tenants.services import create_organization
from django.db import connections
told = {}
organization, _ = create_organization(
    slug="apart", name_en="A", name_fr="A", placement="local")
with tenant_scope(organization.id):
    person = ensure_person(external_id="alice")
    made = sealing_secrets([person.id])
    told["renewed"] = rotate_tenant_key()
    unwrapped_keys.clear()
    told["same"] = sealing_secrets([person.id]) == made
    told["version"] = rotate_subject_key(person.id)
    destroy_subject_keys(person.id)
    try:
        sealing_secrets([person.id])
    except ContentGone:
        told["gone"] = True
told["database"] = connections["keyring"].settings_dict["NAME"]
print(json.dumps(told))
"""


def test_keys_are_made_rotated_and_destroyed_there(apart: Apart) -> None:
    told = json.loads(apart.run("-c", _LIFE))

    assert told["same"] is True
    assert told["renewed"] >= 1
    assert told["version"] == 2
    assert told["gone"] is True
    assert told["database"] == KEYS


def test_what_was_destroyed_leaves_an_empty_row_there(apart: Apart) -> None:
    dsn = apart.server.server.address.dsn(
        user=SUPERUSER, password=apart.server.passwords.superuser, database=KEYS
    )
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT length(wrapped), destroyed_at IS NOT NULL FROM keyring_subjectkey"
        ).fetchall()
        (heard,) = connection.execute("SELECT count(*) FROM keyring_keychange").fetchone() or (0,)

    assert rows == [(0, True), (0, True)]
    assert heard >= 2
