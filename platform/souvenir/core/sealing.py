"""Sealing primitives: what a sealed value is made of, and blind tokens. Knows no keyring.

A sealed value carries in clear whose keys opened it and a salt, then the ciphertext:

    1 byte form · 1 byte n · n × (16 bytes subject, 4 bytes key version) · 16 bytes salt · AES-GCM

The record key is HKDF-SHA256 (RFC 5869) over the keys of *all* its subjects, one after the other:
whoever lacks one of them can open nothing, so a record about two persons ends with either.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from souvenir.core.canonical_json import canonical_json
from souvenir.core.errors import Conflict, gettext_noop

KEY_BYTES = 32
SALT_BYTES = 16
TAG_BYTES = 16
NONCE_BYTES = 12
_FORM = 1
_SUBJECT_BYTES = 16
_VERSION_BYTES = 4
_ENTRY_BYTES = _SUBJECT_BYTES + _VERSION_BYTES
_MOST_SUBJECTS = 255
_TOKEN_BYTES = 8
_ENTRY_TOKEN_BYTES = 16
_ENTRY_DOMAIN = b"\x00entry\x00"  # no term begins so: no entry's token is a term's


class SealBroken(Conflict):
    """Altered, moved from where it was sealed, or opened with another key: 500, a defect or an
    attack. Nobody who asks can mend it.
    """

    code = "seal-broken"
    message = gettext_noop(
        "What is stored here does not match its seal, so none of it is shown. Tell the operator."
    )


@dataclass(frozen=True, slots=True)
class SubjectSecret:
    """One version of the key of one subject: a person, a shared store, or the organization."""

    subject_id: UUID
    version: int
    secret: bytes  # KEY_BYTES


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands. A value that is sealed for one place opens in no other."""

    tenant_id: UUID
    table: str
    column: str
    record: str


def seal(plain: bytes, *, place: Place, secrets: Sequence[SubjectSecret], salt: bytes) -> bytes:
    """Seal a value. `salt` is SALT_BYTES random bytes, fresh for every call."""
    head = header(secrets) + salt
    bound = associated_data(head, place)
    key, nonce = record_key(head, bound=bound, secrets=secrets)
    return head + AESGCM(key).encrypt(nonce, plain, bound)


def unseal(sealed: bytes, *, place: Place, secrets: Sequence[SubjectSecret]) -> bytes:
    """Open a value with the secrets that `subjects_of` names, in that order.

    Raises:
        SealBroken
    """
    end = header_size(sealed) + SALT_BYTES
    head = sealed[:end]
    bound = associated_data(head, place)
    key, nonce = record_key(head, bound=bound, secrets=secrets)
    try:
        return AESGCM(key).decrypt(nonce, sealed[end:], bound)
    except InvalidTag as error:
        raise SealBroken from error


def subjects_of(sealed: bytes) -> tuple[tuple[UUID, int], ...]:
    """Whose keys open it, and their versions. Says nothing of whether it is whole.

    Raises:
        SealBroken: these are not the bytes of a sealed value.
    """
    end = header_size(sealed)
    return tuple(
        (
            UUID(bytes=sealed[at : at + _SUBJECT_BYTES]),
            int.from_bytes(sealed[at + _SUBJECT_BYTES : at + _ENTRY_BYTES], "big"),
        )
        for at in range(2, end, _ENTRY_BYTES)
    )


def sealed_size(plain_bytes: int, *, subjects: int) -> int:
    """How long a value of `plain_bytes` is when it is sealed for some subjects."""
    return 2 + subjects * _ENTRY_BYTES + SALT_BYTES + plain_bytes + TAG_BYTES


def header(secrets: Sequence[SubjectSecret]) -> bytes:
    """The clear beginning of a sealed value: its form, and whose keys open it."""
    if not 0 < len(secrets) <= _MOST_SUBJECTS:
        msg = "A value is sealed for at least one subject, and at most 255."
        raise ValueError(msg)
    entries = [header_entry(secret.subject_id, secret.version) for secret in secrets]
    return bytes([_FORM, len(secrets)]) + b"".join(entries)


def header_entry(subject_id: UUID, version: int) -> bytes:
    """How a header names one subject and the version of its key."""
    return subject_id.bytes + version.to_bytes(_VERSION_BYTES, "big")


def header_size(sealed: bytes) -> int:
    """Where the header of a sealed value ends.

    Raises:
        SealBroken
    """
    if len(sealed) < 2 or sealed[0] != _FORM or not sealed[1]:  # noqa: PLR2004 (form and count)
        raise SealBroken
    end = 2 + sealed[1] * _ENTRY_BYTES
    if len(sealed) < end + SALT_BYTES:
        raise SealBroken
    return end


def record_key(
    head: bytes, *, bound: bytes, secrets: Sequence[SubjectSecret]
) -> tuple[bytes, bytes]:
    """The AES-256 key and the nonce of one record. `head` is its header and its salt.

    The salt makes both unique, so the nonce needs no randomness of its own.
    """
    material = b"".join(secret.secret for secret in secrets)
    derived = HKDF(
        algorithm=hashes.SHA256(),
        length=KEY_BYTES + NONCE_BYTES,
        salt=head[-SALT_BYTES:],
        info=bound,
    ).derive(material)
    return derived[:KEY_BYTES], derived[KEY_BYTES:]


def associated_data(head: bytes, place: Place) -> bytes:
    """What a seal is bound to besides the content: form, subjects, key versions, place."""
    where = [str(place.tenant_id), place.table, place.column, place.record]
    return b"souvenir|" + head[:-SALT_BYTES] + b"|" + canonical_json(where)


def blind_token(term: str, *, key: bytes) -> int:
    """A term as a signed 64-bit number that says nothing without the key (HMAC-SHA256, cut)."""
    digest = hmac.digest(key, term.encode(), hashlib.sha256)
    return int.from_bytes(digest[:_TOKEN_BYTES], "big", signed=True)


def blind_entry(entry: str, *, key: bytes) -> bytes:
    """An entry of metadata as 16 bytes that say nothing without the key (HMAC-SHA256, cut)."""
    return hmac.digest(key, _ENTRY_DOMAIN + entry.encode(), hashlib.sha256)[:_ENTRY_TOKEN_BYTES]
