"""Memory and CPU of a process with its children, from ``/proc``."""

from __future__ import annotations

import os
import threading
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """`pid` and all its descendants that live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], ())
    return found


def memory(pid: int) -> tuple[int, int]:
    """Bytes of `pid` and its descendants: proportional set size (shared pages shared out) and resident set size."""
    pss = rss = 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith("Pss:"):
                pss += int(line.split()[1]) * 1024
            elif line.startswith("Rss:"):
                rss += int(line.split()[1]) * 1024
    return pss, rss


def cpu_times(pid: int) -> dict[int, float]:
    """User and system seconds that each of `pid` and its living descendants has used."""
    times = {}
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        times[member] = (int(fields[11]) + int(fields[12])) / TICKS
    return times


def cpu_seconds(pid: int) -> float:
    """User and system time that `pid` and its living descendants have used."""
    return sum(cpu_times(pid).values())


def cpu_spent(pid: int) -> float:
    """User and system time of `pid`, its living descendants, and those that ended and were waited for."""
    total = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICKS


class Peak:
    """Samples memory and processor time of a family of processes until it is left."""

    def __init__(self, pid: int, every: float = 0.25) -> None:
        self.pid = pid
        self.every = every
        self.pss = self.rss = 0
        self._cpu: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(self.every):
            pss, rss = memory(self.pid)
            self.pss, self.rss = max(self.pss, pss), max(self.rss, rss)
            self._cpu.update(cpu_times(self.pid))

    @property
    def cpu(self) -> float:
        """Seconds used by all members, those that have ended by then included as far as they were seen."""
        return sum(self._cpu.values())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
