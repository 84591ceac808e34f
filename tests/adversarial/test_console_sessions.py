"""Sessions that open nothing, or not this: missing, ended, of somebody who may enter no more."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from tenants.models import Membership, User
from tenants.services import add_member, resume_organization, suspend_organization
from tests.adversarial.asking import Answer
from tests.adversarial.filled import Filled, new_session, own_id, session_of
from tests.adversarial.judging import Tally, forbidden_to
from tests.adversarial.kinds import Kind, Role, Slot
from tests.adversarial.page_table import PAGES
from tests.adversarial.visiting import Visit, addresses, visit
from tests.builders import make_tenant
from tests.souvenir.console.visitors import make_visitor

# Whoever has not signed in may do these.
OPEN = {"front-door", "sign-in", "sign-out", "set-language"}
_MEMBER = Membership.Role.MEMBER


def _user_of(session: str) -> User:
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key=session)
    return User.objects.get(pk=store["_auth_user_id"])


def _closed_sessions(filled: Filled, stranger: Filled) -> Iterator[tuple[str, str]]:
    """Keys of sessions that open nothing, by what is wrong with them."""
    yield "of no session", "a" * 32
    yield "no key", "' OR '1'='1' --"
    alice = UUID(filled.mine[Kind.PERSON])
    expired = new_session(filled, role=_MEMBER, person_id=alice)
    Session.objects.filter(session_key=expired).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    yield "expired", expired
    ended = new_session(filled, role=_MEMBER, person_id=alice)
    visit(addresses()["sign-out"], Visit("POST", ended, {}))
    yield "signed out", ended
    changed = new_session(filled, role=_MEMBER, person_id=alice)
    user = _user_of(changed)
    user.set_password("another-long-password")
    user.save(update_fields=["password"])
    yield "from before the password changed", changed
    closed = new_session(filled, role=_MEMBER, person_id=alice)
    User.objects.filter(pk=_user_of(closed).pk).update(is_active=False)
    yield "of an account that was closed", closed
    mine, theirs = (new_session(one, role=_MEMBER) for one in (filled, stranger))
    row = Session.objects.get(session_key=mine)
    other = Session.objects.get(session_key=theirs).session_data.partition(":")[0]
    row.session_data = ":".join([other, *row.session_data.split(":")[1:]])
    row.save(update_fields=["session_data"])
    yield "with another's body", mine


def _ids(whose: Filled, name: str) -> dict[Slot, object]:
    return {slot: own_id(whose, slot) for slot in PAGES[name].slots if slot.where == "path"}


def _where_to(answer: Answer) -> tuple[int, str]:
    """The status, and where the answer sends a browser, without the address that was asked for."""
    lines = [line for line in answer.headers.splitlines() if line.startswith("Location")]
    return answer.status, lines[0].partition("?")[0] if lines else ""


def test_a_session_that_is_none_opens_no_page_and_tells_nothing(
    three: dict[str, Filled], tally: Tally
) -> None:
    acme, globex = three["acme"], three["globex"]
    sessions = {"missing": "", **dict(_closed_sessions(acme, globex))}
    forbidden = forbidden_to(_outsider(acme), [acme, globex], Role.OWNER)
    wrong = []

    for name, page in PAGES.items():
        for method in page.answers if name not in OPEN else ():
            for what, session in sessions.items():
                for whose in (acme, globex):
                    ids = _ids(whose, name)
                    answer = visit(addresses()[name], Visit(method, session, ids))
                    tally.count(f"page {name}", method, "session", what)
                    sent = set(ids.values())
                    told = [word for word in forbidden.found_in(answer) if word not in sent]
                    if _where_to(answer) != (302, "Location: /en/sign-in/") or told:
                        wrong.append(f"{method} {name}, session {what}: {_where_to(answer)} {told}")

    tally.leaks += len(wrong)
    assert wrong == [], "\n".join(wrong)


def _outsider(like: Filled) -> Filled:
    """Someone outside: nothing of any organization is for their eyes."""
    return Filled("nobody", like.tenant, "", "")


def test_whoever_is_in_two_organizations_sees_the_one_entered_and_nothing_of_the_other(
    three: dict[str, Filled], tally: Tally
) -> None:
    acme, globex = three["acme"], three["globex"]
    session = new_session(acme, role=_MEMBER, person_id=UUID(acme.mine[Kind.PERSON]))
    add_member(
        user=_user_of(session),
        organization=globex.tenant.organization,
        role=_MEMBER,
        person_id=UUID(globex.mine[Kind.PERSON]),
    )
    (entered,) = PAGES["enter"].slots
    memory = addresses()["my-memory-one"]
    (slot,) = PAGES["my-memory-one"].slots

    for here, there in ((acme, globex), (globex, acme), (acme, globex)):
        visit(addresses()["enter"], Visit("POST", session, {entered: here.id}))
        own = visit(memory, Visit("GET", session, {slot: here.mine[Kind.MEMORY]}))
        other = visit(memory, Visit("GET", session, {slot: there.mine[Kind.MEMORY]}))
        first = visit(addresses()["my-memories"], Visit("GET", session, {}))

        assert (own.status, other.status) == (200, 404)
        assert there.secret not in first.text
    tally.count("page my-memory-one", "GET", "two organizations")


def test_a_membership_that_ended_closes_the_pages_at_once(three: dict[str, Filled]) -> None:
    acme, globex = three["acme"], three["globex"]
    session = new_session(acme, role=_MEMBER, person_id=UUID(acme.mine[Kind.PERSON]))
    user = _user_of(session)
    add_member(user=user, organization=globex.tenant.organization, role=_MEMBER)
    (entered,) = PAGES["enter"].slots
    visit(addresses()["enter"], Visit("POST", session, {entered: acme.id}))

    before = visit(addresses()["my-memories"], Visit("GET", session, {}))
    Membership.objects.filter(user=user, organization=acme.tenant.organization).delete()
    after = [
        visit(addresses()[name], Visit("GET", session, _ids(acme, name))).status
        for name, page in PAGES.items()
        if name.startswith("my-") and "GET" in page.answers
    ]
    again = visit(addresses()["enter"], Visit("POST", session, {entered: acme.id}))

    assert before.status == 200
    assert set(after) == {403}
    assert again.status == 403


def test_a_suspended_organization_s_pages_are_closed_to_its_own() -> None:
    tenant = make_tenant()
    owner, member = make_visitor(), make_visitor()
    add_member(user=owner.user, organization=tenant.organization, role=Membership.Role.OWNER)
    add_member(user=member.user, organization=tenant.organization, role=_MEMBER)
    suspend_organization(organization_id=tenant.id)

    statuses = {
        visit(addresses()[name], Visit("GET", session_of(owner), {})).status
        for name, page in PAGES.items()
        if name.startswith("organization") and not page.slots and "GET" in page.answers
    }
    resume_organization(organization_id=tenant.id)

    assert statuses == {403}
