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
    with tenant_named(tenant_id), reachable(), transaction.atomic(using=ALIAS):
        with connections[ALIAS].cursor() as cursor:
            statement = sql.SQL("SET LOCAL {} = {}").format(
                sql.Identifier(*SETTING.split(".")), sql.Literal(str(tenant_id))
            )
            cursor.execute(statement.as_string(cursor.connection))
        yield


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
