import django.utils.timezone
import souvenir.core.ids
import tenants.isolation.scope
from django.db import migrations, models
from tenants.isolation.operations import IsolateTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('target', models.CharField(choices=[('memory', 'Memory'), ('conversation', 'Conversation'), ('import', 'Import'), ('person', 'Person'), ('organization', 'Organization')], max_length=16)),
                ('target_id', models.UUIDField()),
                ('person_id', models.UUIDField(null=True)),
                ('job_id', models.UUIDField(null=True)),
                ('counts', models.JSONField(default=dict)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant_id', 'requested_at', 'id'], name='erasure_newest')],
            },
        ),
        IsolateTenantTable("Erasure"),
    ]
