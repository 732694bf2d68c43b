"""The corpora that are measured: generated once, and kept where the user says so."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ccdash.demo import PRESETS, Summary, generate_preset

SEED = 1


@dataclass(frozen=True)
class Bench:
    """A generated home folder and the truth about it."""

    size: str
    home: Path
    summary: Summary

    @property
    def logs(self) -> list[Path]:
        """Every log, oldest first."""
        truths = [*self.summary.sessions.values(), *self.summary.agents.values()]
        return [self.home / truth.path for truth in sorted(truths, key=lambda truth: truth.ended_at or "")]

    @property
    def largest(self) -> Path:
        return self.home / self.summary.sessions[self.summary.largest].path

    @property
    def quiet(self) -> Path:
        """A log of ordinary size: the newest below 2 MB."""
        small = (path for path in reversed(self.logs) if path.stat().st_size < 2_000_000 and "agent-" not in path.name)
        return next(small)


def prepare(size: str, folder: Path) -> Bench:
    """The corpus `size` below `folder`: the one that is there, or a new one."""
    home, truth = folder / size, folder / f"{size}.json"
    if truth.exists():
        # What another version generated may tell other things, or lack some.
        with suppress(KeyError, TypeError, OSError):
            bench = Bench(size, home, Summary.from_json(truth.read_text(encoding="utf-8")))
            if bench.summary.seed == SEED and sum(path.stat().st_size for path in bench.logs) == bench.summary.bytes:
                return bench
        shutil.rmtree(home, ignore_errors=True)
    began = time.perf_counter()
    sys.stderr.write(f"generating {size} … ")
    summary = generate_preset(home, PRESETS[size], seed=SEED)
    truth.write_text(summary.to_json(), encoding="utf-8")
    sys.stderr.write(f"{summary.bytes / 1e6:,.0f} MB in {time.perf_counter() - began:.0f} s\n")
    return Bench(size, home, summary)


class Appended:
    """A log that is appended to; put back as it was when left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = path.stat()
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> Appended:
        return self

    def write(self, line: bytes) -> None:
        self._file.write(line + b"\n")

    def __exit__(self, *_: object) -> None:
        self._file.close()
        os.truncate(self.path, self.before.st_size)
        os.utime(self.path, ns=(self.before.st_atime_ns, self.before.st_mtime_ns))
