"""The maintainer's connection: for statements that keep tables in order, outside of transactions.

The role (tenants/isolation/roles.py) reads no row, so nothing here is about a tenant's content.
"""

from typing import Any

from django.db import OperationalError, connections
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
        try:
            cursor.execute(statement, parameters or None)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise TablesBusy from error
            raise
        return list(cursor.fetchall()) if cursor.description else []
