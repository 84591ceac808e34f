"""Vectors and tokens that were there before their tables were parted are there after, and back."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from souvenir.config.embedded.roles import create_database, drop_database
from souvenir.config.embedded.throwaway import Throwaway
from tests.tenants.second_server import OWNER_ALIAS, SUPERUSER_ALIAS, found_after, way_in

_DATABASE = "souvenir_search_tables"
_TENANT, _STORE = uuid4(), uuid4()
_PASSAGES = [uuid4() for _ in range(3)]
_VECTOR = "[" + ",".join(["0.5"] * 384) + "]"


@pytest.fixture
def empty_database(second_server: Throwaway, database: None) -> Iterator[None]:
    address, passwords = second_server.server.address, second_server.passwords
    create_database(address, passwords, _DATABASE)
    with way_in(second_server, database=_DATABASE):
        yield
    drop_database(address, passwords, _DATABASE)


def _migrate(*target: str) -> None:
    call_command("migrate", *target, database=OWNER_ALIAS, verbosity=0, interactive=False)


def _fill() -> None:
    with transaction.atomic(using=SUPERUSER_ALIAS):
        cursor = connections[SUPERUSER_ALIAS].cursor()
        # The store belongs to nobody: its foreign keys sleep.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO memories_store (tenant_id, id, slug, recorded_at)"
            " VALUES (%s, %s, 'team', now())",
            [_TENANT, _STORE],
        )
        for passage_id in _PASSAGES:
            cursor.execute(
                'INSERT INTO ingestion_passage (tenant_id, id, store_id, block, start, "end",'
                " terms, role, provider, embedded_with)"
                " VALUES (%s, %s, %s, 0, 0, 1, 9, '', '', '')",
                [_TENANT, passage_id, _STORE],
            )
            cursor.execute(
                "INSERT INTO embedding_passagevector (tenant_id, store_id, passage_id, embedding)"
                " VALUES (%s, %s, %s, %s)",
                [_TENANT, _STORE, passage_id, _VECTOR],
            )
            cursor.execute(
                "INSERT INTO ingestion_passagetoken"
                " (tenant_id, store_id, token, passage_id, frequency, terms)"
                " VALUES (%s, %s, 77, %s, 2, 9)",
                [_TENANT, _STORE, passage_id],
            )


def _rows(statement: str) -> set[tuple[object, ...]]:
    with connections[SUPERUSER_ALIAS].cursor() as cursor:
        cursor.execute(statement)
        return set(cursor.fetchall())


def _tokens() -> set[tuple[object, ...]]:
    return _rows("SELECT tenant_id, store_id, token, passage_id, frequency, terms"
                 " FROM ingestion_passagetoken")  # fmt: skip


@pytest.mark.usefixtures("empty_database")
def test_what_was_there_is_there_after_and_back() -> None:
    _migrate("embedding", "0001_initial")
    _fill()
    tokens = _tokens()

    _migrate("embedding", "0002_vectors_move")
    vectors = _rows("SELECT tenant_id, store_id, model, passage_id, bucket, embedding::text"
                    " FROM ingestion_passagevector")  # fmt: skip
    kept = _tokens()
    _migrate("ingestion", "0001_initial")
    back = _rows("SELECT passage_id FROM embedding_passagevector")

    assert _columns(vectors, 0, 1, 2, 4) == {(_TENANT, _STORE, 1, 0)}
    assert _columns(vectors, 3) == {(passage_id,) for passage_id in _PASSAGES}
    assert (len(tokens), kept, _tokens()) == (3, tokens, tokens)
    assert back == {(passage_id,) for passage_id in _PASSAGES}
    _migrate()
    assert found_after() == set()


def _columns(rows: set[tuple[object, ...]], *places: int) -> set[tuple[object, ...]]:
    return {tuple(row[place] for place in places) for row in rows}
