"""The catalogue audit: does the database itself keep the tenants apart?

Asked of the live catalogue, as the run-time role, at start-up and on every test run.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections

from tenants.isolation.remedies import REMEDIES

_QUESTION = (Path(__file__).parent / "catalogue.sql").read_text(encoding="utf-8")
# The policy of operations.py, as PostgreSQL prints it back.
_PRINTED_PREDICATE = (
    "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
)
# Each brings functions, types and views that the audit then trusts: name one here with care.
EXTENSIONS = ["plpgsql", "vector"]


@dataclass(frozen=True, slots=True)
class ControlTable:
    """A table that belongs to no tenant: what the run-time role may do with it, and why."""

    privileges: tuple[str, ...]
    reason: str


_READ = ("SELECT",)
_KEEP = ("SELECT", "INSERT", "UPDATE")
_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")

CONTROL_TABLES = {
    "django_migrations": ControlTable(
        _READ, "read, to know that the schema is the one this code was written for"
    ),
    "django_content_type": ControlTable(_READ, "Django's own names of models; no rows of people"),
    "django_session": ControlTable(_ALL, "signed-in browsers; an opaque key and a signed body"),
    "keyring_keychange": ControlTable(
        ("SELECT", "INSERT", "DELETE"),
        "tells every process which keys to drop; ids only, read across organizations",
    ),
    "tenants_user": ControlTable(
        _KEEP, "people who sign in; looked up before an organization is known"
    ),
    "tenants_organization": ControlTable(_KEEP, "the directory of tenants"),
    "tenants_membership": ControlTable(_ALL, "which user may enter which organization"),
    "tenants_platformkey": ControlTable(
        _KEEP, "keys of the operator, which act on the directory and on no tenant"
    ),
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


def audit_isolation(*, using: str = DEFAULT_DB_ALIAS) -> list[Finding]:
    """Every way across that the catalogue shows, by code and object; none is the good answer.

    Args:
        using: a connection of the run-time role: the audit is about whoever asks.
    """
    control = {name: table.privileges for name, table in CONTROL_TABLES.items()}
    with connections[using].cursor() as cursor:
        cursor.execute(
            _QUESTION,
            {
                "control": json.dumps(control),
                "extensions": EXTENSIONS,
                "predicate": _PRINTED_PREDICATE,
            },
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
