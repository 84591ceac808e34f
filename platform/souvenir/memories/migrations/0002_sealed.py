"""Content is sealed from here on. What was stored in clear before cannot stay, nor be sealed here:
the keys are not this role's.
"""

import django.db.models.deletion
from django.db import migrations, models
from psycopg import sql

import souvenir.core.ids
import tenants.isolation.scope
import tenants.isolation.tables
import tenants.sealed
from tenants.isolation.grants import ShowToSweeper
from tenants.isolation.operations import IsolateTenantTable, MarkContent


class ContentInClear(RuntimeError):
    """There is content from before this migration."""


def refuse_content_in_clear(apps, schema_editor):
    """Go on only where nobody has stored anything yet."""
    organizations = apps.get_model("tenants", "Organization").objects.using(schema_editor.connection.alias)
    for tenant_id in organizations.values_list("id", flat=True):
        with schema_editor.connection.cursor() as cursor:
            scope = sql.SQL("SET LOCAL app.tenant_id = {}").format(sql.Literal(str(tenant_id)))
            cursor.execute(scope.as_string(cursor.connection))
            cursor.execute("SELECT EXISTS (SELECT FROM memories_person)")
            if cursor.fetchone()[0]:
                raise ContentInClear(
                    "This database holds content in clear, of a version before the first release. "
                    "Take everything home with that version, begin with an empty database (on one "
                    "computer: delete the folder .souvenir), and bring it in again."
                )


class Migration(migrations.Migration):
    dependencies = [
        ("memories", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(refuse_content_in_clear, migrations.RunPython.noop),
        migrations.AddField(
            model_name="person",
            name="state",
            field=models.CharField(choices=[("active", "Active"), ("leaving", "Leaving")], default="active", max_length=16),
        ),
        ShowToSweeper("Person"),
        migrations.AlterField(
            model_name="evidence",
            name="quote_sha256",
            field=tenants.sealed.SealedTextField(),
        ),
        MarkContent("Evidence", "quote_sha256"),
        migrations.CreateModel(
            name="MemorySubject",
            fields=[
                ("tenant_id", models.UUIDField(default=tenants.isolation.scope.current_tenant, editable=False)),
                ("id", models.UUIDField(default=souvenir.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("memory", tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="memories.memory")),
                ("person", tenants.isolation.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="memories.person")),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("tenant_id", "memory", "person"), name="about_once")],
            },
        ),
        IsolateTenantTable("MemorySubject", follows=("memory_id",)),
    ]
