"""Files on their way in or out: few at once, and nobody has all the places."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from souvenir.core.jobs import Job as Kind
from souvenir.core.transfers import TooManyTransfers, TransfersBusy, transfers
from tests.builders import Tenant, chatgpt_export, run_jobs

_PLACES = 3


@pytest.fixture(autouse=True)
def _three_places(settings: Any) -> None:
    settings.SOUVENIR_TRANSFERS = _PLACES


@pytest.fixture
def others() -> Iterator[ExitStack]:
    """Places that others have, until the test ends."""
    with ExitStack() as taken:
        yield taken


def _upload(tenant: Tenant) -> Any:
    file = SimpleUploadedFile("c.json", chatgpt_export("Bonjour"))
    return tenant.http.post("/api/v1/imports", {"file": file, "person": "alice"})


def _read(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def _link(tenant: Tenant) -> str:
    made = tenant.http.post("/api/v1/exports", {}, content_type="application/json").json()
    run_jobs(tenant, Kind.WRITE_EXPORT)
    return str(tenant.http.get(f"/api/v1/exports/{made['id']}").json()["download"])


def test_one_organization_has_all_places_but_one(
    acme: Tenant, globex: Tenant, others: ExitStack
) -> None:
    for _ in range(_PLACES - 1):
        others.enter_context(transfers.taken(owner=acme.id))

    refused, theirs = _upload(acme), _upload(globex)

    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-transfers")
    assert refused.headers["Retry-After"] == "5"
    assert theirs.status_code == 202


def test_where_no_place_is_left_whoever_comes_is_told_when(acme: Tenant, others: ExitStack) -> None:
    for _ in range(_PLACES):
        others.enter_context(transfers.taken(owner=uuid4()))

    refused = _upload(acme)

    assert (refused.status_code, refused.json()["code"]) == (503, "transfers-busy")


def test_what_is_small_needs_no_place(acme: Tenant, others: ExitStack) -> None:
    for _ in range(_PLACES):
        others.enter_context(transfers.taken(owner=uuid4()))

    added = acme.http.post(
        "/api/v1/memories", {"text": "Court.", "person": "alice"}, content_type="application/json"
    )

    assert added.status_code == 201


def test_a_copy_has_a_place_until_it_is_read_or_given_up(acme: Tenant) -> None:
    link = _link(acme)
    first, second = Client().get(link), Client().get(link)

    refused = Client().get(link)
    _read(first)
    second.close()

    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-transfers")
    for _ in range(_PLACES + 1):
        assert _read(Client().get(link))


def test_the_console_says_it_too(acme: Tenant, others: ExitStack) -> None:
    for _ in range(_PLACES):
        others.enter_context(transfers.taken(owner=uuid4()))
    browser = Client()
    browser.cookies["souvenir_session"] = "anything"

    file = SimpleUploadedFile("c.json", chatgpt_export("Bonjour"))
    answer = browser.post("/fr/my/imports/", {"file": file})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_a_place_is_left_once(acme: Tenant) -> None:
    place = transfers.take(owner=acme.id)
    place.leave()
    place.leave()

    with ExitStack() as taken:
        for _ in range(_PLACES - 1):
            taken.enter_context(transfers.taken(owner=acme.id))
        with pytest.raises(TooManyTransfers):
            transfers.take(owner=acme.id)
        taken.enter_context(transfers.taken(owner=uuid4()))
        with pytest.raises(TransfersBusy):
            transfers.take(owner=uuid4())
