"""Who may do what with the audit log: the run-time role adds to it, and changes nothing of it."""

from collections.abc import Iterator

from django.db import migrations

from tenants.isolation.grants import GrantControlTable
from tenants.isolation.scope import SETTING
from tenants.isolation.statements import Place, StatementsOperation

# The organization in scope; NULL: no scope is open.
_SCOPE = f"nullif(current_setting('{SETTING}', true), '')::uuid"


class WallAuditLog(StatementsOperation):
    """Show each organization its own entries, and the cell's own to whoever works in no scope.

    In a scope nothing is written for another organization. There is no policy for changes: with
    row-level security forced, the owner of the table may not make any either.
    """

    def forwards(self, place: Place) -> Iterator[str]:
        del place
        yield "ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY"
        yield "ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY"
        yield (
            "CREATE POLICY audit_read ON audit_entry FOR SELECT"
            f" USING (organization_id IS NOT DISTINCT FROM {_SCOPE})"
        )
        yield (
            "CREATE POLICY audit_append ON audit_entry FOR INSERT WITH CHECK"
            f" ({_SCOPE} IS NULL OR organization_id IS NULL OR organization_id = {_SCOPE})"
        )

    def backwards(self, place: Place) -> Iterator[str]:
        del place
        yield "DROP POLICY audit_append ON audit_entry"
        yield "DROP POLICY audit_read ON audit_entry"
        yield "ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY"
        yield "ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("tenants", "0006_sealed_errors")]

    operations = [
        WallAuditLog(),
        GrantControlTable("audit_entry", "SELECT, INSERT"),
        GrantControlTable("audit_waiting", "SELECT, INSERT, DELETE"),
        GrantControlTable("audit_node", "SELECT, INSERT"),
        GrantControlTable("audit_checkpoint", "SELECT, INSERT"),
    ]
