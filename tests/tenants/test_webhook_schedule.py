"""When a telling is tried again, and which addresses a webhook can have."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.webhooks.addresses import address_of
from tenants.webhooks.errors import EndpointAddressInvalid
from tenants.webhooks.schedule import LONGEST_WISH, PAUSES, next_pause, wished_pause

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(tries=st.integers(1, len(PAUSES)), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_near_its_plan(tries: int, chance: float) -> None:
    pause = next_pause(tries, wish=None, chance=chance)

    assert pause is not None
    assert PAUSES[tries - 1] * 0.79 < pause < PAUSES[tries - 1] * 1.21


@given(tries=st.integers(1, len(PAUSES)), seconds=st.integers(0, 10**7))
def test_a_wish_is_heeded_up_to_a_day(tries: int, seconds: int) -> None:
    wish = timedelta(seconds=seconds)

    pause = next_pause(tries, wish=wish, chance=0.5)

    assert pause is not None
    assert min(wish, LONGEST_WISH) <= pause <= max(PAUSES[tries - 1], LONGEST_WISH)


def test_the_last_attempt_is_the_last() -> None:
    assert next_pause(len(PAUSES) + 1, wish=timedelta(seconds=1), chance=0.5) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999999999999", 86_400),
        ("Wed, 25 Nov 2026 12:05:00 GMT", 300),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_a_wish_is_seconds_or_a_date(header: str, seconds: int) -> None:
    assert wished_pause(header, now=NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "1.5", "٣"])
def test_what_is_no_wish_is_not_heeded(header: str | None) -> None:
    assert wished_pause(header, now=NOW) is None


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.ca", "hooks.example.ca", 443, "/"),
        ("https://Hooks.Example.ca/a/b?c=d", "hooks.example.ca", 443, "/a/b?c=d"),
        ("https://hooks.example.ca:8443/", "hooks.example.ca", 8443, "/"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    found = address_of(url)

    assert (found.host, found.port, found.path) == (host, port, path)


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.ca", "http://hooks.example.ca/", "ftp://hooks.example.ca/",
        "https://", "https:///x", "https://name:word@hooks.example.ca/", "https://@host/",
        "https://hooks.example.ca/#part", "https://hooks.example.ca:port/",
        "https://hooks.example.ca:99999/", "https://127.0.0.1/", "https://[::1]/",
        "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/",
        "https://hooks.example.ca/a b", "https://hooks.example.ca/\r\nHost: x",
        "https://hooks.example.ca/\u00e9", "https://" + "a" * 2000 + ".ca/",
        "javascript:alert(1)", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(EndpointAddressInvalid):
        address_of(url)
