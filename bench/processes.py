"""What the processes of a Souvenir of our own use, by what /proc tells of them (Linux)."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
_GROUPS = (  # what a command line holds, and what we call such a process
    (b"souvenir.config.wsgi", "web"),
    (b"nginx", "proxy"),
    (b"bulk@", "worker-bulk"),
    (b"interactive@", "worker-interactive"),
    (b"erasure@", "worker-erasure"),
    (b"manage.py\0relay", "relay"),
    (b"manage.py\0sweep", "sweep"),
    (b"postgres", "postgres"),
    (b"souvenir.config.embedded", "supervisor"),
)


@dataclass
class Usage:
    """Of every process below this one, since it was first seen. Call `look` now and then: what a
    process used after the last look before its end is lost.
    """

    _groups: dict[int, str] = field(default_factory=dict)
    _used: dict[int, float] = field(default_factory=dict)

    def look(self) -> dict[str, float]:
        """Processor seconds by group, since the beginning; "client" is this process itself."""
        for pid in _below(os.getpid()):
            self._see(pid)
        self._see(os.getpid(), "client")
        sums: Counter[str] = Counter()
        for pid, used in self._used.items():
            sums[self._groups[pid]] += used  # type: ignore[assignment]  # seconds are no integers
        return dict(sums)

    def pids(self, group: str) -> list[int]:
        """Those of a group that were there at the last look."""
        return [pid for pid, name in self._groups.items() if name == group and _alive(pid)]

    def _see(self, pid: int, group: str = "") -> None:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            name = group or _group(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:
            return
        self._groups[pid] = name
        self._used[pid] = (int(fields[11]) + int(fields[12])) / _TICK


def machine_busy_seconds() -> float:
    """Processor seconds that this machine has worked since it started, whoever for."""
    line = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _, _, irq, soft_irq = (int(part) for part in line[1:8])
    return (user + nice + system + irq + soft_irq) / _TICK


def memory_mb(pids: list[int]) -> float:
    """Resident, of all together; what they share is counted in each."""
    return sum(int(_read(pid, "statm").split()[1] or 0) for pid in pids if _alive(pid)) * _PAGE_MB


def open_files(pids: list[int]) -> int:
    """Descriptors of all together."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids if _alive(pid))


@contextmanager
def paused(pids: list[int]) -> Iterator[None]:
    """Have some of our processes stand still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _below(root: int) -> list[int]:
    """Children of a process, and theirs."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            stat = _read(int(folder.name), "stat")
            if stat:
                parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    found, new = [], [root]
    while new:
        new = [pid for pid, parent in parents.items() if parent in new]
        found += new
    return found


def _group(command: bytes) -> str:
    return next((name for part, name in _GROUPS if part in command), "other")


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/statm").exists()
