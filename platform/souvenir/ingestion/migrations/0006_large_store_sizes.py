from django.db import migrations, models
from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    """What BM25 wants to know of a large store, so that no question counts its passages."""

    dependencies = [
        ('ingestion', '0005_large_stores'),
    ]

    operations = [
        migrations.AddField(
            model_name='largestore',
            name='passages',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='largestore',
            name='terms',
            field=models.BigIntegerField(default=0),
        ),
        ShowToSweeper("LargeStore"),
    ]
