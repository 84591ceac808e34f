"""One organization tries everything on the others, and on what its own keys do not reach."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.adversarial.asking import Answer, Operation, ask, operations
from tests.adversarial.case_table import CASES
from tests.adversarial.filled import Filled, own_id
from tests.adversarial.judging import Forbidden, Tally, forbidden_to, judge
from tests.adversarial.kinds import MADE_BY_NAMING, Kind, Role, Slot
from tests.adversarial.values import Depth, Value, nobody, values

_SHOWN = 300  # characters of a finding


@dataclass(frozen=True)
class Attempt:
    """One request to be made: who asks what, with which id where, in which language."""

    operation: Operation
    slot: Slot
    role: Role
    value: Value
    language: str


class Attack:
    """All attempts of one organization, in an order that the seed decides."""

    def __init__(
        self, me: Filled, others: list[Filled], *, seed: int, tally: Tally, depth: Depth
    ) -> None:
        self._me, self._others, self._tally, self._depth = me, others, tally, depth
        self._missing = {kind: nobody(kind) for kind in Kind}
        self._forbidden: dict[Role, Forbidden] = {
            role: forbidden_to(me, others, role) for role in Role
        }
        self._references: dict[object, Answer] = {}
        self._order = random.Random(seed)  # noqa: S311 — an order, not a secret
        tally.seeds.add(seed)

    def attempts(self, *names: str) -> list[Attempt]:
        """Every attempt on some operations, or on all, shuffled."""
        chosen = [operation for name, operation in operations().items() if name in (names or CASES)]
        found = [
            Attempt(operation, slot, role, value, language)
            for operation in chosen
            for slot in CASES[operation.name].slots
            for role in Role
            for value in values(
                self._me,
                self._others,
                slot=slot,
                role=role,
                missing=self._missing[slot.kind],
                depth=self._depth,
            )
            for language in _languages(slot, role, value)
        ]
        self._order.shuffle(found)
        return found

    def findings(self, *names: str) -> list[str]:
        """What is wrong with the answers to all attempts on some operations, or on all."""
        found = [
            f"{attempt.operation.method} {attempt.operation.path} {attempt.slot.name} as "
            f"{attempt.role}, {attempt.value.label} {str(attempt.value.sent)[:60]!r}: {wrong}"[
                :_SHOWN
            ]
            for attempt in self.attempts(*names)
            for wrong in self._try(attempt)
        ]
        self._tally.leaks += len(found)
        return found

    def _try(self, attempt: Attempt) -> Iterator[str]:
        reference = None
        if attempt.value.like is not None:
            key = (
                attempt.operation.name, attempt.slot.name, str(attempt.slot.beside), attempt.role,
                attempt.language, str(attempt.value.like.sent),
            )  # fmt: skip
            if key not in self._references:
                self._references[key] = self._send(attempt, attempt.value.like)
            reference = self._references[key]
        answer = self._send(attempt, attempt.value)
        yield from judge(answer, attempt.value, reference)
        for word in self._forbidden[attempt.role].found_in(answer, attempt.value):
            yield f"tells a stranger's {word}"

    def _send(self, attempt: Attempt, value: Value) -> Answer:
        operation = attempt.operation
        case = CASES[operation.name]
        ids: dict[Slot, object] = {
            slot: own_id(self._me, slot)
            for slot in case.slots
            if (slot.where == "path" or slot.name == attempt.slot.along)
            and slot is not attempt.slot
        }
        self._tally.count(
            operation.name, attempt.slot.name, str(attempt.slot.beside), attempt.role, value.label
        )
        return ask(
            operation,
            authorization=f"Bearer {self._me.keys[attempt.role]}",
            ids=ids | {attempt.slot: value.sent},
            language=attempt.language,
        )


def _languages(slot: Slot, role: Role, value: Value) -> tuple[str, ...]:
    both = value.label == "foreign" and role is Role.OWNER and slot.kind not in MADE_BY_NAMING
    return ("en", "fr") if both else ("en",)
