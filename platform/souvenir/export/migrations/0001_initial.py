import django.db.models.deletion
import django.utils.timezone
import souvenir.core.ids
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
            name='Export',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('job_id', models.UUIDField(null=True)),
                ('size_bytes', models.BigIntegerField(null=True)),
                ('sha256', models.CharField(default='', max_length=64)),
                ('expires_at', models.DateTimeField(null=True)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('person', tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='memories.person')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant_id', 'recorded_at', 'id'], name='export_newest')],
            },
        ),
        IsolateTenantTable("Export"),
    ]
