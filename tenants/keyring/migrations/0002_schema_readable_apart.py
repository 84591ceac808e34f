from django.db import migrations

from tenants.isolation.grants import GrantControlTable
from tenants.keyring.database import OWNER_ALIAS


class _GrantApart(GrantControlTable):
    """In a database of its own: beside the data, that table is granted there."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.alias == OWNER_ALIAS:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.alias == OWNER_ALIAS:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    """Let those who serve see that the keyring's schema is the one this code was written for."""

    dependencies = [
        ("keyring", "0001_initial"),
    ]

    operations = [
        _GrantApart("django_migrations", "SELECT"),
    ]
