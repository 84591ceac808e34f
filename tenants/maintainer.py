"""The maintainer's connection: for statements that keep tables in order, outside of transactions.

The role (tenants/isolation/roles.py) reads no row, so nothing here is about a tenant's content.
What it holds for long, others do not wait for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, connections
from psycopg.errors import LockNotAvailable

from tenants.errors import MaintainerMissing, TablesBusy

ALIAS = "maintainer"


def maintain(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement as the maintainer. Gives its rows, if it has any.

    Raises:
        MaintainerMissing: this process was not given the connection.
        TablesBusy: somebody holds what it needs, and it does not wait in front of others.
    """
    if ALIAS not in connections.databases:
        raise MaintainerMissing
    with connections[ALIAS].cursor() as cursor:
        with _busy_told():
            cursor.execute(statement, parameters or None)
        return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def waiting_at_most(interval: str) -> Iterator[None]:
    """In the transaction of who serves: a table that the maintainer holds is not waited for.

    Raises:
        TablesBusy: nothing of the transaction is kept.
    """
    with connection.cursor() as cursor, _busy_told():
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [interval])
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


@contextmanager
def _busy_told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise TablesBusy from error
        raise
