"""Which provider this installation uses, as its settings say."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tenants.keyring.providers.file import FileKeys
from tenants.keyring.providers.pkcs11 import Pkcs11Keys
from tenants.keyring.providers.pkcs11_session import Token
from tenants.keyring.providers.protocol import KeyProvider
from tenants.keyring.providers.transit import TransitKeys
from tenants.keyring.providers.transit_client import Keystore


def _set(path: Path | None) -> Path:
    if path is None:  # environment.py refuses to start so
        msg = "A setting of the key provider is missing."
        raise ImproperlyConfigured(msg)
    return path


def _file() -> KeyProvider:
    return FileKeys(settings.SOUVENIR_KEYS_DIR)


def _transit() -> KeyProvider:
    keystore = Keystore(
        url=settings.SOUVENIR_KEYSTORE_URL,
        token_file=_set(settings.SOUVENIR_KEYSTORE_TOKEN_FILE),
        mount=settings.SOUVENIR_KEYSTORE_MOUNT,
        namespace=settings.SOUVENIR_KEYSTORE_NAMESPACE,
        ca_file=settings.SOUVENIR_KEYSTORE_CA_FILE,
        role=settings.SOUVENIR_KEYSTORE_ROLE,
    )
    return TransitKeys(keystore)


def _pkcs11() -> KeyProvider:
    token = Token(
        module=_set(settings.SOUVENIR_PKCS11_MODULE),
        label=settings.SOUVENIR_PKCS11_TOKEN,
        pin_file=_set(settings.SOUVENIR_PKCS11_PIN_FILE),
    )
    return Pkcs11Keys(token)


PROVIDERS: dict[str, Callable[[], KeyProvider]] = {
    "file": _file,
    "transit": _transit,
    "pkcs11": _pkcs11,
}


@cache
def key_provider() -> KeyProvider:
    """The provider, made once per process."""
    return PROVIDERS[settings.SOUVENIR_KEY_PROVIDER]()


# A lock that some thread held when the process forked would stay locked in the child for ever.
os.register_at_fork(after_in_child=key_provider.cache_clear)
