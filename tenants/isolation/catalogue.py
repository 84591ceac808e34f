"""The catalogue audit: does the database itself keep the tenants apart?

Asked of the live catalogue, as the run-time role, at start-up and on every test run.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from tenants.isolation.grants import SHOWN_TYPES
from tenants.isolation.remedies import REMEDIES
from tenants.isolation.roles import CONTROL, MAINTAINER, OWNER, RELAY, SERVICES, SWEEPER, Role

_CATALOGUE, _SERVICES = (
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("catalogue.sql", "services.sql")
)
# The policy of operations.py, as PostgreSQL prints it back.
_PRINTED_PREDICATE = (
    "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
)
# The policies of the audit log (migration 0007), likewise: command, for everyone, to see, to write.
_SCOPE = "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid"
_AUDIT_LOG = [
    [
        "a",
        True,
        None,
        f"(({_SCOPE} IS NULL) OR (organization_id IS NULL) OR (organization_id = {_SCOPE}))",
    ],
    ["r", True, f"(NOT (organization_id IS DISTINCT FROM {_SCOPE}))", None],
]
# Each brings functions, types and views that the audit then trusts: name one here with care.
EXTENSIONS = ["plpgsql", "vector"]


@dataclass(frozen=True, slots=True)
class ControlTable:
    """A table that belongs to no tenant: what each role may do with it, and why.

    `privileges` are the run-time role's and `relay` the relay's, on the whole table; `control` and
    `sweeper` are the columns that those two may read. Migrations grant it (grants.py).
    """

    privileges: tuple[str, ...]
    reason: str
    relay: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    sweeper: tuple[str, ...] = ()


_READ = ("SELECT",)
_KEEP = ("SELECT", "INSERT", "UPDATE")
_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")

CONTROL_TABLES = {
    "django_migrations": ControlTable(
        _READ,
        "read, to know that the schema is the one this code was written for",
        control=("id", "app", "name", "applied"),
    ),
    "django_content_type": ControlTable(_READ, "Django's own names of models; no rows of people"),
    "django_session": ControlTable(_ALL, "signed-in browsers; an opaque key and a signed body"),
    "keyring_keychange": ControlTable(
        ("SELECT", "INSERT", "DELETE"),
        "tells every process which keys to drop; ids only, read across organizations",
    ),
    "embedding_embeddingmodel": ControlTable(
        _KEEP, "which models make vectors, for the whole cell; names and numbers"
    ),
    "audit_entry": ControlTable(
        ("SELECT", "INSERT"),
        "the audit log: ids, codes; policies of its own show an organization its entries alone",
    ),
    "audit_waiting": ControlTable(
        ("SELECT", "INSERT", "DELETE"), "entries that have no place in the log’s tree yet; ids only"
    ),
    "audit_node": ControlTable(
        ("SELECT", "INSERT"), "the tree over the log of the whole cell; hashes and ids"
    ),
    "audit_checkpoint": ControlTable(
        ("SELECT", "INSERT"), "what the log was when; signed, and meant to be shown to anybody"
    ),
    "tenants_user": ControlTable(
        _KEEP,
        "people who sign in; looked up before an organization is known",
        control=("id", "language", "is_active", "is_platform_admin", "last_login"),
    ),
    "tenants_organization": ControlTable(
        _KEEP,
        "the directory of tenants",
        control=("id", "slug", "name_en", "name_fr", "placement", "state", "created_at"),
        sweeper=("id", "state"),
    ),
    "tenants_membership": ControlTable(
        _ALL,
        "which user may enter which organization",
        control=("id", "user_id", "organization_id", "role", "person_id"),
    ),
    "tenants_platformkey": ControlTable(
        _KEEP,
        "keys of the operator, which act on the directory and on no tenant",
        control=("id", "label", "created_at", "revoked_at"),
    ),
    "tenants_ring": ControlTable(
        _ALL,
        "the outbox: which jobs wait; ids only, so that turns can be taken between organizations",
        relay=("SELECT", "UPDATE"),
    ),
    "tenants_allowance": ControlTable(
        _ALL,
        "how much of the workers each organization may have; numbers only",
        relay=("SELECT", "UPDATE"),
    ),
    "tenants_breaker": ControlTable(
        _ALL, "kinds of jobs that wait for something of ours to answer again", relay=_READ
    ),
    "tenants_schedule": ControlTable(_KEEP, "when each piece of upkeep is due next"),
}
# What the maintainer may vacuum and build anew, with their partitions; and the functions with their
# owner's rights by which it gives a large store a partition. They hand out no row.
MAINTAINED = ("ingestion_passage", "ingestion_passagetoken", "ingestion_passagevector")
MAINTAINER_FUNCTIONS = (
    "open_bucket(uuid,integer)",
    "index_bucket(uuid,integer,smallint,integer,integer)",
    "unindex_bucket(uuid,integer,smallint)",
    "close_bucket(uuid,integer)",
    "drop_unfinished_indexes()",
)


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


def audit_isolation(*, using: str | None = None) -> list[Finding]:
    """Every way across that the catalogue shows, by code and object; none is the good answer.

    Args:
        using: a connection of the run-time role: the audit is about whoever asks. None: each
            database that is served from, which is two where the keyring has its own.
    """
    served = [DEFAULT_DB_ALIAS, *(["keyring"] if settings.SOUVENIR_KEYRING_APART else [])]
    return [
        finding
        for alias in ([using] if using else served)
        for finding in _asked(_CATALOGUE, _SERVICES, using=alias)
    ]


def refuse_broken_isolation() -> None:
    """Called by whatever serves as the run-time role, before it does.

    Raises:
        IsolationBroken: with every finding and its remedy.
    """
    _refuse(audit_isolation())


def refuse_wrong_role(role: Role, *, using: str) -> None:
    """Called by whatever works as a role beside the run-time role, before it does.

    Raises:
        IsolationBroken: it is not that role, it lacks what it proves things with, or one of those
            roles holds more than is declared.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT rolname, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        name, past_row_security = cursor.fetchone()
    if name != role.name:
        msg = f"This works as {role.name} and was given the connection of {name}."
        raise IsolationBroken(msg)
    if role.past_row_security and not past_row_security:
        # It would find nothing of anybody's, and prove by that whatever is asked.
        msg = f"{name} sees no rows: ALTER ROLE {name} BYPASSRLS, as a superuser."
        raise IsolationBroken(msg)
    _refuse(_asked(_SERVICES, using=using))


