"""A tenant that has come since the last ANALYZE is planned for like any other."""

from django.db import migrations

from tenants.isolation.operations import CountTenantsAlike


class Migration(migrations.Migration):
    dependencies = [("deletion", "0001_initial")]

    operations = [CountTenantsAlike("Erasure")]
