"""Every way across that we know of is planted, and the audit must call each by its name."""

from collections import Counter

import pytest
from django.db import connections, transaction

from souvenir.config.embedded.throwaway import Throwaway
from tenants.isolation.catalogue import audit_isolation
from tenants.isolation.remedies import REMEDIES
from tests.tenants.conftest import SUPERUSER_ALIAS
from tests.tenants.planted import (
    of_copies,
    of_hidden_code,
    of_keys,
    of_other_doors,
    of_policies,
    of_privileges,
    of_the_role,
)
from tests.tenants.planted.hole import Hole

HOLES = [
    hole
    for group in (
        of_the_role,
        of_policies,
        of_privileges,
        of_other_doors,
        of_keys,
        of_hidden_code,
        of_copies,
    )
    for hole in group.HOLES
]


def _found_after(do: str, *, superuser: bool) -> set[tuple[str, str]]:
    """What the run-time role finds in the same transaction, which is then rolled back."""
    connection = connections[SUPERUSER_ALIAS]
    with transaction.atomic(using=SUPERUSER_ALIAS), connection.cursor() as cursor:
        if not superuser:
            cursor.execute("SET LOCAL ROLE souvenir_owner")
        cursor.execute(do)
        cursor.execute("SET LOCAL ROLE souvenir_app")
        found = audit_isolation(using=SUPERUSER_ALIAS)
        transaction.set_rollback(True, using=SUPERUSER_ALIAS)
    return {(finding.code, finding.object) for finding in found}


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_planted_hole_is_found_by_name(hole: Hole, own_database: Throwaway) -> None:
    found = _found_after(hole.do, superuser=hole.superuser)

    assert (hole.code, hole.object) in found


def test_the_holes_leave_nothing_behind(own_database: Throwaway) -> None:
    assert _found_after("SELECT 1", superuser=False) == set()


def test_every_code_of_the_audit_is_planted() -> None:
    assert {hole.code for hole in HOLES} == REMEDIES.keys()


def test_no_hole_is_counted_twice() -> None:
    counts = Counter(hole.name for hole in HOLES)
    planted = Counter(hole.do for hole in HOLES)

    assert [name for name, count in counts.items() if count > 1] == []
    assert [do for do, count in planted.items() if count > 1] == []
    assert len(HOLES) >= 60
