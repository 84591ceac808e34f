"""A log line says what an operator needs, and cannot say what a person wrote."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, connection

from souvenir.config.log_lines import JsonLines, PlainLines
from souvenir.core.log_fields import log_fields, note

SECRET = "Rosalie a peur du noir"  # noqa: S105 — what someone wrote


@pytest.fixture(params=["ours", "theirs"])
def whose(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What two loggers, one of ours and one of a library, have said."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    loggers = [logging.getLogger("souvenir.test"), logging.getLogger("library.test")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel("INFO")
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object_with_the_fields_of_its_request(said: io.StringIO) -> None:
    with log_fields(request_id="abc"):
        note(tenant_id=uuid4(), status=200)
        logging.getLogger("souvenir.test").info("line\nof two, %s", 7)

    (line,) = _lines(said)
    assert line["message"] == "line\nof two, 7"
    assert line.keys() >= {"time", "level", "logger", "request_id", "tenant_id", "status"}


def test_fields_end_with_their_request(said: io.StringIO) -> None:
    with log_fields(request_id="abc"), log_fields(job_id="def"):
        note(outcome="done")
    logging.getLogger("souvenir.test").info("after")

    assert not {"request_id", "job_id", "outcome"} & _lines(said)[0].keys()


def test_an_error_is_told_by_its_type_and_place_never_by_its_message(said: io.StringIO) -> None:
    try:
        _fail_in_the_database()
    except DataError:
        logging.getLogger("souvenir.test").exception("it broke")

    (line,) = _lines(said)
    assert SECRET not in said.getvalue()
    assert line["error"].startswith("django.db.utils.DataError from psycopg.errors.")
    assert any("tests/souvenir/config/test_log_lines.py" in place for place in line["raised_at"])


def _fail_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer", [SECRET])


@pytest.mark.parametrize(
    ("message", "values", "told"),
    [
        ("GET %s gave %d", (f"/people?q={SECRET}", 500), "GET … gave 500"),
        ("%(name)s took %(seconds).1f", ({"name": SECRET, "seconds": 2.0},), "… took 2.0"),
        ("raised %r", (ValueError(SECRET),), "raised 'ValueError'"),
        ("100% of it", (), "100% of it"),
    ],
)
def test_what_a_library_fills_in_is_hidden(
    said: io.StringIO, message: str, values: tuple[object, ...], told: str
) -> None:
    logging.getLogger("library.test").info(message, *values)

    assert _lines(said)[0]["message"] == told


@pytest.mark.parametrize(("message", "told"), [("%d of them", "%d of them"), ("%(a)d", "%(a)d")])
def test_what_does_not_fit_is_told_without_it(message: str, told: str) -> None:
    record = logging.LogRecord("library", 20, "", 1, message, (SECRET,), None)

    assert json.loads(JsonLines().format(record))["message"] == told


def test_a_library_s_error_passed_on_as_its_message_is_hidden(said: io.StringIO) -> None:
    error = ValueError(SECRET)
    logging.getLogger("library.test").error(str(error), exc_info=error)

    (line,) = _lines(said)
    assert (line["message"], line["error"]) == ("…", "builtins.ValueError")


def test_a_library_adds_no_fields(said: io.StringIO) -> None:
    logging.getLogger("library.test").info("x", extra={"fields": {"text": SECRET}})

    assert SECRET not in said.getvalue()


def test_a_plain_line_hides_the_same() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        exc_info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("library", 20, "", 1, "of %s", (SECRET,), exc_info)

    with log_fields(request_id="abc"):
        line = PlainLines().format(record)

    assert SECRET not in line
    assert "library of … request_id=abc\n    builtins.ValueError" in line
