"""What an owner and an administrator do, through the forms."""

from uuid import uuid4

from django.test import Client

from souvenir.core.jobs import Job as Kind
from souvenir.memories.models import Person
from tenants.isolation.scope import tenant_scope
from tenants.models import ApiKey, Organization
from tests.builders import Tenant, chatgpt_export, import_bytes, run_jobs
from tests.souvenir.console.visitors import Visitor, downloaded, make_owner


def test_a_key_is_shown_once_and_works(acme: Tenant) -> None:
    browser = make_owner(acme).browser
    form = {"label": "CI", "scopes": ["organization:read"], "days": "90"}

    created = browser.post("/fr/organization/keys/", form).content.decode()
    text = created.split('id="key"')[1].split(">")[1].split("<")[0]
    listed = browser.get("/fr/organization/keys/").content.decode()

    assert "Copiez votre clé à un endroit sûr." in created
    assert text.startswith("souv_")
    assert text not in listed
    assert f"…{text[-4:]}" in listed
    machine = Client(headers={"authorization": f"Bearer {text}"})
    assert machine.get("/api/v1/people").status_code == 200


def test_a_key_for_one_person_cannot_reach_the_organization(acme: Tenant) -> None:
    browser = make_owner(acme).browser
    browser.post("/en/organization/people/", {"external_id": "alice"})
    form = {"label": "CI", "scopes": ["organization:read"], "person": "alice", "days": ""}

    response = browser.post("/en/organization/keys/", form)

    assert response.status_code == 400
    told = response.content.decode()
    assert "cannot have the scope “See people, jobs and where the data is”" in told
    with tenant_scope(acme.id):
        assert not ApiKey.objects.filter(label="CI").exists()


def test_a_revoked_key_stops_working(acme: Tenant) -> None:
    browser = make_owner(acme).browser
    with tenant_scope(acme.id):
        key = ApiKey.objects.get(label="owner")

    asked = browser.get(f"/fr/organization/keys/{key.id}/revoke/").content.decode()
    browser.post(f"/fr/organization/keys/{key.id}/revoke/")

    assert "Révoquer «\xa0owner\xa0»?" in asked
    assert acme.http.get("/api/v1/people").status_code == 401


def test_a_person_is_added_and_erased(acme: Tenant) -> None:
    browser = make_owner(acme).browser
    browser.post("/fr/organization/people/", {"external_id": "e-1042", "display_name": "Marc"})
    with tenant_scope(acme.id):
        person = Person.objects.get(external_id="e-1042")
    address = f"/fr/organization/people/{person.id}/erase/"

    wrong = browser.post(address, {"word": "oui"})
    asked = browser.post(address, {"word": "EFFACER"})
    run_jobs(acme, Kind.ERASE)

    assert wrong.status_code == 400
    assert "Plus rien" in browser.get(asked.headers["Location"]).content.decode()
    with tenant_scope(acme.id):
        assert not Person.objects.filter(id=person.id).exists()


def test_the_organization_is_taken_home(acme: Tenant) -> None:
    browser = make_owner(acme).browser
    import_bytes(acme, chatgpt_export("Bonjour"))

    browser.post("/fr/organization/exports/")
    run_jobs(acme, Kind.WRITE_EXPORT)
    ready = browser.get("/fr/organization/exports/").content.decode()
    address = ready.split('class="button primary" href="')[1].split('"')[0]

    assert downloaded(browser.get(address)).startswith(b"PK")


def test_the_jobs_say_what_went_wrong(acme: Tenant) -> None:
    import_bytes(acme, b"{")

    page = make_owner(acme).browser.get("/fr/organization/jobs/").content.decode()

    assert "Échec" in page
    assert "Téléversez" in page or "téléversez" in page


def test_an_organization_is_created_in_an_allowed_place_with_its_key(
    platform_admin: Visitor,
) -> None:
    slug = f"t-{uuid4().hex}"
    form = {"name_en": "Clinic", "name_fr": "Clinique", "slug": slug, "placement": "local"}

    page = platform_admin.browser.post("/fr/platform/organizations/new/", form).content.decode()

    assert "Clinique" in page
    assert "souv_" in page
    assert Organization.objects.get(slug=slug).placement == "local"


def test_a_refused_place_creates_nothing(platform_admin: Visitor) -> None:
    slug = f"t-{uuid4().hex}"
    form = {"name_en": "A", "name_fr": "A", "slug": slug, "placement": "aws-ca-central-1"}

    response = platform_admin.browser.post("/fr/platform/organizations/new/", form)

    assert response.status_code == 400
    assert "du personnel y accède depuis un pays non permis; " in response.content.decode()
    assert not Organization.objects.filter(slug=slug).exists()


def test_a_taken_name_is_told_at_the_form(platform_admin: Visitor, acme: Tenant) -> None:
    slug = acme.organization.slug
    form = {"name_en": "A", "name_fr": "A", "slug": slug, "placement": "local"}

    response = platform_admin.browser.post("/fr/platform/organizations/new/", form)

    assert response.status_code == 400
    assert "est pris" in response.content.decode()


def test_a_refused_place_says_why(platform_admin: Visitor) -> None:
    page = platform_admin.browser.get("/fr/platform/placements/").content.decode()

    assert "les tribunaux d’un pays que la politique refuse y ont compétence" in page


def test_an_organization_is_suspended_and_resumed(platform_admin: Visitor, acme: Tenant) -> None:
    browser = platform_admin.browser

    browser.post(f"/en/platform/organizations/{acme.id}/suspend/")
    suspended = acme.http.get("/api/v1/people").status_code
    browser.post(f"/en/platform/organizations/{acme.id}/resume/")

    assert suspended == 403
    assert acme.http.get("/api/v1/people").status_code == 200
