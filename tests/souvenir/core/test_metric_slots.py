"""A count is never lost and its files stay few, whatever becomes of the processes that count."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from souvenir.config.environment import CHECKOUT
from souvenir.core.metric_slots import Slots

_COUNT = """
import os, sys, signal
from souvenir.core.metrics import jobs_accepted
jobs_accepted.labels("erase", "erasure").inc()
for _ in range(int(sys.argv[1])):
    if not (child := os.fork()):
        jobs_accepted.labels("erase", "erasure").inc()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
jobs_accepted.labels("erase", "erasure").inc()
"""


def _count(folder: Path, *, children: int) -> None:
    """Count twice in a process, and once in each of its children, which are killed."""
    environment = {**os.environ, "SOUVENIR_METRICS_DIR": str(folder)}
    environment |= {"PYTHONPATH": f"platform{os.pathsep}."}
    subprocess.run(  # noqa: S603 — our own command
        [sys.executable, "-c", _COUNT, str(children)], cwd=CHECKOUT, env=environment, check=True
    )


def _total(folder: Path) -> float:
    collector = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]  # has none
    found: list[Metric] = list(collector.collect())  # type: ignore[no-untyped-call]  # has none
    samples = [sample for metric in found for sample in metric.samples]
    return sum(s.value for s in samples if s.name == "souvenir_jobs_accepted_total")


def test_every_count_is_added_up_and_the_slots_of_the_killed_are_taken_again(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        _count(tmp_path, children=5)

    assert _total(tmp_path) == 2 * (2 + 5)
    assert len(list(tmp_path.glob("counter_*.db"))) == 2  # a parent and one child at a time


def test_two_processes_at_once_have_two_slots(tmp_path: Path) -> None:
    here = Slots(tmp_path)
    other = (
        "import pathlib, sys; from souvenir.core.metric_slots import Slots;"
        "print(Slots(pathlib.Path(sys.argv[1])).mine())"
    )
    mine = [here.mine(), here.mine()]

    found = subprocess.run(  # noqa: S603 — our own command
        [sys.executable, "-c", other, str(tmp_path)],
        cwd=CHECKOUT / "platform",
        capture_output=True,
        check=True,
        text=True,
    )

    assert (mine, found.stdout.strip()) == ([0, 0], "1")
