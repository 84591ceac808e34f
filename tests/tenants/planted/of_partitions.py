"""Partitions of tenant tables, of which each needs walls of its own."""

from tests.tenants.planted.hole import Hole, partitioned_table, tenant_table

_GOOD = partitioned_table("planted", columns="note text, blob bytea,", content=("note", "blob"))
_LEAF = "planted_1_rest"
_PARTS = ("planted_0", "planted_1", _LEAF)


def _part(name: str, do: str, code: str, named: str) -> Hole:
    return Hole(name, f"{_GOOD} {do}", code, named)


HOLES = [
    *(
        hole
        for part in _PARTS
        for hole in (
            _part(
                f"no row-level security on {part}",
                f"ALTER TABLE {part} DISABLE ROW LEVEL SECURITY",
                "row-security-off",
                part,
            ),
            _part(
                f"no forced row-level security on {part}",
                f"ALTER TABLE {part} NO FORCE ROW LEVEL SECURITY",
                "row-security-not-forced",
                part,
            ),
            _part(
                f"no policy on {part}",
                f"DROP POLICY tenant_isolation ON {part}",
                "policy-not-exact",
                part,
            ),
            _part(
                f"{part} is granted",
                f"GRANT SELECT ON {part} TO souvenir_app",
                "partition-reachable",
                part,
            ),
        )
    ),
    _part(
        "a partition that is granted with all the rest",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO souvenir_app",
        "partition-reachable",
        "planted_0",
    ),
    _part(
        "a column of a partition that is granted",
        f"GRANT SELECT (tenant_id) ON {_LEAF} TO souvenir_app",
        "partition-reachable",
        _LEAF,
    ),
    _part(
        "a partition that is granted to everybody",
        "GRANT SELECT ON planted_0 TO PUBLIC",
        "granted-to-others",
        "planted_0 to PUBLIC",
    ),
    _part(
        "a partition that is truncated by the run-time role",
        "GRANT TRUNCATE ON planted_0 TO souvenir_app",
        "role-may-truncate",
        "planted_0",
    ),
    _part(
        "a second policy on a partition, open to all",
        "CREATE POLICY everyone ON planted_0 USING (true)",
        "policy-not-exact",
        "planted_0",
    ),
    _part(
        "a new partition that was made without the operation",
        "CREATE TABLE planted_own PARTITION OF planted_1 FOR VALUES IN"
        " ('01890000-0000-7000-8000-000000000000')",
        "row-security-off",
        "planted_own",
    ),
    _part(
        "a partitioned table without row-level security",
        "ALTER TABLE planted DISABLE ROW LEVEL SECURITY",
        "row-security-off",
        "planted",
    ),
    _part(
        "a partition in a schema that is open",
        "CREATE SCHEMA elsewhere; ALTER TABLE planted_0 SET SCHEMA elsewhere;"
        " GRANT USAGE ON SCHEMA elsewhere TO souvenir_app",
        "schema-reachable",
        "elsewhere",
    ),
    Hole(
        "a table that is parted by something else first",
        tenant_table("planted", options="PARTITION BY HASH (id, tenant_id)"),
        "partitioned-without-tenant",
        "planted",
    ),
    Hole(
        "a table that is parted by an expression",
        "CREATE TABLE planted (tenant_id uuid NOT NULL, id uuid NOT NULL)"
        " PARTITION BY HASH ((tenant_id::text))",
        "partitioned-without-tenant",
        "planted",
    ),
    _part(
        "a partition that was taken out, whose rows no erasure reaches",
        "ALTER TABLE planted DETACH PARTITION planted_0",
        "table-out-of-reach",
        "planted_0",
    ),
    _part(
        "a unique index of one partition, without the tenant",
        "CREATE UNIQUE INDEX alone ON planted_0 (id)",
        "unique-index-without-tenant",
        "alone",
    ),
    _part(
        "a unique constraint of one partition, without the tenant",
        "ALTER TABLE planted_0 ADD CONSTRAINT alone UNIQUE (id)",
        "key-without-tenant",
        "alone",
    ),
    _part(
        "a reference of one partition that leaves the tenant",
        "ALTER TABLE planted_0 ADD CONSTRAINT alone"
        " FOREIGN KEY (tenant_id) REFERENCES tenants_organization (id)",
        "foreign-key-leaves-tenant",
        "alone",
    ),
    _part(
        "an exclusion constraint on one partition",
        "ALTER TABLE planted_0 ADD CONSTRAINT alone EXCLUDE USING btree (id WITH =)",
        "exclusion-constraint",
        "alone",
    ),
    _part(
        "a partition that counts for all its tenants",
        "CREATE SEQUENCE counter; ALTER TABLE planted_0 ALTER note SET DEFAULT nextval('counter')",
        "sequence-on-tenant-table",
        "planted_0",
    ),
    _part(
        "a partition that a crash would empty",
        "ALTER TABLE planted_0 SET UNLOGGED",
        "table-not-logged",
        "planted_0",
    ),
    _part(
        "a trigger on a partition",
        "CREATE FUNCTION peek() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER alone BEFORE INSERT ON planted_0 EXECUTE FUNCTION peek()",
        "trigger-on-table",
        "alone",
    ),
    _part(
        "text of a partition keeps statistics, and nobody marked it there",
        "COMMENT ON COLUMN planted_0.note IS NULL;"
        " ALTER TABLE planted_0 ALTER note SET STATISTICS DEFAULT",
        "content-keeps-statistics",
        "planted_0.note",
    ),
    _part(
        "bytes of a partition keep statistics",
        f"ALTER TABLE {_LEAF} ALTER blob SET STATISTICS DEFAULT",
        "content-keeps-statistics",
        f"{_LEAF}.blob",
    ),
    _part(
        "statistics over content of a partition",
        "CREATE STATISTICS alone ON tenant_id, note FROM planted_0",
        "statistics-on-content",
        "alone",
    ),
    _part(
        "an index on bytes of one partition",
        "CREATE INDEX alone ON planted_0 (tenant_id, blob)",
        "index-on-content",
        "alone",
    ),
    _part(
        "the sweeper reads a partition",
        "GRANT SELECT (id) ON planted_0 TO souvenir_sweeper",
        "service-role-privilege",
        "planted_0.id: SELECT to souvenir_sweeper",
    ),
    Hole(
        "a tenant table that the run-time role cannot reach",
        f"{tenant_table('planted')} REVOKE ALL ON planted FROM souvenir_app",
        "table-out-of-reach",
        "planted",
    ),
]
