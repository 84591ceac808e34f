"""Whose turn it is: by weight and by time, and nobody starves."""

from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.ledger.fairness import QUANTUM_SECONDS, Waiting, take_turns

A, B, C = uuid4(), uuid4(), uuid4()


def _work_off(waiting: list[Waiting], cost: dict[UUID, float], *, seconds: float) -> Counter[UUID]:
    """Let one worker do what is chosen, for so long. Gives the seconds that each one got."""
    got: Counter[UUID] = Counter()
    while sum(got.values()) < seconds:
        turns = take_turns(waiting, room=1)
        (chosen,) = turns.rung
        got[chosen] += cost[chosen]  # type: ignore[assignment]  # seconds, not a number of times
        paid = {chosen: cost[chosen]}
        waiting = [
            replace(
                one,
                credit_seconds=turns.credit_seconds[one.organization_id]
                - paid.get(one.organization_id, 0.0),
            )
            for one in waiting
        ]
    return got


def test_who_is_alone_never_waits() -> None:
    alone = Waiting(A, jobs=5, credit_seconds=-100.0)

    assert take_turns([alone], room=3).rung == [A, A, A]


def test_one_with_long_jobs_and_one_with_short_ones_get_the_same_time() -> None:
    got = _work_off([Waiting(A, jobs=9), Waiting(B, jobs=9)], {A: 3.0, B: 0.05}, seconds=600)

    assert got[A] == pytest.approx(got[B], rel=0.05)


def test_weight_counts() -> None:
    heavy = Waiting(A, jobs=9, weight=3)

    got = _work_off([heavy, Waiting(B, jobs=9)], {A: 1.0, B: 1.0}, seconds=600)

    assert got[A] == pytest.approx(3 * got[B], rel=0.05)


def test_no_more_at_once_than_allowed() -> None:
    turns = take_turns([Waiting(A, jobs=9, in_hand=1, at_once=3), Waiting(B, jobs=1)], room=9)

    assert Counter(turns.rung) == {A: 2, B: 1}


def test_idleness_is_not_saved_up() -> None:
    rich = Waiting(A, jobs=9, credit_seconds=1_000_000.0)

    got = _work_off([rich, Waiting(B, jobs=9)], {A: 1.0, B: 1.0}, seconds=100)

    assert got[A] - got[B] <= 2 * QUANTUM_SECONDS


organizations = st.lists(
    st.builds(
        Waiting,
        st.uuids(),
        jobs=st.integers(1, 20),
        in_hand=st.integers(0, 6),
        in_hand_seconds=st.floats(0, 20),
        weight=st.integers(1, 100),
        at_once=st.integers(1, 8),
        credit_seconds=st.floats(-1e6, 1e6),
    ),
    max_size=30,
    unique_by=lambda one: one.organization_id,
)


@given(waiting=organizations, room=st.integers(1, 50))
def test_room_is_used_and_no_bound_is_passed(waiting: list[Waiting], room: int) -> None:
    turns = take_turns(waiting, room=room)

    allowed = {
        one.organization_id: max(min(one.jobs, one.at_once - one.in_hand), 0) for one in waiting
    }
    picked = Counter(turns.rung)
    assert all(number <= allowed[organization] for organization, number in picked.items())
    assert len(turns.rung) == min(room, sum(allowed.values()))
    for one in waiting:
        credit = turns.credit_seconds[one.organization_id]
        assert credit <= QUANTUM_SECONDS * one.weight * 2 + one.in_hand_seconds + room
