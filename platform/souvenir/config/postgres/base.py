"""Django loads the class of this name from a module of this name."""

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but that a connection is not asked a question before each request.

    A server that ends says so on the connection, or the kernel does: what lies there is read, and
    nothing is sent. A network that is cut without a word is not noticed so, nor by `SELECT 1`
    before the same time-outs.
    """

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        raw = self.connection.pgconn
        try:
            raw.consume_input()  # reads what the server said last,
            raw.consume_input()  # and then that it has gone
        except psycopg.Error:
            return False
        return bool(raw.status == psycopg.pq.ConnStatus.OK)
