"""The roles of the database: who each is, and the little that each may do.

The embedded profile makes them from this list, docs/deploying.md tells operators to make the same,
migrations grant to them by name, and the catalogue audit holds each to what is declared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_IDLE = {"idle_in_transaction_session_timeout": "60s"}
_READ_ONLY = {"default_transaction_read_only": "on"}


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the server. None is a superuser, makes roles or databases, or inherits rights."""

    name: str
    purpose: str
    past_row_security: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> str:
        """As CREATE ROLE and ALTER ROLE take them, without LOGIN."""
        bypass = "BYPASSRLS" if self.past_row_security else "NOBYPASSRLS"
        return f"NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {bypass} NOINHERIT"


OWNER = Role("souvenir_owner", "owns the schema and runs migrations; nothing that serves is it")
APP = Role(
    "souvenir_app",
    "what the web and the workers are: it owns nothing and can change no rule",
    settings={
        # A plan made without the tenant's id prunes nothing: ten times slower, measured.
        "plan_cache_mode": "force_custom_plan",
        "max_parallel_workers_per_gather": "0",
        # Whatever one organization asks, it never reads a whole table: others are in it too.
        "enable_seqscan": "off",
        # Of a large store's graph index: how far it looks, and that it goes on where a filter
        # leaves too few.
        "hnsw.ef_search": "1000",
        "hnsw.iterative_scan": "relaxed_order",
        **_IDLE,
    },
)
RELAY = Role(
    "souvenir_relay", "takes rings out of the outbox, and can read nothing else", settings=_IDLE
)
CONTROL = Role(
    "souvenir_control",
    "reads the directory of organizations and logins, without secrets and without tenant tables",
    settings=_READ_ONLY | _IDLE,
)
SWEEPER = Role(
    "souvenir_sweeper",
    "proves an erasure: sees ids, times and states of all organizations, and no content",
    past_row_security=True,
    settings=_READ_ONLY
    | _IDLE
    | {
        # It alone sees past row-level security: the server keeps each thing that it asks.
        "log_statement": "all"
    },
)
MAINTAINER = Role(
    "souvenir_maintainer",
    "keeps the tables of search in order: vacuums, builds indexes anew, gives a large store a"
    " partition of its own; it reads no row of anybody",
    settings=_IDLE | {"max_parallel_maintenance_workers": "1"},
)

ROLES = (OWNER, APP, RELAY, CONTROL, SWEEPER, MAINTAINER)
SERVICES = (RELAY, CONTROL, SWEEPER, MAINTAINER)  # beside the run-time role, each for one purpose


def make_role(role: Role, *, login: bool = False) -> str:
    """The statement that makes a role. It has no password yet."""
    return f"CREATE ROLE {role.name} {'LOGIN' if login else 'NOLOGIN'} {role.attributes}"


def set_role_up(role: Role) -> list[str]:
    """The statements that give a role its settings; a superuser's, for the sweeper's log."""
    return [f"ALTER ROLE {role.name} SET {key} = '{value}'" for key, value in role.settings.items()]
