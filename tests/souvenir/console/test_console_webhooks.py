"""An owner adds a webhook, sees what it was told, and changes it; nobody else does."""

import pytest
from pytest_django import Settings

from souvenir.core.jobs import Job as Kind
from tenants.isolation.scope import tenant_scope
from tenants.webhooks.models import Delivery, Endpoint
from tests.builders import Tenant, run_jobs
from tests.souvenir.console.visitors import Visitor, make_member, make_owner

FORM = {"url": "https://localhost/hooks", "placement": "local", "purpose": "To know."}
LIST = "/fr/organization/webhooks/"


@pytest.fixture
def owner(acme: Tenant) -> Visitor:
    return make_owner(acme)


def _add(tenant: Tenant, owner: Visitor) -> tuple[str, str]:
    """The page that shows the secret, and the address of the webhook's own."""
    shown = owner.browser.post(LIST, FORM).content.decode()
    with tenant_scope(tenant.id):
        return shown, f"{LIST}{Endpoint.objects.get().id}/"


def test_a_secret_is_shown_once(acme: Tenant, owner: Visitor) -> None:
    shown, address = _add(acme, owner)

    pages = [owner.browser.get(where).content.decode() for where in (LIST, address)]

    assert "whsec_" in shown
    assert "Copiez-le à un endroit sûr." in shown
    assert not any("whsec_" in page for page in pages)
    assert all("https://localhost/hooks" in page for page in pages)


def test_where_calls_lead_is_told_in_words(
    acme: Tenant, owner: Visitor, settings: Settings
) -> None:
    settings.SOUVENIR_RERANK_URL = "https://rerank.example.ca/rerank"
    settings.SOUVENIR_RERANK_PLACEMENT = "gone"
    _add(acme, owner)

    english, french = (
        owner.browser.get(f"/{language}/organization/residency/").content.decode()
        for language in ("en", "fr")
    )

    assert "Ids, by a webhook → Whoever started Souvenir, This computer, Quebec, Canada" in english
    assert "Des identifiants, par un point d’ancrage Web → " in french
    assert "Cet ordinateur, Québec, Canada" in french
    assert "« gone », un lieu que le registre ne connaît plus" in french.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://hooks.example.ca/"}, "Elle commence par https://"),
        ({"placement": "aws-ca-central-1"}, "La résidence"),
        ({"purpose": ""}, "obligatoire"),
    ],
)
def test_what_may_not_be_is_said_at_the_form(
    acme: Tenant, owner: Visitor, changes: dict[str, str], said: str
) -> None:
    answer = owner.browser.post(LIST, {**FORM, **changes})

    assert answer.status_code == 400
    assert said in answer.content.decode()
    with tenant_scope(acme.id):
        assert not Endpoint.objects.exists()


def test_a_test_is_sent_listed_and_told_again(acme: Tenant, owner: Visitor) -> None:
    _, address = _add(acme, owner)

    owner.browser.post(f"{address}test/")
    run_jobs(acme, Kind.DELIVER_WEBHOOKS)
    page = owner.browser.get(address).content.decode()
    with tenant_scope(acme.id):
        delivery = Delivery.objects.get()
    owner.browser.post(f"{address}deliveries/{delivery.id}/resend/")

    assert "l’adresse est privée" in page
    assert "Essai" in page
    with tenant_scope(acme.id):
        delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("pending", 0)


def test_it_is_turned_off_and_on_given_a_secret_and_removed(acme: Tenant, owner: Visitor) -> None:
    first, address = _add(acme, owner)

    owner.browser.post(f"{address}turn/", {"on": ""})
    off = owner.browser.get(address).content.decode()
    owner.browser.post(f"{address}turn/", {"on": "on"})
    rolled = owner.browser.post(f"{address}secret/").content.decode()
    asked = owner.browser.get(f"{address}remove/").content.decode()
    owner.browser.post(f"{address}remove/")

    assert "désactivé par un propriétaire" in off
    assert rolled.split("whsec_")[1][:20] not in first
    assert "Retirer ce point d’ancrage Web?" in asked
    assert owner.browser.get(address).status_code == 404


def test_neither_a_member_nor_another_owner_reaches_it(
    acme: Tenant, globex: Tenant, owner: Visitor
) -> None:
    _, address = _add(acme, owner)
    strangers = [make_member(acme), make_owner(globex)]

    statuses = [
        [visitor.browser.get(address).status_code for visitor in strangers],
        [visitor.browser.post(f"{address}test/").status_code for visitor in strangers],
        [visitor.browser.post(f"{address}remove/").status_code for visitor in strangers],
    ]

    assert statuses == [[403, 404]] * 3
    with tenant_scope(acme.id):
        assert Endpoint.objects.count() == 1
