"""How the keyring's database is reached: always over a connection and in transactions of its own.

So keys are committed before what they seal, and destroyed before what they sealed is deleted,
whether they share a server with the data or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Model
from psycopg import sql

from tenants.isolation.scope import SETTING, tenant_named
from tenants.keyring.errors import KeystoreUnavailable

ALIAS = "keyring"
OWNER_ALIAS = "keyring_owner"
_APP = "keyring"
STATEMENT_MILLISECONDS = 5_000
_LOCKS = 0x6B657973  # ours among a database's advisory locks: "keys"


class KeyringRouter:
    """Sends the keyring's models to its database, and keeps every other table out of it."""

    def db_for_read(self, model: type[Model], **_: object) -> str | None:
        return ALIAS if model._meta.app_label == _APP else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: object) -> bool | None:
        if db in (ALIAS, OWNER_ALIAS):
            return app_label == _APP
        return None if app_label != _APP else not settings.SOUVENIR_KEYRING_APART


@contextmanager
def keyring_transaction(tenant_id: UUID) -> Iterator[None]:
    """A transaction of the keyring for one organization, whose scope may be open or not.

    Raises:
        KeystoreUnavailable: its database does not answer.
    """
    with tenant_named(tenant_id), control_transaction():
        _run("SET LOCAL {} = {}", sql.Identifier(*SETTING.split(".")), sql.Literal(str(tenant_id)))
        yield


@contextmanager
def control_transaction() -> Iterator[None]:
    """A transaction of the keyring for what belongs to no organization. Nothing in it waits long.

    Raises:
        KeystoreUnavailable
    """
    with reachable(), transaction.atomic(using=ALIAS):
        # With the transaction, and not with the connection, which a pooler shares.
        _run("SET LOCAL statement_timeout = {}", sql.Literal(STATEMENT_MILLISECONDS))
        yield


def while_key_of(tenant_id: UUID, *, is_renewed: bool = False) -> None:
    """Until the transaction ends, nobody renews what the organization's key wraps; or, for whoever
    renews it, nobody wraps. It waits for those who are at it.
    """
    lock = "pg_advisory_xact_lock" if is_renewed else "pg_advisory_xact_lock_shared"
    which = int.from_bytes(tenant_id.bytes[-4:], "big", signed=True)
    _run(f"SELECT {lock}({{}}, {{}})", sql.Literal(_LOCKS), sql.Literal(which))


@contextmanager
def reachable() -> Iterator[None]:
    """Say of a database that does not answer what a person can understand.

    Raises:
        KeystoreUnavailable
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        connections[ALIAS].close()
        raise KeystoreUnavailable from error


def _run(statement: str, *parts: sql.Composable) -> None:
    with connections[ALIAS].cursor() as cursor:
        composed = sql.SQL(statement).format(*parts)
        cursor.execute(composed.as_string(cursor.connection))
