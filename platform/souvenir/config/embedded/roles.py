"""The roles and databases that Souvenir needs, made the same way everywhere; safe to run again.

souvenir_owner   owns the database and its schema, and runs migrations
souvenir_app     what the web and the workers are: it owns nothing and can change no rule
souvenir_broker  has a database of its own for the queues, and cannot enter the other
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from pgmq.install import get_embedded_install_sql
from psycopg import sql

from souvenir.config.embedded.address import Address
from souvenir.config.embedded.postgres import SUPERUSER

OWNER, APP, BROKER = "souvenir_owner", "souvenir_app", "souvenir_broker"
DATABASE, BROKER_DATABASE = "souvenir", "souvenir_broker"

_NO_RIGHTS = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
_APP_SETTINGS = {
    # A plan made without the tenant's id prunes nothing: ten times slower, measured.
    "plan_cache_mode": "force_custom_plan",
    "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "60s",
}
# Row-level security does not hide how large a table is.
_SIZES = ("pg_relation_size", "pg_total_relation_size", "pg_table_size", "pg_indexes_size")


@dataclass(frozen=True)
class Passwords:
    """One per role, ASCII without white space."""

    superuser: str
    owner: str
    app: str
    broker: str


@dataclass(frozen=True)
class Cluster:
    """How each part of Souvenir reaches its database.

    The urls are `postgresql://…`; `broker_dsn` is in libpq's `key=value` form, for kombu's
    transport option `conn_string`, since `broker_url` cannot name a socket.
    """

    app_url: str
    owner_url: str
    broker_url: str
    broker_dsn: str


def bootstrap(address: Address, passwords: Passwords, *, database: str = DATABASE) -> Cluster:
    """Make the roles, `database` and the queues' database. What is there already is left alone."""
    with _superuser(address, passwords) as admin:
        _make_role(admin, OWNER, passwords.owner)
        _make_role(admin, APP, passwords.app)
        _make_role(admin, BROKER, passwords.broker)
        for name, value in _APP_SETTINGS.items():
            _run(admin, f"ALTER ROLE {APP} SET {name} = {{}}", sql.Literal(value))
        for name in ("postgres", "template1"):
            _run(admin, "REVOKE ALL ON DATABASE {} FROM PUBLIC", sql.Identifier(name))
        _make_database(admin, BROKER_DATABASE, BROKER)
    _install_queues(address, passwords)
    return create_database(address, passwords, database)


def create_database(address: Address, passwords: Passwords, name: str) -> Cluster:
    """Make a database for migrations to fill, after `bootstrap` has made the roles."""
    with _superuser(address, passwords) as admin:
        _make_database(admin, name, OWNER)
        _run(admin, f"GRANT CONNECT ON DATABASE {{}} TO {APP}", sql.Identifier(name))
    with _superuser(address, passwords, name) as admin:
        _run(admin, "CREATE EXTENSION IF NOT EXISTS vector")
        _run(admin, f"ALTER SCHEMA public OWNER TO {OWNER}")
        _run(admin, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        _run(admin, f"GRANT USAGE ON SCHEMA public TO {APP}")
        _hide_sizes(admin)
    return describe(address, passwords, name)


def drop_database(address: Address, passwords: Passwords, name: str) -> None:
    """Remove a database and end its connections; none of that name is fine too."""
    with _superuser(address, passwords) as admin:
        _run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))


def describe(address: Address, passwords: Passwords, name: str) -> Cluster:
    """Say how to reach a database that was made already."""
    return Cluster(
        app_url=address.url(user=APP, password=passwords.app, database=name),
        owner_url=address.url(user=OWNER, password=passwords.owner, database=name),
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


def _make_role(admin: psycopg.Connection, name: str, password: str) -> None:
    if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        # The verifier is computed here, so that no log or statistic can hold the password.
        verifier = admin.pgconn.encrypt_password(
            password.encode(), name.encode(), b"scram-sha-256"
        ).decode()
        _run(admin, "CREATE ROLE {} LOGIN PASSWORD {}", sql.Identifier(name), sql.Literal(verifier))
    _run(admin, f"ALTER ROLE {{}} {_NO_RIGHTS}", sql.Identifier(name))


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
