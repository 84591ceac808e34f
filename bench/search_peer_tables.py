"""The tables of bench.search's peers: made once of the same passages, and kept."""

import time
from typing import Any

import psycopg

from bench.search_asking import Bench
from bench.search_data import MODEL

# Of the strangers as many as are needed, chosen by the last byte of their ids.
_CHOSEN = f"""
    FROM ingestion_passagevector WHERE model = {MODEL}
     AND (tenant_id = %(tenant)s OR get_byte(uuid_send(passage_id), 15) < %(share)s * 256)
    ORDER BY passage_id
"""
# About 330 characters in 50 words.
_WORDS = """
    SELECT string_agg(substr(sum, 1, 5) || ' ' || substr(sum, 6, 7) || ' ' || substr(sum, 14, 4)
                      || ' ' || substr(sum, 18, 6) || ' ' || substr(sum, 25, 8), ' ')
    FROM (SELECT md5(passage_id::text || n) AS sum FROM generate_series(1, 10) n) sums
"""
_MEMORY = "4GB"


def make_peers(bench: Bench, *, rows: int) -> None:
    """Both tables, if they are not there; all of ours is in them, and strangers up to `rows`."""
    past = bench.server.superuser()
    if past.execute("SELECT to_regclass('peer_document_hnsw')").fetchone() != (None,):
        return
    all_, mine = past.execute(
        "SELECT count(*), count(*) FILTER (WHERE tenant_id = %s) FROM ingestion_passage",
        [bench.tenant],
    ).fetchone()  # type: ignore[misc] # an aggregate has a row
    share = min(1.0, (rows - mine) / max(1, all_ - mine))
    past.execute(f"SET maintenance_work_mem = '{_MEMORY}'")
    past.execute("SET max_parallel_maintenance_workers = 2")
    past.execute("SET work_mem = '1GB'")
    past.execute("DROP TABLE IF EXISTS peer_cookbook, peer_document, peer_narrow, peer_scattered")
    past.execute(
        "CREATE TABLE peer_narrow (id uuid PRIMARY KEY, user_id text, content text,"
        " metadata jsonb, embedding vector(384))"
    )
    past.execute(
        f"INSERT INTO peer_narrow SELECT passage_id, store_id::text, ({_WORDS}),"
        f' \'{{"source": "chat"}}\', embedding::vector {_CHOSEN}',
        {"tenant": bench.tenant, "share": share},
    )
    past.execute("CREATE INDEX ON peer_narrow (user_id)")
    past.execute(
        "CREATE TABLE peer_cookbook (LIKE peer_narrow INCLUDING INDEXES, search tsvector"
        " GENERATED ALWAYS AS (to_tsvector('simple', content)) STORED)"
    )
    past.execute("INSERT INTO peer_cookbook SELECT * FROM peer_narrow ORDER BY id")
    past.execute("CREATE INDEX ON peer_cookbook USING gin (search)")
    _scatter(past)
    past.execute(
        "CREATE TABLE peer_document (id uuid PRIMARY KEY, vector vector(384), payload jsonb)"
    )
    past.execute(
        "INSERT INTO peer_document SELECT id, embedding,"
        " jsonb_build_object('user_id', user_id, 'data', content, 'hash', md5(id::text))"
        " FROM peer_narrow ORDER BY id"
    )
    for table in ("peer_narrow", "peer_cookbook", "peer_scattered", "peer_document"):
        past.execute(f"VACUUM ANALYZE {table}")
    for table, column in (("peer_cookbook", "embedding"), ("peer_document", "vector")):
        begin = time.monotonic()
        past.execute(
            f"CREATE INDEX {table}_hnsw ON {table} USING hnsw ({column} vector_cosine_ops)"
            " WITH (m = 16, ef_construction = 64)"
        )
        print(f"  {table}: HNSW in {time.monotonic() - begin:.0f} s", flush=True)


def _scatter(past: psycopg.Connection[Any]) -> None:
    """The cookbook's rows, each among strangers, and none of its indexes but that of its owner.

    Of those it has, no other is read where it is asked exactly.
    """
    past.execute(
        "CREATE TABLE peer_scattered (LIKE peer_cookbook INCLUDING GENERATED INCLUDING STORAGE)"
    )
    past.execute(
        "INSERT INTO peer_scattered (id, user_id, content, metadata, embedding)"
        " SELECT id, user_id, content, metadata, embedding FROM peer_cookbook"
        " ORDER BY md5(id::text)"
    )
    past.execute("CREATE INDEX ON peer_scattered (user_id)")
