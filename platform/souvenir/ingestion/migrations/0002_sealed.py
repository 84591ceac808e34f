"""Raw objects are sealed like everything else that people wrote."""

from django.db import migrations

import tenants.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0001_initial"),
        ("memories", "0002_sealed"),
    ]

    operations = [
        migrations.AlterField(
            model_name="rawobject",
            name="body",
            field=tenants.sealed.SealedBytesField(),
        ),
    ]
