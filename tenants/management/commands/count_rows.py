"""`manage.py count_rows --organization …`: how much is kept of one organization, table by table."""

from typing import Any

from django.apps import apps

from tenants.commands import TenantCommand
from tenants.isolation.tables import TenantOwned
from tenants.keyring.database import keyring_transaction
from tenants.models import Organization


class Command(TenantCommand):
    help = "Count the rows that are kept of one organization, table by table. No content is read."

    def handle_tenant(self, *, organization: Organization, **_options: Any) -> None:
        with keyring_transaction(organization.id):
            counts = {
                model._meta.db_table: model._default_manager.count()
                for model in apps.get_models()
                if issubclass(model, TenantOwned)
            }
        width = max(map(len, counts))
        for table, count in sorted(counts.items()):
            self.stdout.write(f"{table:<{width}}  {count:>10}")
