"""Checkpoints as others read them: the reference's own key, note and signature; and wrong ones."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from souvenir.audit.notes import (
    NoteWrong,
    TreeHead,
    check_note,
    read_head,
    read_verifier_key,
    sign_head,
    verifier_key,
)

# From the documentation of golang.org/x/mod/sumdb/note.
_REFERENCE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
_REFERENCE_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
_REFERENCE_NOTE = (
    f"{_REFERENCE_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
    "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
HEAD = TreeHead("souvenir.example.ca/audit/local", 7, bytes(range(32)))


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_the_reference_s_note_is_read_with_the_reference_s_key() -> None:
    assert check_note(_REFERENCE_NOTE, _REFERENCE_KEY) == _REFERENCE_TEXT


def test_the_reference_s_key_is_written_the_same_way() -> None:
    name, key_id, key = read_verifier_key(_REFERENCE_KEY)

    assert (name, key_id.hex()) == ("PeterNeumann", "c74f20a3")
    assert verifier_key(name, key) == _REFERENCE_KEY


def test_a_checkpoint_says_what_was_signed(key: Ed25519PrivateKey) -> None:
    note = sign_head(HEAD, key)

    assert read_head(note) == HEAD
    assert check_note(note, verifier_key(HEAD.origin, key.public_key())) == (
        f"{HEAD.origin}\n7\n{base64.b64encode(HEAD.root).decode()}\n"
    )


def test_a_cosignature_of_somebody_else_is_passed_over(key: Ed25519PrivateKey) -> None:
    text, _, own = sign_head(HEAD, key).rpartition("\n\n")
    _, _, theirs = sign_head(HEAD, Ed25519PrivateKey.generate()).rpartition("\n\n")
    note = f"{text}\n\n{theirs}{own}"

    check_note(note, verifier_key(HEAD.origin, key.public_key()))

    assert read_head(note) == HEAD


@pytest.mark.parametrize(("was", "becomes"), [("\n7\n", "\n8\n"), ("example.ca/", "example.com/")])
def test_a_changed_checkpoint_is_refused(key: Ed25519PrivateKey, was: str, becomes: str) -> None:
    note = sign_head(HEAD, key).replace(was, becomes)

    with pytest.raises(NoteWrong):
        check_note(note, verifier_key(HEAD.origin, key.public_key()))


def test_another_key_is_refused(key: Ed25519PrivateKey) -> None:
    other = verifier_key(HEAD.origin, Ed25519PrivateKey.generate().public_key())

    with pytest.raises(NoteWrong):
        check_note(sign_head(HEAD, key), other)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "a\n7\n",
        "a\n7\n\n— a b\n",
        "a\n07\n" + base64.b64encode(bytes(32)).decode() + "\n\n— a b\n",
        "a\n-7\n" + base64.b64encode(bytes(32)).decode() + "\n\n— a b\n",
        "a\n٧\n" + base64.b64encode(bytes(32)).decode() + "\n\n— a b\n",
        "a\n7\n" + base64.b64encode(bytes(31)).decode() + "\n\n— a b\n",
        "a\n7\nnot base64!\n\n— a b\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(NoteWrong):
        read_head(note)


@pytest.mark.parametrize(
    "text", ["", "a+b", _REFERENCE_KEY[:-4], _REFERENCE_KEY.replace("c7", "d7")]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteWrong):
        read_verifier_key(text)
