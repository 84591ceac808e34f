"""Where days begin: the person's own preference, then the organization's setting."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from souvenir.ingestion.services import remember
from souvenir.memories.models import Person
from souvenir.memories.selectors import get_person, personal_store
from souvenir.memories.services import Statement, ensure_person
from tenants.isolation.scope import tenant_scope
from tenants.keyring.services import destroy_subject_keys
from tenants.models import Membership
from tenants.selectors import get_organization
from tenants.services import add_member, set_time_zone
from tests.builders import Tenant
from tests.souvenir.console.visitors import XSS, make_member, make_owner

MINE, OURS = "/en/my/preferences/", "/en/organization/settings/"
LATE = datetime(2026, 3, 15, 5, 30, tzinfo=UTC)  # 22:30 on the 14th in Vancouver


def _text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def _chosen(browser: Client, address: str) -> str:
    found = re.search(r'<option value="([^"]*)" selected', _text(browser.get(address)))
    return found[1] if found else ""


def _organization_s(tenant: Tenant) -> str:
    return get_organization(organization_id=tenant.id).time_zone


def _person_s(tenant: Tenant, external_id: str = "alice") -> str:
    with tenant_scope(tenant.id):
        return str(get_person(external_id=external_id).time_zone)


def _remember_late(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        store = personal_store(person=ensure_person(external_id="alice"))
        statement = Statement(text="Le ferry", author="a", occurred_at=LATE, observed_at=LATE)
        remember(store=store, statement=statement)


def test_an_owner_sets_the_time_zone_of_whoever_has_none(acme: Tenant, globex: Tenant) -> None:
    owner, alice = make_owner(acme).browser, make_member(acme).browser
    stranger = make_member(globex).browser
    _remember_late(acme)

    before = _text(alice.get("/en/my/memories/"))
    answer = owner.post(OURS, {"time_zone": "America/Vancouver"})
    after = _text(alice.get("/en/my/memories/"))

    assert (answer.status_code, answer.headers["Location"]) == (302, OURS)
    assert _organization_s(acme) == "America/Vancouver"
    assert _chosen(owner, OURS) == "America/Vancouver"
    assert "March 15, 2026" in before
    assert "March 14, 2026" in after
    assert "As the organization has it (Pacific: Vancouver, Victoria)" in _text(alice.get(MINE))
    assert _organization_s(globex) == ""
    assert "Eastern: Montréal" in _text(stranger.get(MINE)).split("</option>")[0]


def test_a_person_s_own_preference_comes_first_and_can_be_taken_back(
    acme: Tenant, globex: Tenant
) -> None:
    alice, theirs = make_member(acme).browser, make_member(globex).browser
    make_member(acme, external_id="bob")
    with tenant_scope(acme.id):
        set_time_zone(organization_id=acme.id, time_zone="Europe/Paris")
    _remember_late(acme)

    alice.post(MINE, {"time_zone": "America/Vancouver"})
    own = _text(alice.get("/fr/my/memories/"))
    kept = _person_s(acme)
    alice.post(MINE, {"time_zone": ""})

    assert kept == "America/Vancouver"
    assert "14 mars 2026" in own
    assert "15 mars 2026" in _text(alice.get("/fr/my/memories/"))
    assert _person_s(acme) == ""
    assert _person_s(acme, "bob") == ""
    assert _person_s(globex) == ""
    assert _chosen(theirs, MINE) == ""


def test_yesterday_in_the_search_is_the_person_s(acme: Tenant) -> None:
    alice = make_member(acme).browser
    _remember_late(acme)
    alice.post(MINE, {"time_zone": "America/Vancouver"})

    page = _text(alice.post("/en/my/", {"question": "ferry on March 14, 2026"}))

    assert "is understood as March 14, 2026 to March 14, 2026" in page
    assert "of the time you ask about" in page


@pytest.mark.parametrize("zone", ["America/Rimouski", XSS, "../etc/passwd", "x" * 65])
def test_a_time_zone_that_is_none_is_refused(acme: Tenant, zone: str) -> None:
    owner, alice = make_owner(acme).browser, make_member(acme).browser

    for browser, address in [(owner, OURS), (alice, MINE)]:
        answer = browser.post(address.replace("/en/", "/fr/"), {"time_zone": zone})
        assert answer.status_code == 400
        assert "Il y a un problème" in _text(answer)
        assert XSS not in _text(answer)
    assert (_organization_s(acme), _person_s(acme)) == ("", "")


def test_a_name_of_yore_that_a_program_gave_stays_until_it_is_changed(acme: Tenant) -> None:
    alice = make_member(acme).browser
    with tenant_scope(acme.id):
        ensure_person(external_id="alice", time_zone="Canada/Newfoundland")

    assert _chosen(alice, MINE) == "Canada/Newfoundland"


def test_a_member_sets_nothing_of_the_organization(acme: Tenant) -> None:
    answer = make_member(acme).browser.post(OURS, {"time_zone": "America/Vancouver"})

    assert answer.status_code == 403
    assert _organization_s(acme) == ""


def test_without_the_person_the_preference_is_not_there(acme: Tenant) -> None:
    member = make_member(acme)
    with tenant_scope(acme.id):
        Person.objects.filter(external_id="alice").update(state=Person.State.LEAVING)

    answer = member.browser.post(MINE, {"time_zone": "America/Vancouver"})

    assert answer.status_code == 403
    assert "Your memory was erased." in _text(answer)


def test_it_is_an_owner_s_own_time_where_the_owner_has_one(acme: Tenant) -> None:
    owner = make_owner(acme).browser
    with tenant_scope(acme.id):
        set_time_zone(organization_id=acme.id, time_zone="Asia/Tokyo")

    now = datetime.now(UTC)

    assert _hour(owner) in {(now.hour + 9) % 24, (now.hour + 10) % 24}


def test_where_a_preference_cannot_be_read_the_organization_s_counts(acme: Tenant) -> None:
    both = make_member(acme)
    role = Membership.Role.OWNER
    add_member(user=both.user, organization=acme.organization, role=role, person_id=both.person_id)
    with tenant_scope(acme.id):
        person = ensure_person(external_id="alice", time_zone="Asia/Tokyo")
        set_time_zone(organization_id=acme.id, time_zone="UTC")

    own = _hour(both.browser)
    with tenant_scope(acme.id):
        destroy_subject_keys(person.id)
    without = _hour(both.browser)

    assert (own - without) % 24 in {8, 9}


def _hour(browser: Client) -> int:
    """By the clock of the settings page."""
    shown = re.search(r"it is now \w+ \d+, \d+, (\d+):", _text(browser.get(OURS)))
    assert shown
    return int(shown[1])
