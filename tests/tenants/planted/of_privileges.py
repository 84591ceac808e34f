"""Rights that reach past row-level security, or to somebody else."""

from tests.tenants.planted.hole import DATABASE, TABLE, Hole


def _past(what: str, table: str = TABLE) -> Hole:
    return Hole(
        f"{what} on {table}",
        f"GRANT {what} ON {table} TO souvenir_app",
        "privilege-past-row-security",
        f"{table}: {what.split(maxsplit=1)[0]}",
    )


def _truncate(what: str, table: str) -> Hole:
    return Hole(
        f"{what} on {table}",
        f"GRANT {what} ON {table} TO souvenir_app",
        "role-may-truncate",
        table,
    )


def _control(privilege: str, table: str, *, columns: str = "") -> Hole:
    return Hole(
        f"{privilege} {columns} on the control table {table}",
        f"GRANT {privilege} {columns} ON {table} TO souvenir_app",
        "control-table-privilege",
        f"{table}: {privilege}",
    )


def _others(what: str, to: str, shown: str) -> Hole:
    return Hole(
        f"{what} is granted to {to}",
        f"GRANT {what} TO {to}",
        "granted-to-others",
        f"{shown} to {to}",
    )


def _defaults(what: str) -> Hole:
    return Hole(
        f"by default, {what}",
        f"ALTER DEFAULT PRIVILEGES GRANT {what}",
        "default-privileges",
        "souvenir_owner",
    )


def _opened(grant: str, shown: str, *, code: str = "system-object-opened") -> Hole:
    return Hole(f"opened: {grant}", f"GRANT {grant}", code, shown, superuser=True)


HOLES = [
    *map(_past, ["REFERENCES", "TRIGGER", "MAINTAIN", "REFERENCES (id)"]),
    _truncate("TRUNCATE", TABLE),
    _truncate("ALL", TABLE),
    _truncate("TRUNCATE", "tenants_user"),
    _past("TRIGGER", "tenants_membership"),
    Hole(
        "ALL TABLES are granted with ALL",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO souvenir_app",
        "role-may-truncate",
        "ingestion_rawobject",
    ),
    _control("DELETE", "tenants_organization"),
    _control("DELETE", "tenants_user"),
    _control("INSERT", "django_migrations"),
    _control("UPDATE", "django_migrations", columns="(name)"),
    _control("INSERT", "django_content_type", columns="(model)"),
    _others(f"SELECT ON {TABLE}", "PUBLIC", TABLE),
    _others("SELECT ON tenants_user", "PUBLIC", "tenants_user"),
    _others(f"SELECT (id) ON {TABLE}", "PUBLIC", f"{TABLE}.id"),
    _others(f"SELECT ON {TABLE}", "souvenir_broker", TABLE),
    _others(f"UPDATE (tenant_id) ON {TABLE}", "souvenir_broker", f"{TABLE}.tenant_id"),
    _others(f"SELECT ON {TABLE}", "pg_monitor", TABLE),
    _others("USAGE ON SCHEMA public", "PUBLIC", "public"),
    _others(f"CONNECT ON DATABASE {DATABASE}", "PUBLIC", DATABASE),
    Hole(
        "the role may pass its rights on",
        f"GRANT SELECT ON {TABLE} TO souvenir_app WITH GRANT OPTION",
        "role-may-grant",
        TABLE,
    ),
    Hole(
        "the role may pass its rights to a column on",
        "GRANT SELECT (email) ON tenants_user TO souvenir_app WITH GRANT OPTION",
        "role-may-grant",
        "tenants_user.email",
    ),
    _defaults("SELECT ON TABLES TO souvenir_app"),
    _defaults("SELECT ON TABLES TO PUBLIC"),
    _defaults("USAGE ON SEQUENCES TO souvenir_app"),
    Hole(
        "by default, in one schema",
        "ALTER DEFAULT PRIVILEGES FOR ROLE souvenir_owner IN SCHEMA public"
        " GRANT ALL ON TABLES TO souvenir_app",
        "default-privileges",
        "souvenir_owner",
        superuser=True,
    ),
    _opened("SELECT ON pg_statistic TO souvenir_app", "pg_statistic"),
    _opened("SELECT ON pg_statistic_ext_data TO PUBLIC", "pg_statistic_ext_data"),
    _opened("SELECT ON pg_authid TO souvenir_app", "pg_authid"),
    _opened("SELECT (rolpassword) ON pg_authid TO souvenir_app", "pg_authid.rolpassword"),
    _opened("SELECT ON pg_largeobject TO souvenir_app", "pg_largeobject"),
    _opened("EXECUTE ON FUNCTION pg_read_file(text) TO souvenir_app", "pg_read_file(text)"),
    _opened("EXECUTE ON FUNCTION pg_ls_dir(text) TO PUBLIC", "pg_ls_dir(text)"),
    _opened("EXECUTE ON FUNCTION lo_import(text) TO souvenir_app", "lo_import(text)"),
    _opened(
        "EXECUTE ON FUNCTION pg_table_size(regclass) TO souvenir_app",
        "pg_table_size(regclass)",
        code="sizes-readable",
    ),
    _opened(
        "EXECUTE ON FUNCTION pg_indexes_size(regclass) TO PUBLIC",
        "pg_indexes_size(regclass)",
        code="sizes-readable",
    ),
]
