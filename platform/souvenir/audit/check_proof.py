"""Check what Souvenir's audit log gave you, with nothing of Souvenir: this file and `cryptography`.

    python check_proof.py --key KEY.txt --entry PROOF.json --saved OLD.txt --consistency GROWN.json

KEY.txt is the log's public key, kept since the beginning (/.well-known/souvenir-audit-key).
PROOF.json is the answer of GET /api/v1/audit/entries/<id>/proof. OLD.txt is the `note` of a
checkpoint that you kept, and GROWN.json the answer of GET /api/v1/audit/consistency?old=…&size=…
from its size to that of the checkpoint in PROOF.json. The last two belong together, and may be left
out. Says what was shown and ends with 0, or why nothing was and ends with 1.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def decoded(text: str) -> bytes:
    """Base64, strictly."""
    return base64.b64decode(text, validate=True)


def signed_head(note: str, key_text: str) -> tuple[int, bytes]:
    """The size and the root of a checkpoint that the key has signed (C2SP signed-note)."""
    name, _, rest = key_text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = decoded(encoded)
    if hashlib.sha256(f"{name}\n".encode() + raw).hexdigest()[:8] != key_id or raw[:1] != b"\x01":
        raise ValueError("this is no key of a log")
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        signer, _, signature = line.removeprefix("— ").rpartition(" ")
        blob = decoded(signature)
        if signer == name and blob[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(raw[1:]).verify(blob[4:], f"{text}\n".encode())
            origin, size, root = text.split("\n")[:3]
            if origin != name:
                raise ValueError("the checkpoint is of another log")
            return int(size), decoded(root)
    raise ValueError("the key has not signed this checkpoint")


def node(left: bytes, right: bytes) -> bytes:
    """An inner hash of the tree."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_entry(leaf: bytes, number: int, size: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to: RFC 9162, §2.1.1, walked from the top down."""
    if size == 1:
        if proof:
            raise ValueError("the proof is too long")
        return leaf
    half = 1 << ((size - 1).bit_length() - 1)
    *below, beside = proof
    if number < half:
        return node(root_from_entry(leaf, number, half, below), beside)
    return node(beside, root_from_entry(leaf, number - half, size - half, below))


def roots_from_growth(
    old: int, size: int, proof: list[bytes], known: bytes | None
) -> tuple[bytes, bytes]:
    """The old and the new root that a consistency proof leads to. `known`: that of the old tree,
    for as long as it may be a part of the new one.
    """
    if old == size:
        if known is None:
            (known,) = proof
        elif proof:
            raise ValueError("the proof is too long")
        return known, known
    half = 1 << ((size - 1).bit_length() - 1)
    *below, beside = proof
    if old <= half:
        before, now = roots_from_growth(old, half, below, known)
        return before, node(now, beside)
    before, now = roots_from_growth(old - half, size - half, below, None)
    return node(beside, before), node(beside, now)


def check_entry(proved: dict[str, Any], key: str) -> tuple[int, bytes]:
    """That the log which was signed for holds the entry. Gives the size and the root."""
    size, root = signed_head(proved["checkpoint"]["note"], key)
    canonical = json.dumps(
        proved["entry"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    leaf = hashlib.sha256(b"\x00" + canonical.encode()).digest()
    proof = [decoded(one) for one in proved["proof"]["hashes"]]
    if not 0 <= proved["number"] < size:
        raise ValueError("the entry's number is none of this log's")
    if root_from_entry(leaf, proved["number"], size, proof) != root:
        raise ValueError("the entry is not in the log that was signed for")
    return size, root


def check_growth(saved: str, grown: dict[str, Any], key: str, now: tuple[int, bytes]) -> int:
    """That the log of today begins with the log of the checkpoint that was kept. Gives its size."""
    old, old_root = signed_head(saved, key)
    size, root = now
    proof = [decoded(one) for one in grown["hashes"]]
    if not 0 < old <= size or roots_from_growth(old, size, proof, old_root) != (old_root, root):
        raise ValueError("the log is not the one that grew from the checkpoint that was kept")
    return old


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--entry", type=Path, required=True)
    parser.add_argument("--saved", type=Path)
    parser.add_argument("--consistency", type=Path)
    given = parser.parse_args(arguments)
    try:
        key = given.key.read_text(encoding="utf-8")
        proved = json.loads(given.entry.read_text(encoding="utf-8"))
        size, root = check_entry(proved, key)
        said = [f"entry {proved['number']} is in the log of {size} entries that was signed for"]
        if given.saved and given.consistency:
            grown = json.loads(given.consistency.read_text(encoding="utf-8"))
            saved = given.saved.read_text(encoding="utf-8")
            old = check_growth(saved, grown, key, (size, root))
            said.append(f"that log begins with the {old} entries of the checkpoint that was kept")
    except (InvalidSignature, ValueError, KeyError, TypeError, OSError) as error:
        sys.stdout.write(f"NOT SHOWN: {str(error) or 'the signature is wrong'}\n")
        return 1
    sys.stdout.write("".join(f"OK: {one}\n" for one in said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
