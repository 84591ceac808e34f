from django.db import migrations

from tenants.isolation.grants import EnsureRoles, GrantTable, ShowToSweeper
from tenants.isolation.roles import CONTROL, SWEEPER


class Migration(migrations.Migration):
    """Roles beside the run-time role: what each may read of the directory, and of tenant tables."""

    dependencies = [("tenants", "0001_initial")]

    operations = [
        EnsureRoles(),
        GrantTable("django_migrations", "SELECT (id, app, name, applied)", to=CONTROL.name),
        GrantTable(
            "tenants_organization",
            "SELECT (id, slug, name_en, name_fr, placement, state, created_at)",
            to=CONTROL.name,
        ),
        GrantTable(
            "tenants_membership",
            "SELECT (id, user_id, organization_id, role, person_id)",
            to=CONTROL.name,
        ),
        GrantTable(
            "tenants_user",
            "SELECT (id, language, is_active, is_platform_admin, last_login)",
            to=CONTROL.name,
        ),
        GrantTable(
            "tenants_platformkey", "SELECT (id, label, created_at, revoked_at)", to=CONTROL.name
        ),
        GrantTable("tenants_organization", "SELECT (id, state)", to=SWEEPER.name),
        # Tables that were there before this role was; later ones do it as they are isolated.
        ShowToSweeper(),
    ]
