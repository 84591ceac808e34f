"""Passages of a time can be looked up: a question may speak of one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0008_reading_in_stretches")]

    operations = [
        migrations.AddIndex(
            model_name="passage",
            index=models.Index(
                fields=["tenant_id", "store", "occurred_at"],
                include=["id"],
                condition=models.Q(("occurred_at__isnull", False)),
                name="passage_times",
            ),
        ),
    ]
