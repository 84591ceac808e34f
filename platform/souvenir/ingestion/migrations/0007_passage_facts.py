"""A passage says in what language it is, whose words it holds, and of what kind its memory is."""

from django.db import migrations, models

from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0006_large_store_sizes")]

    operations = [
        migrations.AddField(
            model_name="passage",
            name="kind",
            field=models.CharField(default="message", max_length=32),
        ),
        migrations.AddField(
            model_name="passage",
            name="language",
            field=models.CharField(default="", max_length=8),
        ),
        migrations.AddField(
            model_name="passage",
            name="trust",
            field=models.SmallIntegerField(
                choices=[(1, "third-party"), (2, "assistant"), (3, "person")], default=2
            ),
        ),
        ShowToSweeper("Passage"),
    ]
