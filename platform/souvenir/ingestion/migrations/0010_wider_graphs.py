from django.db import migrations

# Of 0005, but for the graph's own numbers. A graph that is there stays as it was built: to have it
# built anew, demote the store and promote it again.
_INDEX = """
CREATE OR REPLACE FUNCTION index_bucket(
    tenant uuid, bucket integer, model smallint, dimensions integer, memory_mb integer
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    sixteenth text;
    leaf text;
    graph text;
BEGIN
    SELECT format('ingestion_passagevector_%s', lpad(part::text, 2, '0')) INTO sixteenth
      FROM generate_series(0, 15) AS part
     WHERE satisfies_hash_partition('ingestion_passagevector'::regclass, 16, part, tenant);
    leaf := format('%s_b%s', sixteenth, bucket);
    graph := format('%s_m%s', leaf, model);
    IF obj_description(to_regclass(leaf), 'pg_class') IS DISTINCT FROM tenant::text THEN
        RAISE EXCEPTION 'there is no bucket %', bucket USING ERRCODE = 'undefined_table';
    END IF;
    PERFORM set_config('maintenance_work_mem', memory_mb || 'MB', true);
    EXECUTE format(
        'CREATE INDEX IF NOT EXISTS %I ON %I USING hnsw ((embedding::halfvec(%s)) halfvec_ip_ops)'
        ' WITH ({numbers}) WHERE model = %s', graph, leaf, dimensions, model);
    EXECUTE format('ALTER INDEX %I ALTER COLUMN 1 SET STATISTICS 0', graph);
END $$
"""


class Migration(migrations.Migration):
    """Graphs are built with a wider search: what lies far from everything is found more often."""

    dependencies = [('ingestion', '0009_passage_times')]

    operations = [
        migrations.RunSQL(
            _INDEX.replace("{numbers}", "m = 16, ef_construction = 200"),
            _INDEX.replace("{numbers}", "m = 24, ef_construction = 128"),
        ),
    ]
