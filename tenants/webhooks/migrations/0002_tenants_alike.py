"""A tenant that has come since the last ANALYZE is planned for like any other.

Tellings of an endpoint are found by two indexes that begin with the tenant and the endpoint. A
third, by the endpoint alone, seemed as good and read all that the endpoint was ever told.
"""

from django.db import migrations

from tenants.isolation.operations import CountTenantsAlike, ForgoReferenceIndex


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_endpoints_and_what_they_are_told")]

    operations = [
        CountTenantsAlike("Endpoint", "Event", "Delivery"),
        ForgoReferenceIndex("Delivery", "endpoint_id"),
    ]
