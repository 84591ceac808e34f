"""Which provider this installation uses, as its settings say."""

from collections.abc import Callable
from functools import cache

from django.conf import settings

from tenants.keyring.providers.file import FileKeys
from tenants.keyring.providers.protocol import KeyProvider

PROVIDERS: dict[str, Callable[[], KeyProvider]] = {
    "file": lambda: FileKeys(settings.SOUVENIR_KEYS_DIR),
}


@cache
def key_provider() -> KeyProvider:
    """The provider, made once per process."""
    return PROVIDERS[settings.SOUVENIR_KEY_PROVIDER]()
