"""What the roles may do, asked of the server itself."""

from typing import LiteralString

import psycopg
import pytest

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.roles import (
    APP,
    BROKER_DATABASE,
    bootstrap,
    create_database,
    drop_database,
)
from souvenir.config.embedded.throwaway import Throwaway

DATABASE = "souvenir_roles"
CATALOGUE: LiteralString = """
    SELECT 'role', rolname, rolsuper::text, rolbypassrls::text, setconfig::text, rolpassword
      FROM pg_authid LEFT JOIN pg_db_role_setting ON setrole = pg_authid.oid
     WHERE rolname LIKE 'souvenir%'
    UNION ALL
    SELECT 'database', datname, datdba::regrole::text, datacl::text, '', '' FROM pg_database
    UNION ALL
    SELECT 'schema', nspname, nspowner::regrole::text, nspacl::text, '', '' FROM pg_namespace
     WHERE nspname IN ('public', 'pgmq')
    UNION ALL
    SELECT 'function', oid::regprocedure::text, proacl::text, '', '', '' FROM pg_proc
     WHERE proname LIKE '%\\_size'
    ORDER BY 1, 2
"""


def catalogue(throwaway: Throwaway) -> list[tuple[str, ...]]:
    """Roles, databases, schemas and functions with their owners and rights."""
    url = throwaway.server.address.url(
        user=SUPERUSER, password=throwaway.passwords.superuser, database=DATABASE
    )
    with psycopg.connect(url) as connection:
        return connection.execute(CATALOGUE).fetchall()


def test_a_second_bootstrap_changes_nothing(throwaway: Throwaway) -> None:
    before = catalogue(throwaway)

    again = bootstrap(throwaway.server.address, throwaway.passwords, database=DATABASE)

    assert again == throwaway.cluster
    assert catalogue(throwaway) == before


def test_the_run_time_role_is_above_no_rule(throwaway: Throwaway) -> None:
    with psycopg.connect(throwaway.cluster.app_url) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
        ).fetchone()
        member_of = connection.execute(
            "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
        ).fetchone()

    assert rights == (False,) * 5
    assert owned == member_of == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION hstore",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SET ROLE souvenir_owner",
        "SELECT pg_total_relation_size('pg_class')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_the_run_time_role_is_refused(throwaway: Throwaway, statement: LiteralString) -> None:
    with (
        psycopg.connect(throwaway.cluster.app_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize("database", [BROKER_DATABASE, "postgres", "template1"])
def test_the_run_time_role_enters_its_own_database_only(
    throwaway: Throwaway, database: str
) -> None:
    url = throwaway.server.address.url(
        user=APP, password=throwaway.passwords.app, database=database
    )

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url)


def test_the_run_time_role_plans_for_the_values_at_hand(throwaway: Throwaway) -> None:
    with psycopg.connect(throwaway.cluster.app_url) as connection:
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("force_custom_plan",)
        assert connection.execute("SHOW max_parallel_workers_per_gather").fetchone() == ("0",)


def test_the_owner_makes_tables_and_is_above_no_rule_either(throwaway: Throwaway) -> None:
    with psycopg.connect(throwaway.cluster.owner_url) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        connection.execute("CREATE TABLE made (place vector(3))")
        connection.rollback()

    assert rights == (False, False, False)


def test_the_broker_s_role_keeps_queues_and_cannot_enter_the_database(
    throwaway: Throwaway,
) -> None:
    with psycopg.connect(throwaway.cluster.broker_dsn) as connection:
        connection.execute("SELECT pgmq.create('errands')")
        connection.execute("SELECT pgmq.send('errands', '{}')")
        assert connection.execute("SELECT count(*) FROM pgmq.q_errands").fetchone() == (1,)
        connection.rollback()

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(throwaway.cluster.broker_dsn, dbname=DATABASE)


def test_a_database_more_comes_with_the_same_rights_and_goes(throwaway: Throwaway) -> None:
    name = 'one "more'
    address, passwords = throwaway.server.address, throwaway.passwords

    more = create_database(address, passwords, name)
    with psycopg.connect(more.app_url) as connection:
        found = connection.execute("SELECT current_database(), '[1,2,3]'::vector::text").fetchone()
    drop_database(address, passwords, name)
    drop_database(address, passwords, name)

    assert found == (name, "[1,2,3]")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(more.app_url)
