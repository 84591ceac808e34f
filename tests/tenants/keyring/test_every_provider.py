"""What holds of every key provider, whatever keeps the keys."""

import secrets
import threading
from collections.abc import Callable

import pytest

from souvenir.core.sealing import KEY_BYTES, SealBroken
from tenants.keyring.errors import KeyRefused
from tenants.keyring.providers.protocol import KeyProvider

OURS, THEIRS = "tenant-ours", "tenant-theirs"
HERE, ELSEWHERE = b"souvenir|subject|a|b|1", b"souvenir|subject|a|c|1"
SECRET = secrets.token_bytes(KEY_BYTES)


@pytest.fixture(autouse=True)
def keys(provider: KeyProvider) -> None:
    provider.create(OURS)
    provider.create(THEIRS)


def test_what_is_wrapped_unwraps(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    assert provider.unwrap(OURS, wrapped, context=HERE) == SECRET
    assert SECRET not in wrapped


def test_the_same_secret_is_never_wrapped_the_same_way_twice(provider: KeyProvider) -> None:
    first, second = (provider.wrap(OURS, SECRET, context=HERE) for _ in range(2))

    assert first != second


def test_it_does_not_unwrap_elsewhere(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    with pytest.raises(SealBroken):
        provider.unwrap(OURS, wrapped, context=ELSEWHERE)


def test_another_organization_s_key_does_not_unwrap_it(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    with pytest.raises((SealBroken, KeyRefused)):
        provider.unwrap(THEIRS, wrapped, context=HERE)


def test_no_single_altered_byte_goes_unseen(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    for at in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[at] ^= 1
        with pytest.raises((SealBroken, KeyRefused)):
            provider.unwrap(OURS, bytes(altered), context=HERE)


def test_nothing_that_was_cut_unwraps(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    for length in range(len(wrapped)):
        with pytest.raises((SealBroken, KeyRefused)):
            provider.unwrap(OURS, wrapped[:length], context=HERE)


def test_many_unwrap_in_their_order(provider: KeyProvider) -> None:
    wanted = [secrets.token_bytes(KEY_BYTES) for _ in range(5)]
    contexts = [f"souvenir|subject|a|{number}|1".encode() for number in range(5)]
    items = [
        (provider.wrap(OURS, secret, context=context), context)
        for secret, context in zip(wanted, contexts, strict=True)
    ]

    assert provider.unwrap_many(OURS, items) == wanted
    assert provider.unwrap_many(OURS, []) == []


def test_one_that_is_broken_among_many_breaks_them_all(provider: KeyProvider) -> None:
    good, moved = (provider.wrap(OURS, SECRET, context=HERE) for _ in range(2))

    with pytest.raises(SealBroken):
        provider.unwrap_many(OURS, [(good, HERE), (moved, ELSEWHERE)])


def test_a_key_that_was_never_made_is_refused(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)
    uses: list[Callable[[], object]] = [
        lambda: provider.wrap("tenant-none", SECRET, context=HERE),
        lambda: provider.unwrap("tenant-none", wrapped, context=HERE),
        lambda: provider.unwrap_many("tenant-none", [(wrapped, HERE)]),
        lambda: provider.rewrap("tenant-none", wrapped, context=HERE),
        lambda: provider.rotate("tenant-none"),
        lambda: provider.retire("tenant-none", below=1),
    ]

    for use in uses:
        with pytest.raises(KeyRefused):
            use()


def test_making_a_key_again_leaves_it_alone(provider: KeyProvider) -> None:
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    provider.create(OURS)

    assert provider.unwrap(OURS, wrapped, context=HERE) == SECRET


def test_a_new_version_leaves_the_older_ones_readable(provider: KeyProvider) -> None:
    old = provider.wrap(OURS, SECRET, context=HERE)

    provider.rotate(OURS)
    new = provider.wrap(OURS, SECRET, context=HERE)

    assert provider.unwrap(OURS, old, context=HERE) == SECRET
    assert provider.unwrap(OURS, new, context=HERE) == SECRET


def test_after_the_older_versions_are_retired_only_what_was_renewed_opens(
    provider: KeyProvider,
) -> None:
    old = provider.wrap(OURS, SECRET, context=HERE)
    version = provider.rotate(OURS)
    renewed = provider.rewrap(OURS, old, context=HERE)

    provider.retire(OURS, below=version)

    assert provider.unwrap(OURS, renewed, context=HERE) == SECRET
    with pytest.raises(KeyRefused):
        provider.unwrap(OURS, old, context=HERE)


def test_renewing_keeps_it_in_its_place(provider: KeyProvider) -> None:
    old = provider.wrap(OURS, SECRET, context=HERE)
    provider.rotate(OURS)

    with pytest.raises(SealBroken):
        provider.rewrap(OURS, old, context=ELSEWHERE)
    with pytest.raises(SealBroken):
        provider.unwrap(OURS, provider.rewrap(OURS, old, context=HERE), context=ELSEWHERE)


def test_a_rotation_does_not_end_what_a_later_one_has_yet_to_renew(provider: KeyProvider) -> None:
    first = provider.rotate(OURS)
    between = provider.wrap(OURS, SECRET, context=HERE)
    second = provider.rotate(OURS)

    provider.retire(OURS, below=first)

    assert second > first
    assert provider.unwrap(OURS, between, context=HERE) == SECRET


def test_retiring_twice_changes_nothing(provider: KeyProvider) -> None:
    version = provider.rotate(OURS)
    wrapped = provider.wrap(OURS, SECRET, context=HERE)

    provider.retire(OURS, below=version)
    provider.retire(OURS, below=version)

    assert provider.unwrap(OURS, wrapped, context=HERE) == SECRET


def test_a_destroyed_key_opens_and_closes_nothing(provider: KeyProvider) -> None:
    ours = provider.wrap(OURS, SECRET, context=HERE)
    theirs = provider.wrap(THEIRS, SECRET, context=HERE)

    provider.destroy(OURS)
    provider.destroy(OURS)

    with pytest.raises(KeyRefused):
        provider.unwrap(OURS, ours, context=HERE)
    with pytest.raises(KeyRefused):
        provider.wrap(OURS, SECRET, context=HERE)
    assert provider.unwrap(THEIRS, theirs, context=HERE) == SECRET


def test_destroying_what_was_never_made_is_no_error(provider: KeyProvider) -> None:
    provider.destroy("tenant-none")


def test_it_answers(provider: KeyProvider) -> None:
    provider.check()


def test_threads_use_it_at_once(provider: KeyProvider) -> None:
    failures: list[Exception] = []

    def use(number: int) -> None:
        context = f"souvenir|subject|a|{number}|1".encode()
        try:
            for _ in range(10):
                wrapped = provider.wrap(OURS, SECRET, context=context)
                assert provider.unwrap(OURS, wrapped, context=context) == SECRET
        except Exception as error:  # noqa: BLE001 (told to the test below)
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
