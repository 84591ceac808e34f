import pgvector.django.halfvec
import tenants.isolation.scope
from django.db import migrations, models
from tenants.isolation.operations import IsolateTenantTable
from tenants.isolation.partitions import CreatePartitionedModel, UndoIsolation

# An index-only scan reads the heap for each page that vacuum has not seen: it comes early.
_EARLY = "WITH (autovacuum_vacuum_insert_scale_factor=0.02, autovacuum_vacuum_insert_threshold=5000)"
_SIXTEENTHS = {
    f"{part:02}": f"{{}} FOR VALUES WITH (MODULUS 16, REMAINDER {part})" for part in range(16)
}
_TOKENS = {ending: f"{values} {_EARLY}" for ending, values in _SIXTEENTHS.items()}
# Each sixteenth of the tenants in buckets: one for all, until a large store needs one of its own.
_VECTORS = {ending: f"{values} PARTITION BY LIST (bucket)" for ending, values in _SIXTEENTHS.items()} | {
    f"{ending}_common": f"{{}}_{ending} FOR VALUES IN (0) {_EARLY}" for ending in _SIXTEENTHS
}
# The owner is held back by a forced policy like anybody: it would copy nothing.
_SET_ASIDE = """
    ALTER TABLE ingestion_passagetoken NO FORCE ROW LEVEL SECURITY;
    CREATE TABLE ingestion_passagetoken_aside AS SELECT * FROM ingestion_passagetoken;
    ALTER TABLE ingestion_passagetoken FORCE ROW LEVEL SECURITY
"""
_TAKE_BACK = """
    ALTER TABLE ingestion_passagetoken NO FORCE ROW LEVEL SECURITY;
    INSERT INTO ingestion_passagetoken
        (tenant_id, store_id, token, passage_id, frequency, terms)
        SELECT tenant_id, store_id, token, passage_id, frequency, terms
          FROM ingestion_passagetoken_aside;
    DROP TABLE ingestion_passagetoken_aside;
    ALTER TABLE ingestion_passagetoken FORCE ROW LEVEL SECURITY
"""


class Migration(migrations.Migration):
    """Vectors and tokens in partitions, without foreign keys. What is there is kept."""

    dependencies = [
        ('ingestion', '0002_sealed'),
        ('embedding', '0001_initial'),  # which brings the extension
    ]

    operations = [
        CreatePartitionedModel(
            name='PassageVector',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('pk', models.CompositePrimaryKey('tenant_id', 'store_id', 'model', 'passage_id', 'bucket', blank=True, editable=False, primary_key=True, serialize=False)),
                ('store_id', models.UUIDField()),
                ('model', models.SmallIntegerField()),
                ('passage_id', models.UUIDField()),
                ('bucket', models.IntegerField(default=0)),
                ('embedding', pgvector.django.halfvec.HalfVectorField()),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
            by="HASH (tenant_id)",
            partitions=_VECTORS,
            # A vector moved to TOAST costs a search 14 times as much.
            plain=("embedding",),
        ),
        IsolateTenantTable(
            "PassageVector",
            content=("embedding",),
            key=("tenant_id", "store_id", "model", "passage_id", "bucket"),
            include=("embedding",),
        ),
        migrations.RunSQL(_SET_ASIDE, _TAKE_BACK),
        UndoIsolation(
            IsolateTenantTable(
                "PassageToken",
                key=("tenant_id", "store_id", "token", "passage_id"),
                include=("frequency", "terms"),
                follows=("passage_id",),
            )
        ),
        migrations.DeleteModel(name='PassageToken'),
        CreatePartitionedModel(
            name='PassageToken',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('pk', models.CompositePrimaryKey('tenant_id', 'store_id', 'token', 'passage_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('store_id', models.UUIDField()),
                ('token', models.BigIntegerField()),
                ('passage_id', models.UUIDField()),
                ('frequency', models.IntegerField()),
                ('terms', models.IntegerField()),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['passage_id', 'tenant_id'], name='token_of_passage')],
            },
            by="HASH (tenant_id)",
            partitions=_TOKENS,
        ),
        IsolateTenantTable(
            "PassageToken",
            key=("tenant_id", "store_id", "token", "passage_id"),
            include=("frequency", "terms"),
        ),
        migrations.RunSQL(_TAKE_BACK, _SET_ASIDE),
    ]
