import django.db.models.deletion
import django.utils.timezone
import souvenir.core.ids
import tenants.isolation.scope
import tenants.isolation.tables
from django.db import migrations, models
from tenants.isolation.operations import IsolateTenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0002_database_roles'),
    ]

    operations = [
        migrations.CreateModel(
            name='JobItem',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('ordinal', models.IntegerField()),
                ('name', models.CharField(max_length=127)),
                ('first', models.IntegerField(default=0)),
                ('size', models.IntegerField(default=1)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('quarantined', 'Quarantined')], default='queued', max_length=16)),
                ('attempts', models.IntegerField(default=0)),
                ('losses', models.IntegerField(default=0)),
                ('fence', models.BigIntegerField(default=0)),
                ('error_class', models.CharField(blank=True, choices=[('permanent', 'Permanent'), ('transient', 'Transient'), ('poison', 'Poison')], max_length=16)),
                ('error_code', models.CharField(blank=True, max_length=63)),
                ('error_params', models.JSONField(default=dict)),
                ('cost_bytes', models.BigIntegerField(default=0)),
                ('cost_tokens', models.BigIntegerField(default=0)),
                ('cost_seconds', models.FloatField(default=0.0)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='job',
            name='cancel_requested_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='changed_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name='job',
            name='cost_bytes',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='job',
            name='cost_seconds',
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name='job',
            name='cost_tokens',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='job',
            name='error_class',
            field=models.CharField(blank=True, choices=[('permanent', 'Permanent'), ('transient', 'Transient'), ('poison', 'Poison')], max_length=16),
        ),
        migrations.AddField(
            model_name='job',
            name='failed',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='job',
            name='holder',
            field=models.CharField(blank=True, max_length=127),
        ),
        migrations.AddField(
            model_name='job',
            name='parent_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='version',
            field=models.BigIntegerField(default=1),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['tenant_id', 'parent_id'], name='job_children'),
        ),
        migrations.AddField(
            model_name='jobitem',
            name='job',
            field=tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.job'),
        ),
        migrations.AddIndex(
            model_name='jobitem',
            index=models.Index(fields=['tenant_id', 'job', 'state', 'ordinal'], name='item_next'),
        ),
        migrations.AddConstraint(
            model_name='jobitem',
            constraint=models.UniqueConstraint(fields=('tenant_id', 'job', 'ordinal', 'first'), name='item_place_once'),
        ),
        IsolateTenantTable("JobItem"),
    ]
