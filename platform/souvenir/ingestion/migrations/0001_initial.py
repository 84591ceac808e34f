import django.db.models.deletion
import django.utils.timezone
import souvenir.core.ids
import tenants.sealed
import tenants.isolation.scope
import tenants.isolation.tables
from django.db import migrations, models
from tenants.isolation.operations import IsolateTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('memories', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Import',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('job_id', models.UUIDField(null=True)),
                ('file_name', tenants.sealed.SealedTextField(default='')),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.BigIntegerField()),
                ('layout', models.CharField(default='', max_length=63)),
                ('report', tenants.sealed.SealedJsonField(null=True)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('person', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.person')),
                ('source', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.source')),
                ('store', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Asset',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('path', tenants.sealed.SealedTextField(default='')),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.BigIntegerField()),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('store', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store')),
                ('batch', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='ingestion.import')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Passage',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('block', models.IntegerField(default=0)),
                ('start', models.IntegerField()),
                ('end', models.IntegerField()),
                ('terms', models.IntegerField()),
                ('role', models.CharField(default='', max_length=16)),
                ('provider', models.CharField(default='', max_length=63)),
                ('occurred_at', models.DateTimeField(null=True)),
                ('embedded_with', models.CharField(default='', max_length=63)),
                ('conversation', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.conversation')),
                ('memory', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.memory')),
                ('message', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.message')),
                ('store', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='PassageToken',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('pk', models.CompositePrimaryKey('tenant_id', 'store_id', 'token', 'passage_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('token', models.BigIntegerField()),
                ('frequency', models.IntegerField()),
                ('terms', models.IntegerField()),
                ('passage', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='ingestion.passage')),
                ('store', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='RawObject',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=32)),
                ('path', tenants.sealed.SealedTextField(default='')),
                ('ordinal', models.IntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.BigIntegerField()),
                ('body', models.BinaryField()),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('batch', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='ingestion.import')),
                ('conversation', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.conversation')),
                ('store', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddIndex(
            model_name='import',
            index=models.Index(fields=['tenant_id', 'recorded_at', 'id'], name='import_newest'),
        ),
        migrations.AddConstraint(
            model_name='asset',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'store', 'sha256'), name='asset_once'),
        ),
        migrations.AddIndex(
            model_name='passage',
            index=models.Index(condition=models.Q(('embedded_with', '')), fields=['tenant_id', 'store'], name='passage_to_embed'),
        ),
        migrations.AddIndex(
            model_name='passage',
            index=models.Index(fields=['tenant_id', 'store'], include=('terms',), name='passage_lengths'),
        ),
        migrations.AddConstraint(
            model_name='rawobject',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'store', 'sha256'), name='raw_once'),
        ),
        IsolateTenantTable("Import", content=("file_name", "report")),
        IsolateTenantTable("RawObject", content=("path", "body")),
        IsolateTenantTable("Asset", content=("path",)),
        IsolateTenantTable("Passage"),
        IsolateTenantTable(
            "PassageToken",
            key=("tenant_id", "store_id", "token", "passage_id"),
            include=("frequency", "terms"),
            follows=("passage_id",),
        ),
    ]
