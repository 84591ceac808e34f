"""The keyring as a Django application: its own label, for its own database."""

from django.apps import AppConfig


class KeyringConfig(AppConfig):
    name = "tenants.keyring"
    label = "keyring"
