"""Keys of organizations in a hardware token, over PKCS#11. They never leave it.

A version of a key is an AES-256 object that cannot be extracted: its label is the name, its id the
version and eight random bytes. So two that are made at the same moment are two keys that both work,
and what was wrapped says by which. Wrapping is AES-GCM, with the context as associated data.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, SecretKey, Session
from pkcs11.mechanisms import GCMParams

from souvenir.core.sealing import KEY_BYTES, NONCE_BYTES, TAG_BYTES, SealBroken
from tenants.keyring.errors import KeyRefused, KeystoreUnavailable
from tenants.keyring.providers.pkcs11_session import Token, TokenSession

_VERSION_BYTES = 4
_ID_BYTES = _VERSION_BYTES + 8
_HEAD_BYTES = _ID_BYTES + NONCE_BYTES
_NEVER_OUT = {
    Attribute.EXTRACTABLE: False,
    Attribute.SENSITIVE: True,
    Attribute.PRIVATE: True,
}
# The library's types do not tell that a key object can encrypt: such objects are Any below.
# What tokens say of a ciphertext that does not open; some say it in the most general way.
_DOES_NOT_OPEN = (
    pkcs11.EncryptedDataInvalid,
    pkcs11.EncryptedDataLenRange,
    pkcs11.GeneralError,
    pkcs11.FunctionFailed,
)


@dataclass(frozen=True, slots=True, order=True)
class _Version:
    """The id of one key object. The greatest wraps."""

    raw: bytes

    @property
    def number(self) -> int:
        return int.from_bytes(self.raw[:_VERSION_BYTES], "big")

    @classmethod
    def fresh(cls, number: int) -> "_Version":
        random = secrets.token_bytes(_ID_BYTES - _VERSION_BYTES)
        return cls(number.to_bytes(_VERSION_BYTES, "big") + random)


class Pkcs11Keys:
    """A `KeyProvider`. See the module.

    A token forgets what was destroyed on it: a name must not be given twice.
    """

    def __init__(self, token: Token) -> None:
        """The token is opened at the first use."""
        self.session = TokenSession(token)

    def create(self, name: str) -> None:
        with self.session.session() as session:
            if not _versions(session, name):
                _generate(session, name, 1)

    def wrap(self, name: str, secret: bytes, *, context: bytes) -> bytes:
        with self.session.session() as session:
            versions = _existing(session, name)
            return _wrap(versions, secret, context)

    def unwrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        return self.unwrap_many(name, [(wrapped, context)])[0]

    def unwrap_many(self, name: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        with self.session.session() as session:
            versions = _existing(session, name) if items else {}
            return [_unwrap(versions, wrapped, context) for wrapped, context in items]

    def rotate(self, name: str) -> int:
        with self.session.session() as session:
            number = max(_existing(session, name)).number + 1
            _generate(session, name, number)
            return number

    def rewrap(self, name: str, wrapped: bytes, *, context: bytes) -> bytes:
        with self.session.session() as session:
            versions = _existing(session, name)
            return _wrap(versions, _unwrap(versions, wrapped, context), context)

    def retire(self, name: str, *, below: int) -> None:
        with self.session.session() as session:
            for version, key in _existing(session, name).items():
                if version.number < below:
                    key.destroy()

    def destroy(self, name: str) -> None:
        with self.session.session() as session:
            for key in _versions(session, name).values():
                key.destroy()

    def check(self) -> None:
        with self.session.session() as session:
            if Mechanism.AES_GCM not in session.token.slot.get_mechanisms():
                raise KeyRefused


def _versions(session: Session, name: str) -> dict[_Version, Any]:
    found = session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: name})
    return {_Version(key.id): key for key in found if isinstance(key, SecretKey)}


def _existing(session: Session, name: str) -> dict[_Version, Any]:
    versions = _versions(session, name)
    if not versions:
        raise KeyRefused
    return versions


def _generate(session: Session, name: str, number: int) -> None:
    session.generate_key(
        KeyType.AES,
        8 * KEY_BYTES,
        label=name,
        id=_Version.fresh(number).raw,
        store=True,
        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
        template=_NEVER_OUT,
    )


def _wrap(versions: dict[_Version, Any], secret: bytes, context: bytes) -> bytes:
    newest = max(versions)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return newest.raw + nonce + _encrypt(versions[newest], nonce, secret, context)


def _unwrap(versions: dict[_Version, Any], wrapped: bytes, context: bytes) -> bytes:
    if len(wrapped) < _HEAD_BYTES + TAG_BYTES:
        raise SealBroken
    key = versions.get(_Version(wrapped[:_ID_BYTES]))
    if key is None:
        raise KeyRefused
    nonce = wrapped[_ID_BYTES:_HEAD_BYTES]
    try:
        return _decrypt(key, nonce, wrapped[_HEAD_BYTES:], context)
    except _DOES_NOT_OPEN as error:
        if _works(key):
            raise SealBroken from error
        raise KeystoreUnavailable from error


def _works(key: Any) -> bool:
    """Whether a key opens what it has just closed: then it was the ciphertext that was wrong."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    try:
        return _decrypt(key, nonce, _encrypt(key, nonce, b"probe", b""), b"") == b"probe"
    except pkcs11.PKCS11Error:
        return False


def _encrypt(key: Any, nonce: bytes, plain: bytes, context: bytes) -> bytes:
    sealed = key.encrypt(
        plain,
        mechanism=Mechanism.AES_GCM,
        mechanism_param=GCMParams(nonce, context, 8 * TAG_BYTES),
    )
    return bytes(sealed)


def _decrypt(key: Any, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
    plain = key.decrypt(
        sealed,
        mechanism=Mechanism.AES_GCM,
        mechanism_param=GCMParams(nonce, context, 8 * TAG_BYTES),
    )
    return bytes(plain)
