import souvenir.core.ids
import tenants.isolation.scope
from django.db import migrations, models
from tenants.isolation.grants import GrantControlTable, GrantTable
from tenants.isolation.operations import IsolateTenantTable
from tenants.isolation.roles import RELAY


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0004_sweeper_sees_parents'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='waits',
            field=models.IntegerField(default=0),
        ),
        migrations.CreateModel(
            name='Breaker',
            fields=[
                ('kind', models.CharField(max_length=63, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=63)),
                ('failures', models.IntegerField(default=0)),
                ('open_until', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('name', models.CharField(max_length=63, primary_key=True, serialize=False)),
                ('next_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('runs', models.BigIntegerField(default=0)),
                ('failures', models.IntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=127)),
            ],
        ),
        migrations.CreateModel(
            name='Allowance',
            fields=[
                ('organization_id', models.UUIDField(primary_key=True, serialize=False)),
                ('weight', models.IntegerField(default=1)),
                ('jobs_at_once', models.IntegerField(null=True)),
                ('jobs_waiting', models.IntegerField(null=True)),
                ('bytes_per_day', models.BigIntegerField(null=True)),
                ('credit_seconds', models.FloatField(default=0.0)),
                ('paused', models.BooleanField(default=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('weight__gt', 0)), name='weight_positive')],
            },
        ),
        migrations.CreateModel(
            name='Ring',
            fields=[
                ('job_id', models.UUIDField(primary_key=True, serialize=False)),
                ('organization_id', models.UUIDField()),
                ('kind', models.CharField(max_length=63)),
                ('queue', models.CharField(max_length=16)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('rung', 'Rung'), ('running', 'Running'), ('dead', 'Dead')], default='waiting', max_length=16)),
                ('due_at', models.DateTimeField()),
                ('since', models.DateTimeField()),
                ('turns', models.IntegerField(default=0)),
                ('rings', models.IntegerField(default=0)),
                ('reason', models.CharField(blank=True, max_length=63)),
            ],
            options={
                'indexes': [models.Index(fields=['queue', 'state', 'organization_id', 'due_at'], name='ring_turn'), models.Index(fields=['organization_id'], name='ring_organization')],
            },
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('uploaded_bytes', models.BigIntegerField(default=0)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'day'), name='usage_day_once')],
            },
        ),
        IsolateTenantTable("Usage"),
        GrantControlTable("tenants_ring", "SELECT, INSERT, UPDATE, DELETE"),
        GrantControlTable("tenants_allowance", "SELECT, INSERT, UPDATE, DELETE"),
        GrantControlTable("tenants_breaker", "SELECT, INSERT, UPDATE, DELETE"),
        GrantControlTable("tenants_schedule", "SELECT, INSERT, UPDATE"),
        GrantTable("tenants_ring", "SELECT, UPDATE", to=RELAY.name),
        GrantTable("tenants_allowance", "SELECT, UPDATE", to=RELAY.name),
        GrantTable("tenants_breaker", "SELECT", to=RELAY.name),
    ]
