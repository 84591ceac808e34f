"""Keys that join tenants, or tell one of another's rows."""

from tests.tenants.planted.hole import TABLE, Hole, tenant_table

_CHILD = "memories_evidence"
_UNIQUE = f"ALTER TABLE {TABLE} ADD CONSTRAINT wide UNIQUE"
_PLANTED = tenant_table("planted", columns="person_id uuid,")


def _key(name: str, do: str, code: str, named: str, *, superuser: bool = False) -> Hole:
    return Hole(name, do, code, named, superuser=superuser)


def _unique(name: str, do: str) -> Hole:
    return Hole(name, do, "unique-index-without-tenant", "planted")


def _reference(name: str, do: str, *, code: str = "foreign-key-leaves-tenant") -> Hole:
    return Hole(name, do, code, "planted_fk")


HOLES = [
    _key(
        "no primary key",
        f"ALTER TABLE {_CHILD} DROP CONSTRAINT {_CHILD}_pkey",
        "no-primary-key",
        _CHILD,
    ),
    _key(
        "a primary key without the tenant",
        f"ALTER TABLE {_CHILD} DROP CONSTRAINT {_CHILD}_pkey, ADD PRIMARY KEY (id)",
        "key-without-tenant",
        f"{_CHILD}_pkey",
    ),
    _key(
        "a primary key that ends with the tenant",
        f"ALTER TABLE {_CHILD} DROP CONSTRAINT {_CHILD}_pkey, ADD PRIMARY KEY (id, tenant_id)",
        "key-without-tenant",
        f"{_CHILD}_pkey",
    ),
    _key(
        "a unique constraint without the tenant",
        f"{_UNIQUE} (external_id)",
        "key-without-tenant",
        "wide",
    ),
    _key(
        "a unique constraint that ends with the tenant",
        f"{_UNIQUE} (external_id, tenant_id)",
        "key-without-tenant",
        "wide",
    ),
    _unique(
        "a unique index without the tenant",
        "CREATE UNIQUE INDEX planted ON tenants_apikey (digest)",
    ),
    _unique(
        "a partial unique index without the tenant",
        "CREATE UNIQUE INDEX planted ON tenants_job (subject_id) WHERE state = 'queued'",
    ),
    _unique(
        "a unique index on an expression",
        "CREATE UNIQUE INDEX planted ON tenants_apikey (lower(digest), tenant_id)",
    ),
    _unique(
        "a unique index that only carries the tenant",
        "CREATE UNIQUE INDEX planted ON tenants_apikey (digest) INCLUDE (tenant_id)",
    ),
    _reference(
        "a foreign key without the tenant",
        f"{_PLANTED} {_UNIQUE} (id); ALTER TABLE planted ADD CONSTRAINT planted_fk"
        f" FOREIGN KEY (person_id) REFERENCES {TABLE} (id)",
    ),
    _reference(
        "a foreign key that takes the tenant for an id",
        f"{_PLANTED} {_UNIQUE} (id, tenant_id); ALTER TABLE planted ADD CONSTRAINT planted_fk"
        f" FOREIGN KEY (tenant_id, person_id) REFERENCES {TABLE} (id, tenant_id)",
    ),
    _reference(
        "a foreign key that says the tenant last",
        f"{_PLANTED} {_UNIQUE} (id, tenant_id); ALTER TABLE planted ADD CONSTRAINT planted_fk"
        f" FOREIGN KEY (person_id, tenant_id) REFERENCES {TABLE} (id, tenant_id)",
    ),
    _reference(
        "a foreign key into a control table",
        f"{_PLANTED} ALTER TABLE planted ADD CONSTRAINT planted_fk"
        " FOREIGN KEY (tenant_id) REFERENCES tenants_organization (id)",
    ),
    _reference(
        "a foreign key from a control table",
        f"{_UNIQUE} (id); ALTER TABLE tenants_membership ADD CONSTRAINT planted_fk"
        f" FOREIGN KEY (person_id) REFERENCES {TABLE} (id)",
    ),
    _reference(
        "a foreign key that was never checked",
        f"{_PLANTED} ALTER TABLE planted ADD CONSTRAINT planted_fk FOREIGN KEY"
        f" (tenant_id, person_id) REFERENCES {TABLE} (tenant_id, id) NOT VALID",
        code="foreign-key-not-enforced",
    ),
    _reference(
        "a foreign key that is not enforced",
        f"{_PLANTED} ALTER TABLE planted ADD CONSTRAINT planted_fk FOREIGN KEY"
        f" (tenant_id, person_id) REFERENCES {TABLE} (tenant_id, id) NOT ENFORCED",
        code="foreign-key-not-enforced",
    ),
    _key(
        "a foreign key whose triggers are off",
        "ALTER TABLE memories_store DISABLE TRIGGER ALL",
        "foreign-key-not-enforced",
        "memories_store_person_id_fk",
        superuser=True,
    ),
    _key(
        "an exclusion constraint",
        f"ALTER TABLE {TABLE} ADD CONSTRAINT apart EXCLUDE USING btree (external_id WITH =)",
        "exclusion-constraint",
        "apart",
    ),
    _key(
        "an exclusion constraint with the tenant",
        f"ALTER TABLE {TABLE} ADD CONSTRAINT apart"
        " EXCLUDE USING btree (tenant_id WITH =, external_id WITH =)",
        "exclusion-constraint",
        "apart",
    ),
    _key(
        "a key without overlaps",
        "CREATE EXTENSION btree_gist; CREATE TABLE planted (tenant_id uuid, id uuid,"
        " span tstzrange, PRIMARY KEY (tenant_id, id, span WITHOUT OVERLAPS))",
        "exclusion-constraint",
        "planted_pkey",
        superuser=True,
    ),
    _key(
        "a column that counts for all tenants",
        f"ALTER TABLE {TABLE} ADD number bigint GENERATED ALWAYS AS IDENTITY",
        "sequence-on-tenant-table",
        TABLE,
    ),
    _key(
        "a serial column",
        f"ALTER TABLE {TABLE} ADD number bigserial",
        "sequence-on-tenant-table",
        TABLE,
    ),
    _key(
        "a default that counts for all tenants",
        "CREATE SEQUENCE counter;"
        f" ALTER TABLE {TABLE} ADD number bigint DEFAULT nextval('counter')",
        "sequence-on-tenant-table",
        TABLE,
    ),
    _key(
        "a tenant table that a crash would empty",
        f"ALTER TABLE {_CHILD} SET UNLOGGED",
        "table-not-logged",
        _CHILD,
    ),
    _key(
        "a control table that a crash would empty",
        "ALTER TABLE django_session SET UNLOGGED",
        "table-not-logged",
        "django_session",
    ),
]
