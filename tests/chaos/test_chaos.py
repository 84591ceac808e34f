"""Every process is killed at random while much is asked for over HTTP: each is done once.

Short by default, and the same each time; `make chaos` runs it longer (SOUVENIR_CHAOS_…).
"""

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest

from tests.brokers import RABBITMQ, REDIS, Broker, rabbitmq_broker, redis_broker
from tests.chaos.bookkeeping import Books
from tests.chaos.clients import Client, Crowd, Wanted, wanted
from tests.chaos.system import System, running
from tests.chaos.watching import Kill, Watches, table
from tests.serving import Address

logger = logging.getLogger(__name__)


def _number(name: str, otherwise: int) -> int:
    return int(os.environ.get(f"SOUVENIR_CHAOS_{name}", otherwise))


SEED = _number("SEED", 22)
PEOPLE = _number("PEOPLE", 10)
OBJECTS = _number("OBJECTS", 20)  # in each person's history
EXPORTS = _number("EXPORTS", 6)
ERASURES = _number("ERASURES", 6)
ROUNDS = _number("ROUNDS", 1)  # each kind of process is killed so often, at least
MOST_SECONDS = _number("SECONDS", 120)  # of killing
AT_ONCE = _number("CLIENTS", 4)
# From each kill until all works again, whatever is killed meanwhile: `make chaos` asks for 30.
# The short run shares its machine with other tests, and only sees that nothing hangs.
RECOVERY_SECONDS = _number("RECOVERY", 90)
_REST_SECONDS = 180.0  # for what is left when nothing is killed any more
_BROKERS: dict[str, Callable[[], Broker | None]] = {
    "redis": redis_broker,
    "rabbitmq": rabbitmq_broker,
    "pgmq": lambda: None,  # PostgreSQL itself, which is killed anyway
}
_INSTALLED = "redis" if REDIS else "rabbitmq" if RABBITMQ else "pgmq"
BROKER = os.environ.get("SOUVENIR_CHAOS_BROKER", _INSTALLED)


@dataclass(frozen=True)
class Victim:
    """A kind of process, and where there are some."""

    what: str
    among: tuple[str, ...]
    child: bool = False


_WORKERS = ("worker-bulk", "worker-interactive", "worker-erasure")
VICTIMS = (
    Victim("web", ("web",)),
    Victim("web child", ("web",), child=True),
    Victim("worker parent", _WORKERS),
    Victim("worker child", _WORKERS, child=True),
    Victim("relay", ("relay", "relay-thrice")),
    Victim("scheduler", ("scheduler-1", "scheduler-2")),
    Victim("broker", ("broker",)),
    Victim("postgres", ("postgres",)),
    Victim("postgres child", ("postgres",), child=True),
)


@dataclass(frozen=True)
class Place:
    """A system, and two organizations in it: one that is worked for, and one that looks on."""

    system: System
    acme_id: str
    acme: Client
    onlooker: Client

    def unfinished(self) -> int:
        """How many jobs of acme have not ended. While nobody can tell: one."""
        try:
            return self.system.number(
                "SELECT count(*) FROM tenants_job WHERE tenant_id = %s"
                " AND state IN ('queued', 'running')",
                self.acme_id,
            )
        except psycopg.OperationalError:
            return 1


@pytest.fixture(scope="module")
def system(database: None) -> Iterator[System]:
    del database  # its own server is another one; what it compiles is for both
    relays = {"relay": False, "relay-thrice": True}
    with running(_BROKERS[BROKER](), relays=relays) as system:
        yield system


@pytest.fixture
def place(system: System) -> Place:
    address = Address("127.0.0.1", system.port)
    acme_id, acme = system.make_organization(f"acme-{uuid4().hex}")
    _, onlooker = system.make_organization(f"onlooker-{uuid4().hex}")
    return Place(system, acme_id, Client(address, acme), Client(address, onlooker))


class Killing:
    """kill -9, every two to five seconds, of each kind in turn, in an order that is chance."""

    def __init__(self, system: System, victims: Sequence[Victim], *, seed: int) -> None:
        self._system = system
        self._victims = [one for one in victims if one.among[0] in system.keepers]
        self._chance = random.Random(seed)  # noqa: S311 — the same each time
        self._deck: list[Victim] = []
        self.kills: list[Kill] = []
        self.rounds = 0

    def once(self) -> None:
        time.sleep(self._chance.uniform(2, 5))
        if not self._deck:
            self._deck = list(self._victims)
            self._chance.shuffle(self._deck)
        victim = self._deck.pop()
        if self._system.kill(self._chance.choice(victim.among), self._chance, child=victim.child):
            self.kills.append(Kill(victim.what, time.monotonic()))
        self.rounds += not self._deck

    def while_it_is_wanted(self, wanted: Callable[[], bool]) -> None:
        ends = time.monotonic() + MOST_SECONDS
        while (self.rounds < ROUNDS or wanted()) and time.monotonic() < ends:
            self.once()


def _settle(place: Place, crowd: Crowd) -> None:
    crowd.join(seconds=_REST_SECONDS)
    ends = time.monotonic() + _REST_SECONDS
    while place.unfinished() and time.monotonic() < ends:
        time.sleep(0.3)
    assert place.unfinished() == 0


def _everyone() -> list[Wanted]:
    return wanted(people=PEOPLE, objects=OBJECTS, exports=EXPORTS, erasures=ERASURES)


def _try_it(place: Place, victims: Sequence[Victim], everyone: list[Wanted]) -> str:
    """Kill while they all want something, let it come to rest, and check the books.

    Gives a table of what was killed, for a person.
    """
    began = time.monotonic()
    crowd = Crowd(place.acme, everyone, at_once=AT_ONCE, seed=SEED)
    watches = Watches(place.onlooker)
    killing = Killing(place.system, victims, seed=SEED)

    watches.start()
    crowd.start()
    killing.while_it_is_wanted(lambda: not crowd.is_done or place.unfinished() > 0)
    _settle(place, crowd)
    watches.stop()

    recoveries = watches.recoveries(killing.kills)
    told = f"seed {SEED}, {BROKER}, {time.monotonic() - began:.0f} s\n{table(recoveries)}"
    logger.info(told)
    assert crowd.troubles + watches.troubles == [], told
    Books(place.system, place.acme, place.acme_id, everyone).check()
    assert max(map(max, recoveries.values())) < RECOVERY_SECONDS, told
    return told


def test_whatever_is_killed_what_is_accepted_is_done_once(place: Place) -> None:
    _try_it(place, VICTIMS, _everyone())


def test_messages_come_three_times_and_the_broker_forgets_those_it_has(place: Place) -> None:
    """Here by one relay that says all of it thrice; the broker loses what it holds at each kill."""
    place.system.keepers["relay"].leave()
    place.system.forgets.set()
    victims = [one for one in VICTIMS if one.what in ("broker", "worker child")]

    _try_it(place, victims, _everyone()[::3])
