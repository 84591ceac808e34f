"""What the run-time role must not be, own or be set to."""

from tests.tenants.planted.hole import DATABASE, TABLE, Hole

_TENANT = "'01890000-0000-7000-8000-000000000000'"


_POWERS = {
    "SUPERUSER": "role-superuser",
    "BYPASSRLS": "role-past-row-security",
    "CREATEROLE": "role-powerful",
    "CREATEDB": "role-powerful",
    "REPLICATION": "role-powerful",
}


def _power(power: str) -> Hole:
    return Hole(
        f"the role is {power}",
        f"ALTER ROLE souvenir_app {power}",
        _POWERS[power],
        "souvenir_app",
        superuser=True,
    )


def _member(role: str) -> Hole:
    return Hole(
        f"the role is a member of {role}",
        f"GRANT {role} TO souvenir_app",
        "role-is-member",
        role,
        superuser=True,
    )


def _setting(name: str, value: str, *, whose: str = "ROLE souvenir_app") -> Hole:
    holder = "souvenir_app" if whose.startswith("ROLE souvenir_app") else "every role"
    return Hole(
        f"{name} is set for {whose}",
        f"ALTER {whose} SET {name} = {value}",
        "role-setting",
        f"{holder}: {name}",
        superuser=True,
    )


def _owns(name: str, do: str, owned: str) -> Hole:
    return Hole(f"the role owns {name}", do, "role-owns", owned, superuser=True)


HOLES = [
    *map(_power, _POWERS),
    _member("souvenir_owner"),
    _member("pg_read_all_data"),
    _member("pg_write_all_data"),
    _member("pg_execute_server_program"),
    _member("pg_read_server_files"),
    _member("pg_write_server_files"),
    _member("pg_monitor"),
    _member("pg_maintain"),
    _member("pg_signal_backend"),
    Hole(
        "the role is a member of a member of the owner",
        "CREATE ROLE between; GRANT souvenir_owner TO between; GRANT between TO souvenir_app",
        "role-is-member",
        "souvenir_owner",
        superuser=True,
    ),
    Hole(
        "the role may make itself a member, though it inherits nothing",
        "GRANT souvenir_owner TO souvenir_app WITH INHERIT FALSE, SET FALSE, ADMIN TRUE",
        "role-is-member",
        "souvenir_owner",
        superuser=True,
    ),
    _owns("a table", f"ALTER TABLE {TABLE} OWNER TO souvenir_app", TABLE),
    _owns("the schema", "ALTER SCHEMA public OWNER TO souvenir_app", "public"),
    _owns("the database", f"ALTER DATABASE {DATABASE} OWNER TO souvenir_app", DATABASE),
    _owns(
        "a function",
        "CREATE FUNCTION peek() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        " ALTER FUNCTION peek() OWNER TO souvenir_app",
        "peek()",
    ),
    _owns(
        "a sequence",
        "CREATE SEQUENCE counter; ALTER SEQUENCE counter OWNER TO souvenir_app",
        "counter",
    ),
    _owns("a type", "CREATE DOMAIN word AS text; ALTER DOMAIN word OWNER TO souvenir_app", "word"),
    Hole(
        "the role may create in the schema",
        "GRANT CREATE ON SCHEMA public TO souvenir_app",
        "role-may-create",
        "public",
    ),
    Hole(
        "everybody may create in the schema",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "role-may-create",
        "public",
    ),
    Hole(
        "the role may create in PostgreSQL's own schema",
        "GRANT CREATE ON SCHEMA pg_catalog TO souvenir_app",
        "role-may-create",
        "pg_catalog",
        superuser=True,
    ),
    Hole(
        "the role may create schemas",
        f"GRANT CREATE ON DATABASE {DATABASE} TO souvenir_app",
        "role-may-create",
        DATABASE,
    ),
    Hole(
        "the role may make temporary tables",
        f"GRANT TEMP ON DATABASE {DATABASE} TO souvenir_app",
        "role-may-make-temporary-tables",
        DATABASE,
    ),
    Hole(
        "everybody may make temporary tables",
        f"GRANT TEMP ON DATABASE {DATABASE} TO PUBLIC",
        "role-may-make-temporary-tables",
        DATABASE,
    ),
    Hole(
        "the role may switch foreign keys off",
        "GRANT SET ON PARAMETER session_replication_role TO souvenir_app",
        "role-may-set-parameter",
        "session_replication_role",
        superuser=True,
    ),
    Hole(
        "the role may change the server",
        "GRANT ALTER SYSTEM ON PARAMETER archive_command TO souvenir_app",
        "role-may-set-parameter",
        "archive_command",
        superuser=True,
    ),
    _setting("row_security", "off"),
    _setting("search_path", "elsewhere, public"),
    _setting("session_replication_role", "replica"),
    _setting("app.tenant_id", _TENANT),
    _setting("app.tenant_id", _TENANT, whose=f"ROLE souvenir_app IN DATABASE {DATABASE}"),
    _setting("app.tenant_id", _TENANT, whose=f"DATABASE {DATABASE}"),
    _setting("search_path", "elsewhere, public", whose="ROLE ALL"),
    _setting("role", "souvenir_owner"),
    _setting("local_preload_libraries", "'$libdir/plugins/auto_explain'", whose="ROLE ALL"),
    Hole(
        "the session was opened with row-level security off",
        "SET LOCAL row_security = off",
        "session-setting",
        "row_security",
    ),
    Hole(
        "the session looks for tables elsewhere first",
        "SET LOCAL search_path = elsewhere, public",
        "session-setting",
        "search_path",
    ),
    Hole(
        "the session was opened with foreign keys off",
        "SET LOCAL session_replication_role = replica",
        "session-setting",
        "session_replication_role",
        superuser=True,
    ),
]
