"""A body that is declared too large is refused before it is read."""

import pytest
from django.conf import settings
from django.test import Client

from tests.builders import Tenant

_SMALL = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.mark.parametrize("path", ["/en/sign-in/", "/en/my/imports/", "/"])
def test_a_stranger_may_send_little(path: str) -> None:
    answer = Client().post(
        path, data="x", content_type="text/plain", CONTENT_LENGTH=str(_SMALL + 1)
    )

    assert answer.status_code == 413


def test_a_key_may_send_a_file_and_no_more(acme: Tenant) -> None:
    limit = settings.SOUVENIR_UPLOAD_MAX_BYTES

    answer = acme.http.post(
        "/api/v1/imports", data="x", content_type="text/plain", CONTENT_LENGTH=str(2 * limit)
    )

    assert answer.status_code == 413


def test_a_json_body_past_its_limit_is_told_so(acme: Tenant) -> None:
    answer = acme.http.post(
        "/api/v1/memories", data="x" * (_SMALL + 1), content_type="application/json"
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
