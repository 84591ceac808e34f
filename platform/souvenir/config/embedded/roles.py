"""The roles and databases that Souvenir needs, made the same way everywhere; safe to run again.

The roles of the database are those of tenants/isolation/roles.py. Beside them, souvenir_broker has
a database of its own for the queues, and cannot enter the other.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields

import psycopg
from pgmq.install import get_embedded_install_sql
from psycopg import sql

from souvenir.config.embedded.address import Address
from souvenir.config.embedded.postgres import SUPERUSER
from tenants.isolation import roles

OWNER, APP, BROKER = roles.OWNER.name, roles.APP.name, "souvenir_broker"
DATABASE, BROKER_DATABASE = "souvenir", "souvenir_broker"

_BROKER_ROLE = roles.Role(BROKER, "keeps the queues, in a database of its own")
_VISITORS = (roles.APP, *roles.SERVICES)  # of the database and the schema that the owner owns
# Row-level security does not hide how large a table is.
_SIZES = ("pg_relation_size", "pg_total_relation_size", "pg_table_size", "pg_indexes_size")


@dataclass(frozen=True)
class Passwords:
    """One per role, ASCII without white space."""

    superuser: str
    owner: str
    app: str
    broker: str
    relay: str
    control: str
    sweeper: str
    maintainer: str

    def of(self, role: roles.Role) -> str:
        """The password of one role, by its name without the prefix."""
        return str(getattr(self, role.name.removeprefix("souvenir_")))


def new_passwords(length_bytes: int = 32, *, kept: Mapping[str, str] | None = None) -> Passwords:
    """One for each role: random, URL-safe text. Those that are kept stay as they are."""
    made = {field.name: secrets.token_urlsafe(length_bytes) for field in fields(Passwords)}
    return Passwords(**(made | dict(kept or {})))


@dataclass(frozen=True)
class Cluster:
    """How each part of Souvenir reaches its database.

    The urls are `postgresql://…`; `broker_dsn` is in libpq's `key=value` form, for kombu's
    transport option `conn_string`, since `broker_url` cannot name a socket.
    """

    app_url: str
    owner_url: str
    relay_url: str
    control_url: str
    sweeper_url: str
    maintainer_url: str
    broker_url: str
    broker_dsn: str


def bootstrap(address: Address, passwords: Passwords, *, database: str = DATABASE) -> Cluster:
    """Make the roles, `database` and the queues' database. What is there already is left alone."""
    with _superuser(address, passwords) as admin:
        for role in (*roles.ROLES, _BROKER_ROLE):
            _make_role(admin, role, passwords.of(role))
        for name in ("postgres", "template1"):
            _run(admin, "REVOKE ALL ON DATABASE {} FROM PUBLIC", sql.Identifier(name))
        _make_database(admin, BROKER_DATABASE, BROKER)
    _install_queues(address, passwords)
    return create_database(address, passwords, database)


def create_database(address: Address, passwords: Passwords, name: str) -> Cluster:
    """Make a database for migrations to fill, after `bootstrap` has made the roles."""
    with _superuser(address, passwords) as admin:
        _make_database(admin, name, OWNER)
        for role in _VISITORS:
            _run(admin, f"GRANT CONNECT ON DATABASE {{}} TO {role.name}", sql.Identifier(name))
    with _superuser(address, passwords, name) as admin:
        _run(admin, "CREATE EXTENSION IF NOT EXISTS vector")
        _run(admin, f"ALTER SCHEMA public OWNER TO {OWNER}")
        _run(admin, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for role in _VISITORS:
            _run(admin, f"GRANT USAGE ON SCHEMA public TO {role.name}")
        _hide_sizes(admin)
    return describe(address, passwords, name)


def drop_database(address: Address, passwords: Passwords, name: str) -> None:
    """Remove a database and end its connections; none of that name is fine too."""
    with _superuser(address, passwords) as admin:
        _run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))


def describe(address: Address, passwords: Passwords, name: str) -> Cluster:
    """Say how to reach a database that was made already."""

    def url(role: roles.Role) -> str:
        return address.url(user=role.name, password=passwords.of(role), database=name)

    return Cluster(
        app_url=url(roles.APP),
        owner_url=url(roles.OWNER),
        relay_url=url(roles.RELAY),
        control_url=url(roles.CONTROL),
        sweeper_url=url(roles.SWEEPER),
        maintainer_url=url(roles.MAINTAINER),
        broker_url="pgmq://",
        broker_dsn=address.dsn(user=BROKER, password=passwords.broker, database=BROKER_DATABASE),
    )


@contextmanager
def _superuser(
    address: Address, passwords: Passwords, database: str = "postgres"
) -> Iterator[psycopg.Connection]:
    dsn = address.dsn(user=SUPERUSER, password=passwords.superuser, database=database)
    # Databases are made outside of transactions.
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def _run(connection: psycopg.Connection, statement: str, *parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(*parts))


def _make_role(admin: psycopg.Connection, role: roles.Role, password: str) -> None:
    found = admin.execute(
        "SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = %s", [role.name]
    ).fetchone()
    if found is None:
        admin.execute(roles.make_role(role))
    if found != (True,):  # a migration may have made it, without a password
        # The verifier is computed here, so that no log or statistic can hold the password.
        verifier = admin.pgconn.encrypt_password(
            password.encode(), role.name.encode(), b"scram-sha-256"
        ).decode()
        _run(admin, f"ALTER ROLE {role.name} PASSWORD {{}}", sql.Literal(verifier))
    admin.execute(f"ALTER ROLE {role.name} LOGIN {role.attributes}")
    for statement in roles.set_role_up(role):
        admin.execute(statement)


def _make_database(admin: psycopg.Connection, name: str, owner: str) -> None:
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        _run(
            admin,
            "CREATE DATABASE {} OWNER {} TEMPLATE template0",
            sql.Identifier(name),
            sql.Identifier(owner),
        )
    # ALL is CONNECT and TEMP: a temporary table would outlive the tenant's scope.
    _run(admin, "REVOKE ALL ON DATABASE {} FROM PUBLIC", sql.Identifier(name))


def _hide_sizes(admin: psycopg.Connection) -> None:
    found = admin.execute(
        "SELECT oid::regprocedure::text FROM pg_proc"
        " WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(%s)",
        [list(_SIZES)],
    ).fetchall()
    for (signature,) in found:
        _run(admin, "REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC", sql.SQL(signature))
        _run(admin, f"GRANT EXECUTE ON FUNCTION {{}} TO {OWNER}", sql.SQL(signature))


def _install_queues(address: Address, passwords: Passwords) -> None:
    dsn = address.dsn(user=BROKER, password=passwords.broker, database=BROKER_DATABASE)
    with psycopg.connect(dsn) as connection:
        # The script cannot be run twice. It is one transaction: all of it is there, or none.
        if connection.execute("SELECT to_regnamespace('pgmq')").fetchone() == (None,):
            connection.execute(get_embedded_install_sql())
