"""In the console too, what is not yours answers exactly like what is not there."""

from uuid import UUID

import pytest

from tenants.models import Membership
from tests.adversarial.asking import Answer
from tests.adversarial.break_in import REACH, BreakIn
from tests.adversarial.filled import Filled, fresh_id, new_session, own_id, session_of, spare_person
from tests.adversarial.judging import Tally, forbidden_to
from tests.adversarial.kinds import Kind, Slot
from tests.adversarial.page_table import PAGES, Visitor
from tests.adversarial.row_state import differences, state_of
from tests.adversarial.values import depth_for
from tests.adversarial.visiting import Visit, addresses, visit
from tests.builders import chatgpt_export, import_bytes
from tests.souvenir.console.visitors import make_visitor

NAMES = ("acme", "globex", "initech")
each_organization = pytest.mark.parametrize("name", NAMES)


@each_organization
def test_a_stranger_s_thing_looks_like_a_missing_one_on_every_page_and_nothing_changes(
    three: dict[str, Filled], tally: Tally, seed: int, name: str
) -> None:
    me, others = three[name], [three[other] for other in NAMES if other != name]
    before = {other.name: state_of(other.id) for other in others}

    break_in = BreakIn(me, others, seed=seed, tally=tally, depth=depth_for(name))
    findings = break_in.findings()

    changed = {other.name: differences(before[other.name], state_of(other.id)) for other in others}
    assert findings == [], "\n".join([f"{len(findings)} findings:", *findings[:40]])
    assert changed == {other.name: [] for other in others}


@each_organization
def test_each_visitor_enters_the_own_pages_with_own_things_and_no_other(
    three: dict[str, Filled], tally: Tally, name: str
) -> None:
    me, others = three[name], [three[other] for other in NAMES if other != name]
    forbidden = {visitor: forbidden_to(me, others, role) for visitor, role in REACH.items()}
    wrong = []

    for page_name, page in PAGES.items():
        for method, success in page.answers.items():
            for visitor in Visitor:
                expected = success if visitor in page.who else 403
                sent, answer = _enter(tally, me, page_name, method, visitor)
                # The address stands in the page, so that it can be read in the other language.
                told = [word for word in forbidden[visitor].found_in(answer) if word not in sent]
                if answer.status != expected or told:
                    said = f"{answer.status}, not {expected}, and tells {told}"
                    wrong.append(f"{method} {page_name} as {visitor}: {said}")

    tally.leaks += len(wrong)
    assert wrong == [], "\n".join(wrong)


def _enter(
    tally: Tally, me: Filled, name: str, method: str, visitor: Visitor
) -> tuple[set[object], Answer]:
    """A visit with one's own ids; what success would use up is made for it."""
    page = PAGES[name]
    session = me.sessions[visitor]
    if page.leaves:
        session = _session_to_lose(me, visitor)
    use_up = page.fresh and method == "POST" and visitor in page.who
    ids: dict[Slot, object] = {
        slot: _fresh(me, slot.kind) if use_up else own_id(me, slot)
        for slot in page.slots
        if slot.where == "path" or (slot.where == "form" and method == "POST")
    }
    tally.count(f"page {name}", method, visitor, "own")
    return set(ids.values()), visit(addresses()[name], Visit(method, session, ids))


def _session_to_lose(me: Filled, visitor: Visitor) -> str:
    """Of somebody like that visitor, who may be signed out, or erased."""
    if visitor is Visitor.ADMIN:
        return session_of(make_visitor(is_platform_admin=True))
    role = Membership.Role.OWNER if visitor is Visitor.OWNER else Membership.Role.MEMBER
    person = UUID(spare_person(me).ids[Kind.PERSON]) if visitor is Visitor.MEMBER else None
    return new_session(me, role=role, person_id=person)


def _fresh(me: Filled, kind: Kind) -> str:
    if kind is not Kind.IMPORT:
        return fresh_id(me, kind)
    body = chatgpt_export("One more.", conversation="c-spare")
    return str(import_bytes(me.tenant, body, person=me.mine[Kind.EXTERNAL_ID]).id)
