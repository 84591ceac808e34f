"""The keys that a process holds: few, for minutes, and never one that was known to be destroyed."""

import threading
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from souvenir.core.ids import new_id
from tenants.keyring.errors import KeystoreUnavailable
from tenants.keyring.unwrapped import Change, Heard, UnwrappedKeys, Whose

LIFE, LOOK, MOST = 300.0, 1.0, 5
TENANTS = [new_id(), new_id()]
SUBJECTS = [new_id() for _ in range(4)]


class Keyring:
    """What the cache asks: its changes, its clock, and whether it answers."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.changes: list[tuple[float, Change]] = []
        self.is_down = False
        self.looks = 0

    def look(self) -> Heard:
        self.looks += 1
        if self.is_down:
            raise KeystoreUnavailable
        told = [change for at, change in self.changes if at >= self.now - 2 * LIFE]
        return Heard(at_seconds=self.now, changes=told)

    def change(self, tenant_id: UUID, subject_id: UUID | None) -> None:
        self.changes.append((self.now, Change(new_id(), tenant_id, subject_id)))


class Holding(RuleBasedStateMachine):
    """Whatever happens in whatever order, the rules below hold of what `get` gives."""

    def __init__(self) -> None:
        super().__init__()
        self.keyring = Keyring()
        self.cache = UnwrappedKeys(
            self.keyring.look,
            life_seconds=LIFE,
            look_seconds=LOOK,
            most=MOST,
            clock=lambda: self.keyring.now,
        )
        self.destroyed: dict[Whose, float] = {}  # when
        self.kept: dict[tuple[Whose, int], float] = {}
        self.tickets: list[tuple[Whose, int, int]] = []

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 2.0, 60.0, 299.0, 301.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.keyring.now += seconds

    @rule()
    def the_keyring_goes_or_comes(self) -> None:
        self.keyring.is_down = not self.keyring.is_down

    @rule(
        tenant=st.sampled_from(TENANTS),
        subject=st.sampled_from(SUBJECTS),
        version=st.integers(1, 2),
    )
    def a_key_is_read_in_the_keyring(self, tenant: UUID, subject: UUID, version: int) -> None:
        whose = (tenant, subject)
        if whose not in self.destroyed:
            self.tickets.append((whose, version, self.cache.ticket()))

    @rule(which=st.sampled_from([0, -1]))
    def what_was_read_is_kept(self, which: int) -> None:
        if self.tickets:
            whose, version, ticket = self.tickets.pop(which)
            self.cache.keep(whose, version, b"secret", ticket=ticket)
            self.kept[whose, version] = self.keyring.now

    @rule(tenant=st.sampled_from(TENANTS), subject=st.sampled_from([*SUBJECTS, None]))
    def a_key_is_destroyed_elsewhere(self, tenant: UUID, subject: UUID | None) -> None:
        self.keyring.change(tenant, subject)
        for one in SUBJECTS if subject is None else [subject]:
            self.destroyed.setdefault((tenant, one), self.keyring.now)

    @invariant()
    def nothing_wrong_is_given(self) -> None:
        now = self.keyring.now
        for whose in [(tenant, subject) for tenant in TENANTS for subject in SUBJECTS]:
            for version in (1, 2):
                try:
                    secret = self.cache.get(whose, version)
                except KeystoreUnavailable:
                    assert self.keyring.is_down
                    continue
                if secret is not None:
                    assert now - self.destroyed.get(whose, now) <= LOOK
                    assert now - self.kept[whose, version] <= LIFE

    @invariant()
    def it_holds_few(self) -> None:
        assert len(self.cache._held) <= MOST


Holding.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_whatever_happens_in_whatever_order = Holding.TestCase


@pytest.fixture
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def cache(keyring: Keyring) -> UnwrappedKeys:
    return UnwrappedKeys(keyring.look, clock=lambda: keyring.now)


OURS: Whose = (TENANTS[0], SUBJECTS[0])


def _hold(cache: UnwrappedKeys, whose: Whose = OURS) -> None:
    cache.get(whose, 1)
    cache.keep(whose, 1, b"secret", ticket=cache.ticket())


def test_a_key_that_was_read_just_before_it_was_destroyed_is_not_held(
    cache: UnwrappedKeys, keyring: Keyring
) -> None:
    ticket = cache.ticket()  # and the row is read
    keyring.change(*OURS)
    keyring.now += 2
    cache.get(OURS, 1)  # another thread hears of it

    cache.keep(OURS, 1, b"secret", ticket=ticket)

    assert cache.get(OURS, 1) is None


def test_a_change_is_heard_once_so_that_a_newer_key_can_be_held(
    cache: UnwrappedKeys, keyring: Keyring
) -> None:
    keyring.change(*OURS)
    keyring.now += 2
    _hold(cache)

    keyring.now += 2

    assert cache.get(OURS, 1) == b"secret"


def test_a_machine_that_slept_forgets_what_it_held(cache: UnwrappedKeys, keyring: Keyring) -> None:
    """Its own clock did not go on: by it, the keys would still be good."""
    mine = [0.0]
    cache = UnwrappedKeys(keyring.look, clock=lambda: mine[0])
    _hold(cache)
    keyring.change(*OURS)

    keyring.now += 24 * 3600
    mine[0] += 2
    cache.get(OURS, 1)

    assert cache.get(OURS, 1) is None


def test_nothing_is_used_while_nobody_can_say_what_was_destroyed(
    cache: UnwrappedKeys, keyring: Keyring
) -> None:
    _hold(cache)
    keyring.is_down = True
    keyring.now += 2

    for _ in range(3):
        with pytest.raises(KeystoreUnavailable):
            cache.get(OURS, 1)
    keyring.is_down = False

    assert cache.get(OURS, 1) == b"secret"


def test_one_thread_looks_for_all_also_when_it_looks_in_vain(keyring: Keyring) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hang() -> Heard:
        keyring.looks += 1
        inside.set()
        go_on.wait(10)
        raise KeystoreUnavailable

    cache = UnwrappedKeys(hang, clock=lambda: keyring.now)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            cache.get(OURS, 1)
            outcomes.append("given")
        except KeystoreUnavailable:
            outcomes.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    while sum(thread.is_alive() for thread in threads) < 8:
        pass
    go_on.set()
    for thread in threads:
        thread.join()

    assert outcomes == ["refused"] * 8
    assert keyring.looks == 1


def test_an_organization_s_keys_are_dropped_all_at_once(
    cache: UnwrappedKeys, keyring: Keyring
) -> None:
    theirs = (TENANTS[1], SUBJECTS[0])
    for whose in (OURS, (TENANTS[0], SUBJECTS[1]), (TENANTS[0], None), theirs):
        _hold(cache, whose)

    cache.drop(TENANTS[0])

    assert [cache.get((TENANTS[0], subject), 1) for subject in (*SUBJECTS[:2], None)] == [None] * 3
    assert cache.get(theirs, 1) == b"secret"


def test_a_child_process_starts_without_its_parent_s_keys(
    cache: UnwrappedKeys, keyring: Keyring
) -> None:
    _hold(cache)

    cache.start_anew()

    assert cache.get(OURS, 1) is None
