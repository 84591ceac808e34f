"""Every request has an id, one log line and one count; none of them tells what was asked."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from souvenir.config.log_lines import JsonLines
from tests.builders import Tenant, run_jobs

SECRET = f"zq{uuid4().hex}"


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Everything that is logged, whoever logs it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in lines if line["message"] == "request"]


def _count(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("souvenir_http_requests_total", labels) or 0.0


def test_an_answer_carries_an_id_and_the_line_the_same(acme: Tenant, said: io.StringIO) -> None:
    answer = acme.http.get("/api/v1/people")

    (line,) = _lines(said)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["route"], line["method"], line["status"]) == ("api/v1/people", "GET", 200)
    assert line["tenant_id"] == str(acme.id)
    assert line["duration_ms"] > 0


@pytest.mark.parametrize("given", ["0af7651916cd43dd8448eb211c80319c", "a-b_c.d9"])
def test_an_id_of_whoever_stands_in_front_is_taken(acme: Tenant, given: str) -> None:
    answer = acme.http.get("/api/v1/people", headers={"x-request-id": given})

    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["short", "with space in it", "a" * 65, "é" * 10, 'abcdefgh","level":"x']
)
def test_an_id_that_is_none_is_not_taken(acme: Tenant, given: str) -> None:
    sent = given.encode().decode("latin-1")
    answer = acme.http.get("/api/v1/people", headers={"x-request-id": sent})

    assert answer.headers["X-Request-Id"].isalnum()
    assert len(answer.headers["X-Request-Id"]) == 16


def test_what_is_refused_before_any_view_is_seen_too(said: io.StringIO) -> None:
    answer = Client().post("/en/sign-in/", {"email": "x"}, headers={"x-request-id": "abcdefgh"})
    unknown = Client().generic("BREW", "/nowhere")

    assert answer.headers["X-Request-Id"] == "abcdefgh"
    assert "X-Request-Id" in unknown.headers
    assert [line["method"] for line in _lines(said)] == ["POST", "OTHER"]


def test_a_request_is_counted_by_its_pattern_not_by_its_address(acme: Tenant) -> None:
    route = "api/v1/memories/<uuid:memory_id>"
    before = _count("GET", route, "404")

    for _ in range(3):
        acme.http.get(f"/api/v1/memories/{uuid4()}")

    assert _count("GET", route, "404") == before + 3


def test_a_probe_is_counted_and_not_logged(said: io.StringIO) -> None:
    before = _count("GET", "livez", "200")

    Client().get("/livez")

    assert _count("GET", "livez", "200") == before + 1
    assert _lines(said) == []


def test_nothing_that_is_sent_or_kept_is_logged_or_counted(acme: Tenant, said: io.StringIO) -> None:
    http = acme.http
    http.post("/api/v1/memories", {"text": SECRET, "person": SECRET}, "application/json")
    http.post("/api/v1/memories/search", {"query": SECRET, "person": SECRET}, "application/json")
    http.post("/api/v1/memories", {"text": [SECRET], "person": SECRET}, "application/json")
    http.get(f"/api/v1/memories?person={SECRET}&cursor={SECRET}")
    http.get(f"/api/v1/{SECRET}", headers={"x-request-id": f"{SECRET} {SECRET}"})
    http.get(f"/api/v1/downloads/{SECRET}")
    Client(headers={"authorization": f"Bearer {SECRET}", "host": SECRET}).get("/api/v1/people")
    http.post("/api/v1/erasures", {"target": "person", "person": SECRET}, "application/json")
    run_jobs(acme)

    labels = [str(sample) for metric in REGISTRY.collect() for sample in metric.samples]
    assert SECRET not in said.getvalue()
    assert SECRET not in "".join(labels)
    assert str(acme.id) not in "".join(labels)
