"""What the roles beside the run-time role must not be or hold."""

from tests.tenants.planted.hole import DATABASE, TABLE, Hole


def _power(role: str, power: str) -> Hole:
    return Hole(
        f"{role} is {power}",
        f"ALTER ROLE {role} {power}",
        "service-role-powerful",
        role,
        superuser=True,
    )


def _member(role: str, of: str) -> Hole:
    return Hole(
        f"{role} is a member of {of}",
        f"GRANT {of} TO {role}",
        "service-role-is-member",
        f"{role} of {of}",
        superuser=True,
    )


def _lent(role: str, to: str, *, options: str = "") -> Hole:
    return Hole(
        f"{role} is lent to {to} {options}",
        f"GRANT {role} TO {to} {options}",
        "service-role-lent",
        f"{role} to {to}",
        superuser=True,
    )


def _setting(role: str, name: str, value: str) -> Hole:
    return Hole(
        f"{name} is set for {role}",
        f"ALTER ROLE {role} SET {name} = {value}",
        "service-role-setting",
        f"{role}: {name}",
        superuser=True,
    )


def _holds(role: str, what: str, on: str, shown: str, *, superuser: bool = False) -> Hole:
    return Hole(
        f"{role} holds {what} on {on}",
        f"GRANT {what} ON {on} TO {role}",
        "service-role-privilege",
        f"{shown} to {role}",
        superuser=superuser,
    )


def _seen(what: str, do: str, shown: str) -> Hole:
    return Hole(f"the sweeper sees {what}", do, "sweeper-reads-content", shown)


HOLES = [
    *(
        _power(f"souvenir_{role}", power)
        for role in ("relay", "control", "sweeper")
        for power in ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION")
    ),
    _power("souvenir_relay", "BYPASSRLS"),
    _power("souvenir_control", "BYPASSRLS"),
    _member("souvenir_relay", "souvenir_app"),
    _member("souvenir_control", "pg_read_all_data"),
    _member("souvenir_sweeper", "souvenir_owner"),
    _lent("souvenir_sweeper", "souvenir_relay"),
    _lent("souvenir_sweeper", "souvenir_owner"),
    _lent("souvenir_relay", "souvenir_broker", options="WITH INHERIT FALSE, SET FALSE, ADMIN TRUE"),
    Hole(
        "the run-time role may act as the sweeper",
        "GRANT souvenir_sweeper TO souvenir_app",
        "role-is-member",
        "souvenir_sweeper",
        superuser=True,
    ),
    Hole(
        "the relay owns the table that it empties",
        "ALTER TABLE django_session OWNER TO souvenir_relay",
        "service-role-owns",
        "souvenir_relay: django_session",
        superuser=True,
    ),
    _setting("souvenir_control", "search_path", "elsewhere, public"),
    _setting("souvenir_relay", "app.tenant_id", "'01890000-0000-7000-8000-000000000000'"),
    Hole(
        "the sweeper may change the server",
        "GRANT ALTER SYSTEM ON PARAMETER archive_command TO souvenir_sweeper",
        "service-role-setting",
        "souvenir_sweeper: archive_command",
        superuser=True,
    ),
    _holds("souvenir_relay", "SELECT", TABLE, f"{TABLE}: SELECT"),
    _holds("souvenir_relay", "SELECT (id)", TABLE, f"{TABLE}.id: SELECT"),
    _holds("souvenir_relay", "SELECT", "tenants_organization", "tenants_organization: SELECT"),
    _holds("souvenir_relay", "TRUNCATE", "tenants_job", "tenants_job: TRUNCATE"),
    _holds("souvenir_control", "SELECT", TABLE, f"{TABLE}: SELECT"),
    _holds("souvenir_control", "SELECT", "tenants_user", "tenants_user: SELECT"),
    _holds(
        "souvenir_control", "SELECT (password)", "tenants_user", "tenants_user.password: SELECT"
    ),
    _holds(
        "souvenir_control",
        "SELECT (digest)",
        "tenants_platformkey",
        "tenants_platformkey.digest: SELECT",
    ),
    _holds("souvenir_control", "SELECT", "django_session", "django_session: SELECT"),
    _holds(
        "souvenir_control", "UPDATE (state)", "tenants_organization",
        "tenants_organization.state: UPDATE",
    ),
    _holds("souvenir_sweeper", "DELETE", TABLE, f"{TABLE}: DELETE"),
    _holds("souvenir_sweeper", "INSERT (id)", TABLE, f"{TABLE}.id: INSERT"),
    _holds("souvenir_sweeper", "REFERENCES (id)", TABLE, f"{TABLE}.id: REFERENCES"),
    _holds("souvenir_sweeper", "SELECT (email)", "tenants_user", "tenants_user.email: SELECT"),
    _holds("souvenir_sweeper", "CREATE", "SCHEMA public", "public: CREATE"),
    _holds("souvenir_relay", "TEMP", f"DATABASE {DATABASE}", f"{DATABASE}: TEMPORARY"),
    _holds(
        "souvenir_sweeper", "EXECUTE", "FUNCTION pg_read_file(text)",
        "pg_read_file(text): EXECUTE", superuser=True,
    ),
    _holds(
        "souvenir_sweeper", "SELECT", "pg_statistic", "pg_statistic: SELECT", superuser=True
    ),
    _holds(
        "souvenir_control", "SELECT (rolpassword)", "pg_authid",
        "pg_authid.rolpassword: SELECT", superuser=True,
    ),
    Hole(
        "the control role may pass its rights on",
        "GRANT SELECT (slug) ON tenants_organization TO souvenir_control WITH GRANT OPTION",
        "service-role-privilege",
        "tenants_organization.slug: GRANT OPTION to souvenir_control",
    ),
    Hole(
        "the sweeper reads a table in another schema",
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.planted (id uuid PRIMARY KEY);"
        " GRANT SELECT ON elsewhere.planted TO souvenir_sweeper;"
        " GRANT USAGE ON SCHEMA elsewhere TO souvenir_sweeper",
        "service-role-privilege",
        "elsewhere: USAGE to souvenir_sweeper",
    ),
    _seen("a whole table", f"GRANT SELECT ON {TABLE} TO souvenir_sweeper", TABLE),
    _seen(
        "a column of content",
        "GRANT SELECT (text) ON memories_memoryversion TO souvenir_sweeper",
        "memories_memoryversion.text",
    ),
    _seen(
        "vectors",
        "GRANT SELECT (embedding) ON ingestion_passagevector TO souvenir_sweeper",
        "ingestion_passagevector.embedding",
    ),
    _seen(
        "a column that came to hold content",
        "COMMENT ON COLUMN memories_memory.kind IS 'content'",
        "memories_memory.kind",
    ),
    _seen(
        "JSON",
        "GRANT SELECT (error_params) ON tenants_job TO souvenir_sweeper",
        "tenants_job.error_params",
    ),
]  # fmt: skip
