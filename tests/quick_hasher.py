"""Passwords of tests: kept as everywhere, after one round and not a million."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Reads and writes what the default one does; only the number in the hash is another."""

    iterations = 1
