"""Ways into the databases of the tests' second server, as Django's connections."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connections, transaction

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.roles import APP, OWNER
from souvenir.config.embedded.throwaway import Throwaway
from tenants.isolation.catalogue import audit_isolation

OWNER_ALIAS = "owner-elsewhere"
SUPERUSER_ALIAS = "superuser-elsewhere"


@contextmanager
def way_in(server: Throwaway, *, database: str) -> Iterator[None]:
    """For as long as the body runs, the two aliases lead into `database`; one body at a time."""
    place = {"NAME": database, "HOST": str(server.server.address.sockets)}
    owner = {"USER": OWNER, "PASSWORD": server.passwords.owner}
    superuser = {"USER": SUPERUSER, "PASSWORD": server.passwords.superuser}
    with leading(OWNER_ALIAS, place | owner), leading(SUPERUSER_ALIAS, place | superuser):
        yield


@contextmanager
def leading(alias: str, changes: Mapping[str, object]) -> Iterator[None]:
    """For as long as the body runs, the connection `alias` has other settings, or exists at all.

    Args:
        changes: to the settings that it has, or to those of the default connection.
    """
    before = connections.databases.get(alias)
    _leave(alias)
    connections.databases[alias] = {**(before or connections.databases["default"]), **changes}
    try:
        yield
    finally:
        _leave(alias)
        if before is not None:
            connections.databases[alias] = before


def found_after(*statements: str, as_role: str = OWNER) -> set[tuple[str, str]]:
    """What the run-time role would find after some statements, which are then undone.

    All of it is one transaction: the catalogue is asked before anybody else can see the change.
    """
    with transaction.atomic(using=SUPERUSER_ALIAS):
        with connections[SUPERUSER_ALIAS].cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {as_role}")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute(f"SET LOCAL ROLE {APP}")
        found = audit_isolation(using=SUPERUSER_ALIAS)
        transaction.set_rollback(True, using=SUPERUSER_ALIAS)
    return {(finding.code, finding.object) for finding in found}


def _leave(alias: str) -> None:
    if alias in connections.databases:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
