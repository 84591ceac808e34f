"""Following a job in a page, stopping it, trying it again."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.models import Session
from django.http import StreamingHttpResponse
from django.test import Client

from souvenir.core.jobs import Job as Kind
from tenants.errors import JobGaveUp
from tenants.isolation.scope import tenant_scope
from tenants.ledger import accept_job, claim_job, get_job
from tenants.models import Membership
from tenants.services import suspend_organization
from tests.builders import Tenant, chatgpt_export, import_bytes
from tests.souvenir.console.visitors import Visitor, make_member, make_owner


@pytest.fixture
def owner(acme: Tenant) -> Visitor:
    return make_owner(acme)


@pytest.fixture
def member(acme: Tenant) -> Visitor:
    return make_member(acme)


def _accept(tenant: Tenant, *, person_id: UUID | None = None, kind: Kind = Kind.RUN_IMPORT) -> UUID:
    with tenant_scope(tenant.id):
        return accept_job(kind, subject_id=uuid4(), person_id=person_id, unit="objects").id


def _end(tenant: Tenant, job_id: UUID, *, fails: bool = False) -> None:
    with tenant_scope(tenant.id):
        lease = claim_job(job_id)
    assert lease is not None
    with lease.step(done=7, total=7):
        if fails:
            lease.fail(JobGaveUp(attempts=5))
        else:
            lease.finish()


def _state(tenant: Tenant, job_id: UUID) -> str:
    with tenant_scope(tenant.id):
        return get_job(job_id=job_id).state


def _told(browser: Client, address: str) -> str:
    response = browser.get(address)
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response).decode()


def test_the_stream_tells_the_part_of_the_page_in_the_language_of_the_address(
    acme: Tenant, owner: Visitor
) -> None:
    job_id = _accept(acme)
    _end(acme, job_id)

    told = _told(owner.browser, f"/fr/organization/jobs/{job_id}/events/")

    assert "7 sur 7 objets" in told
    assert "event: job\ndata: " in told
    assert "event: end" in told
    assert all(
        line.partition(": ")[0] in {"id", "event", "data", "retry", ""}
        for line in told.splitlines()
    )


def test_whoever_has_seen_the_end_is_told_no_more(acme: Tenant, owner: Visitor) -> None:
    job_id = _accept(acme)
    _end(acme, job_id)
    with tenant_scope(acme.id):
        version = get_job(job_id=job_id).version

    response = owner.browser.get(
        f"/en/organization/jobs/{job_id}/events/", headers={"last-event-id": str(version)}
    )

    assert response.status_code == 204


def _ends_membership(visitor: Visitor) -> None:
    Membership.objects.filter(user=visitor.user).delete()


def _becomes_a_member(visitor: Visitor) -> None:
    Membership.objects.filter(user=visitor.user).update(role=Membership.Role.MEMBER)


def _signs_out(visitor: Visitor) -> None:
    Session.objects.all().delete()


def _changes_the_password(visitor: Visitor) -> None:
    visitor.user.set_password("another-long-password")
    visitor.user.save()


def _is_suspended(visitor: Visitor) -> None:
    for membership in Membership.objects.filter(user=visitor.user):
        suspend_organization(organization_id=membership.organization_id)


@pytest.mark.parametrize(
    "happens",
    [_ends_membership, _becomes_a_member, _signs_out, _changes_the_password, _is_suspended],
)
def test_a_stream_ends_when_whoever_follows_may_not_enter_any_more(
    acme: Tenant, owner: Visitor, happens: Callable[[Visitor], None]
) -> None:
    job_id = _accept(acme)
    response = owner.browser.get(f"/en/organization/jobs/{job_id}/events/")
    assert isinstance(response, StreamingHttpResponse)
    parts = iter(response)
    begun = [next(parts), next(parts)]

    _end(acme, job_id)
    happens(owner)

    assert b"event: job" in begun[1]
    assert list(parts) == []


def test_a_member_s_stream_ends_with_the_membership(acme: Tenant, member: Visitor) -> None:
    job_id = _accept(acme, person_id=member.person_id)
    response = member.browser.get(f"/en/my/jobs/{job_id}/events/")
    assert isinstance(response, StreamingHttpResponse)
    parts = iter(response)
    next(parts), next(parts)

    _end(acme, job_id)
    _ends_membership(member)

    assert list(parts) == []


def test_an_owner_stops_a_job_and_comes_back_to_the_page(acme: Tenant, owner: Visitor) -> None:
    job_id = _accept(acme)
    page = "/en/organization/jobs/?page=1"

    shown = owner.browser.get(page).content.decode()
    answer = owner.browser.post(f"/en/organization/jobs/{job_id}/cancel/", {"next": page})

    assert f'id="stop-{job_id}"' in shown
    assert 'hx-trigger="every 3s"' in shown
    assert answer.headers["Location"] == page
    assert _state(acme, job_id) == "cancelled"
    assert f'id="stop-{job_id}"' not in owner.browser.get(page).content.decode()


def test_an_owner_lets_a_job_try_again(acme: Tenant, owner: Visitor) -> None:
    job_id = _accept(acme)
    _end(acme, job_id, fails=True)

    shown = owner.browser.get("/fr/organization/jobs/").content.decode()
    owner.browser.post(f"/fr/organization/jobs/{job_id}/retry/")

    assert f'id="retry-{job_id}"' in shown
    assert "hx-trigger" not in shown
    assert _state(acme, job_id) == "queued"


def test_an_erasure_has_no_button_and_is_not_stopped(acme: Tenant, owner: Visitor) -> None:
    job_id = _accept(acme, kind=Kind.ERASE)

    shown = owner.browser.get("/en/organization/jobs/").content.decode()
    answer = owner.browser.post(f"/en/organization/jobs/{job_id}/cancel/")

    assert f'id="stop-{job_id}"' not in shown
    assert answer.status_code == 409
    assert _state(acme, job_id) == "queued"


def test_a_member_stops_and_repeats_the_own_jobs(acme: Tenant, member: Visitor) -> None:
    job_id = _accept(acme, person_id=member.person_id)

    stopped = member.browser.post(f"/en/my/jobs/{job_id}/cancel/", {"next": "/en/my/imports/"})
    again = member.browser.post(f"/en/my/jobs/{job_id}/retry/")

    assert stopped.headers["Location"] == "/en/my/imports/"
    assert again.status_code == 409
    assert _state(acme, job_id) == "cancelled"


@pytest.mark.parametrize("what", ["cancel", "retry", "events"])
def test_nobody_reaches_the_job_of_someone_else(
    acme: Tenant, globex: Tenant, member: Visitor, what: str
) -> None:
    job_id = _accept(acme, person_id=uuid4())
    strangers = [
        (member, f"/en/my/jobs/{job_id}/{what}/"),
        (make_owner(globex), f"/en/organization/jobs/{job_id}/{what}/"),
        (make_member(globex), f"/en/my/jobs/{job_id}/{what}/"),
    ]

    answers = [
        visitor.browser.get(address) if what == "events" else visitor.browser.post(address)
        for visitor, address in strangers
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert _state(acme, job_id) == "queued"


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example", "javascript:1", ""])
def test_a_form_leads_to_no_other_site(acme: Tenant, owner: Visitor, next_: str) -> None:
    answer = owner.browser.post(f"/en/organization/jobs/{_accept(acme)}/cancel/", {"next": next_})

    assert answer.headers["Location"] == "/en/"


def test_a_job_s_page_says_what_became_of_its_parts_and_of_those_it_asked_for(
    acme: Tenant, owner: Visitor
) -> None:
    record = import_bytes(acme, chatgpt_export("Bonjour", "Salut!"))

    page = owner.browser.get(f"/fr/organization/jobs/{record.job_id}/").content.decode()

    assert "Importation" in page
    assert "Ce que ses parties sont devenues" in page
    assert re.search(r"Terminée?\s*</th><td class=\"figure\"[^>]*>1<", page)
    assert "Bonjour" not in page
    table = owner.browser.get("/fr/organization/jobs/").content.decode()
    assert f'href="/fr/organization/jobs/{record.job_id}/"' in table


def test_a_job_s_page_asks_for_its_progress_until_it_has_ended(
    acme: Tenant, owner: Visitor
) -> None:
    job_id = _accept(acme)
    address = f"/en/organization/jobs/{job_id}/"

    waiting = owner.browser.get(address).content.decode()
    part = owner.browser.get(address, headers={"hx-request": "true"}).content.decode()
    _end(acme, job_id)
    over = owner.browser.get(address, headers={"hx-request": "true"})

    assert f'data-events="/en/organization/jobs/{job_id}/events/"' in waiting
    assert f'hx-get="{address}"' in waiting
    assert f'id="stop-{job_id}"' in waiting
    assert "<html" not in part
    assert "<progress" in part
    assert over.headers["HX-Refresh"] == "true"


def test_globex_s_owner_finds_no_page_of_acme_s_job(acme: Tenant, globex: Tenant) -> None:
    job_id = _accept(acme)

    answer = make_owner(globex).browser.get(f"/en/organization/jobs/{job_id}/")

    assert answer.status_code == 404
