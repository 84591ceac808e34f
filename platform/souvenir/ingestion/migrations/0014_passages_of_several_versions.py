"""A passage may be of several versions of a memory in a row, which differ in their metadata alone."""

from django.db import migrations, models

from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0013_trusted_graphs")]

    operations = [
        migrations.AddField(
            model_name="passage", name="since_version", field=models.IntegerField(null=True)
        ),
        ShowToSweeper("Passage"),
    ]
