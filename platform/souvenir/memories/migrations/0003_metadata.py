"""What clients say about a memory besides its text, and where its person's days begin."""

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation.scope
import tenants.isolation.tables
import tenants.sealed
from tenants.isolation.operations import IsolateTenantTable, MarkContent

_KEY = ("tenant_id", "store_id", "token", "memory_id", "past_version")

# Of the rows that are there: an empty value is stored as no bytes at all.
_EMPTY = tenants.sealed.Sealed(b"")


class Migration(migrations.Migration):
    dependencies = [("memories", "0002_sealed")]

    operations = [
        migrations.AddField(
            model_name="memoryversion",
            name="metadata",
            field=tenants.sealed.SealedJsonField(default=_EMPTY),
        ),
        migrations.AlterField(
            model_name="memoryversion",
            name="metadata",
            field=tenants.sealed.SealedJsonField(default=dict),
        ),
        MarkContent("MemoryVersion", "metadata"),
        migrations.AddField(
            model_name="person",
            name="time_zone",
            field=tenants.sealed.SealedTextField(default=_EMPTY),
        ),
        migrations.AlterField(
            model_name="person",
            name="time_zone",
            field=tenants.sealed.SealedTextField(default=""),
        ),
        MarkContent("Person", "time_zone"),
        migrations.CreateModel(
            name="MetadataToken",
            fields=[
                ("tenant_id", models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ("pk", models.CompositePrimaryKey(*_KEY, blank=True, editable=False, primary_key=True, serialize=False)),
                ("store_id", models.UUIDField()),
                ("token", models.BinaryField()),
                ("past_version", models.IntegerField(default=0)),
                ("epoch", models.IntegerField()),
                ("memory", tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="memories.memory")),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        IsolateTenantTable("MetadataToken", key=_KEY, follows=("memory_id",)),
        # A keyed digest is told apart from content, and keeps no statistics, as all bytes do.
        migrations.RunSQL(
            [
                "ALTER TABLE memories_metadatatoken ALTER token SET STATISTICS 0",
                "COMMENT ON COLUMN memories_metadatatoken.token IS 'digest'",
            ],
            [
                "ALTER TABLE memories_metadatatoken ALTER token SET STATISTICS DEFAULT",
                "COMMENT ON COLUMN memories_metadatatoken.token IS NULL",
            ],
        ),
    ]
