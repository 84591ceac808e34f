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
    ]

    operations = [
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=63)),
                ('provider_id', models.CharField(max_length=300)),
                ('title', tenants.sealed.SealedTextField(default='')),
                ('started_at', models.DateTimeField(null=True)),
                ('updated_at', models.DateTimeField(null=True)),
                ('current_leaf_id', models.UUIDField(null=True)),
                ('current_leaf_origin', models.CharField(default='inferred', max_length=16)),
                ('import_id', models.UUIDField()),
                ('extra', tenants.sealed.SealedJsonField(default=dict)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Memory',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(default='fact', max_length=32)),
                ('state', models.CharField(choices=[('active', 'Active'), ('forgotten', 'Forgotten')], default='active', max_length=16)),
                ('version', models.IntegerField(default=1)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=63)),
                ('account', models.CharField(default='', max_length=200)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='MemoryVersion',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('text', tenants.sealed.SealedTextField()),
                ('occurred_at', models.DateTimeField(null=True)),
                ('valid_from', models.DateTimeField(null=True)),
                ('valid_to', models.DateTimeField(null=True)),
                ('observed_at', models.DateTimeField(null=True)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('origin', models.CharField(max_length=16)),
                ('method', models.CharField(max_length=32)),
                ('author', models.CharField(default='', max_length=300)),
                ('reason', tenants.sealed.SealedTextField(default='')),
                ('memory', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.memory')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('provider_id', models.CharField(max_length=300)),
                ('ordinal', models.IntegerField()),
                ('role', models.CharField(max_length=16)),
                ('author_name', tenants.sealed.SealedTextField(default='')),
                ('model', models.CharField(default='', max_length=200)),
                ('hidden', models.BooleanField(default=False)),
                ('occurred_at', models.DateTimeField(null=True)),
                ('time_original', models.CharField(default='', max_length=100)),
                ('blocks', tenants.sealed.SealedJsonField()),
                ('extra', tenants.sealed.SealedJsonField(default=dict)),
                ('import_id', models.UUIDField()),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('conversation', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.conversation')),
                ('parent', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.message')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('block', models.IntegerField()),
                ('start', models.IntegerField()),
                ('end', models.IntegerField()),
                ('quote_sha256', models.CharField(max_length=64)),
                ('version', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.memoryversion')),
                ('message', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.message')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('external_id', models.CharField(max_length=200)),
                ('display_name', tenants.sealed.SealedTextField(default='')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'external_id'), name='person_once')],
            },
        ),
        migrations.AddField(
            model_name='memory',
            name='person',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.person'),
        ),
        migrations.AddField(
            model_name='conversation',
            name='person',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.person'),
        ),
        migrations.AddField(
            model_name='conversation',
            name='source',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.source'),
        ),
        migrations.CreateModel(
            name='Store',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('slug', models.CharField(max_length=210)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('person', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.person')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='source',
            name='store',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store'),
        ),
        migrations.AddField(
            model_name='message',
            name='store',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store'),
        ),
        migrations.AddField(
            model_name='memoryversion',
            name='store',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store'),
        ),
        migrations.AddField(
            model_name='memory',
            name='store',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store'),
        ),
        migrations.AddField(
            model_name='conversation',
            name='store',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.store'),
        ),
        migrations.AddConstraint(
            model_name='store',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'slug'), name='store_once'),
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'store', 'provider', 'account'), name='source_once'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'conversation', 'provider_id'), name='message_once'),
        ),
        migrations.AddConstraint(
            model_name='memoryversion',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'memory', 'number'), name='version_once'),
        ),
        migrations.AddIndex(
            model_name='memory',
            index=models.Index(fields=['tenant_id', 'store', 'recorded_at', 'id'], name='memory_newest'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['tenant_id', 'store', 'updated_at', 'id'], name='conversation_newest'),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'source', 'provider_id'), name='conversation_once'),
        ),
        IsolateTenantTable("Person", content=("display_name", "external_id")),
        IsolateTenantTable("Store", content=("slug",)),
        IsolateTenantTable("Source", content=("account",)),
        IsolateTenantTable("Conversation", content=("title", "extra")),
        IsolateTenantTable("Message", content=("author_name", "blocks", "extra")),
        IsolateTenantTable("Memory"),
        IsolateTenantTable("MemoryVersion", content=("text", "reason")),
        IsolateTenantTable("Evidence"),
    ]
