"""What the settings refuse, before anything is served."""

import pytest
from pydantic import ValidationError

from souvenir.config.environment import Environment

DATA = "postgresql://souvenir_app@db/souvenir?sslmode=verify-full"
KEYS = "postgresql://souvenir_app@keys/keyring?sslmode=verify-full"
# The least that production takes.
GOOD = {
    "SOUVENIR_PROFILE": "production",
    "SOUVENIR_DATABASE_URL": DATA,
    "SOUVENIR_KEYRING_DATABASE_URL": KEYS,
    "SOUVENIR_BROKER_URL": "amqps://broker",
    "SOUVENIR_SECRET_KEY": "0" * 50,
    "SOUVENIR_PUBLIC_URL": "https://souvenir.example.ca",
    "SOUVENIR_KEY_PROVIDER": "transit",
    "SOUVENIR_KEYSTORE_URL": "https://openbao.example.ca:8200",
    "SOUVENIR_KEYSTORE_TOKEN_FILE": "/etc/souvenir/keystore/token",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Environment.model_fields:
        monkeypatch.delenv(f"SOUVENIR_{field.upper()}", raising=False)


def _set(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in (GOOD | changes).items():
        monkeypatch.setenv(name, value)


def test_these_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch)

    assert Environment().profile == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOUVENIR_KEY_PROVIDER", "file"),
        ("SOUVENIR_KEYSTORE_URL", "http://openbao.example.ca:8200"),
        ("SOUVENIR_KEYRING_DATABASE_URL", "postgresql://souvenir_app@keys/keyring"),
        ("SOUVENIR_KEYRING_DATABASE_URL", KEYS.replace("verify-full", "require")),
        ("SOUVENIR_KEYRING_DATABASE_URL", DATA),
        # The same place, said in other words.
        ("SOUVENIR_KEYRING_DATABASE_URL", DATA.replace("@db/", "@DB:5432/")),
        ("SOUVENIR_KEYRING_DATABASE_URL", DATA.replace("souvenir_app@", "somebody:else@")),
        (
            "SOUVENIR_KEYRING_DATABASE_URL",
            "host=db dbname=souvenir user=souvenir_app sslmode=verify-full",
        ),
        ("SOUVENIR_DATABASE_URL", "postgresql://souvenir_app@db/souvenir"),
        ("SOUVENIR_BROKER_URL", "memory://"),
        ("SOUVENIR_SECRET_KEY", "short"),
        ("SOUVENIR_PUBLIC_URL", "http://souvenir.example.ca"),
    ],
)
def test_production_does_not_start_with(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    _set(monkeypatch, **{name: value})

    with pytest.raises(ValidationError, match=f"does not start with this value of {name}"):
        Environment()


def test_production_does_not_start_without_a_keyring_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _set(monkeypatch)
    monkeypatch.delenv("SOUVENIR_KEYRING_DATABASE_URL")

    with pytest.raises(ValidationError, match="SOUVENIR_KEYRING_DATABASE_URL"):
        Environment()


@pytest.mark.parametrize(
    ("provider", "missing"),
    [
        ("transit", "SOUVENIR_KEYSTORE_URL, SOUVENIR_KEYSTORE_TOKEN_FILE"),
        ("pkcs11", "SOUVENIR_PKCS11_MODULE, SOUVENIR_PKCS11_TOKEN, SOUVENIR_PKCS11_PIN_FILE"),
    ],
)
def test_a_provider_without_its_settings_does_not_start_anywhere(
    monkeypatch: pytest.MonkeyPatch, provider: str, missing: str
) -> None:
    monkeypatch.setenv("SOUVENIR_KEY_PROVIDER", provider)

    with pytest.raises(ValidationError, match=missing):
        Environment()
