"""What Souvenir is made of is started again when it dies, and never outlives its starter."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from souvenir.config.embedded import children
from souvenir.config.embedded.children import Child, Recipe, set_aside_long_logs, stop_all, tail
from souvenir.config.embedded.errors import KeepsStopping
from tests.souvenir.config.embedded.trial_servers import start_python

SLEEP = "import time; time.sleep(60)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
)


def recipe(folder: Path, script: str) -> Recipe:
    return Recipe(
        name="web",
        command=(sys.executable, "-c", script),
        environment=dict(os.environ),
        folder=folder,
        logs=folder,
    )


def wait_until(happened: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether it runs; a process that only waits to be collected does not."""
    try:
        return "\nState:\tZ" not in Path("/proc", str(pid), "status").read_text()
    except FileNotFoundError:
        return False


def test_a_process_that_dies_is_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = Child(recipe(tmp_path, f"import os; print(os.getpid(), flush=True); {SLEEP}"))
    log = tmp_path / "web.log"
    child.start()
    wait_until(lambda: log.read_text().endswith("\n"))
    os.kill(int(log.read_text()), signal.SIGKILL)

    def started_again() -> bool:
        child.watch()
        return log.read_text().count("\n") == 2

    wait_until(started_again)

    assert "web" in capsys.readouterr().out
    stop_all([child], seconds=5)


def test_a_process_that_cannot_stay_up_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "MAX_QUICK_DEATHS", 2)
    child = Child(recipe(tmp_path, "raise SystemExit('no such module')"))
    child.start()

    def watch_for_ever() -> None:
        while True:
            child.watch()
            time.sleep(0.02)

    with pytest.raises(KeepsStopping, match="no such module") as given_up:
        watch_for_ever()

    assert given_up.value.params["times"] == 2


def test_a_process_that_does_not_hear_is_ended_with_all_it_started(tmp_path: Path) -> None:
    # The grandchild's number is in the log; it would live on for a minute.
    script = (
        "import subprocess, sys\n"
        f"started = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        f"{DEAF}\n"
        "print(started.pid, flush=True)\n"
        "time.sleep(60)"
    )
    child = Child(recipe(tmp_path, script))
    log = tmp_path / "web.log"
    child.start()
    wait_until(lambda: log.read_text().count("\n") == 2)
    grandchild = int(log.read_text().split()[1])

    before = time.monotonic()
    stop_all([child], seconds=0.5)

    assert time.monotonic() - before < 5
    wait_until(lambda: not is_alive(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_process_does_not_outlive_a_starter_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from souvenir.config.embedded.children import Recipe;"
        f"command = (sys.executable, '-c', {SLEEP!r}); here = Path(sys.argv[1]);"
        "recipe = Recipe(name='x', command=command, environment={}, folder=here, logs=here);"
        "sys.stdout.write(str(recipe.start().pid)); sys.stdout.flush();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )

    with start_python(script, str(tmp_path)) as killed:
        orphan = int(killed.communicate()[0])

    wait_until(lambda: not is_alive(orphan))


def test_a_log_that_has_grown_long_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_bytes(b"x" * 5_000_001)
    (tmp_path / "sweep.log").write_bytes(b"short")

    set_aside_long_logs(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.log", "web.log.1"]


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("".join(f"line {number}\n" for number in range(2_000)))

    assert tail(log).splitlines()[-1] == "line 1999"
    assert len(tail(log).splitlines()) == 15


def test_a_process_stands_back_as_far_as_its_recipe_says(tmp_path: Path) -> None:
    told = replace(recipe(tmp_path, "import os; print(os.nice(0), flush=True)"), niceness=7)
    child = Child(told)
    child.start()

    wait_until(lambda: told.log.read_text().endswith("\n"))

    assert int(told.log.read_text()) == os.nice(0) + 7
    child.make_stop(deadline=time.monotonic())
