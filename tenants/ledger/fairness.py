"""Whose turn it is: deficit round robin over organizations, by seconds of work.

Each round gives an organization that waits a quantum of credit, times its weight. What its work
takes is paid from that afterwards, so that many small jobs and few large ones get the same time.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from uuid import UUID

QUANTUM_SECONDS = 1.0  # of work in a round; also how long a worker stays with one organization
SHORT_SECONDS = 0.25  # what a job that has had no turn yet is taken for, until it is paid


@dataclass(frozen=True, slots=True)
class Waiting:
    """One organization that has jobs waiting in a queue, and what it has in hand."""

    organization_id: UUID
    jobs: int  # that could be rung now; a bound is enough
    in_hand: int = 0  # rung or running
    in_hand_seconds: float = 0.0  # what those are expected to take
    weight: int = 1
    at_once: int = 4  # the most it may have in hand
    credit_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Turns:
    """Who is rung how often, and the credit of everyone who waited."""

    rung: list[UUID]  # in order; an organization may stand in it several times
    credit_seconds: dict[UUID, float]


def take_turns(waiting: Sequence[Waiting], *, room: int) -> Turns:
    """Choose up to `room` jobs, by the credit of their organizations.

    An organization gets credit only in rounds in which nobody who may be rung has any left: who
    is alone never waits, and nobody saves up credit while it has nothing to do.

    Source:
        Shreedhar and Varghese, SIGCOMM 1995; the debt instead of a known packet size is ours.
    """
    credit = {
        one.organization_id: min(one.credit_seconds, QUANTUM_SECONDS * one.weight)
        for one in waiting
    }
    left = {
        one.organization_id: credit[one.organization_id] - one.in_hand_seconds for one in waiting
    }
    picked: Counter[UUID] = Counter()
    rung: list[UUID] = []
    while len(rung) < room:
        open_to = [
            one
            for one in waiting
            if picked[one.organization_id] < min(one.jobs, one.at_once - one.in_hand)
        ]
        if not open_to:
            break
        rounds = _rounds_needed((one, left[one.organization_id]) for one in open_to)
        for one in open_to:
            credit[one.organization_id] += rounds * QUANTUM_SECONDS * one.weight
            left[one.organization_id] += rounds * QUANTUM_SECONDS * one.weight
        # The order of `waiting` breaks ties: whoever has waited longest.
        next_one = max(open_to, key=lambda one: left[one.organization_id] / one.weight)
        rung.append(next_one.organization_id)
        picked[next_one.organization_id] += 1
        left[next_one.organization_id] -= SHORT_SECONDS
    return Turns(rung, credit)


def _rounds_needed(left: Iterable[tuple[Waiting, float]]) -> int:
    """How many rounds until one of them has credit; 0: one has."""
    return min(
        0 if seconds > 0 else ceil((-seconds + 1e-9) / (QUANTUM_SECONDS * one.weight)) or 1
        for one, seconds in left
    )
