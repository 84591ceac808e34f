"""What falls due for search: its rows are counted for operators, and its tables kept in order."""

from datetime import timedelta

import pytest
from django.db import connection

from souvenir.core.jobs import Job as Kind
from souvenir.core.metrics import search_rows
from souvenir.ingestion.services import remember
from souvenir.memories.services import Statement, ensure_shared_store
from tenants.isolation.catalogue import MAINTAINED
from tenants.isolation.scope import tenant_scope
from tenants.maintainer import maintain
from tests.builders import Tenant, run_jobs
from workers.upkeep import UPKEEP

_DAY = 86_400.0


def _run(name: str) -> int:
    (upkeep,) = [one for one in UPKEEP if one.name == name]
    return upkeep.run()


def _told() -> dict[str, int]:
    """The metric, as this process has it; of all organizations."""
    _run("count-search")
    names = ("passages", "vectors", "with-terms", "token-sets", "strays")
    return {name: int(search_rows.labels(name)._value.get()) for name in names}


def _delete(tenant: Tenant, table: str) -> None:
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant.id])


def _more(before: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in _told().items()}


def test_passages_vectors_and_token_sets_are_told_and_what_one_of_them_misses(acme: Tenant) -> None:
    before = _told()
    with tenant_scope(acme.id):
        team = ensure_shared_store(slug="team")
        for text in ("La bouilloire est bleue", "Le jardin est en fleurs"):
            remember(store=team, statement=Statement(text=text))
    run_jobs(acme, Kind.EMBED_PASSAGES)
    two_of_each = {"passages": 2, "vectors": 2, "with-terms": 2, "token-sets": 2, "strays": 0}
    assert _more(before) == two_of_each

    _delete(acme, "ingestion_passagevector")
    assert _more(before) == two_of_each | {"vectors": 0}

    _delete(acme, "ingestion_passage")
    assert _more(before) == dict.fromkeys(two_of_each, 0) | {"token-sets": 2, "strays": 2}


def test_statistics_are_gathered_once_a_day() -> None:
    when = "SELECT now(), pg_stat_get_last_analyze_time(%s::regclass)"

    assert _run("tend-search") == 1

    for table in MAINTAINED:
        ((now, analyzed),) = maintain(when, table)
        assert analyzed > now - timedelta(minutes=1), table


@pytest.mark.parametrize("name", ["tend-search", "count-search", "place-large-stores"])
def test_what_search_needs_falls_due_each_day(name: str) -> None:
    assert [one.every_seconds for one in UPKEEP if one.name == name] == [_DAY]
