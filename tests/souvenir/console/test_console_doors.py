"""Each page opens to its own user, in both languages, and to nobody else."""

import re

import pytest
from django.http import FileResponse
from django.test import Client

from tenants.models import Organization
from tenants.services import resume_organization, suspend_organization
from tests.builders import make_tenant
from tests.souvenir.console.visitors import (
    XSS,
    Inhabited,
    Visitor,
    downloaded,
    make_inhabited,
    make_member,
    make_owner,
    make_visitor,
)

MY_PAGES = [
    "my/",
    "my/context/",
    "my/conversations/",
    "my/conversations/{conversation_id}/",
    "my/memories/",
    "my/memories/{memory_id}/",
    "my/memories/{memory_id}/forget/",
    "my/preferences/",
    "my/imports/",
    "my/imports/{import_id}/",
    "my/imports/{import_id}/progress/",
    "my/imports/{import_id}/erase/",
    "my/exports/",
    "my/exports/{export_id}/progress/",
    "my/exports/{export_id}/download/",
    "my/erasures/",
    "my/erasures/everything/",
    "my/erasures/{erasure_id}/",
    "my/erasures/{erasure_id}/progress/",
]
ORGANIZATION_PAGES = [
    "organization/",
    "organization/jobs/",
    "organization/people/",
    "organization/people/{person_id}/erase/",
    "organization/erasures/{erasure_id}/",
    "organization/erasures/{erasure_id}/progress/",
    "organization/keys/",
    "organization/keys/{key_id}/revoke/",
    "organization/exports/",
    "organization/exports/{whole_export_id}/progress/",
    "organization/exports/{whole_export_id}/download/",
    "organization/residency/",
    "organization/settings/",
]
PLATFORM_PAGES = [
    "platform/",
    "platform/organizations/new/",
    "platform/placements/",
    "platform/organizations/{organization_id}/suspend/",
]
LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])
CODE_IN_A_PAGE = re.compile(rb"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", re.IGNORECASE)


def _address(page: str, language: str, home: Inhabited) -> str:
    return f"/{language}/" + page.format(**home.ids, organization_id=home.tenant.id)


def _check(browser: Client, address: str, language: str) -> None:
    response = browser.get(address)

    assert response.status_code == 200, address
    assert response.headers["Content-Language"] == f"{language}-ca"
    assert response.headers["Cache-Control"] == "no-store"
    if isinstance(response, FileResponse):
        assert downloaded(response).startswith(b"PK")
        return
    assert XSS.encode() not in response.content, address
    assert not CODE_IN_A_PAGE.search(response.content), address
    if response.content.startswith(b"<!doctype"):
        assert f'<html lang="{language}-ca">'.encode() in response.content


@LANGUAGES
@pytest.mark.parametrize("page", MY_PAGES)
def test_my_pages_are_for_their_person(page: str, language: str, home_of_acme: Inhabited) -> None:
    _check(home_of_acme.member.browser, _address(page, language, home_of_acme), language)


@LANGUAGES
@pytest.mark.parametrize("page", ORGANIZATION_PAGES)
def test_organization_pages_are_for_the_owner(
    page: str, language: str, home_of_acme: Inhabited
) -> None:
    _check(home_of_acme.owner.browser, _address(page, language, home_of_acme), language)


@LANGUAGES
@pytest.mark.parametrize("page", PLATFORM_PAGES)
def test_platform_pages_are_for_the_administrator(
    page: str, language: str, home_of_acme: Inhabited, platform_admin: Visitor
) -> None:
    _check(platform_admin.browser, _address(page, language, home_of_acme), language)


@pytest.mark.parametrize("page", MY_PAGES + ORGANIZATION_PAGES + PLATFORM_PAGES)
def test_whoever_has_not_signed_in_is_sent_to_the_door(page: str, home_of_acme: Inhabited) -> None:
    address = _address(page, "fr", home_of_acme)

    response = Client().get(address)

    assert (response.status_code, response.headers["Location"]) == (
        302,
        f"/fr/sign-in/?next={address}",
    )


@pytest.mark.parametrize("page", ORGANIZATION_PAGES + PLATFORM_PAGES)
def test_a_member_enters_only_the_own_memory(page: str, home_of_acme: Inhabited) -> None:
    browser = home_of_acme.member.browser

    assert browser.get(_address(page, "en", home_of_acme)).status_code == 403


