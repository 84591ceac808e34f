"""A misconfiguration to plant, and how the audit must name it."""

from dataclasses import dataclass

from tenants.isolation.operations import POLICY, PREDICATE

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
