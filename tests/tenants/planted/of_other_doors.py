"""Other ways to the rows of a table than the table."""

from tests.tenants.planted.hole import DATABASE, TABLE, Hole

_WRAPPER = (
    "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;"
)


def _view(name: str, options: str = "", *, over: str = TABLE, grant: str = "SELECT") -> Hole:
    return Hole(
        name,
        f"CREATE VIEW planted {options} AS SELECT * FROM {over};"
        f" GRANT {grant} ON planted TO souvenir_app",
        "view-with-owner-s-rights",
        "planted",
    )


HOLES = [
    _view("a view with its owner's rights"),
    _view("a view that says it keeps its owner's rights", "WITH (security_invoker = false)"),
    _view("a view that hopes for security_barrier", "WITH (security_barrier = true)"),
    _view("a view on a control table", over="tenants_user"),
    _view("a view of which one column is granted", grant="SELECT (id)"),
    _view("a view that can be written through", grant="INSERT"),
    Hole(
        "a view that lost security_invoker",
        f"CREATE VIEW planted WITH (security_invoker = true) AS SELECT * FROM {TABLE};"
        " GRANT SELECT ON planted TO souvenir_app; ALTER VIEW planted RESET (security_invoker)",
        "view-with-owner-s-rights",
        "planted",
    ),
    Hole(
        "a view of the superuser, in another schema",
        f"CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.planted AS SELECT * FROM {TABLE};"
        " GRANT SELECT ON elsewhere.planted TO souvenir_app",
        "view-with-owner-s-rights",
        "elsewhere.planted",
        superuser=True,
    ),
    Hole(
        "a materialized view",
        f"CREATE MATERIALIZED VIEW planted AS SELECT * FROM {TABLE};"
        " GRANT SELECT ON planted TO souvenir_app",
        "materialized-view",
        "planted",
    ),
    Hole(
        "a materialized view that nobody reaches, which an erasure would forget",
        f"CREATE MATERIALIZED VIEW planted AS SELECT * FROM {TABLE}",
        "materialized-view",
        "planted",
    ),
    Hole(
        "a table that inherits from a tenant table",
        f"CREATE TABLE planted () INHERITS ({TABLE})",
        "table-inherits",
        "planted",
    ),
    Hole(
        "a tenant table that inherits from an open one",
        "CREATE TABLE planted (tenant_id uuid NOT NULL); GRANT SELECT ON planted TO souvenir_app;"
        f" ALTER TABLE {TABLE} INHERIT planted",
        "table-inherits",
        TABLE,
    ),
    Hole(
        "a foreign table",
        f"{_WRAPPER} CREATE FOREIGN TABLE planted (tenant_id uuid NOT NULL) SERVER far;"
        " GRANT SELECT ON planted TO souvenir_app",
        "foreign-table-reachable",
        "planted",
        superuser=True,
    ),
    Hole(
        "a foreign server",
        f"{_WRAPPER} GRANT USAGE ON FOREIGN SERVER far TO souvenir_app",
        "foreign-server-reachable",
        "far",
        superuser=True,
    ),
    Hole(
        "a foreign data wrapper",
        f"{_WRAPPER} GRANT USAGE ON FOREIGN DATA WRAPPER elsewhere TO souvenir_app",
        "foreign-server-reachable",
        "elsewhere",
        superuser=True,
    ),
    Hole(
        "a second schema",
        "CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO souvenir_app",
        "schema-reachable",
        "elsewhere",
    ),
    Hole(
        "a schema of the role's own name, which is looked in first",
        "CREATE SCHEMA souvenir_app; GRANT USAGE ON SCHEMA souvenir_app TO souvenir_app",
        "schema-reachable",
        "souvenir_app",
    ),
    Hole(
        "a sequence",
        "CREATE SEQUENCE planted; GRANT USAGE ON planted TO souvenir_app",
        "sequence-reachable",
        "planted",
    ),
    Hole(
        "a sequence whose last number can be read",
        "CREATE SEQUENCE planted; GRANT SELECT ON SEQUENCE planted TO souvenir_app",
        "sequence-reachable",
        "planted",
    ),
    Hole("a large object", "SELECT lo_create(424242)", "large-object", "424242"),
    Hole(
        "a large object of the role's own",
        "SELECT lo_create(424242); ALTER LARGE OBJECT 424242 OWNER TO souvenir_app",
        "role-owns",
        "424242",
        superuser=True,
    ),
    Hole(
        "a publication of every table",
        "CREATE PUBLICATION planted FOR ALL TABLES",
        "publication",
        "planted",
        superuser=True,
    ),
    Hole(
        "a publication of one table",
        f"GRANT CREATE ON DATABASE {DATABASE} TO souvenir_owner;"
        f" CREATE PUBLICATION planted FOR TABLE {TABLE}",
        "publication",
        "planted",
    ),
    Hole(
        "a subscription",
        "CREATE SUBSCRIPTION planted CONNECTION 'dbname=far' PUBLICATION far"
        " WITH (connect = false)",
        "subscription",
        "planted",
        superuser=True,
    ),
]
