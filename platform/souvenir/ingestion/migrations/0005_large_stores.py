import django.utils.timezone
import tenants.isolation.scope
from django.db import migrations, models
from tenants.isolation.grants import EnsureRoles
from tenants.isolation.operations import IsolateTenantTable

_PARTS = """
    SELECT c.oid, c.relname FROM pg_class c
     WHERE pg_partition_root(c.oid) IN ('ingestion_passagevector'::regclass,
                                        'ingestion_passagetoken'::regclass)
        OR c.oid = 'ingestion_passage'::regclass
"""
_MAINTAIN = f"""
    DO $$ DECLARE part record; BEGIN
    FOR part IN {_PARTS} LOOP
        EXECUTE format('{{what}} MAINTAIN ON %I {{whom}} souvenir_maintainer', part.relname);
    END LOOP;
    END $$
"""
_GRANT, _REVOKE = (
    _MAINTAIN.format(what="GRANT", whom="TO"),
    _MAINTAIN.format(what="REVOKE", whom="FROM"),
)

# The functions have their owner's rights, and hand out no row. They are the maintainer's alone.
_HEAD = """LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET lock_timeout = '200ms'"""

# The partition that a tenant is in, and the name of a bucket in it.
_NAMES = """
    SELECT format('ingestion_passagevector_%s', lpad(part::text, 2, '0')) INTO sixteenth
      FROM generate_series(0, 15) AS part
     WHERE satisfies_hash_partition('ingestion_passagevector'::regclass, 16, part, tenant);
    leaf := format('%s_b%s', sixteenth, bucket);
"""

# LIKE and ATTACH, and not PARTITION OF, which would lock out every search of the sixteenth. The
# walls are those of tenants/isolation/operations.py; the catalogue audit compares them.
_OPEN = f"""
CREATE FUNCTION open_bucket(tenant uuid, bucket integer) RETURNS void {_HEAD} AS $$
DECLARE
    sixteenth text;
    leaf text;
BEGIN
    IF bucket <= 0 THEN
        RAISE EXCEPTION 'a bucket of its own is above zero' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    {_NAMES}
    IF to_regclass(leaf) IS NOT NULL THEN
        IF obj_description(to_regclass(leaf), 'pg_class') = tenant::text THEN
            RETURN;
        END IF;
        RAISE EXCEPTION 'bucket % is taken', bucket USING ERRCODE = 'unique_violation';
    END IF;
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I INCLUDING STORAGE) WITH (autovacuum_vacuum_insert_scale_factor=0.02,'
        ' autovacuum_vacuum_insert_threshold=5000)', leaf, sixteenth);
    EXECUTE format('COMMENT ON TABLE %I IS %L', leaf, tenant);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', leaf);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', leaf);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %I'
        ' USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)'
        ' WITH CHECK (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
        leaf);
    EXECUTE format('ALTER TABLE %I ALTER COLUMN embedding SET STATISTICS 0', leaf);
    EXECUTE format('COMMENT ON COLUMN %I.embedding IS ''content''', leaf);
    EXECUTE format('GRANT MAINTAIN ON %I TO souvenir_maintainer', leaf);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', sixteenth, leaf, bucket);
END $$
"""

# An expression has statistics of its own, and vectors are content: none are kept.
_INDEX = f"""
CREATE FUNCTION index_bucket(
    tenant uuid, bucket integer, model smallint, dimensions integer, memory_mb integer
) RETURNS void {_HEAD} AS $$
DECLARE
    sixteenth text;
    leaf text;
    graph text;
BEGIN
    {_NAMES}
    graph := format('%s_m%s', leaf, model);
    IF obj_description(to_regclass(leaf), 'pg_class') IS DISTINCT FROM tenant::text THEN
        RAISE EXCEPTION 'there is no bucket %', bucket USING ERRCODE = 'undefined_table';
    END IF;
    PERFORM set_config('maintenance_work_mem', memory_mb || 'MB', true);
    EXECUTE format(
        'CREATE INDEX IF NOT EXISTS %I ON %I USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops)'
        ' WITH (m = 24, ef_construction = 128) WHERE model = %s', graph, leaf, dimensions, model);
    EXECUTE format('ALTER INDEX %I ALTER COLUMN 1 SET STATISTICS 0', graph);
END $$
"""

_UNINDEX = f"""
CREATE FUNCTION unindex_bucket(tenant uuid, bucket integer, model smallint) RETURNS void {_HEAD} AS $$
DECLARE
    sixteenth text;
    leaf text;
BEGIN
    {_NAMES}
    IF obj_description(to_regclass(leaf), 'pg_class') = tenant::text THEN
        EXECUTE format('DROP INDEX IF EXISTS %I', format('%s_m%s', leaf, model));
    END IF;
END $$
"""

# Empty in truth, and not only by the policy, which shows the owner nothing.
_CLOSE = f"""
CREATE FUNCTION close_bucket(tenant uuid, bucket integer) RETURNS void {_HEAD} AS $$
DECLARE
    sixteenth text;
    leaf text;
    used boolean;
BEGIN
    {_NAMES}
    IF to_regclass(leaf) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', leaf);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', leaf) INTO used;
    IF used OR bucket <= 0 THEN
        RAISE EXCEPTION 'bucket % is in use', bucket USING ERRCODE = 'object_in_use';
    END IF;
    EXECUTE format('DROP TABLE %I', leaf);
END $$
"""

# What an interrupted REINDEX CONCURRENTLY leaves: written to by every insert, read by nobody.
_TIDY = f"""
CREATE FUNCTION drop_unfinished_indexes() RETURNS integer {_HEAD} AS $$
DECLARE
    unfinished record;
    dropped integer := 0;
BEGIN
    FOR unfinished IN
        SELECT i.indexrelid::regclass AS name FROM pg_index i
          JOIN ({_PARTS}) AS part ON part.oid = i.indrelid
         WHERE NOT i.indisvalid AND i.indexrelid::regclass::text ~ '_cc(new|old)[0-9]*$'
           AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$
"""


def _function(create: str, signature: str) -> migrations.RunSQL:
    forward = (
        f"{create};"
        f" REVOKE ALL ON FUNCTION {signature} FROM PUBLIC;"
        f" GRANT EXECUTE ON FUNCTION {signature} TO souvenir_maintainer"
    )
    return migrations.RunSQL(forward, f"DROP FUNCTION {signature}")


class Migration(migrations.Migration):
    """A bucket of its own for a large store, and a role that keeps the tables of search in order."""

    dependencies = [
        ('ingestion', '0004_token_epoch'),
    ]

    operations = [
        migrations.CreateModel(
            name='LargeStore',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('pk', models.CompositePrimaryKey('tenant_id', 'store_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('store_id', models.UUIDField()),
                ('bucket', models.IntegerField()),
                ('state', models.CharField(choices=[('filling', 'Filling'), ('serving', 'Serving'), ('leaving', 'Leaving'), ('closing', 'Closing')], max_length=16)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        IsolateTenantTable("LargeStore", key=("tenant_id", "store_id")),
        EnsureRoles(),
        migrations.RunSQL(_GRANT, _REVOKE),
        _function(_OPEN, "open_bucket(uuid, integer)"),
        _function(_INDEX, "index_bucket(uuid, integer, smallint, integer, integer)"),
        _function(_UNINDEX, "unindex_bucket(uuid, integer, smallint)"),
        _function(_CLOSE, "close_bucket(uuid, integer)"),
        _function(_TIDY, "drop_unfinished_indexes()"),
    ]
