"""The keyring as a Django application: its own label, for its own database."""

import resource

from django.apps import AppConfig


class KeyringConfig(AppConfig):
    name = "tenants.keyring"
    label = "keyring"

    def ready(self) -> None:
        """A process that may hold keys writes its memory nowhere when it dies."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
