"""A tenant that has come since the last ANALYZE is planned for like any other."""

from django.db import migrations

from tenants.isolation.operations import CountTenantsAlike


class Migration(migrations.Migration):
    dependencies = [("memories", "0003_metadata")]

    operations = [
        CountTenantsAlike(
            "Person",
            "Store",
            "Source",
            "Conversation",
            "Message",
            "Memory",
            "MemorySubject",
            "MemoryVersion",
            "Evidence",
        )
    ]
