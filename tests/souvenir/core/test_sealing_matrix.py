"""A sealed value or file opens where it was sealed, whole, and with its own keys; else not at all.

Whoever opens does it as Souvenir does: the header says whose keys, a keyring gives those that it
has, and the place is where the bytes were found. Every alteration below must come to nothing.
"""

import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from souvenir.core import sealed_streams
from souvenir.core.sealed_streams import SealedReader, SealingWriter
from souvenir.core.sealing import (
    KEY_BYTES,
    SALT_BYTES,
    Place,
    SealBroken,
    SubjectSecret,
    seal,
    subjects_of,
    unseal,
)

EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_ENTRY_BYTES = 20
# Names that could be taken apart in two ways, were they only put one after the other.
NAMES = st.sampled_from(["a", "ab", "b", "a|b", "|", "", '","', "memories_memory", "text"])
TENANTS = [UUID(int=n) for n in (1, 2)]
SUBJECTS = [UUID(int=n) for n in (11, 12, 13)]
# Every key that there is: two versions for each subject of each tenant.
KEYRING = {
    (tenant, subject, version): secrets.token_bytes(KEY_BYTES)
    for tenant in TENANTS
    for subject in SUBJECTS
    for version in (1, 2)
}


@dataclass(frozen=True)
class Sealed:
    """What was sealed, where, and for whom."""

    plain: bytes
    place: Place
    subjects: tuple[tuple[UUID, int], ...]
    bytes: bytes


places = st.builds(
    Place, tenant_id=st.sampled_from(TENANTS), table=NAMES, column=NAMES, record=NAMES
)
whose = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from([1, 2])),
    min_size=1,
    max_size=3,
    unique_by=lambda entry: entry[0],
).map(lambda entries: tuple(sorted(entries)))


@st.composite
def sealed_values(draw: st.DrawFn) -> Sealed:
    place, subjects = draw(places), draw(whose)
    plain = draw(st.binary(max_size=40))
    return Sealed(plain, place, subjects, _seal(plain, place, subjects))


def _secrets(tenant_id: UUID, entries: tuple[tuple[UUID, int], ...]) -> list[SubjectSecret]:
    try:
        return [SubjectSecret(s, v, KEYRING[tenant_id, s, v]) for s, v in entries]
    except KeyError as error:  # the keyring has no such key
        raise SealBroken from error


def _seal(plain: bytes, place: Place, subjects: tuple[tuple[UUID, int], ...]) -> bytes:
    salt = secrets.token_bytes(SALT_BYTES)
    return seal(plain, place=place, secrets=_secrets(place.tenant_id, subjects), salt=salt)


def _open(sealed: bytes, place: Place) -> bytes:
    """As tenants/sealed.py does it."""
    return unseal(sealed, place=place, secrets=_secrets(place.tenant_id, subjects_of(sealed)))


@EXAMPLES
@given(sealed_values())
def test_it_opens_where_it_was_sealed(sealed: Sealed) -> None:
    assert _open(sealed.bytes, sealed.place) == sealed.plain


@EXAMPLES
@given(sealed_values(), places)
def test_it_opens_in_no_other_row_column_table_or_tenant(sealed: Sealed, other: Place) -> None:
    assume(other != sealed.place)

    with pytest.raises(SealBroken):
        _open(sealed.bytes, other)


@EXAMPLES
@given(sealed_values(), st.sampled_from(["table", "column", "record"]), NAMES)
def test_one_name_that_differs_is_enough(sealed: Sealed, part: str, name: str) -> None:
    assume(getattr(sealed.place, part) != name)

    with pytest.raises(SealBroken):
        _open(sealed.bytes, replace(sealed.place, **{part: name}))  # type: ignore[arg-type]


@EXAMPLES
@given(sealed_values())
def test_another_tenant_is_enough(sealed: Sealed) -> None:
    (other,) = [tenant for tenant in TENANTS if tenant != sealed.place.tenant_id]

    with pytest.raises(SealBroken):
        _open(sealed.bytes, replace(sealed.place, tenant_id=other))


