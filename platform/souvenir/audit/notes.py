"""Checkpoints as C2SP writes them: a tlog-checkpoint in a signed note, signed with Ed25519. Pure.

    <origin>\n<size>\n<root, base64>\n
    \n
    — <name of the key> <base64 of 4 bytes of the key's id and 64 bytes of signature>\n

The key is called as its log is. https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_ID_BYTES = 4
_HASH_BYTES = 32
_KEY_BYTES = 32
_SIGNED = "— "


class NoteWrong(ValueError):
    """Not a checkpoint, or not signed by the key that it is checked with."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint says: the log, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes


def sign_head(head: TreeHead, key: Ed25519PrivateKey) -> str:
    """The checkpoint as text."""
    text = _text(head)
    signature = _key_id(head.origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n{_SIGNED}{head.origin} {_base64(signature)}\n"


def read_head(note: str) -> TreeHead:
    """What a checkpoint says, whoever signed it: see `check_note`.

    Raises:
        NoteWrong
    """
    text, separator, _ = note.rpartition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) < 3 or not lines[0]:  # noqa: PLR2004 (origin, size and root)
        raise NoteWrong
    origin, size, root = lines[0], lines[1], _bytes(lines[2])
    if not size.isascii() or not size.isdigit() or str(int(size)) != size:
        raise NoteWrong
    if len(root) != _HASH_BYTES:
        raise NoteWrong
    return TreeHead(origin, int(size), root)


def check_note(note: str, verifier_key: str) -> str:
    """The text that was signed, without its signatures. Other keys' signatures are passed over.

    Raises:
        NoteWrong: this key did not sign it.
    """
    name, key_id, key = read_verifier_key(verifier_key)
    text, separator, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines() if separator else ():
        signer, _, encoded = line.removeprefix(_SIGNED).rpartition(" ")
        signature = _bytes(encoded)
        if line.startswith(_SIGNED) and signer == name and signature[:_ID_BYTES] == key_id:
            try:
                key.verify(signature[_ID_BYTES:], f"{text}\n".encode())
            except InvalidSignature as error:
                raise NoteWrong from error
            return f"{text}\n"
    raise NoteWrong


def is_signed_by(note: str, verifier_key: str) -> bool:
    """Whether that key signed it.

    Raises:
        NoteWrong: the key is none.
    """
    read_verifier_key(verifier_key)
    try:
        check_note(note, verifier_key)
    except NoteWrong:
        return False
    return True


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """A public key as whoever checks notes is given it: `<name>+<id, hex>+<base64>`."""
    return f"{name}+{_key_id(name, key).hex()}+{_base64(_ED25519 + key.public_bytes_raw())}"


def read_verifier_key(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Its name, the id that signatures begin with, and the key.

    Raises:
        NoteWrong
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _bytes(encoded)
    if raw[:1] != _ED25519 or len(raw) != 1 + _KEY_BYTES:
        raise NoteWrong
    key = Ed25519PublicKey.from_public_bytes(raw[1:])
    if not name or key_id != _key_id(name, key).hex():
        raise NoteWrong
    return name, _key_id(name, key), key


def _text(head: TreeHead) -> str:
    return f"{head.origin}\n{head.size}\n{_base64(head.root)}\n"


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    digest = hashlib.sha256(f"{name}\n".encode() + _ED25519 + key.public_bytes_raw())
    return digest.digest()[:_ID_BYTES]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteWrong from error
