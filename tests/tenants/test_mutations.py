"""Every way across that we know of is planted, and the audit must call each by its name."""

from collections import Counter

import pytest

from souvenir.config.embedded.postgres import SUPERUSER
from souvenir.config.embedded.roles import OWNER
from tenants.isolation.remedies import REMEDIES
from tests.tenants.planted import (
    of_copies,
    of_hidden_code,
    of_keys,
    of_other_doors,
    of_other_roles,
    of_partitions,
    of_policies,
    of_privileges,
    of_the_role,
)
from tests.tenants.planted.hole import Hole, partitioned_table
from tests.tenants.second_server import found_after

HOLES = [
    hole
    for group in (
        of_the_role,
        of_policies,
        of_privileges,
        of_other_doors,
        of_other_roles,
        of_partitions,
        of_keys,
        of_hidden_code,
        of_copies,
    )
    for hole in group.HOLES
]


@pytest.mark.usefixtures("migrated_elsewhere")
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_planted_hole_is_found_by_name(hole: Hole) -> None:
    found = found_after(hole.do, as_role=SUPERUSER if hole.superuser else OWNER)

    assert (hole.code, hole.object) in found


@pytest.mark.usefixtures("migrated_elsewhere")
def test_where_nothing_is_planted_nothing_is_found() -> None:
    assert found_after() == set()


@pytest.mark.usefixtures("migrated_elsewhere")
def test_a_well_made_partitioned_table_is_no_hole() -> None:
    made = partitioned_table("planted", columns="note text, blob bytea,", content=("note", "blob"))

    assert found_after(made) == set()


def test_every_code_of_the_audit_is_planted() -> None:
    assert {hole.code for hole in HOLES} == REMEDIES.keys()


def test_no_hole_is_counted_twice() -> None:
    counts = Counter(hole.name for hole in HOLES)
    planted = Counter(hole.do for hole in HOLES)

    assert [name for name, count in counts.items() if count > 1] == []
    assert [do for do, count in planted.items() if count > 1] == []
    assert len(HOLES) >= 60
