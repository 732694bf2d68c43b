"""An archive and logs, below one folder."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ccdashd.archive.archive import Archive
from ccdashd.archive.copy import Copied, Copier

NOW = "2026-03-01T12:00:00.000Z"


def lines(size: int, seed: int = 0) -> bytes:
    """About `size` bytes of lines of different lengths, which compress about as well as logs do."""
    source = random.Random(seed)
    words = [source.randbytes(6).hex() for _ in range(500)]
    data = bytearray()
    while len(data) < size:
        data += " ".join(source.choices(words, k=source.randrange(1, 120))).encode() + b"\n"
    return bytes(data[:size])


class Place:
    """A folder with an archive, `archive`, and logs in `logs`."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive(folder / "archive")
        self.logs = folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self._time = 1_700_000_000

    def log(self, name: str) -> str:
        return str(self.logs / f"{name}.jsonl")

    def write(self, name: str, data: bytes) -> str:
        """Make a log hold this, at a time of its own; returns its path."""
        path = self.log(name)
        Path(path).write_bytes(data)
        self._time += 1
        os.utime(path, (self._time, self._time))
        return path

    @contextmanager
    def copier(self) -> Iterator[Copier]:
        with self.archive.writing() as staging:
            yield Copier(self.archive, staging, lambda: NOW)

    def copy(self, *names: str, anew: bool = False) -> list[Copied | None]:
        """Copy these logs, and sweep."""
        with self.copier() as copier:
            found = [copier.copy(self.log(name), anew=anew) for name in names]
            copier.settle()
            self.archive.sweep()
        return found

    def held(self, name: str) -> list[bytes]:
        """What the archive holds of a log, all versions."""
        manifest = self.archive.manifest(self.log(name))
        return [] if manifest is None else [b"".join(self.archive.stream(version)) for version in manifest.versions]

    @property
    def chunks(self) -> list[Path]:
        """The files of all chunks."""
        return [Path(entry.path) for entry in self.archive.chunks.all()]
