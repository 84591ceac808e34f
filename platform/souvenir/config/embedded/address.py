"""How to reach the embedded PostgreSQL: always through a unix socket, never over the network."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import make_conninfo

PORT = 5432  # only a part of the socket's name


@dataclass(frozen=True)
class Address:
    """The folder of the socket."""

    sockets: Path

    def url(self, *, user: str, password: str, database: str) -> str:
        """As `postgresql://user:password@/database?host=…&port=…`, percent-encoded."""
        place = urlencode({"host": str(self.sockets), "port": PORT}, quote_via=quote, safe="")
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@/{quote(database, safe='')}?{place}"

    def dsn(self, *, user: str, password: str, database: str) -> str:
        """As libpq's `key=value` pairs."""
        return make_conninfo(
            host=str(self.sockets), port=PORT, user=user, password=password, dbname=database
        )
