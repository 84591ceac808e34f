from django.db import migrations, models
from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    """How far a large store's graph is believed. Of one that moved before, nothing is known yet."""

    dependencies = [('ingestion', '0012_tenants_alike')]

    operations = [
        migrations.AddField(
            model_name='largestore',
            name='trusted_distance',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='largestore',
            name='trusted_gap',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='largestore',
            name='trusted_model',
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='largestore',
            name='trusted_at',
            field=models.DateTimeField(null=True),
        ),
        ShowToSweeper("LargeStore"),
    ]
