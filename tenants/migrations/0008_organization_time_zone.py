"""An organization may say where its days begin."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_audit_log")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="time_zone",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
    ]