@pytest.mark.parametrize("page", MY_PAGES + PLATFORM_PAGES)
def test_an_owner_reads_no_one_s_memory(page: str, home_of_acme: Inhabited) -> None:
    browser = home_of_acme.owner.browser

    assert browser.get(_address(page, "en", home_of_acme)).status_code == 403


@pytest.mark.parametrize("page", MY_PAGES + ORGANIZATION_PAGES)
def test_the_platform_s_administrator_enters_no_organization(
    page: str, home_of_acme: Inhabited, platform_admin: Visitor
) -> None:
    browser = platform_admin.browser

    assert browser.get(_address(page, "en", home_of_acme)).status_code == 403


@pytest.mark.parametrize("page", [page for page in MY_PAGES if "{" in page])
def test_globex_s_member_finds_nothing_of_acme_s(
    page: str, home_of_acme: Inhabited, home_of_globex: Inhabited
) -> None:
    browser = home_of_globex.member.browser

    assert browser.get(_address(page, "en", home_of_acme)).status_code == 404


@pytest.mark.parametrize("page", [page for page in ORGANIZATION_PAGES if "{" in page])
def test_globex_s_owner_finds_nothing_of_acme_s(
    page: str, home_of_acme: Inhabited, home_of_globex: Inhabited
) -> None:
    browser = home_of_globex.owner.browser

    assert browser.get(_address(page, "en", home_of_acme)).status_code == 404


@pytest.mark.parametrize("page", [page for page in MY_PAGES if "{" in page])
def test_a_colleague_finds_nothing_of_alice_s(
    page: str, home_of_acme: Inhabited, colleague: Visitor
) -> None:
    assert colleague.browser.get(_address(page, "en", home_of_acme)).status_code == 404


def test_an_owner_downloads_no_person_s_own_copy(home_of_acme: Inhabited) -> None:
    address = f"/en/organization/exports/{home_of_acme.ids['export_id']}/download/"

    assert home_of_acme.owner.browser.get(address).status_code == 404


def test_globex_can_change_nothing_of_acme_s() -> None:
    acme, globex = make_inhabited(), make_inhabited()
    member, owner = globex.member.browser, globex.owner.browser
    memory, key = acme.ids["memory_id"], acme.ids["key_id"]

    answers = [
        member.post(f"/en/my/memories/{memory}/", {"text": "Mine", "version": 1}),
        member.post(f"/en/my/memories/{memory}/forget/"),
        member.post(f"/en/my/imports/{acme.ids['import_id']}/erase/"),
        owner.post(f"/en/organization/keys/{key}/revoke/"),
        owner.post(f"/en/organization/people/{acme.ids['person_id']}/erase/", {"word": "ERASE"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    page = acme.member.browser.get(f"/en/my/memories/{memory}/").content.decode()
    assert "Rosalie" in page
    assert "Mine" not in page


def test_a_suspended_organization_says_so_and_opens_again() -> None:
    tenant = make_tenant()
    member, owner = make_member(tenant), make_owner(tenant)
    suspend_organization(organization_id=tenant.id)

    for browser, page in ((member.browser, "/fr/my/"), (owner.browser, "/fr/organization/")):
        response = browser.get(page)
        assert response.status_code == 403
        assert "suspendue" in response.content.decode()

    resume_organization(organization_id=tenant.id)
    assert Organization.objects.get(id=tenant.id).state == "active"
    assert member.browser.get("/fr/my/").status_code == 200


def test_someone_without_an_organization_is_told_so(french: None) -> None:
    response = make_visitor().browser.get("/fr/", follow=True)

    assert response.status_code == 403
    assert "aucune organisation" in response.content.decode()


def test_an_address_that_leads_nowhere_says_so_in_its_language(french: None) -> None:
    browser = Client(headers={"accept-language": "en"})

    response = browser.get("/fr/nulle-part/")

    assert response.status_code == 404
    assert "Il n’y a pas de page" in response.content.decode()


def test_an_address_without_its_slash_is_sent_to_the_one_that_has_it() -> None:
    assert Client().get("/en/my").headers["Location"] == "/en/my/"
