import django.db.models.deletion
import pgvector.django.halfvec
import tenants.isolation.scope
import tenants.isolation.tables
from django.db import migrations, models
from pgvector.django import VectorExtension
from tenants.isolation.operations import IsolateTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('ingestion', '0001_initial'),
        ('memories', '0001_initial'),
    ]

    operations = [
        VectorExtension(),
        migrations.CreateModel(
            name='PassageVector',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('pk', models.CompositePrimaryKey('tenant_id', 'store_id', 'passage_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('embedding', pgvector.django.halfvec.HalfVectorField(dimensions=384)),
                ('passage', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='ingestion.passage')),
                ('store', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        # PLAIN before the first row: a vector moved to TOAST costs a search 14 times as much.
        migrations.RunSQL(
            "ALTER TABLE embedding_passagevector ALTER COLUMN embedding SET STORAGE PLAIN",
            migrations.RunSQL.noop,
        ),
        IsolateTenantTable(
            "PassageVector",
            content=("embedding",),
            key=("tenant_id", "store_id", "passage_id"),
            include=("embedding",),
            follows=("passage_id",),
        ),
    ]
