"""A passage says which index key its tokens are made with, so that the key can be changed."""

from django.db import migrations, models

from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0003_search_tables")]

    operations = [
        migrations.AddField(
            model_name="passage",
            name="token_epoch",
            field=models.IntegerField(default=1),
        ),
        ShowToSweeper("Passage"),
    ]
