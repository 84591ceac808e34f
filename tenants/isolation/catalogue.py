"""The catalogue audit: does the database itself keep the tenants apart?

Asked of the live catalogue, as the run-time role, at start-up and on every test run.
"""

from dataclasses import dataclass
from pathlib import Path

from django.db import connection

_QUESTION = (Path(__file__).parent / "catalogue.sql").read_text()
# The policy of operations.py, as PostgreSQL prints it back.
_PRINTED_PREDICATE = (
    "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
)

# Tables that belong to no tenant, and why the run-time role may still touch them.
CONTROL_TABLES = {
    "django_migrations": "read, to know that the schema is the one this code was written for",
    "django_content_type": "Django's own names of models; no rows of people",
    "django_session": "signed-in browsers; an opaque key and a signed body",
    "tenants_user": "people who sign in; looked up before an organization is known",
    "tenants_organization": "the directory of tenants",
    "tenants_membership": "which user may enter which organization",
    "tenants_platformkey": "keys of the operator, which act on the directory and on no tenant",
}

REMEDIES = {
    "role-powerful": "take SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB, REPLICATION from it",
    "role-owns": "let souvenir_owner own it: an owner can switch row-level security off",
    "role-may-create": "REVOKE CREATE on the schema",
    "role-may-make-temporary-tables": "REVOKE TEMP on the database",
    "table-without-tenant": "inherit from TenantScoped, or list it in CONTROL_TABLES",
    "row-security-off": "add IsolateTenantTable to its migration",
    "row-security-not-forced": "add IsolateTenantTable to its migration",
    "policy-not-exact": "one policy, for all commands and roles, exactly the one of operations.py",
    "partition-reachable": "grant on the parent only: a partition does not inherit its policies",
    "foreign-table-reachable": "revoke it: row-level security does not reach foreign tables",
    "view-with-owner-s-rights": "create the view WITH (security_invoker = true)",
    "materialized-view-reachable": "revoke it: a materialized view has no row-level security",
    "privilege-past-row-security": "REVOKE TRUNCATE, REFERENCES, TRIGGER, MAINTAIN",
    "key-without-tenant": "begin the key with tenant_id",
    "unique-index-without-tenant": "begin it with tenant_id: a clash would tell of a stranger",
    "no-primary-key": "add IsolateTenantTable to its migration",
    "trigger-on-tenant-table": "do it in a service: triggers run out of sight",
    "function-with-owner-s-rights": "make it SECURITY INVOKER or revoke EXECUTE",
    "default-privileges": "ALTER DEFAULT PRIVILEGES … REVOKE: grants are made table by table",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One way across, and how to close it."""

    code: str
    object: str

    @property
    def remedy(self) -> str:
        return REMEDIES[self.code]


class IsolationBroken(RuntimeError):
    """The database would let tenants meet. Nothing is served."""


def audit_isolation() -> list[Finding]:
    """Every way across that the catalogue shows, by code and object; none is the good answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            _QUESTION, {"control": list(CONTROL_TABLES), "predicate": _PRINTED_PREDICATE}
        )
        return [Finding(code=code, object=name) for code, name in cursor.fetchall()]


def refuse_broken_isolation() -> None:
    """Called before anything is served.

    Raises:
        IsolationBroken: with every finding and its remedy.
    """
    findings = audit_isolation()
    if findings:
        lines = [f"{finding.code}: {finding.object} ({finding.remedy})" for finding in findings]
        raise IsolationBroken("Tenants are not kept apart. " + "; ".join(lines))
