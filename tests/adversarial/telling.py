"""The line at the end of a run that says what the matrix tried; of several processes, in all."""

from typing import Any

import pytest

from tests.adversarial.judging import Tally

_TALLY = pytest.StashKey[Tally]()
_SENT = "adversarial matrix"


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """Counts of the whole run, or of this process's share of it."""
    return pytestconfig.stash.setdefault(_TALLY, Tally())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its counts on."""
    found = session.config.stash.get(_TALLY, None)
    if found is not None and hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_SENT] = vars(found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker has handed on counts with the others' counts."""
    sent = getattr(node, "workeroutput", {}).get(_SENT)
    if sent is not None:
        node.config.stash.setdefault(_TALLY, Tally()).add(Tally(**sent))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the matrix tried, if it ran."""
    found = config.stash.get(_TALLY, None)
    if found is not None:
        terminalreporter.section("adversarial matrix")
        terminalreporter.write_line(found.line())
