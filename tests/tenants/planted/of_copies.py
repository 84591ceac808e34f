"""Copies of content that an erasure would leave behind."""

from tests.tenants.planted.hole import TABLE, Hole


def _statistics(table: str, column: str, target: str = "DEFAULT") -> Hole:
    return Hole(
        f"{table}.{column} keeps statistics ({target})",
        f"ALTER TABLE {table} ALTER {column} SET STATISTICS {target}",
        "content-keeps-statistics",
        f"{table}.{column}",
    )


def _extended(name: str, rest: str) -> Hole:
    return Hole(name, f"CREATE STATISTICS planted {rest}", "statistics-on-content", "planted")


def _index(name: str, rest: str) -> Hole:
    return Hole(name, f"CREATE INDEX planted ON {rest}", "index-on-content", "planted")


HOLES = [
    _statistics("memories_message", "blocks"),
    _statistics("memories_memoryversion", "text", "10"),
    _statistics("ingestion_rawobject", "body", "100"),
    _statistics("ingestion_passagevector", "embedding"),
    _statistics(TABLE, "external_id"),
    _statistics("memories_source", "account"),
    _statistics("tenants_apikey", "label"),
    Hole(
        "a new column of bytes keeps statistics",
        f"ALTER TABLE {TABLE} ADD portrait bytea",
        "content-keeps-statistics",
        f"{TABLE}.portrait",
    ),
    _extended(
        "statistics over two columns, one of content", f"ON tenant_id, external_id FROM {TABLE}"
    ),
    _extended(
        "statistics over what content begins with", f"ON (substr(external_id, 1, 1)) FROM {TABLE}"
    ),
    Hole(
        "a column made from content",
        "ALTER TABLE memories_conversation"
        " ADD plain text GENERATED ALWAYS AS (encode(title, 'escape')) STORED",
        "generated-from-content",
        "memories_conversation.plain",
    ),
    Hole(
        "a column made from content when it is read",
        f"ALTER TABLE {TABLE} ADD plain text GENERATED ALWAYS AS (upper(external_id)) VIRTUAL",
        "generated-from-content",
        f"{TABLE}.plain",
    ),
    _index("an index on an expression of content", f"{TABLE} (tenant_id, lower(external_id))"),
    _index(
        "a graph of vectors that keeps statistics",
        "ingestion_passagevector_00_common USING hnsw"
        " ((embedding::halfvec(384)) halfvec_ip_ops) WHERE model = 1",
    ),
    _index("an index on bytes", "memories_conversation (tenant_id, title)"),
    Hole(
        "a unique constraint on bytes",
        "ALTER TABLE memories_conversation ADD CONSTRAINT planted UNIQUE (tenant_id, title)",
        "index-on-content",
        "planted",
    ),
    _index(
        "an index that content decides about",
        "memories_conversation (tenant_id, id) WHERE title <> ''",
    ),
]
