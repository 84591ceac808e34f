"""One session with a PKCS#11 token: logged in, one caller at a time, opened again when it was lost.

PKCS#11 knows no time limit: whoever is inside when the token stops answering stays there. So nobody
waits long for their turn, and what needs no key goes on.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11

from tenants.keyring.errors import KeyRefused, KeystoreUnavailable

TURN_SECONDS = 2.0

_REFUSALS = (
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinExpired,
    pkcs11.PinLocked,
    pkcs11.UserPinNotInitialized,
    pkcs11.KeyUnextractable,
    pkcs11.FunctionRejected,
)
# In which process each library was started: a child must start it anew.
_started_in: dict[Path, int] = {}


@dataclass(frozen=True, slots=True)
class Token:
    """Where the token is, and how to log in. The PIN is read when a session is opened."""

    module: Path  # the token's library, a .so
    label: str
    pin_file: Path


class TokenSession:
    """Thread-safe. After a fork, each process opens its own."""

    def __init__(self, token: Token) -> None:
        """Nothing is opened yet."""
        self._token = token
        self._turn = threading.Lock()
        self._pid = os.getpid()
        self._open: pkcs11.Session | None = None
        self._lost = False

    @contextmanager
    def session(self) -> Iterator[pkcs11.Session]:
        """The session, for the body alone.

        Raises:
            KeystoreUnavailable: no token, no turn, or it fails; the next caller opens it anew.
            KeyRefused: it refuses the PIN or what is asked of it.
        """
        if self._pid != os.getpid():
            self._turn, self._pid, self._open = threading.Lock(), os.getpid(), None
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise KeystoreUnavailable
        try:
            yield self._opened()
        except _REFUSALS as error:
            self._lose()
            raise KeyRefused from error
        except (pkcs11.PKCS11Error, OSError, RuntimeError) as error:
            self._lose()
            raise KeystoreUnavailable from error
        except KeystoreUnavailable:
            self._lose()
            raise
        finally:
            self._turn.release()

    def _opened(self) -> pkcs11.Session:
        if self._open is None:
            library = self._library()
            pin = self._token.pin_file.read_text(encoding="utf-8", errors="replace").strip()
            token = library.get_token(token_label=self._token.label)
            try:
                self._open = token.open(rw=True, user_pin=pin)
            except pkcs11.UserAlreadyLoggedIn:  # by another session of this process
                self._open = token.open(rw=True)
            self._lost = False
        return self._open

    def _library(self) -> Any:  # its class has no name that a type can use
        module = self._token.module
        library = pkcs11.lib(str(module))
        if self._lost or _started_in.get(module, os.getpid()) != os.getpid():
            with suppress(pkcs11.PKCS11Error):  # in a child, it was never started
                library.finalize()
            library.initialize()
        _started_in[module] = os.getpid()
        return library

    def _lose(self) -> None:
        """A session that failed is not used again; it may be the token that is another one."""
        session, self._open, self._lost = self._open, None, True
        if session is not None:
            with suppress(pkcs11.PKCS11Error):
                session.close()
