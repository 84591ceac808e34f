"""A tenant that has come since the last ANALYZE is planned for like any other."""

from django.db import migrations

from tenants.isolation.operations import CountTenantsAlike


class Migration(migrations.Migration):
    dependencies = [("idempotency", "0002_digests_are_no_content")]

    operations = [CountTenantsAlike("Replay")]
