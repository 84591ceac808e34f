"""What an organization has used up is refused with a time and a sentence, over both doors."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from souvenir.ingestion.models import Import
from tenants import objects
from tenants.isolation.scope import tenant_scope
from tenants.ledger.allowances import set_allowance
from tenants.models import Job
from tests.builders import Tenant, chatgpt_export
from tests.souvenir.console.visitors import make_member


def _upload(tenant: Tenant) -> object:
    file = SimpleUploadedFile("c.json", chatgpt_export("Bonjour"))
    return tenant.http.post("/api/v1/imports", {"file": file, "person": "alice"})


@pytest.mark.parametrize(
    ("limit", "code"),
    [("bytes_per_day", "upload-quota-exceeded"), ("jobs_waiting", "too-many-jobs")],
)
def test_too_much_is_refused_with_when_to_try_again(
    acme: Tenant, globex: Tenant, limit: str, code: str
) -> None:
    set_allowance(acme.id, **{limit: 1})
    if limit == "jobs_waiting":
        _upload(acme)

    refused = acme.http.post(
        "/api/v1/imports",
        {"file": SimpleUploadedFile("d.json", chatgpt_export("Salut")), "person": "alice"},
    )
    theirs = _upload(globex)

    assert (refused.status_code, refused.json()["code"]) == (429, code)
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert "{" not in refused.json()["detail"]
    assert getattr(theirs, "status_code", None) == 202


def test_what_is_refused_leaves_no_file_and_no_job(acme: Tenant) -> None:
    set_allowance(acme.id, bytes_per_day=1)

    _upload(acme)

    with tenant_scope(acme.id):
        assert objects.names("uploads") == []
        assert not Import.objects.exists()
        assert not Job.objects.exists()


def test_the_console_says_it_above_the_form(acme: Tenant) -> None:
    set_allowance(acme.id, bytes_per_day=1)
    browser = make_member(acme).browser

    answer = browser.post(
        "/fr/my/imports/", {"file": SimpleUploadedFile("c.json", chatgpt_export("Bonjour"))}
    )

    assert answer.status_code == 400
    assert "Cette organisation" in answer.content.decode()
