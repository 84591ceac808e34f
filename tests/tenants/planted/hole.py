"""A misconfiguration to plant, and how the audit must name it."""

from dataclasses import dataclass

from tenants.isolation.operations import POLICY, PREDICATE, isolate_partition

DATABASE = "souvenir_isolation"
TABLE = "memories_person"
EXACT = f"USING ({PREDICATE}) WITH CHECK ({PREDICATE})"


@dataclass(frozen=True)
class Hole:
    """`do` is planted by the owner of the tables, unless only the superuser can do it."""

    name: str
    do: str
    code: str
    object: str
    superuser: bool = False


def tenant_table(name: str, *, columns: str = "", options: str = "") -> str:
    """A tenant table made by hand in which nothing is wrong: the hole is what follows it."""
    return (
        f"CREATE TABLE {name} (tenant_id uuid NOT NULL, id uuid NOT NULL, {columns}"
        f" PRIMARY KEY (tenant_id, id)) {options};"
        f" ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"
        f" ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
        f" CREATE POLICY {POLICY} ON {name} {EXACT};"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO souvenir_app;"
    )


def partitioned_table(name: str, *, columns: str = "", content: tuple[str, ...] = ()) -> str:
    """A tenant table in two partitions, one of them parted again, in which nothing is wrong."""
    parts = {
        f"{name}_0": f"PARTITION OF {name} FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        f"{name}_1": f"PARTITION OF {name} FOR VALUES WITH (MODULUS 2, REMAINDER 1)"
        " PARTITION BY LIST (id)",
        f"{name}_1_rest": f"PARTITION OF {name}_1 DEFAULT",
    }
    marks = [f"COMMENT ON COLUMN {name}.{column} IS 'content'" for column in content]
    stops = [f"ALTER TABLE {name} ALTER {column} SET STATISTICS 0" for column in content]
    made = [
        statement
        for part, rest in parts.items()
        for statement in (
            f"CREATE TABLE {part} {rest}",
            *isolate_partition(part, content=content),
        )
    ]
    whole = tenant_table(name, columns=columns, options="PARTITION BY HASH (tenant_id)")
    return "; ".join([whole.rstrip("; "), *marks, *stops, *made]) + ";"
