import django.db.models.deletion
import django.utils.timezone
import souvenir.core.ids
import tenants.isolation.scope
from django.conf import settings
from django.db import migrations, models
from tenants.isolation.operations import GrantControlTable, IsolateTenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('sessions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('language', models.CharField(default='en-ca', max_length=5)),
                ('is_active', models.BooleanField(default=True)),
                ('is_platform_admin', models.BooleanField(default=False)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('slug', models.SlugField(max_length=63, unique=True)),
                ('name_en', models.CharField(max_length=200)),
                ('name_fr', models.CharField(max_length=200)),
                ('placement', models.CharField(max_length=63)),
                ('state', models.CharField(choices=[('active', 'Active'), ('suspended', 'Suspended'), ('erased', 'Erased')], default='active', max_length=16)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='PlatformKey',
            fields=[
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('label', models.CharField(max_length=200)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('label', models.CharField(max_length=200)),
                ('digest', models.CharField(max_length=64)),
                ('hint', models.CharField(max_length=8)),
                ('scopes', models.TextField()),
                ('person_id', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
            options={
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant_id', 'digest'), name='key_digest_once')],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('tenant_id', models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=63)),
                ('subject_id', models.UUIDField()),
                ('person_id', models.UUIDField(null=True)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=16)),
                ('done', models.BigIntegerField(default=0)),
                ('total', models.BigIntegerField(null=True)),
                ('unit', models.CharField(default='objects', max_length=32)),
                ('attempts', models.IntegerField(default=0)),
                ('fence', models.BigIntegerField(default=0)),
                ('ring_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error_code', models.CharField(blank=True, max_length=63)),
                ('error_params', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant_id', 'state', 'ring_at'], name='job_to_ring'), models.Index(fields=['tenant_id', 'created_at'], name='job_newest')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('member', 'Member')], max_length=16)),
                ('person_id', models.UUIDField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='tenants.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'organization'), name='one_membership')],
            },
        ),
        IsolateTenantTable("ApiKey", content=("label",)),
        IsolateTenantTable("Job"),
        GrantControlTable("tenants_user", "SELECT, INSERT, UPDATE"),
        GrantControlTable("tenants_organization", "SELECT, INSERT, UPDATE"),
        GrantControlTable("tenants_membership", "SELECT, INSERT, UPDATE, DELETE"),
        GrantControlTable("tenants_platformkey", "SELECT, INSERT, UPDATE"),
        GrantControlTable("django_session", "SELECT, INSERT, UPDATE, DELETE"),
        GrantControlTable("django_migrations", "SELECT"),
    ]
