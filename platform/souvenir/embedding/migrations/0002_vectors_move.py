from django.db import migrations
from tenants.isolation.operations import IsolateTenantTable
from tenants.isolation.partitions import UndoIsolation

# The owner is held back by a forced policy like anybody: it would copy nothing.
_UNFORCED = """
    ALTER TABLE embedding_passagevector NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE ingestion_passagevector NO FORCE ROW LEVEL SECURITY;
"""
_FORCED = """
    ALTER TABLE embedding_passagevector FORCE ROW LEVEL SECURITY;
    ALTER TABLE ingestion_passagevector FORCE ROW LEVEL SECURITY
"""
# Until now there was one model, and every store was in its tenant's common bucket.
_OUT = f"""{_UNFORCED}
    INSERT INTO ingestion_passagevector
        (tenant_id, store_id, model, passage_id, bucket, embedding)
        SELECT tenant_id, store_id, 1, passage_id, 0, embedding FROM embedding_passagevector;{_FORCED}
"""
_BACK = f"""{_UNFORCED}
    INSERT INTO embedding_passagevector (tenant_id, store_id, passage_id, embedding)
        SELECT tenant_id, store_id, passage_id, embedding
          FROM ingestion_passagevector WHERE model = 1
        ON CONFLICT DO NOTHING;{_FORCED}
"""


class Migration(migrations.Migration):
    """Vectors are kept beside the passages that they belong to (ingestion 0003)."""

    dependencies = [
        ('embedding', '0001_initial'),
        ('ingestion', '0003_search_tables'),
    ]

    operations = [
        migrations.RunSQL(_OUT, _BACK),
        UndoIsolation(
            IsolateTenantTable(
                "PassageVector",
                content=("embedding",),
                key=("tenant_id", "store_id", "passage_id"),
                include=("embedding",),
                follows=("passage_id",),
            )
        ),
        migrations.RunSQL(
            migrations.RunSQL.noop,
            "ALTER TABLE embedding_passagevector ALTER COLUMN embedding SET STORAGE PLAIN",
        ),
        migrations.DeleteModel(name='PassageVector'),
    ]