@EXAMPLES
@given(sealed_values(), st.data())
def test_not_one_bit_can_be_altered(sealed: Sealed, data: st.DataObject) -> None:
    """Form, count, subjects, versions, salt, ciphertext and tag."""
    at = data.draw(st.integers(0, 8 * len(sealed.bytes) - 1))
    altered = bytearray(sealed.bytes)
    altered[at // 8] ^= 1 << at % 8

    with pytest.raises(SealBroken):
        _open(bytes(altered), sealed.place)


@EXAMPLES
@given(sealed_values(), st.data())
def test_nothing_can_be_cut_off_or_added(sealed: Sealed, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(sealed.bytes) - 1))
    more = data.draw(st.binary(min_size=1, max_size=20))

    for altered in (sealed.bytes[:length], sealed.bytes + more, more + sealed.bytes):
        with pytest.raises(SealBroken):
            _open(altered, sealed.place)


@EXAMPLES
@given(sealed_values(), whose)
def test_the_names_of_others_in_front_do_not_make_it_theirs(
    sealed: Sealed, others: tuple[tuple[UUID, int], ...]
) -> None:
    """Another person, or another version of the same person's key."""
    assume(others != sealed.subjects)
    claimed = _seal(b"", sealed.place, others)[: 2 + _ENTRY_BYTES * len(others)]
    rest = sealed.bytes[2 + _ENTRY_BYTES * len(sealed.subjects) :]

    with pytest.raises(SealBroken):
        _open(claimed + rest, sealed.place)


@EXAMPLES
@given(sealed_values())
def test_the_order_of_the_subjects_cannot_be_changed(sealed: Sealed) -> None:
    assume(len(sealed.subjects) > 1)
    end = 2 + _ENTRY_BYTES * len(sealed.subjects)
    entries = [sealed.bytes[at : at + _ENTRY_BYTES] for at in range(2, end, _ENTRY_BYTES)]
    altered = sealed.bytes[:2] + b"".join(reversed(entries)) + sealed.bytes[end:]

    with pytest.raises(SealBroken):
        _open(altered, sealed.place)


@EXAMPLES
@given(sealed_values(), st.data())
def test_without_any_one_of_its_keys_it_does_not_open(sealed: Sealed, data: st.DataObject) -> None:
    held = _secrets(sealed.place.tenant_id, sealed.subjects)
    lost = data.draw(st.integers(0, len(held) - 1))
    wrong = [*held]
    wrong[lost] = replace(held[lost], secret=secrets.token_bytes(KEY_BYTES))

    for given_keys in (held[:lost] + held[lost + 1 :], wrong):
        with pytest.raises(SealBroken):
            unseal(sealed.bytes, place=sealed.place, secrets=given_keys)


@EXAMPLES
@given(sealed_values(), st.binary(max_size=40), st.data())
def test_two_values_of_one_place_cannot_be_mixed(
    sealed: Sealed, plain: bytes, data: st.DataObject
) -> None:
    other = _seal(plain, sealed.place, sealed.subjects)
    at = data.draw(st.integers(1, min(len(other), len(sealed.bytes)) - 1))
    mixed = sealed.bytes[:at] + other[at:]
    assume(mixed not in (sealed.bytes, other))

    with pytest.raises(SealBroken):
        _open(mixed, sealed.place)


@EXAMPLES
@given(sealed_values())
def test_the_same_text_is_never_sealed_the_same_way_twice(sealed: Sealed) -> None:
    again = _seal(sealed.plain, sealed.place, sealed.subjects)

    head = 2 + _ENTRY_BYTES * len(sealed.subjects)
    assert again[:head] == sealed.bytes[:head]
    assert again[head : head + SALT_BYTES] != sealed.bytes[head : head + SALT_BYTES]
    assert again[-16:] != sealed.bytes[-16:]


CHUNK, TAG = 32, 16


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_streams, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(sealed_streams, "_STORED_BYTES", CHUNK + TAG)


@dataclass(frozen=True)
class File:
    """A sealed file, taken apart: its head, and its chunks with their tags."""

    plain: bytes
    place: Place
    head: bytes
    chunks: tuple[bytes, ...]


