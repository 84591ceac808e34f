"""A keystore for tests: speaks the HTTP of OpenBao's engine Transit on loopback, and can fail.

Written from https://openbao.org/api-docs/secret/transit/ and from what its server answers: paths,
statuses, bodies and rules are its; keys have versions, are derived by HKDF-SHA256 and used in
AES-256-GCM for real. What Souvenir never asks for is not here.
"""

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_MOUNT = "transit"
_NONCE_BYTES = 12

Body = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error. Its body lists `words`, unless it is one of its own."""

    def __init__(self, status: int, *words: str, body: Body | None = None) -> None:
        super().__init__(*words)
        self.status = status
        self.words = words
        self.body = body or {"errors": list(words)}


@dataclass
class _Key:
    """One named key and its versions, numbered from 1."""

    name: str
    kind: str = "aes256-gcm96"
    derived: bool = False
    exportable: bool = False
    deletion_allowed: bool = False
    allow_plaintext_backup: bool = False
    min_decryption_version: int = 1
    min_encryption_version: int = 0
    min_available_version: int = 0
    latest_version: int = 1
    versions: dict[int, bytes] = field(default_factory=lambda: {1: secrets.token_bytes(32)})

    def told(self) -> Body:
        facts = {name: value for name, value in vars(self).items() if name not in _NOT_TOLD}
        return facts | {"type": self.kind, "keys": dict.fromkeys(map(str, self.versions), 0)}

    def encrypt(self, item: Body) -> Body:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = base64.b64decode(item["plaintext"])
        cipher = self._cipher(self.latest_version, item)
        sealed = nonce + cipher.encrypt(nonce, plain, _associated(item))
        text = base64.b64encode(sealed).decode()
        return {
            "ciphertext": f"vault:v{self.latest_version}:{text}",
            "key_version": self.latest_version,
        }

    def decrypt(self, item: Body) -> Body:
        parts = item["ciphertext"].split(":")
        if parts[0] != "vault" or len(parts) != 3 or not parts[1].startswith("v"):
            raise Refusal(400, "invalid ciphertext: no prefix")
        version = int(parts[1][1:])
        if version > self.latest_version:
            raise Refusal(400, "invalid ciphertext: version is too new")
        if version < self.min_decryption_version:
            raise Refusal(400, "ciphertext or signature version is disallowed by policy (too old)")
        try:
            sealed = base64.b64decode(parts[2], validate=True)
        except ValueError as error:
            raise Refusal(400, "invalid ciphertext: could not decode base64") from error
        cipher = self._cipher(version, item)
        try:
            plain = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _associated(item))
        except (InvalidTag, ValueError) as error:
            raise Refusal(400, "cipher: message authentication failed") from error
        return {"plaintext": base64.b64encode(plain).decode()}

    def rewrap(self, item: Body) -> Body:
        # As there: `context` is known here, `associated_data` is not.
        known = {"ciphertext": item["ciphertext"], "context": item.get("context", "")}
        try:
            return self.encrypt(known | self.decrypt(known))
        except Refusal as error:
            if "authentication failed" in error.words[0]:
                raise Refusal(500, f"1 error occurred:\n\t* {error.words[0]}\n\n") from error
            raise

    def configure(self, body: Body) -> Body:
        for name, least in (("min_decryption_version", 1), ("min_encryption_version", 0)):
            if name in body:
                wanted = max(int(body[name]), least)
                if wanted > self.latest_version:
                    raise Refusal(400, f"cannot set {name.replace('_', ' ')} of {wanted}")
                setattr(self, name, wanted)
        if 0 < self.min_encryption_version < self.min_decryption_version:
            raise Refusal(400, "cannot set min encryption/decryption values")
        self.deletion_allowed = bool(body.get("deletion_allowed", self.deletion_allowed))
        return self.told()

    def trim(self, body: Body) -> Body:
        least = int(body["min_available_version"])
        if not 0 < least <= min(self.min_encryption_version, self.min_decryption_version):
            raise Refusal(400, "minimum available version cannot be greater than minimum version")
        self.min_available_version = least
        self.versions = {n: key for n, key in self.versions.items() if n >= least}
        return self.told()

    def rotate(self, body: Body) -> Body:
        del body
        self.latest_version += 1
        self.versions[self.latest_version] = secrets.token_bytes(32)
        return self.told()

    def _cipher(self, version: int, item: Body) -> AESGCM:
        key = self.versions[version]
        if not self.derived:
            return AESGCM(key)
        context = base64.b64decode(item.get("context", ""))
        if not context:
            raise Refusal(400, "missing 'context' for key derivation")
        derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=context)
        return AESGCM(derive.derive(key))


_NOT_TOLD = {"versions", "kind"}


def _associated(item: Body) -> bytes | None:
    return base64.b64decode(item["associated_data"]) if item.get("associated_data") else None


class OpenBao:
    """The keystore, and the switches by which it fails.

    `slow_seconds` delays every answer; `sealed` and `denied` (verbs such as "decrypt"; "*" for all)
    refuse, `denied_keys` by their names; `deny_after` refuses once that many more questions were
    answered; `garbled` answers
    what no keystore would; `redirect_to` sends elsewhere; `stop` and `start` leave and take the
    same port.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.tokens = {secrets.token_urlsafe(16)}
        self.service_accounts: dict[str, str] = {}  # token of a service account -> its role
        self.token_seconds = 3600
        self.slow_seconds = 0.0
        self.sealed = False
        self.garbled = False
        self.redirect_to = ""
        self.knows_partial_failures = True
        self.may_create = False  # the token's policy lets `encrypt` make keys
        self.denied: set[str] = set()
        self.denied_keys: set[str] = set()
        self.deny_after: int | None = None
        self.seen: list[str] = []
        self._keys: dict[str, _Key] = {}
        self._lock = threading.RLock()
        self._tls = tls
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self._port}"

    @property
    def token(self) -> str:
        """One that is good now."""
        return next(iter(self.tokens))

    def start(self) -> None:
        bao = self

        class Handler(_Handler):
            keystore = bao

        server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        server.daemon_threads = True
        if self._tls is not None:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        self._port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Nothing listens there any more; open connections end with their next question."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextmanager
    def down(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def heal(self) -> None:
        """Nothing of it fails any more."""
        self.slow_seconds, self.sealed, self.garbled = 0.0, False, False
        self.denied, self.denied_keys, self.deny_after = set(), set(), None

    def versions_of(self, name: str) -> list[int]:
        """Which versions of a key are there; none: there is no such key."""
        return sorted(self._keys[name].versions) if name in self._keys else []

    def put_key(self, name: str, **facts: Any) -> None:
        """A key as somebody else made it."""
        self._keys[name] = _Key(name, **facts)

    def answer(self, method: str, path: list[str], token: str, body: Body) -> Body | None:
        """What it answers; None: an answer without a body.

        Raises:
            Refusal
        """
        if self._server is None:
            raise ConnectionAbortedError
        if self.slow_seconds:
            time.sleep(self.slow_seconds)
        with self._lock:
            self.seen.append(f"{method} {'/'.join(path)}")
            if self.sealed:
                raise Refusal(503, "Vault is sealed")
            if path == ["auth", "kubernetes", "login"]:
                return self._login(body)
            verb = self._verb(method, path)
            named = set(path[2:3]) & self.denied_keys
            if token not in self.tokens or named or self._denies(verb):
                raise Refusal(403, "1 error occurred:\n\t* permission denied\n\n")
            if path[0] != _MOUNT:
                raise Refusal(
                    404, f'no handler for route "{"/".join(path)}". route entry not found.'
                )
            return self._engine(verb, path[2], body)

    def _denies(self, verb: str) -> bool:
        if self.deny_after is not None:
            self.deny_after -= 1
            if self.deny_after < 0:
                return True
        return bool({verb, "*"} & self.denied)

    def _login(self, body: Body) -> Body:
        if self.service_accounts.get(body["jwt"]) != body["role"]:
            raise Refusal(403, "permission denied")
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return {"auth": {"client_token": token, "lease_duration": self.token_seconds}}

    def _verb(self, method: str, path: list[str]) -> str:
        if len(path) > 3:
            return path[3]
        return {"GET": "read", "DELETE": "delete"}.get(method) or (
            "create" if path[1] == "keys" else path[1]
        )

    def _engine(self, verb: str, name: str, body: Body) -> Body | None:
        if verb == "create" or (verb == "encrypt" and self.may_create and name not in self._keys):
            derived = bool(body.get("derived", body.get("context")))
            self._keys.setdefault(name, _Key(name, derived=derived))
            if verb == "create":
                return self._keys[name].told()
        key = self._keys.get(name)
        if key is None:
            raise Refusal(404) if verb == "read" else Refusal(400, _MISSING.get(verb, _NOT_FOUND))
        if verb == "read":
            return key.told()
        if verb == "delete":
            if not key.deletion_allowed:
                raise Refusal(400, "deletion is not allowed for this policy")
            del self._keys[name]
            return None
        if "batch_input" in body:
            known = self.knows_partial_failures and "partial_failure_response_code" in body
            return _batch(key, verb, body["batch_input"], tells_apart=known)
        told: Body = getattr(key, "configure" if verb == "config" else verb)(body)
        return told


_NOT_FOUND = "encryption key not found"
_MISSING = {
    "config": "no existing key named that could be found",
    "delete": "could not delete policy; not found",
}


def _batch(key: _Key, verb: str, items: list[Body], *, tells_apart: bool) -> Body:
    results: list[Body] = []
    for item in items:
        try:
            results.append(getattr(key, verb)(item))
        except Refusal as error:
            results.append({"plaintext": "", "error": error.words[0]})
    failures = sum("error" in result for result in results)
    if failures and (failures == len(results) or not tells_apart):
        # What could be opened is told as well.
        raise Refusal(400, body={"data": {"batch_results": results}})
    return {"batch_results": results}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    keystore: OpenBao

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.removeprefix("/v1/").strip("/").split("/")
        token = self.headers.get("X-Vault-Token", "")
        try:
            answer = self.keystore.answer(self.command, path, token, json.loads(raw) if raw else {})
        except ConnectionAbortedError:
            self.close_connection = True
            return
        except Refusal as error:
            self._tell(error.status, error.body)
            return
        if answer is None:
            self._tell(204, None)
        else:
            self._tell(200, answer if "auth" in answer else {"data": answer})

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _tell(self, status: int, body: Body | None) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        if self.keystore.garbled:
            status, text = 200, b"<html>welcome</html>"
        if self.keystore.redirect_to:
            status = 307
        self.send_response(status)
        if status == 307:
            self.send_header("Location", self.keystore.redirect_to)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: pytest shows what fails."""
