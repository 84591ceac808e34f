"""Which provider this installation uses, as its settings say."""

from collections.abc import Callable
from functools import cache

from django.conf import settings

from tenants.keyring.errors import KeystoreUnavailable
from tenants.keyring.providers.file import FileKeys
from tenants.keyring.providers.protocol import KeyProvider
from tenants.keyring.providers.transit import TransitKeys
from tenants.keyring.providers.transit_client import Keystore


def _file() -> KeyProvider:
    return FileKeys(settings.SOUVENIR_KEYS_DIR)


def _transit() -> KeyProvider:
    token_file = settings.SOUVENIR_KEYSTORE_TOKEN_FILE
    if token_file is None:  # Environment refuses that
        raise KeystoreUnavailable
    keystore = Keystore(
        url=settings.SOUVENIR_KEYSTORE_URL,
        token_file=token_file,
        mount=settings.SOUVENIR_KEYSTORE_MOUNT,
        namespace=settings.SOUVENIR_KEYSTORE_NAMESPACE,
        ca_file=settings.SOUVENIR_KEYSTORE_CA_FILE,
        role=settings.SOUVENIR_KEYSTORE_ROLE,
    )
    return TransitKeys(keystore)


PROVIDERS: dict[str, Callable[[], KeyProvider]] = {"file": _file, "transit": _transit}


@cache
def key_provider() -> KeyProvider:
    """The provider, made once per process."""
    return PROVIDERS[settings.SOUVENIR_KEY_PROVIDER]()
