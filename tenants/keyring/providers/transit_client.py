"""One way to ask OpenBao or HashiCorp Vault: signed in, within seconds, its refusals understood.

The keystore is part of the cell, as the database is: its address is a setting of the operator. No
proxy and no redirect is followed, so that nothing else is ever shown the token or a key.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import requests
from hvac import exceptions

from souvenir.core.errors import SouvenirError
from souvenir.core.sealing import SealBroken
from tenants.keyring.errors import KeyRefused, KeystoreUnavailable

logger = logging.getLogger(__name__)

# How long a connection, and then each part of an answer, is waited for. Nothing is tried again.
CONNECT_SECONDS = 1.5
ANSWER_SECONDS = 2.0
# After it did not answer, nobody else waits for it either, for a moment: threads that all wait
# for a keystore that is down would leave none for what needs no key.
PAUSE_SECONDS = 1.0
# A sign-in through Kubernetes is made again when this part of its life is over.
_LIFE_USED = 2 / 3

_BROKEN = ("message authentication failed", "invalid ciphertext")
_VERSION_NOT_THERE = "version is too new"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Keystore:
    """Where it is and how to sign in.

    `token_file` holds a token of the keystore or, where there is a `role`, the token of a
    Kubernetes service account, which is exchanged for one. It is read at every use.
    """

    url: str
    token_file: Path
    mount: str = "transit"
    namespace: str = ""
    ca_file: Path | None = None  # None: the authorities that this machine trusts
    role: str = ""


class TransitClient:
    """Thread-safe, and survives a fork: each thread of each process has connections of its own."""

    def __init__(self, keystore: Keystore, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is connected yet."""
        self._keystore = keystore
        self._clock = clock
        self._own = threading.local()
        self._down_until = float("-inf")
        self._sign_in = _SignIn(keystore, clock)

    def ask(self, question: Callable[[hvac.Client], object]) -> Body:
        """Put one question; gives the `data` of its answer, empty if it has none.

        Raises:
            KeystoreUnavailable, KeyRefused, SealBroken
        """
        if self._clock() < self._down_until:
            raise KeystoreUnavailable
        try:
            return self._asked(question)
        except KeystoreUnavailable:
            self._down_until = self._clock() + PAUSE_SECONDS
            raise

    def _asked(self, question: Callable[[hvac.Client], object]) -> Body:
        client = self._client()
        with _understood():
            token, is_kept = self._sign_in.token(client)
            client.token = token
            try:
                return _data(question(client))
            except exceptions.Forbidden:
                if not is_kept:
                    raise
            # It may have been signed in for too long, and no more than that.
            client.token, _ = self._sign_in.token(client, again=True)
            return _data(question(client))

    def _client(self) -> hvac.Client:
        kept: tuple[int, hvac.Client] | None = getattr(self._own, "kept", None)
        if kept is not None and kept[0] == os.getpid():
            return kept[1]
        session = requests.Session()
        session.trust_env = False  # no proxy, no password file, no other authority
        session.verify = str(self._keystore.ca_file) if self._keystore.ca_file else True
        client = hvac.Client(
            url=self._keystore.url,
            token="",
            session=session,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            namespace=self._keystore.namespace or None,
            allow_redirects=False,
        )
        self._own.kept = (os.getpid(), client)
        return client


class _SignIn:
    """The token to ask with: from a file, or exchanged for a service account's."""

    def __init__(self, keystore: Keystore, clock: Callable[[], float]) -> None:
        self._keystore = keystore
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = ""
        self._until = float("-inf")

    def token(self, client: hvac.Client, *, again: bool = False) -> tuple[str, bool]:
        """(The token, whether it was signed in with before.)"""
        written = self._written()
        if not self._keystore.role:
            return written, False
        with self._lock:
            if not again and self._clock() < self._until:
                return self._kept, True
            client.token = ""
            answer = client.auth.kubernetes.login(
                role=self._keystore.role, jwt=written, use_token=False
            )
            if not isinstance(answer, dict):
                raise KeystoreUnavailable
            self._kept = str(answer["auth"]["client_token"])
            life_seconds = float(answer["auth"]["lease_duration"])
            self._until = self._clock() + life_seconds * _LIFE_USED
            return self._kept, False

    def _written(self) -> str:
        try:
            return self._keystore.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeystoreUnavailable from error


def refusal(words: str) -> SouvenirError:
    """What the engine's words about a key or a ciphertext come to."""
    is_broken = any(broken in words for broken in _BROKEN) and _VERSION_NOT_THERE not in words
    return SealBroken() if is_broken else KeyRefused()


def is_missing(error: KeyRefused) -> bool:
    """Whether there is no such key. An engine that is not there is something else."""
    cause = error.__cause__
    return isinstance(cause, exceptions.InvalidPath) and not cause.errors


@contextmanager
def _understood() -> Iterator[None]:
    """What the keystore or the way to it says, as ours."""
    try:
        yield
    except exceptions.ParamValidationError:  # a defect of ours
        raise
    except exceptions.InvalidRequest as error:
        _log(error)
        # Not chained: of a batch, its text may hold what could be opened, and go into a log.
        raise refusal(_words(error)) from None
    except exceptions.InternalServerError as error:
        _log(error)
        found = refusal(_words(error))
        raise found if isinstance(found, SealBroken) else KeystoreUnavailable() from None
    except (exceptions.Forbidden, exceptions.Unauthorized, exceptions.InvalidPath) as error:
        _log(error)
        raise KeyRefused from error
    except (exceptions.VaultError, requests.RequestException) as error:
        _log(error)
        raise KeystoreUnavailable from error
    except (KeyError, TypeError, ValueError) as error:  # an answer that is none of a keystore's
        raise KeystoreUnavailable from error


def _log(error: Exception) -> None:
    """For the operator: what kind of error, and the words that are meant for people."""
    words = _words(error) if isinstance(error, exceptions.VaultError) else ""
    logger.warning("keystore: %s %r", type(error).__name__, words)


def _words(error: exceptions.VaultError) -> str:
    return " ".join(error.errors or ())


def _data(answer: object) -> Body:
    if isinstance(answer, dict):
        data = answer["data"]
        if isinstance(data, dict):
            return data
        raise KeystoreUnavailable
    # hvac gives what has no body, and also a redirect, as the response itself.
    if isinstance(answer, requests.Response) and answer.status_code == requests.codes.no_content:
        return {}
    raise KeystoreUnavailable
