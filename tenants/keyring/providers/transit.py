"""Keys of organizations in OpenBao or HashiCorp Vault: the engine Transit. They never leave it.

One key per organization: aes256-gcm96, *derived*, not exportable. Derived, so that what is wrapped
is bound to its context by the derivation of the key: `rewrap`, which renews it on the server,
knows contexts and no associated data (docs/decisions: “derived”).
"""

import base64
from collections.abc import Sequence

from souvenir.core.sealing import SealBroken
from tenants.keyring.errors import KeyRefused, KeystoreUnavailable
from tenants.keyring.providers.transit_client import (
    Body,
    Keystore,
    TransitClient,
    is_missing,
    refusal,
)

_KIND = "aes256-gcm96"
# What the key of an organization must be, as the keystore tells it.
_WANTED = {
    "type": _KIND,
    "derived": True,
    "exportable": False,
    "allow_plaintext_backup": False,
}


class TransitKeys:
    """A `KeyProvider`. See the module.

    A key that was destroyed leaves nothing behind there. That it is not made again rests on three
    things: its name has the organization's id, `wrap` asks whether the key is there before it
    uses it, and the keystore's policy lets Souvenir `update` and not `create` under `encrypt/`.
    """

    def __init__(self, keystore: Keystore) -> None:
        """Nothing is connected yet."""
        self._mount = keystore.mount
        self._client = TransitClient(keystore)

    def create(self, name: str) -> None:
        self._client.ask(
            lambda client: client.secrets.transit.create_key(
                name,
                key_type=_KIND,
                derived=True,
                exportable=False,
                allow_plaintext_backup=False,
                mount_point=self._mount,
            )
        )
        self._key(name)  # one that was there before may be another kind of key

    def wrap(self, name: str, secret: bytes, *, context: bytes) -> bytes:
        self._key(name)
        answer = self._client.ask(
            lambda client: client.secrets.transit.encrypt_data(
                name,
                plaintext=_to_text(secret),
                context=_to_text(context),
                mount_point=self._mount,
            )
        )
        return _wrapped(answer)

    def unwrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        answer = self._client.ask(
            lambda client: client.secrets.transit.decrypt_data(
                name,
                ciphertext=_ciphertext(wrapped),
                context=_to_text(context),
                mount_point=self._mount,
            )
        )
        return _secret(answer)

    def unwrap_many(self, name: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        batch = [
            {"ciphertext": _ciphertext(wrapped), "context": _to_text(context)}
            for wrapped, context in items
        ]
        # hvac has no word for the last one: with it, what is wrong with an item is said beside it.
        body = {"batch_input": batch, "partial_failure_response_code": 200}
        answer = self._client.ask(
            lambda client: client.write_data(f"{self._mount}/decrypt/{name}", data=body)
        )
        results = answer.get("batch_results")
        if not isinstance(results, list) or len(results) != len(items):
            raise KeystoreUnavailable
        return [_secret(result) for result in results]

    def rotate(self, name: str) -> int:
        self._key(name)
        self._client.ask(
            lambda client: client.secrets.transit.rotate_key(name, mount_point=self._mount)
        )
        return int(self._key(name)["latest_version"])

    def rewrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        answer = self._client.ask(
            lambda client: client.secrets.transit.rewrap_data(
                name,
                ciphertext=_ciphertext(wrapped),
                context=_to_text(context),
                mount_point=self._mount,
            )
        )
        return _wrapped(answer)

    def retire(self, name: str, *, below: int) -> None:
        # One after the other: hvac takes no two that are equal, and the first must not be the less.
        for least in ({"min_encryption_version": below}, {"min_decryption_version": below}):
            self._configure(name, **least)
        # Without this, whoever may configure the key could let the old versions decrypt again.
        self._client.ask(
            lambda client: client.secrets.transit.trim_key(
                name, min_version=below, mount_point=self._mount
            )
        )

    def destroy(self, name: str) -> None:
        if not self._is_there(name):
            return
        self._configure(name, deletion_allowed=True)
        self._client.ask(
            lambda client: client.secrets.transit.delete_key(name, mount_point=self._mount)
        )

    def check(self) -> None:
        # Its name is no organization's: that it is not there is the good answer.
        self._is_there("check")

    def _is_there(self, name: str) -> bool:
        try:
            self._client.ask(
                lambda client: client.secrets.transit.read_key(name, mount_point=self._mount)
            )
        except KeyRefused as error:
            if is_missing(error):
                return False
            raise
        return True

    def _configure(self, name: str, **facts: int) -> None:
        self._client.ask(
            lambda client: client.secrets.transit.update_key_configuration(
                name, mount_point=self._mount, **facts
            )
        )

    def _key(self, name: str) -> Body:
        """What the keystore tells of the key, once that is what it should be."""
        key = self._client.ask(
            lambda client: client.secrets.transit.read_key(name, mount_point=self._mount)
        )
        if any(key.get(fact) != wanted for fact, wanted in _WANTED.items()):
            raise KeyRefused
        return key


def _to_text(plain: bytes) -> str:
    return base64.b64encode(plain).decode("ascii")


def _ciphertext(wrapped: bytes) -> str:
    try:
        return wrapped.decode("ascii")
    except UnicodeDecodeError as error:
        raise SealBroken from error


def _wrapped(answer: Body) -> bytes:
    ciphertext = answer.get("ciphertext")
    if not isinstance(ciphertext, str):
        raise KeystoreUnavailable
    return ciphertext.encode("ascii")


def _secret(answer: Body) -> bytes:
    if answer.get("error"):
        raise refusal(str(answer["error"]))
    try:
        return base64.b64decode(answer["plaintext"], validate=True)
    except (KeyError, ValueError) as error:
        raise KeystoreUnavailable from error
