"""The three organizations of the matrix, made once."""

import logging
import os
import random
from collections.abc import Iterator

import pytest

from tests.adversarial.filled import Filled, fill_three
from tests.builders import empty_the_broker

SEED = 20_261_012


@pytest.fixture(scope="session")
def three(database: None) -> Iterator[dict[str, Filled]]:
    """Three organizations. What they rang for is taken off the broker: no worker shall meet it."""
    yield fill_three()
    empty_the_broker()


@pytest.fixture(scope="session")
def seed() -> int:
    """Decides the order. SOUVENIR_MATRIX_SEED: another one, or `random`; the line says which."""
    wanted = os.environ.get("SOUVENIR_MATRIX_SEED", str(SEED))
    return random.SystemRandom().randrange(10**9) if wanted == "random" else int(wanted)


@pytest.fixture(autouse=True)
def _no_line_for_each_request() -> Iterator[None]:
    """Twenty thousand lines of a log that says nothing of interest here."""
    logger = logging.getLogger("souvenir.config.observing")
    before = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(before)
