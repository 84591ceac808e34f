"""An upload is read a stretch at a time: how many have been read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0007_passage_facts")]

    operations = [
        migrations.AddField(
            model_name="import", name="stretches", field=models.IntegerField(default=0)
        ),
    ]
