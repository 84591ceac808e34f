"""Row-level security that is off, or that says something else."""

from tenants.isolation.operations import POLICY, PREDICATE
from tests.tenants.planted.hole import EXACT, TABLE, Hole, tenant_table

_SETTING = "current_setting('app.tenant_id', true)"


def _policy(name: str, rest: str, *, before: str = "", superuser: bool = False) -> Hole:
    """In place of the exact policy: `CREATE POLICY … ON … <rest>`."""
    do = f"{before} DROP POLICY {POLICY} ON {TABLE}; CREATE POLICY {POLICY} ON {TABLE} {rest}"
    return Hole(f"a policy {name}", do, "policy-not-exact", TABLE, superuser=superuser)


def _predicate(name: str, predicate: str, *, before: str = "", superuser: bool = False) -> Hole:
    rest = f"USING ({predicate}) WITH CHECK ({predicate})"
    return _policy(name, rest, before=before, superuser=superuser)


def _table(name: str, do: str, code: str, table: str = TABLE, *, superuser: bool = False) -> Hole:
    return Hole(name, do, code, table, superuser=superuser)


HOLES = [
    _table(
        "row-level security is off",
        f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY",
        "row-security-off",
    ),
    _table(
        "row-level security is not forced",
        f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY",
        "row-security-not-forced",
    ),
    _table(
        "a tenant table without the operation, that nobody reaches yet",
        "CREATE TABLE planted (tenant_id uuid NOT NULL, id uuid, PRIMARY KEY (tenant_id, id))",
        "row-security-off",
        "planted",
    ),
    _table(
        "a table without a tenant",
        "CREATE TABLE planted (id uuid PRIMARY KEY); GRANT SELECT ON planted TO souvenir_app",
        "table-without-tenant",
        "planted",
    ),
    _table(
        "a table without a tenant that is granted column by column",
        "GRANT SELECT (name) ON auth_group TO souvenir_app",
        "table-without-tenant",
        "auth_group",
    ),
    _table(
        "a tenant that may be missing",
        f"{tenant_table('planted')} ALTER TABLE planted DROP CONSTRAINT planted_pkey;"
        " ALTER TABLE planted ALTER tenant_id DROP NOT NULL",
        "table-without-tenant",
        "planted",
    ),
    _table(
        "a tenant that is text",
        "CREATE TABLE planted (tenant_id text NOT NULL, id uuid, PRIMARY KEY (tenant_id, id));"
        " GRANT SELECT ON planted TO souvenir_app",
        "table-without-tenant",
        "planted",
    ),
    _table(
        "a table with the name of a control table, in another schema",
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.tenants_user (id uuid PRIMARY KEY);"
        " GRANT SELECT ON elsewhere.tenants_user TO souvenir_app",
        "table-without-tenant",
        "elsewhere.tenants_user",
    ),
    _table(
        "a tenant table in another schema, without row-level security",
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.planted"
        " (tenant_id uuid NOT NULL, id uuid, PRIMARY KEY (tenant_id, id));"
        " GRANT SELECT ON elsewhere.planted TO souvenir_app",
        "row-security-off",
        "elsewhere.planted",
    ),
    _table(
        "no policy at all",
        f"DROP POLICY {POLICY} ON {TABLE}",
        "policy-not-exact",
    ),
    _table(
        "a second policy, open to all",
        f"CREATE POLICY everyone ON {TABLE} USING (true)",
        "policy-not-exact",
    ),
    _table(
        "a second policy, for inserts alone",
        f"CREATE POLICY everyone ON {TABLE} FOR INSERT WITH CHECK (true)",
        "policy-not-exact",
    ),
    _table(
        "the exact policy, once more under another name",
        f"CREATE POLICY again ON {TABLE} {EXACT}",
        "policy-not-exact",
    ),
    _policy("that is open", "USING (true)"),
    _policy("that restricts, with none that permits", f"AS RESTRICTIVE {EXACT}"),
    _policy("for reading alone", f"FOR SELECT USING ({PREDICATE})"),
    _policy("for changes alone", f"FOR UPDATE {EXACT}"),
    _policy("for the run-time role alone", f"TO souvenir_app {EXACT}"),
    _policy("for another role", f"TO souvenir_broker {EXACT}"),
    _policy("that leaves what is written to what is read", f"USING ({PREDICATE})"),
    _policy("that lets anything be written", f"USING ({PREDICATE}) WITH CHECK (true)"),
    _policy("that lets anything be read", f"USING (true) WITH CHECK ({PREDICATE})"),
    _predicate("that reads another setting", PREDICATE.replace("tenant_id'", "tenant'")),
    _predicate("with a switch for admins", f"{PREDICATE} OR current_setting('app.x', true) = 'y'"),
    _predicate("with a sub-select", f"{PREDICATE} AND EXISTS (SELECT FROM tenants_organization)"),
    _predicate("that asks a sub-select for the setting", f"tenant_id = (SELECT {_SETTING}::uuid)"),
    _predicate("that fails on an empty setting", f"tenant_id = {_SETTING}::uuid"),
    _predicate("that lets rows of nobody through", f"{PREDICATE} OR tenant_id IS NULL"),
    _predicate(
        "that has a tenant for those who have none",
        f"tenant_id = coalesce(nullif({_SETTING}, ''), '{'0' * 32}')::uuid",
    ),
    _predicate("with another comparison", PREDICATE.replace(" = ", " >= ")),
    _predicate("that compares another column", PREDICATE.replace("tenant_id =", "id =", 1)),
    _predicate("that compares nothing", "tenant_id = tenant_id"),
    _predicate(
        "that asks a function of ours",
        "tenant_id = current_tenant()",
        before="CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE plpgsql VOLATILE AS"
        f" 'BEGIN RETURN {_SETTING.replace(chr(39), chr(39) * 2)}::uuid; END';",
    ),
    _predicate(
        "that asks a look-alike of current_setting",
        PREDICATE.replace("current_setting", "public.current_setting"),
        before="CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE sql"
        " AS 'SELECT NULL::text';",
    ),
    _predicate(
        "that compares with an operator of ours",
        PREDICATE.replace(" = ", " OPERATOR(public.=) "),
        before="CREATE FUNCTION same(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        " CREATE OPERATOR public.= (FUNCTION = same, LEFTARG = uuid, RIGHTARG = uuid);",
    ),
    _predicate(
        "in the exact words, over a cast that lies",
        PREDICATE,
        before="CREATE FUNCTION lie(text) RETURNS uuid LANGUAGE sql AS"
        " 'SELECT tenant_id FROM memories_person LIMIT 1';"
        " CREATE CAST (text AS uuid) WITH FUNCTION lie(text);",
        superuser=True,
    ),
    _table(
        "a table of the superuser",
        f"ALTER TABLE {TABLE} OWNER TO postgres",
        "owner-past-row-security",
        superuser=True,
    ),
    _table(
        "a table of another superuser, without BYPASSRLS",
        f"CREATE ROLE another SUPERUSER NOBYPASSRLS; ALTER TABLE {TABLE} OWNER TO another",
        "owner-past-row-security",
        superuser=True,
    ),
    _table(
        "an owner with BYPASSRLS",
        "ALTER ROLE souvenir_owner BYPASSRLS",
        "owner-past-row-security",
        superuser=True,
    ),
    *(
        _table(f"the audit log {name}", do, "audit-log-open", "audit_entry")
        for name, do in {
            "without row-level security": "ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY",
            "whose owner is held by nothing": "ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY",
            "shown to everybody": "CREATE POLICY more ON audit_entry FOR SELECT USING (true)",
            "open for changes": "CREATE POLICY more ON audit_entry FOR UPDATE USING (true)",
            "that takes entries for others": "ALTER POLICY audit_append ON audit_entry"
            " WITH CHECK (true)",
            "that is shown where no scope is open": "ALTER POLICY audit_read ON audit_entry"
            f" USING ({_SETTING} IS NULL OR organization_id IS NOT DISTINCT FROM"
            f" nullif({_SETTING}, '')::uuid)",
        }.items()
    ),
]
