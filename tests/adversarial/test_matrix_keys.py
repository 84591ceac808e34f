"""Which key opens which operation: each role on its own things, and keys that are none."""

from collections.abc import Iterator

import pytest

from tenants.services import resume_organization, suspend_organization
from tests.adversarial.asking import Answer, Operation, ask, operations
from tests.adversarial.case_table import CASES
from tests.adversarial.filled import SCOPES_OF, Filled, fresh_id, invalid_keys, own_id, spare_person
from tests.adversarial.judging import Tally, forbidden_to
from tests.adversarial.kinds import MADE_BY_NAMING, Case, Kind, Role, Slot
from tests.builders import make_tenant

NAMES = ("acme", "globex", "initech")
_PEOPLE = {Kind.PERSON, Kind.EXTERNAL_ID}
each_organization = pytest.mark.parametrize("name", NAMES)


@each_organization
def test_each_role_does_what_its_scopes_say_with_its_own_things_and_no_more(
    three: dict[str, Filled], tally: Tally, name: str
) -> None:
    me, others = three[name], [three[other] for other in NAMES if other != name]
    forbidden = {role: forbidden_to(me, others, role) for role in Role}
    wrong = []

    for operation in operations().values():
        case = CASES[operation.name]
        for role in Role:
            for key, ids in _own_ids(me, case, role):
                answer = _ask(tally, operation, f"Bearer {key}", ids, "own", role)
                expected = case.success if _may(role, case) else 403
                told = forbidden[role].found_in(answer)
                if answer.status != expected or told:
                    said = f"{answer.status}, not {expected}, {told} {answer.text[:200]}"
                    wrong.append(f"{operation.name} as {role} {list(ids.values())}: {said}")

    tally.leaks += len(wrong)
    assert wrong == [], "\n".join(wrong)


@each_organization
def test_a_key_that_is_none_is_refused_alike_whatever_is_asked_for(
    three: dict[str, Filled], tally: Tally, name: str
) -> None:
    me, stranger = three[name], three[NAMES[NAMES.index(name) - 1]]
    headers = invalid_keys(me, stranger)
    wrong = []

    for operation in operations().values():
        if not CASES[operation.name].scope:
            continue
        answers: dict[str, set[Answer]] = {"key-missing": set(), "key-invalid": set()}
        for what, header in headers.items():
            for whose in (me, stranger):
                ids = _ids(whose, CASES[operation.name])
                answer = _ask(tally, operation, header, ids, what)
                code = "key-invalid" if header.startswith("Bearer s") else _said(answer)
                answers.setdefault(code, set()).add(answer)
        different = {code: len(found) for code, found in answers.items() if len(found) > 1}
        opened = {answer.status for found in answers.values() for answer in found} - {401}
        if opened or different or answers.keys() - {"key-missing", "key-invalid"}:
            wrong.append(f"{operation.name}: {opened} {different} {sorted(answers)}")

    tally.leaks += len(wrong)
    assert wrong == [], "\n".join(wrong)


def test_a_suspended_organization_s_keys_open_nothing_and_a_forged_one_does_not_learn_it(
    three: dict[str, Filled], tally: Tally
) -> None:
    suspended, other = make_tenant(), three["acme"]
    suspend_organization(organization_id=suspended.id)
    forged = f"souv_{suspended.key.split('_')[1]}_{'A' * 43}"
    wrong = []

    for operation in operations().values():
        case = CASES[operation.name]
        if not case.scope:
            continue
        ids = _ids(other, case)
        closed = _ask(tally, operation, f"Bearer {suspended.key}", ids, "suspended")
        unknown = _ask(tally, operation, f"Bearer {forged}", ids, "suspended, forged")
        if (closed.status, _said(closed)) != (403, "organization-suspended"):
            wrong.append(f"{operation.name}: {closed}")
        if (unknown.status, _said(unknown)) != (401, "key-invalid"):
            wrong.append(f"{operation.name}: {unknown}")
    resume_organization(organization_id=suspended.id)

    tally.leaks += len(wrong)
    assert wrong == [], "\n".join(wrong)


def _may(role: Role, case: Case) -> bool:
    if case.scope == "platform" or role is Role.PLATFORM:
        return case.scope in {"", "platform"} and (role is Role.PLATFORM or not case.scope)
    return not case.scope or case.scope in SCOPES_OF[role]


def _own_ids(me: Filled, case: Case, role: Role) -> Iterator[tuple[str, dict[Slot, object]]]:
    """Requests that must succeed: the path's slots always filled, each other one in its turn."""
    paths = tuple(slot for slot in case.slots if slot.where == "path")
    optional: list[tuple[Slot, ...]] = [(s,) for s in case.slots if s.where != "path"]
    for filled in optional or [()]:
        if case.fresh and role is Role.BOUND and filled and filled[0].kind in _PEOPLE:
            spare = spare_person(me)  # whoever erases oneself can do nothing afterwards
            yield spare.key, {slot: spare.ids[slot.kind] for slot in filled}
        else:
            along = tuple(s for s in case.slots if filled and s.name == filled[0].along)
            ids: dict[Slot, object] = {slot: own_id(me, slot) for slot in along}
            ids |= {slot: _own_id(me, slot, case, role) for slot in (*paths, *filled)}
            yield me.keys[role], ids


def _own_id(me: Filled, slot: Slot, case: Case, role: Role) -> str:
    if role is Role.BOUND and slot.kind in MADE_BY_NAMING:  # it makes nobody, reaches one store
        return own_id(me, slot)
    return fresh_id(me, slot.kind) if case.fresh and _may(role, case) else me.mine[slot.kind]


def _ids(whose: Filled, case: Case) -> dict[Slot, object]:
    """One id of somebody's in each path, and in the first other place that takes one."""
    paths = [slot for slot in case.slots if slot.where == "path"]
    others = [slot for slot in case.slots if slot.where != "path"]
    return {slot: whose.mine[slot.kind] for slot in [*paths, *others[:1]]}


def _ask(
    tally: Tally,
    operation: Operation,
    authorization: str,
    ids: dict[Slot, object],
    *what: str,
) -> Answer:
    tally.count(operation.name, *(f"{s.name} {s.beside}" for s in ids), *what)
    return ask(operation, authorization=authorization, ids=ids)


def _said(answer: Answer) -> str:
    found = [code for code in _CODES if f'"code": "{code}"' in answer.text]
    return found[0] if found else "another"


_CODES = ("key-missing", "key-invalid", "organization-suspended")
