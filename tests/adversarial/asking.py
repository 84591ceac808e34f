"""Requests of the matrix: built from the OpenAPI document and the case table, sent in process."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, quote_from_bytes
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.adversarial.case_table import CASES
from tests.adversarial.kinds import Case, Slot
from tests.builders import chatgpt_export

DOCUMENT = "/api/v1/openapi.json"
# An error of the server is an answer to be judged, not an exception of the test.
_CLIENT = Client(raise_request_exception=False)
_OF_THIS_ONE = {"Content-Length", "X-Request-Id"}  # different in every answer
UPLOAD = chatgpt_export("One more line.", conversation="c-matrix")


@dataclass(frozen=True)
class Operation:
    """One path and method of the OpenAPI document."""

    name: str  # operationId
    method: str
    path: str  # with {names}
    # (path or query, name) of each text parameter; headers have tests of their own
    parameters: frozenset[tuple[str, str]]
    properties: frozenset[str]  # of the body


@dataclass(frozen=True)
class Answer:
    """What came back. Headers a line each, sorted, without those that every answer has anew."""

    status: int
    text: str
    headers: str


@cache
def operations() -> dict[str, Operation]:
    """Every operation of the document, by its operationId."""
    document = Client().get(DOCUMENT).json()
    return {
        described["operationId"]: Operation(
            name=described["operationId"],
            method=method.upper(),
            path=path,
            parameters=frozenset(
                (p["in"], p["name"])
                for p in described.get("parameters", [])
                if p["schema"].get("type") == "string" and p["in"] != "header"
            ),
            properties=_properties(document, described),
        )
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    }


def _properties(document: Any, described: Any) -> frozenset[str]:
    content = described.get("requestBody", {}).get("content", {})
    found: set[str] = set()
    for media in content.values():
        name = media["schema"]["$ref"].rsplit("/", 1)[1]
        found |= document["components"]["schemas"][name]["properties"].keys()
    return frozenset(found)


def ask(
    operation: Operation,
    *,
    authorization: str,
    ids: Mapping[Slot, object],
    language: str = "en",
) -> Answer:
    """Call an operation with some ids in their places. What no slot fills is left out."""
    case = CASES[operation.name]
    path, query = operation.path, []
    for slot, sent in ids.items():
        if slot.where == "path":
            path = path.replace(f"{{{slot.name}}}", quote(str(sent), safe=""))
        elif slot.where == "query":
            query.append(f"{slot.name}={_in_query(str(sent))}")
    body, content_type = _body(case, ids)
    headers = {"accept-language": language, "x-request-id": "of-the-matrix"}
    if authorization:
        headers["authorization"] = authorization.encode().decode("latin-1")
    return answer_of(
        _CLIENT.generic(
            operation.method,
            path + ("?" + "&".join(query) if query else ""),
            body,
            content_type,
            headers=headers,
        )
    )


def _in_query(sent: str) -> str:
    return quote_from_bytes(sent.encode("utf-8", "surrogatepass"), safe="")


def _body(case: Case, ids: Mapping[Slot, object]) -> tuple[bytes, str]:
    if case.body is None:
        return b"", "application/json"
    said = dict(case.body)
    if "slug" in said:
        said["slug"] = f"t-{uuid4().hex}"
    for slot, sent in ids.items():
        if slot.where in {"body", "form"}:
            said |= slot.beside | {slot.name: [sent] if slot.listed else sent}
    if case.is_upload:
        said["file"] = SimpleUploadedFile("c.json", UPLOAD)
        return encode_multipart(BOUNDARY, said), MULTIPART_CONTENT
    return json.dumps(said).encode(), "application/json"


def answer_of(response: Any) -> Answer:
    """What a response says, read to its end if it streams."""
    with closing(response):
        body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = sorted(f"{k}: {v}" for k, v in response.headers.items() if k not in _OF_THIS_ONE)
    return Answer(response.status_code, body.decode("utf-8", "replace"), "\n".join(headers))
