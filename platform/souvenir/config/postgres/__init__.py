"""Django's way to PostgreSQL, with a cheaper question whether the server is still there."""
