"""Passages of what memories said before are kept, for questions that look back."""

from django.db import migrations, models

from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0010_wider_graphs")]

    operations = [
        migrations.AddField(
            model_name="passage", name="past_version", field=models.IntegerField(default=0)
        ),
        ShowToSweeper("Passage"),
        migrations.RemoveIndex(model_name="passage", name="passage_lengths"),
        migrations.AddIndex(
            model_name="passage",
            index=models.Index(
                fields=["tenant_id", "store"],
                include=["terms", "past_version"],
                name="passage_lengths",
            ),
        ),
    ]
