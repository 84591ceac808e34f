"""Each event that the log promises, recorded by the real services, by ids alone."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client

from souvenir.audit.models import Entry
from souvenir.audit.selectors import entries
from souvenir.audit.services import make_checkpoints
from souvenir.core.jobs import Job as Kind
from souvenir.deletion.services import request_erasure
from souvenir.export.links import open_download, sign_download
from souvenir.export.models import Export
from souvenir.export.services import request_export
from souvenir.memories.selectors import get_person
from tenants.auditing import private_part
from tenants.errors import PlacementRefused
from tenants.isolation.scope import tenant_scope
from tenants.models import Membership
from tenants.services import (
    add_member,
    create_organization,
    create_user,
    issue_key,
    issue_platform_key,
    resume_organization,
    revoke_key,
    set_time_zone,
    suspend_organization,
)
from tenants.webhooks.services import (
    Wanted,
    create_endpoint,
    remove_endpoint,
    roll_secret,
)
from tests.builders import Tenant, chatgpt_export, import_bytes, make_tenant, run_jobs

SAID = "Rosalie a peur du noir"


def told(tenant: Tenant | None) -> list[Entry]:
    """The entries of an organization, or of the cell, oldest first."""
    if tenant is None:
        return list(entries(organization_id=None).reverse())
    with tenant_scope(tenant.id):
        return list(entries(organization_id=tenant.id).reverse())


def actions(tenant: Tenant | None) -> list[str]:
    return [one.action for one in told(tenant)]


def newest(tenant: Tenant | None) -> Entry:
    return told(tenant)[-1]


def test_an_organization_s_beginning_is_told(acme: Tenant) -> None:
    created, issued = told(acme)

    assert (created.action, created.object) == (
        "organization.created",
        f"organization:{acme.id}",
    )
    assert created.details == {"placement": "local"}
    assert issued.action == "key.issued"


def test_suspending_and_resuming_are_told(acme: Tenant) -> None:
    suspend_organization(organization_id=acme.id)
    resume_organization(organization_id=acme.id)

    assert actions(acme)[-2:] == ["organization.suspended", "organization.resumed"]


def test_a_change_of_the_time_zone_is_told_once(acme: Tenant, globex: Tenant) -> None:
    before = len(told(globex))
    for _ in range(2):
        with tenant_scope(acme.id):
            set_time_zone(organization_id=acme.id, time_zone="America/Halifax")

    changed = newest(acme)
    assert actions(acme).count("organization.changed") == 1
    assert (changed.action, changed.object) == ("organization.changed", f"organization:{acme.id}")
    assert changed.details == {"time_zone": "America/Halifax"}
    assert len(told(globex)) == before


def test_a_refused_placement_is_told_of_the_cell() -> None:
    with pytest.raises(PlacementRefused):
        create_organization(slug="x", name_en="x", name_fr="x", placement="nowhere")

    refused = newest(None)
    assert (refused.action, refused.outcome) == ("placement.asked", "refused")
    assert refused.object == "placement:unknown"
    assert refused.details == {"reasons": ["not-in-the-registry"]}


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "refused-once"}])
def test_a_placement_refused_over_http_is_told_though_nothing_else_is_kept(
    headers: dict[str, str], unique: str
) -> None:
    key = issue_platform_key(label="for a test")
    before = len(told(None))
    body = {"slug": unique, "name_en": "A", "name_fr": "B", "region": "nowhere"}

    answer = Client(headers={"authorization": f"Bearer {key}", **headers}).post(
        "/api/v1/organizations", body, content_type="application/json"
    )

    assert answer.status_code == 400, answer.content
    (refused,) = told(None)[before:]
    assert refused.action == "placement.asked"
    assert refused.actor.startswith("platform:")


def test_a_key_s_life_is_told_with_who_did_it(acme: Tenant) -> None:
    answer = acme.http.post(
        "/api/v1/keys",
        {"label": SAID, "scopes": ["memories:read"]},
        content_type="application/json",
    )
    key_id = answer.json()["id"]
    acme.http.delete(f"/api/v1/keys/{key_id}")
    acme.http.delete(f"/api/v1/keys/{key_id}")

    issued, revoked = told(acme)[2:]
    assert (issued.action, revoked.action) == ("key.issued", "key.revoked")
    assert {issued.object, revoked.object} == {f"key:{key_id}"}
    assert issued.details == {"scopes": ["memories:read"]}
    assert {issued.actor, revoked.actor} == {told(acme)[1].object}  # the owner's key


def test_a_request_that_is_refused_leaves_no_entry(acme: Tenant) -> None:
    before = actions(acme)

    answer = acme.http.post(
        "/api/v1/keys", {"label": "x", "scopes": ["no:such"]}, content_type="application/json"
    )

    assert answer.status_code == 400
    assert actions(acme) == before


def test_a_key_of_the_operator_is_told_of_the_cell() -> None:
    issue_platform_key(label="for a test")

    assert newest(None).action == "platform-key.issued"


def test_members_are_told_by_ids(acme: Tenant, unique: str) -> None:
    user = create_user(email=f"{unique}@example.ca", name="Somebody", password=unique)
    add_member(user=user, organization=acme.organization, role=Membership.Role.MEMBER)
    add_member(user=user, organization=acme.organization, role=Membership.Role.OWNER)

    added, changed = told(acme)[2:]
    assert (added.action, added.details) == ("member.added", {"role": "member"})
    assert (changed.action, changed.details) == ("member.changed", {"role": "owner"})
    assert {added.object, changed.object} == {f"user:{user.id}"}


def test_signing_in_is_told_and_what_was_typed_is_not(unique: str) -> None:
    user = create_user(email=f"{unique}@example.ca", name="", password=unique)
    page, browser = "/en/sign-in/", Client()

    browser.post(page, {"username": user.email, "password": "not it"})
    browser.post(page, {"username": user.email, "password": unique})

    failed, done = told(None)[-2:]
    assert (failed.action, failed.outcome, failed.object) == (
        "user.signed-in",
        "refused",
        "user:unknown",
    )
    assert (done.action, done.outcome, done.object) == ("user.signed-in", "done", f"user:{user.id}")
    assert unique not in json.dumps([one.facts.told() for one in (failed, done)])


def test_an_import_and_a_copy_are_told_to_its_end(acme: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export(SAID), name="secret.json")
    with tenant_scope(acme.id):
        person = get_person(external_id="alice")
        export = request_export(person=person)
    run_jobs(acme, Kind.WRITE_EXPORT)
    with tenant_scope(acme.id):
        export.refresh_from_db()
        token = sign_download(export)
    open_download(token).stream.close()

    accepted, asked, made, downloaded = told(acme)[2:]
    assert [one.action for one in (accepted, asked, made, downloaded)] == [
        "import.accepted",
        "export.asked",
        "export.made",
        "export.downloaded",
    ]
    assert accepted.object == f"import:{record.id}"
    assert {asked.object, made.object, downloaded.object} == {f"export:{export.id}"}
    assert made.actor == f"job:{export.job_id}"
    assert {one.person_id for one in told(acme)[2:]} == {person.id}


def test_what_is_about_a_person_is_sealed_and_can_be_opened(acme: Tenant, globex: Tenant) -> None:
    record = import_bytes(acme, chatgpt_export(SAID))

    accepted = newest(acme)
    assert accepted.details == {}
    with tenant_scope(acme.id):
        assert private_part(accepted) == {"bytes": record.size_bytes}
    assert "bytes" not in json.dumps(accepted.facts.told())


def test_after_an_erasure_the_log_is_whole_and_the_person_s_part_is_gone(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export(SAID))
    accepted = newest(acme)
    make_checkpoints()
    with tenant_scope(acme.id):
        person = get_person(external_id="alice")
        request_erasure(target="person", target_id=person.id)
    run_jobs(acme, Kind.ERASE)
    make_checkpoints()

    call_command("verify_audit")
    assert actions(acme)[-3:] == ["erasure.asked", "keys.destroyed", "erasure.done"]
    with tenant_scope(acme.id):
        assert private_part(accepted) is None
        assert Entry.objects.get(id=accepted.id).facts == accepted.facts


def test_an_erased_organization_s_entries_stay_and_the_log_is_whole() -> None:
    gone = make_tenant()
    import_bytes(gone, chatgpt_export(SAID))
    accepted = newest(gone)
    with tenant_scope(gone.id):
        request_erasure(target="organization", target_id=gone.id)
    run_jobs(gone, Kind.ERASE)
    make_checkpoints()

    call_command("verify_audit")
    assert actions(gone)[-3:] == ["erasure.asked", "keys.destroyed", "erasure.done"]
    with tenant_scope(gone.id):
        assert private_part(accepted) is None


def test_webhooks_are_told_without_their_addresses(acme: Tenant) -> None:
    wanted = Wanted("https://hooks.example.ca/rosalie", "local", "To know.", [])
    with tenant_scope(acme.id):
        endpoint = create_endpoint(wanted=wanted)
        roll_secret(endpoint_id=endpoint.id, overlap=timedelta())
        remove_endpoint(endpoint_id=endpoint.id)

    found = told(acme)[2:]
    assert [one.action for one in found] == [
        "webhook.added",
        "webhook.secret-rolled",
        "webhook.removed",
    ]
    assert {one.object for one in found} == {f"webhook:{endpoint.id}"}


@pytest.mark.parametrize("keys", ["organization", "people", "search"])
def test_new_keys_are_told_with_the_command_that_made_them(acme: Tenant, keys: str) -> None:
    call_command("rotate_keys", organization=str(acme.id), keys=keys)

    rotated = newest(acme)
    assert (rotated.action, rotated.details) == ("keys.rotated", {"keys": keys})
    assert rotated.actor == "command:rotate_keys"


def test_no_entry_says_what_anybody_wrote(acme: Tenant) -> None:
    import_bytes(acme, chatgpt_export(SAID), person="Rosalie Tremblay", name="Rosalie.json")
    with tenant_scope(acme.id):
        issue_key(label="Rosalie’s", scopes=["memories:read"])
        revoke_key(key_id=UUID(told_key(acme)))

    everything = json.dumps([one.facts.told() for one in told(acme)], ensure_ascii=False)
    assert "Rosalie" not in everything


def told_key(tenant: Tenant) -> str:
    return newest(tenant).object.removeprefix("key:")


def test_a_stranger_reads_none_of_it(acme: Tenant, globex: Tenant) -> None:
    import_bytes(acme, chatgpt_export(SAID))

    assert {one.organization_id for one in told(globex)} == {globex.id}
    with tenant_scope(globex.id):
        assert not Entry.objects.filter(organization_id=acme.id).exists()
        assert not Export.objects.exists()
