"""Keys in OpenBao: what is its own, and every way in which it can fail to answer."""

import base64
import logging
import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from souvenir.core.sealing import KEY_BYTES, SealBroken
from tenants.keyring.errors import KeyRefused, KeystoreUnavailable
from tenants.keyring.providers.transit import TransitKeys
from tenants.keyring.providers.transit_client import PAUSE_SECONDS, Keystore
from tests.openbao import OpenBao
from tests.receiving import write_certificate

OURS = "tenant-ours"
HERE = b"souvenir|subject|a|b|1"
SECRET = secrets.token_bytes(KEY_BYTES)


@pytest.fixture
def wrapped(transit: TransitKeys) -> bytes:
    transit.create(OURS)
    return transit.wrap(OURS, SECRET, context=HERE)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of a tenth, so that the tests that wait do not wait long."""
    monkeypatch.setattr("tenants.keyring.providers.transit_client.ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("tenants.keyring.providers.transit_client.PAUSE_SECONDS", 0.1)


def test_the_key_is_one_that_nobody_can_take_out(transit: TransitKeys, openbao: OpenBao) -> None:
    transit.create(OURS)

    assert openbao.versions_of(OURS) == [1]
    # `wrap` asks the keystore itself; this is what it would refuse.
    for facts in ({"exportable": True}, {"allow_plaintext_backup": True}, {"derived": False}):
        openbao.put_key("tenant-loose", **{"derived": True} | facts)
        with pytest.raises(KeyRefused):
            transit.wrap("tenant-loose", SECRET, context=HERE)
        with pytest.raises(KeyRefused):
            transit.create("tenant-loose")


def test_renewing_gives_no_secret_out(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes
) -> None:
    transit.rotate(OURS)
    openbao.seen.clear()

    transit.rewrap(OURS, wrapped, context=HERE)

    assert openbao.seen == [f"POST transit/rewrap/{OURS}"]


def test_retired_versions_are_gone_and_not_only_disallowed(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes
) -> None:
    transit.rotate(OURS)
    version = transit.rotate(OURS)

    transit.retire(OURS, below=version)

    assert openbao.versions_of(OURS) == [3]


def test_a_destroyed_key_is_gone(transit: TransitKeys, openbao: OpenBao, wrapped: bytes) -> None:
    transit.destroy(OURS)

    assert openbao.versions_of(OURS) == []


def test_a_policy_that_is_too_wide_does_not_bring_a_destroyed_key_back(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes
) -> None:
    openbao.may_create = True  # `encrypt` would make the key that it does not find
    transit.destroy(OURS)

    with pytest.raises(KeyRefused):
        transit.wrap(OURS, SECRET, context=HERE)

    assert openbao.versions_of(OURS) == []


def test_destroying_where_there_is_no_such_engine_is_refused(
    openbao: OpenBao, token_file: Path
) -> None:
    elsewhere = TransitKeys(Keystore(url=openbao.url, token_file=token_file, mount="tramway"))

    with pytest.raises(KeyRefused):
        elsewhere.destroy(OURS)
    with pytest.raises(KeyRefused):
        elsewhere.check()


def test_a_page_of_fifty_people_is_one_question(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes
) -> None:
    openbao.seen.clear()

    assert transit.unwrap_many(OURS, [(wrapped, HERE)] * 50) == [SECRET] * 50

    assert openbao.seen == [f"POST transit/decrypt/{OURS}"]


def test_a_new_token_is_used_as_soon_as_it_is_there(
    transit: TransitKeys, openbao: OpenBao, token_file: Path, wrapped: bytes
) -> None:
    openbao.tokens = {"another-one"}
    with pytest.raises(KeyRefused):
        transit.unwrap(OURS, wrapped, context=HERE)

    token_file.write_text("another-one")

    assert transit.unwrap(OURS, wrapped, context=HERE) == SECRET


def test_without_its_token_file_it_is_not_there(
    transit: TransitKeys, token_file: Path, wrapped: bytes
) -> None:
    token_file.unlink()

    with pytest.raises(KeystoreUnavailable):
        transit.unwrap(OURS, wrapped, context=HERE)


def _seal(bao: OpenBao) -> None:
    bao.sealed = True


def _hang(bao: OpenBao) -> None:
    bao.slow_seconds = 1.0


def _garble(bao: OpenBao) -> None:
    bao.garbled = True


def _deny(bao: OpenBao) -> None:
    bao.denied = {"*"}


def _forget(bao: OpenBao) -> None:
    bao.tokens = {"another-one"}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("fail", "expected"),
    [
        (_seal, KeystoreUnavailable),
        (_hang, KeystoreUnavailable),
        (OpenBao.stop, KeystoreUnavailable),
        (_garble, KeystoreUnavailable),
        (_deny, KeyRefused),
        (_forget, KeyRefused),
    ],
    ids=["sealed", "slow", "down", "garbled", "denied", "token revoked"],
)
def test_every_use_fails_in_the_same_way(
    transit: TransitKeys,
    openbao: OpenBao,
    wrapped: bytes,
    fail: Callable[[OpenBao], None],
    expected: type[Exception],
) -> None:
    fail(openbao)

    for use in _uses(transit, wrapped):
        with pytest.raises(expected):
            use()


def _uses(transit: TransitKeys, wrapped: bytes) -> Iterator[Callable[[], object]]:
    yield lambda: transit.create("tenant-new")
    yield lambda: transit.wrap(OURS, SECRET, context=HERE)
    yield lambda: transit.unwrap(OURS, wrapped, context=HERE)
    yield lambda: transit.unwrap_many(OURS, [(wrapped, HERE)])
    yield lambda: transit.rotate(OURS)
    yield lambda: transit.rewrap(OURS, wrapped, context=HERE)
    yield lambda: transit.retire(OURS, below=1)
    yield lambda: transit.destroy(OURS)
    yield transit.check


@pytest.mark.usefixtures("soon")
def test_it_goes_on_by_itself_when_the_keystore_is_back(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes
) -> None:
    with openbao.down(), pytest.raises(KeystoreUnavailable):
        transit.unwrap(OURS, wrapped, context=HERE)

    time.sleep(0.15)

    assert transit.unwrap(OURS, wrapped, context=HERE) == SECRET


@pytest.mark.usefixtures("soon")
def test_one_waits_for_a_keystore_that_is_down_and_the_others_do_not(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.keyring.providers.transit_client.PAUSE_SECONDS", 60.0)
    openbao.slow_seconds = 1.0
    openbao.seen.clear()

    for _ in range(20):
        with pytest.raises(KeystoreUnavailable):
            transit.unwrap(OURS, wrapped, context=HERE)

    assert PAUSE_SECONDS < 5
    time.sleep(1.1)
    assert len(openbao.seen) == 1


def test_a_refusal_does_not_stop_the_other_organizations(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes
) -> None:
    with pytest.raises(KeyRefused):
        transit.unwrap("tenant-none", wrapped, context=HERE)

    assert transit.unwrap(OURS, wrapped, context=HERE) == SECRET


def test_no_redirect_is_followed(transit: TransitKeys, openbao: OpenBao, wrapped: bytes) -> None:
    openbao.redirect_to = "http://localhost:1/elsewhere"

    with pytest.raises(KeystoreUnavailable):
        transit.unwrap(OURS, wrapped, context=HERE)


def test_no_proxy_of_the_environment_is_asked(
    transit: TransitKeys, wrapped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert transit.unwrap(OURS, wrapped, context=HERE) == SECRET


def test_what_a_broken_batch_could_open_is_in_no_error(
    transit: TransitKeys, openbao: OpenBao, wrapped: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    openbao.knows_partial_failures = False  # as older servers: it tells what it opened, with a 400

    try:
        transit.unwrap_many(OURS, [(wrapped, HERE), (wrapped, b"elsewhere")])
    except (SealBroken, KeyRefused):
        logging.getLogger("test").exception("as a worker would")

    assert caplog.text
    assert base64.b64encode(SECRET).decode() not in caplog.text


def test_each_process_after_a_fork_has_a_connection_of_its_own(
    transit: TransitKeys, wrapped: bytes
) -> None:
    assert transit.unwrap(OURS, wrapped, context=HERE) == SECRET  # so that there is one to inherit

    child = os.fork()
    if child == 0:  # nothing of pytest's runs here
        good = all(transit.unwrap(OURS, wrapped, context=HERE) == SECRET for _ in range(20))
        os._exit(0 if good else 1)
    mine = all(transit.unwrap(OURS, wrapped, context=HERE) == SECRET for _ in range(20))
    _, status = os.waitpid(child, 0)

    assert mine
    assert os.waitstatus_to_exitcode(status) == 0


class TestThroughKubernetes:
    """Signed in with the token of a service account."""

    @pytest.fixture
    def signed_in(self, openbao: OpenBao, tmp_path: Path) -> TransitKeys:
        account = tmp_path / "service-account"
        account.write_text("a-service-account")
        openbao.service_accounts["a-service-account"] = "souvenir"
        return TransitKeys(Keystore(url=openbao.url, token_file=account, role="souvenir"))

    def test_it_signs_in_once_for_many_uses(self, signed_in: TransitKeys, openbao: OpenBao) -> None:
        signed_in.create(OURS)
        for _ in range(3):
            signed_in.wrap(OURS, SECRET, context=HERE)

        assert openbao.seen.count("POST auth/kubernetes/login") == 1

    def test_it_signs_in_again_when_its_token_has_ended(
        self, signed_in: TransitKeys, openbao: OpenBao
    ) -> None:
        signed_in.create(OURS)
        openbao.tokens.clear()

        signed_in.check()

        assert openbao.seen.count("POST auth/kubernetes/login") == 2

    def test_a_refusal_that_stays_is_asked_about_twice_and_no_more(
        self, signed_in: TransitKeys, openbao: OpenBao
    ) -> None:
        signed_in.create(OURS)
        openbao.denied = {"*"}
        openbao.seen.clear()

        with pytest.raises(KeyRefused):
            signed_in.check()

        assert len(openbao.seen) == 3  # refused, signed in, refused

    def test_another_role_is_refused(self, openbao: OpenBao, signed_in: TransitKeys) -> None:
        openbao.service_accounts["a-service-account"] = "somebody"

        with pytest.raises(KeyRefused):
            signed_in.check()


class TestOverTls:
    """Only a server whose certificate the named authority signed is shown the token."""

    def test_the_authority_that_is_named_is_trusted(self, tmp_path: Path) -> None:
        certificate, context = _self_signed(tmp_path)
        bao = OpenBao(tls=context)
        token = tmp_path / "token"
        token.write_text(bao.token)

        TransitKeys(Keystore(url=bao.url, token_file=token, ca_file=certificate)).check()

        assert bao.seen
        bao.stop()

    def test_another_one_is_not_whatever_the_environment_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        certificate, context = _self_signed(tmp_path)
        bao = OpenBao(tls=context)
        token = tmp_path / "token"
        token.write_text(bao.token)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate))

        with pytest.raises(KeystoreUnavailable):
            TransitKeys(Keystore(url=bao.url, token_file=token)).check()

        assert bao.seen == []
        bao.stop()


def _self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `localhost`, and the context of a server that has it."""
    certificate = folder / "server.pem"
    write_certificate(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return certificate, context
