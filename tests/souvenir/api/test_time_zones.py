"""Yesterday is the asker's yesterday: a request says where, or the person, or the organization."""

from datetime import UTC, datetime
from typing import Any

import pytest

from souvenir.memories.models import Person
from souvenir.memories.selectors import get_person
from souvenir.memories.time_zones import zone_of
from tenants.isolation.scope import tenant_scope
from tenants.services import issue_key
from tests.builders import Tenant

ASKED = {"query": "Qu’a dit le plombier hier?", "asked_at": "2026-03-05T06:30:00Z"}


def _post(tenant: Tenant, path: str, body: dict[str, Any]) -> Any:
    return tenant.http.post(f"/api/v1/{path}", body, content_type="application/json")


def _person(tenant: Tenant, zone: str = "", person: str = "alice") -> Any:
    return _post(tenant, "people", {"external_id": person, "timezone": zone}).json()


def _begins(answer: Any) -> datetime:
    assert answer.status_code == 200, answer.content
    return datetime.fromisoformat(answer.json()["time"]["since"]).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "said", "begins"),
    [
        ("", None, datetime(2026, 3, 4, 5, tzinfo=UTC)),  # the installation's: Toronto
        ("America/Vancouver", None, datetime(2026, 3, 3, 8, tzinfo=UTC)),
        ("America/St_Johns", None, datetime(2026, 3, 4, 3, 30, tzinfo=UTC)),
        ("America/Vancouver", "America/Toronto", datetime(2026, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_yesterday_begins_at_the_asker_s_midnight(
    acme: Tenant, zone: str, said: str | None, begins: datetime
) -> None:
    assert _person(acme, zone)["timezone"] == zone
    asked = ASKED | {"person": "alice"} | ({"timezone": said} if said else {})

    assert _begins(_post(acme, "memories/search", asked)) == begins


def test_a_bound_key_asks_where_its_person_is(acme: Tenant) -> None:
    person = _person(acme, "America/Vancouver")
    with tenant_scope(acme.id):
        key = issue_key(label="a", scopes=["memories:read"], person_id=person["id"])
    bound = Tenant(acme.organization, key.text)

    assert _begins(_post(bound, "memories/search", ASKED)).hour == 8


def test_of_several_people_nobody_s_zone_counts(acme: Tenant) -> None:
    _person(acme, "America/Vancouver")

    assert _begins(_post(acme, "memories/search", ASKED)).hour == 5


def test_a_zone_that_is_none_is_refused(acme: Tenant) -> None:
    answer = _post(acme, "people", {"external_id": "alice", "timezone": "America/Rimouski"})

    assert (answer.status_code, answer.json()["code"]) == (400, "time-zone-unknown")
    assert acme.http.get("/api/v1/people").json()["results"] == []


def test_it_can_be_changed_and_is_sealed(acme: Tenant, globex: Tenant) -> None:
    _person(acme, "America/Vancouver")
    assert _person(acme, "America/Halifax")["timezone"] == "America/Halifax"
    assert _person(acme)["timezone"] == "America/Halifax", "empty: as it is"
    assert _person(globex)["timezone"] == ""

    with tenant_scope(acme.id):
        person = Person.objects.get()
        assert b"Halifax" not in person.__dict__["time_zone"].stored
        alice = get_person(external_id="alice")
        assert str(zone_of(alice, organization=acme.organization)) == "America/Halifax"


def _settle(tenant: Tenant, zone: str) -> Any:
    body = {"timezone": zone}
    return tenant.http.patch("/api/v1/organization", body, content_type="application/json")


def test_where_a_person_says_nothing_the_organization_does(acme: Tenant, globex: Tenant) -> None:
    _person(acme)
    _person(acme, "America/St_Johns", person="bob")
    _person(globex)

    settled = _settle(acme, "America/Vancouver").json()

    asked = ASKED | {"person": "alice"}
    assert (settled["id"], settled["timezone"]) == (str(acme.id), "America/Vancouver")
    assert acme.http.get("/api/v1/organization").json() == settled
    assert _begins(_post(acme, "memories/search", asked)).hour == 8
    assert _begins(_post(acme, "memories/search", ASKED)).hour == 8, "of everyone together"
    assert _begins(_post(acme, "memories/search", asked | {"person": "bob"})).hour == 3
    assert globex.http.get("/api/v1/organization").json()["timezone"] == ""
    assert _begins(_post(globex, "memories/search", asked)).hour == 5


def test_the_organization_s_zone_can_be_taken_away(acme: Tenant) -> None:
    _person(acme)
    _settle(acme, "America/Vancouver")

    assert _settle(acme, "").json()["timezone"] == ""
    assert _begins(_post(acme, "memories/search", ASKED | {"person": "alice"})).hour == 5


def test_a_person_s_own_zone_can_be_taken_away(acme: Tenant) -> None:
    _settle(acme, "America/Vancouver")
    _person(acme, "America/Halifax")

    body = {"external_id": "alice", "timezone": None}
    assert _post(acme, "people", body).json()["timezone"] == ""
    assert _begins(_post(acme, "memories/search", ASKED | {"person": "alice"})).hour == 8


@pytest.mark.parametrize("zone", ["America/Rimouski", "EST+5", "../etc/passwd", "-05:00"])
def test_an_organization_s_zone_that_is_none_is_refused(acme: Tenant, zone: str) -> None:
    answer = _settle(acme, zone)

    assert (answer.status_code, answer.json()["code"]) == (400, "time-zone-unknown")
    assert acme.http.get("/api/v1/organization").json()["timezone"] == ""


@pytest.mark.parametrize("body", [{}, {"timezone": None}, {"timezone": 5}, {"name_en": "Ours"}])
def test_what_is_no_setting_is_refused(acme: Tenant, body: dict[str, Any]) -> None:
    answer = acme.http.patch("/api/v1/organization", body, content_type="application/json")

    assert answer.status_code == 400
    assert acme.http.get("/api/v1/organization").json()["timezone"] == ""


def test_only_who_may_change_the_organization_sets_its_zone(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        key = issue_key(label="a", scopes=["organization:read", "memories:write"])
    reader = Tenant(acme.organization, key.text)

    answer = _settle(reader, "America/Vancouver")

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert reader.http.get("/api/v1/organization").json()["timezone"] == ""


def test_the_days_of_a_block_are_those_of_the_asker(acme: Tenant) -> None:
    _person(acme)
    late = {"text": "Le ferry est parti", "person": "alice", "occurred_at": "2026-03-15T05:30:00Z"}
    _post(acme, "memories", late)
    asked = {"query": "ferry", "person": "alice"}

    in_toronto = _post(acme, "context", asked).json()["text"]
    _settle(acme, "America/Vancouver")
    in_vancouver = _post(acme, "context", asked).json()["text"]
    said = _post(acme, "context", asked | {"timezone": "Europe/Paris"}).json()["text"]

    assert "2026-03-15" in in_toronto
    assert "2026-03-14" in in_vancouver
    assert "2026-03-15" in said
