"""Yesterday is the asker's yesterday: a request says where, else the person does."""

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
        assert str(zone_of(get_person(external_id="alice"))) == "America/Halifax"
