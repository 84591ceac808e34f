"""Whoever has signed in to one organization tries every page on the others, and on the own one."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.adversarial.asking import Answer
from tests.adversarial.filled import Filled, own_id
from tests.adversarial.judging import Forbidden, Tally, forbidden_to, judge
from tests.adversarial.kinds import MADE_BY_NAMING, Kind, Role, Slot
from tests.adversarial.page_table import PAGES, Page, Visitor
from tests.adversarial.values import Depth, Value, nobody, page_values
from tests.adversarial.visiting import Address, Visit, addresses, visit

_SHOWN = 300  # characters of a finding
_LIST = re.compile(r"<table.*?</table>", re.DOTALL)
# By what a visitor must not read: as the key with the same reach.
REACH = {
    Visitor.MEMBER: Role.BOUND,
    Visitor.OWNER: Role.OWNER,
    Visitor.MEMORYLESS: Role.BOUND,
    Visitor.ADMIN: Role.PLATFORM,
}


@dataclass(frozen=True)
class Try:
    """One visit to be made: who asks for which page how, with which id where."""

    address: Address
    method: str
    slot: Slot
    visitor: Visitor
    value: Value
    language: str
    is_part: bool


class BreakIn:
    """All tries of one organization's visitors, in an order that the seed decides."""

    def __init__(
        self, me: Filled, others: list[Filled], *, seed: int, tally: Tally, depth: Depth
    ) -> None:
        self._me, self._others, self._tally = me, others, tally
        self._depth = depth
        self._missing = {kind: nobody(kind) for kind in Kind}
        self._forbidden: dict[Visitor, Forbidden] = {
            visitor: forbidden_to(me, others, role) for visitor, role in REACH.items()
        }
        self._references: dict[object, Answer] = {}
        self._order = random.Random(seed)  # noqa: S311 — an order, not a secret
        tally.seeds.add(seed)

    def findings(self, *names: str) -> list[str]:
        """What is wrong with the answers to all tries on some pages, or on all."""
        tries = [one for name in names or PAGES for one in self._tries(name)]
        self._order.shuffle(tries)
        found = [
            f"{one.method} {one.address.path} {one.slot.name} as {one.visitor}, "
            f"{one.value.label} {str(one.value.sent)[:60]!r}: {wrong}"[:_SHOWN]
            for one in tries
            for wrong in self._try(one)
        ]
        self._tally.leaks += len(found)
        return found

    def _tries(self, name: str) -> Iterator[Try]:
        page, address = PAGES[name], addresses()[name]
        for method in page.answers:
            for slot in page.slots:
                if slot.where == "form" and method == "GET":
                    continue
                for visitor in Visitor if self._depth is Depth.THOROUGH else page.who:
                    for value in self._values(page, slot, visitor):
                        for language, is_part in self._ways(value, page, visitor):
                            yield Try(address, method, slot, visitor, value, language, is_part)

    def _values(self, page: Page, slot: Slot, visitor: Visitor) -> list[Value]:
        return page_values(
            self._me,
            self._others,
            slot=slot,
            role=REACH[visitor],
            missing=self._missing[slot.kind],
            depth=self._depth if visitor in page.who else Depth.DOOR,
        )

    def _try(self, one: Try) -> Iterator[str]:
        reference = None
        if one.value.like is not None:
            key = (
                one.address.name, one.method, one.slot.name, one.visitor, one.language,
                one.is_part, str(one.value.like.sent),
            )  # fmt: skip
            if key not in self._references or one.slot.kind in MADE_BY_NAMING:
                self._references[key] = self._send(one, one.value.like)
            reference = self._references[key]
        answer = self._send(one, one.value)
        if one.slot.kind in MADE_BY_NAMING:  # and is listed on the page from then on
            yield from judge(_unlisted(answer), one.value, reference and _unlisted(reference))
        else:
            yield from judge(answer, one.value, reference)
        sent = self._beside(one).values()  # it stands in the page, for the other language
        for word in self._forbidden[one.visitor].found_in(answer, one.value):
            if word not in sent:
                yield f"tells a stranger's {word}"

    def _send(self, one: Try, value: Value) -> Answer:
        self._tally.count(
            f"page {one.address.name}", one.method, one.slot.name, one.visitor, value.label
        )
        return visit(
            one.address,
            Visit(
                method=one.method,
                session=self._me.sessions[one.visitor],
                ids=self._beside(one) | {one.slot: value.sent},
                language=one.language,
                is_part=one.is_part,
            ),
        )

    def _ways(self, value: Value, page: Page, visitor: Visitor) -> tuple[tuple[str, bool], ...]:
        """In which language, and whether as a part of a page."""
        closely = self._depth is Depth.THOROUGH and visitor in page.who
        if closely and value.label == "foreign":
            return (("en", False), ("fr", False), ("en", True))
        return (("en", False),)

    def _beside(self, one: Try) -> dict[Slot, object]:
        """One's own ids, in the rest of the path."""
        return {
            slot: own_id(self._me, slot)
            for slot in PAGES[one.address.name].slots
            if slot.where == "path" and slot is not one.slot
        }


def _unlisted(answer: Answer) -> Answer:
    return replace(answer, text=_LIST.sub("", answer.text))