@st.composite
def sealed_files(draw: st.DrawFn) -> File:
    place, subjects = draw(places), draw(whose)
    plain = draw(st.binary(max_size=5 * CHUNK))
    return _seal_file(plain, place, subjects)


def _seal_file(plain: bytes, place: Place, subjects: tuple[tuple[UUID, int], ...]) -> File:
    stream = io.BytesIO()
    held = _secrets(place.tenant_id, subjects)
    salt = secrets.token_bytes(SALT_BYTES)
    writer = SealingWriter(stream, place=place, secrets=held, salt=salt)
    for at in range(0, len(plain), 7):
        writer.write(plain[at : at + 7])
    writer.finish()
    stored = stream.getvalue()
    start = 2 + _ENTRY_BYTES * len(subjects) + SALT_BYTES
    body = stored[start:]
    chunks = tuple(body[at : at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG))
    return File(plain, place, stored[:start], chunks)


def _read_file(stored: bytes, place: Place) -> bytes:
    reader = SealedReader(
        io.BytesIO(stored),
        place=place,
        find_secrets=lambda head: _secrets(place.tenant_id, subjects_of(head)),
    )
    return reader.read()


@EXAMPLES
@given(sealed_files())
def test_a_file_opens_where_it_was_sealed(file: File) -> None:
    assert _read_file(file.head + b"".join(file.chunks), file.place) == file.plain


@EXAMPLES
@given(sealed_files(), places)
def test_a_file_opens_nowhere_else(file: File, other: Place) -> None:
    assume(other != file.place)

    with pytest.raises(SealBroken):
        _read_file(file.head + b"".join(file.chunks), other)


def _without_one(chunks: tuple[bytes, ...], at: int) -> tuple[bytes, ...]:
    return chunks[:at] + chunks[at + 1 :]


def _twice(chunks: tuple[bytes, ...], at: int) -> tuple[bytes, ...]:
    return chunks[: at + 1] + chunks[at:]


def _to_the_front(chunks: tuple[bytes, ...], at: int) -> tuple[bytes, ...]:
    return (chunks[at], *chunks[:at], *chunks[at + 1 :])


def _ended(chunks: tuple[bytes, ...], at: int) -> tuple[bytes, ...]:
    return chunks[:at]


def _turned(chunks: tuple[bytes, ...], at: int) -> tuple[bytes, ...]:
    return chunks[at:] + chunks[:at]


@EXAMPLES
@given(
    sealed_files(),
    st.sampled_from([_without_one, _twice, _to_the_front, _ended, _turned]),
    st.integers(0, 5),
)
def test_no_chunk_is_left_out_repeated_or_moved(
    file: File, alter: Callable[[tuple[bytes, ...], int], tuple[bytes, ...]], at: int
) -> None:
    altered = alter(file.chunks, at % len(file.chunks))
    assume(altered != file.chunks)

    with pytest.raises(SealBroken):
        _read_file(file.head + b"".join(altered), file.place)


@EXAMPLES
@given(sealed_files(), st.data())
def test_not_one_bit_of_a_file_can_be_altered_and_nothing_cut_off(
    file: File, data: st.DataObject
) -> None:
    whole = file.head + b"".join(file.chunks)
    at = data.draw(st.integers(0, 8 * len(whole) - 1))
    altered = bytearray(whole)
    altered[at // 8] ^= 1 << at % 8

    for stored in (bytes(altered), whole[: at // 8], whole + b"\0"):
        with pytest.raises(SealBroken):
            _read_file(stored, file.place)


@EXAMPLES
@given(sealed_files(), st.binary(max_size=5 * CHUNK), st.integers(0, 5))
def test_chunks_of_two_files_of_one_place_cannot_be_mixed(
    file: File, plain: bytes, at: int
) -> None:
    subjects = subjects_of(file.head)
    other = _seal_file(plain, file.place, subjects)
    number = at % min(len(file.chunks), len(other.chunks))
    mixed = (*file.chunks[:number], other.chunks[number], *file.chunks[number + 1 :])

    with pytest.raises(SealBroken):
        _read_file(file.head + b"".join(mixed), file.place)
