"""Signing in and out, and the language that is remembered."""

import pytest
from django.test import Client

from tests.builders import make_tenant
from tests.souvenir.console.visitors import (
    PASSWORD,
    Inhabited,
    Visitor,
    make_member,
    make_owner,
    make_visitor,
)


def _sign_in(visitor: Visitor, password: str, *, email: str = "") -> tuple[Client, int, str]:
    browser = Client()
    form = {"username": email or visitor.user.email, "password": password}
    response = browser.post("/fr/sign-in/", form)
    return browser, response.status_code, response.content.decode()


def test_the_right_password_leads_to_one_s_own_memory() -> None:
    visitor = make_member(make_tenant())

    browser, status, _ = _sign_in(visitor, PASSWORD)

    assert status == 302
    assert browser.get("/fr/").headers["Location"] == "/fr/my/"


def test_the_case_of_the_address_does_not_matter(french: None) -> None:
    visitor = make_visitor()

    _, status, _ = _sign_in(visitor, PASSWORD, email=visitor.user.email.upper())

    assert status == 302


def test_a_wrong_password_is_refused_and_says_what_to_do(french: None) -> None:
    browser, status, page = _sign_in(make_visitor(), "not-the-password")

    assert status == 200
    assert "ne vont pas ensemble" in page
    assert browser.get("/fr/my/").status_code == 302


def test_an_unknown_address_is_refused_in_the_same_words(french: None) -> None:
    _, _, unknown = _sign_in(make_visitor(), PASSWORD, email="nobody@nowhere.example")
    _, _, known = _sign_in(make_visitor(), "not-the-password")

    assert ("ne vont pas ensemble" in unknown) is ("ne vont pas ensemble" in known) is True


def test_an_owner_is_led_to_the_organization() -> None:
    browser = make_owner(make_tenant()).browser

    assert browser.get("/en/").headers["Location"] == "/en/organization/"


def test_an_administrator_is_led_to_the_platform(platform_admin: Visitor) -> None:
    assert platform_admin.browser.get("/en/").headers["Location"] == "/en/platform/"


def test_signing_out_takes_a_post(home_of_acme: Inhabited) -> None:
    browser = home_of_acme.member.browser

    assert browser.get("/en/sign-out/").status_code == 405
    assert browser.post("/en/sign-out/").headers["Location"] == "/en/sign-in/"
    assert browser.get("/en/my/").status_code == 302


def test_a_form_without_its_token_is_refused(home_of_acme: Inhabited) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(home_of_acme.member.user)

    response = browser.post("/en/my/memories/", {"text": "Forged", "kind": "fact"})

    assert response.status_code == 403
    assert "Forged" not in browser.get("/en/my/memories/").content.decode()


def test_a_part_of_a_page_sends_the_whole_page_to_the_door(home_of_acme: Inhabited) -> None:
    address = f"/en/my/imports/{home_of_acme.ids['import_id']}/progress/"

    response = Client().get(address, headers={"hx-request": "true"})

    assert response.headers["HX-Redirect"] == "/en/sign-in/"


def test_the_other_language_shows_the_same_page_and_is_remembered() -> None:
    visitor = make_member(make_tenant())
    browser = visitor.browser

    response = browser.post("/en/language/", {"language": "fr", "next": "/en/my/memories/?page=2"})

    assert response.headers["Location"] == "/fr/my/memories/?page=2"
    assert browser.get("/").headers["Location"] == "/fr/"
    visitor.user.refresh_from_db()
    assert visitor.user.language == "fr-ca"


def test_the_language_of_someone_who_has_not_signed_in_is_remembered_by_the_browser() -> None:
    browser = Client(headers={"accept-language": "en-CA"})

    browser.post("/en/language/", {"language": "fr", "next": "/en/sign-in/"})

    assert browser.get("/").headers["Location"] == "/fr/"


@pytest.mark.parametrize(
    ("asked", "given"), [("fr-CA,fr;q=0.9", "/fr/"), ("en-US", "/en/"), ("de", "/en/")]
)
def test_the_front_door_follows_the_browser(asked: str, given: str) -> None:
    assert Client(headers={"accept-language": asked}).get("/").headers["Location"] == given


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example/", "", "x"])
def test_the_language_leads_to_no_other_site(address: str) -> None:
    response = Client().post("/en/language/", {"language": "fr", "next": address})

    assert response.headers["Location"] == "/fr/"


def test_whoever_belongs_to_two_organizations_chooses_one() -> None:
    first, second = make_tenant(), make_tenant()
    visitor = make_member(first, external_id="alice")
    other = make_member(second, external_id="alice-of-the-second")
    for membership in other.user.membership_set.all():
        membership.user = visitor.user
        membership.save()
    browser = visitor.browser
    browser.post("/en/my/memories/", {"text": "In whichever comes first", "kind": "fact"})
    before = b"whichever" in browser.get("/en/my/memories/").content

    entered = [browser.post(f"/en/enter/{tenant.id}/").status_code for tenant in (first, second)]
    in_second = b"whichever" in browser.get("/en/my/memories/").content
    browser.post(f"/en/enter/{first.id}/")
    in_first = b"whichever" in browser.get("/en/my/memories/").content

    assert before
    assert entered == [302, 302]
    assert in_first is not in_second


def test_no_one_enters_an_organization_of_others(
    home_of_acme: Inhabited, home_of_globex: Inhabited
) -> None:
    response = home_of_globex.owner.browser.post(f"/en/enter/{home_of_acme.tenant.id}/")

    assert response.status_code == 403
