"""A tenant that has come since the last ANALYZE is planned for like any other."""

from django.db import migrations

from tenants.isolation.operations import CountTenantsAlike


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_organization_time_zone")]

    operations = [CountTenantsAlike("ApiKey", "Job", "JobItem", "Usage")]
