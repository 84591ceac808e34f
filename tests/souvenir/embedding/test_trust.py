"""How far a graph is believed: measured once it is there, and again now and then."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from souvenir.core.jobs import Job as Kind
from souvenir.embedding import trust
from souvenir.embedding.embedders import Vectors
from souvenir.embedding.large_stores import ask_to_place
from souvenir.embedding.trust import Judged, Trust, questions_around, trust_in
from souvenir.ingestion.models import LargeStore
from souvenir.memories.services import ensure_shared_store
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job
from tenants.models import Job
from tests.builders import Tenant, run_jobs
from tests.vectors import fill_store_with, some_vectors


def test_questions_go_from_passages_outwards_to_what_is_like_nothing_there() -> None:
    rows = some_vectors(500)

    made = questions_around(rows, 40)

    assert len(made) == 120
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    for kind in np.split(made, 3):
        nearest = (kind @ rows.T).max(axis=1)
        assert nearest[0] == pytest.approx(1, abs=1e-5)
        assert nearest[-10:].mean() < nearest[:10].mean()
    # Even what is about anything else leans the way that all vectors of the store do.
    assert (made[79] @ rows.mean(axis=0)) > 0.5 * (rows @ rows.mean(axis=0)).mean()


def _judged(*missed: int) -> list[Judged]:
    """Questions one farther than the other, and how many of the nearest each missed.

    Of all of them the first stands out by the same.
    """
    return [
        Judged(-1 + place / 1_000, -0.9 + place / 1_000, one) for place, one in enumerate(missed)
    ]


def test_a_graph_is_trusted_up_to_where_it_begins_to_miss() -> None:
    complete, losing = [0] * 50, [2] * 30

    assert trust_in(_judged(*complete, *losing)).distance == pytest.approx(-0.9 + 49 / 1_000)
    assert trust_in(_judged(*losing, *complete)).distance is None
    assert trust_in(_judged(*complete)).distance == pytest.approx(-0.9 + 49 / 1_000)


def test_one_miss_in_two_hundred_is_no_reason_to_distrust_all_that_is_farther() -> None:
    judged = _judged(*[0] * 30, 1, *[0] * 30)

    assert trust_in(judged).distance == pytest.approx(-0.9 + 60 / 1_000)


def test_a_graph_is_trusted_where_one_passage_stands_out_however_far_all_are() -> None:
    standing_out = [Judged(-0.35 - place / 1_000, -0.3, 0) for place in range(30)]
    alike = [Judged(-0.46, -0.45 + place / 1_000, 5) for place in range(30)]

    trusted = trust_in([*standing_out, *alike])

    assert trusted.gap == pytest.approx(0.05)
    assert trusted.distance is None


def test_of_too_few_questions_nothing_can_be_said() -> None:
    assert trust_in([]) == Trust(None, None)
    assert trust_in(_judged(*[0] * 10)) == Trust(None, None)


def _promoted(tenant: Tenant, vectors: Vectors) -> LargeStore:
    with tenant_scope(tenant.id):
        store = ensure_shared_store(slug="team")
        fill_store_with(store.id, vectors)
        accept_job(Kind.PROMOTE_STORE, subject_id=store.id, person_id=None, unit="passages")
    assert run_jobs(tenant, Kind.PROMOTE_STORE)[-1].state == Job.State.SUCCEEDED
    with tenant_scope(tenant.id):
        return LargeStore.objects.get()


def test_a_promotion_ends_by_measuring_the_graph(acme: Tenant) -> None:
    large = _promoted(acme, some_vectors(2_000))

    assert large.trusted_model == 2
    assert large.trusted_distance is not None
    assert large.trusted_gap is not None
    assert -1 < large.trusted_distance < 0


def test_it_is_measured_on_passages_of_any_age(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on the first that an index gives, which are the oldest."""
    drawn: list[Vectors] = []

    def seen(rows: Vectors, count: int) -> Vectors:
        drawn.append(rows)
        return questions_around(rows, count)

    monkeypatch.setattr(trust, "_SAMPLE", 200)
    monkeypatch.setattr(trust, "questions_around", seen)
    vectors = some_vectors(1_000)
    _promoted(acme, vectors)

    (rows,) = drawn
    nearest = (rows @ vectors.T).argmax(axis=1)
    assert 120 < len(rows) < 280
    assert nearest.max() > 900


def test_of_a_store_too_small_to_say_anything_of_no_graph_is_trusted(acme: Tenant) -> None:
    large = _promoted(acme, some_vectors(10))

    assert (large.trusted_distance, large.trusted_gap) == (None, None)
    assert large.trusted_at is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"trusted_model": 1},
        {"trusted_at": timezone.now() - timedelta(days=8)},
        {"trusted_at": None},
    ],
)
def test_a_graph_is_measured_again_for_another_model_and_after_a_week(
    acme: Tenant, settings: Settings, changed: dict[str, object]
) -> None:
    settings.SOUVENIR_LARGE_STORE_PASSAGES = 100
    before = _promoted(acme, some_vectors(200))
    with tenant_scope(acme.id):
        assert ask_to_place() == 0
        LargeStore.objects.update(**changed)
        assert ask_to_place() == 1

    run_jobs(acme, Kind.PROMOTE_STORE)

    with tenant_scope(acme.id):
        after = LargeStore.objects.get()
        assert ask_to_place() == 0
    assert after.trusted_model == 2
    assert after.trusted_at is not None
    assert before.trusted_at is not None
    assert after.trusted_at > before.trusted_at
    assert after.bucket == before.bucket
