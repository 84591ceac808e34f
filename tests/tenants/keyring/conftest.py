"""Key providers, each with a keystore of its own that ends with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenants.keyring.providers.file import FileKeys
from tenants.keyring.providers.pkcs11 import Pkcs11Keys
from tenants.keyring.providers.pkcs11_session import Token
from tenants.keyring.providers.protocol import KeyProvider
from tenants.keyring.providers.transit import TransitKeys
from tenants.keyring.providers.transit_client import Keystore
from tests.openbao import OpenBao
from tests.tenants.keyring.softhsm import new_token


@pytest.fixture
def openbao() -> Iterator[OpenBao]:
    """A keystore on loopback."""
    keystore = OpenBao()
    yield keystore
    keystore.stop()


@pytest.fixture
def token_file(tmp_path: Path, openbao: OpenBao) -> Path:
    """Where Souvenir finds its token."""
    path = tmp_path / "token"
    path.write_text(openbao.token + "\n")
    return path


@pytest.fixture
def transit(openbao: OpenBao, token_file: Path) -> TransitKeys:
    return TransitKeys(Keystore(url=openbao.url, token_file=token_file))


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Token:
    """A hardware token in software."""
    folder = tmp_path / "softhsm"
    folder.mkdir()
    return new_token(folder, monkeypatch)


@pytest.fixture
def pkcs11(token: Token) -> Pkcs11Keys:
    return Pkcs11Keys(token)


@pytest.fixture(params=["file", "transit", "pkcs11"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> KeyProvider:
    """Each provider in turn: what a test says of it, it says of all."""
    if request.param == "file":
        return FileKeys(tmp_path / "keys")
    found: KeyProvider = request.getfixturevalue(request.param)
    return found