def _refuse(findings: list[Finding]) -> None:
    if findings:
        lines = [f"{finding.code}: {finding.object} ({finding.remedy})" for finding in findings]
        raise IsolationBroken("Tenants are not kept apart. " + "; ".join(lines))


def _asked(*questions: str, using: str) -> list[Finding]:
    control = {name: table.privileges for name, table in CONTROL_TABLES.items()}
    answers: dict[str, str | list[str]] = {
        "audit_log": json.dumps(_AUDIT_LOG),
        "control": json.dumps(control),
        "declared": json.dumps(list(_declared())),
        "extensions": EXTENSIONS,
        "owner": OWNER.name,
        "predicate": _PRINTED_PREDICATE,
        "services": [role.name for role in SERVICES],
        "shown_types": list(SHOWN_TYPES),
        "sweeper": SWEEPER.name,
    }
    found: set[tuple[str, str]] = set()
    with connections[using].cursor() as cursor:
        for question in questions:
            cursor.execute(question, answers)
            found.update(cursor.fetchall())
    return [Finding(code=code, object=name) for code, name in sorted(found)]


def _declared() -> Iterator[str]:
    """What the roles beside the run-time role may hold, as services.sql reads it."""
    for name, table in CONTROL_TABLES.items():
        yield from (f"{RELAY.name}|{name}|{privilege}" for privilege in table.relay)
        yield from (f"{CONTROL.name}|{name}.{column}|SELECT" for column in table.control)
        yield from (f"{SWEEPER.name}|{name}.{column}|SELECT" for column in table.sweeper)
    yield from (f"{MAINTAINER.name}|{name}|MAINTAIN" for name in MAINTAINED)
    yield from (f"{MAINTAINER.name}|{function}|EXECUTE" for function in MAINTAINER_FUNCTIONS)
