"""The real daemon, started with folders of its own over a generated home."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ccdashd.paths import resolve
from tests.bench.wire import Wire

STARTING = 30.0
"""Seconds that a start may take before it is called a failure."""

SETTLING = 300.0


class Daemon:
    """One profile of folders over a home folder; the daemon on it can be started, stopped and asked."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # Below /tmp, since a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="ccb", dir="/tmp"))
        names = ("RUNTIME_DIR", "CACHE_HOME", "DATA_HOME", "CONFIG_HOME", "STATE_HOME")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("CCDASH_", "XDG_"))}
        # Copies are made when they are measured, and at no other time.
        self.env |= {"HOME": str(home), "CCDASH_ARCHIVE": "false"}
        self.env |= {f"XDG_{name}": str(self.folder / name[:1].lower()) for name in names}
        (self.folder / "r").mkdir(mode=0o700)
        self.paths = resolve(environ=self.env)
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        """When the daemon was spawned, on the performance counter."""

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Spawn the daemon and return when its socket takes connections. Raises `RuntimeError` when it does not."""
        errors = (self.folder / "stderr").open("ab")
        self.started = time.perf_counter()
        argv = [sys.executable, "-m", "ccdashd", "serve"]
        self.process = subprocess.Popen(argv, env=self.env, stdout=subprocess.DEVNULL, stderr=errors)
        errors.close()
        while True:
            try:
                with Wire(self.paths.socket):
                    return
            except OSError:
                if self.process.poll() is not None or self.elapsed() > STARTING:
                    said = (self.folder / "stderr").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"the daemon did not start:\n{said}") from None
                time.sleep(0.002)

    def elapsed(self) -> float:
        """Seconds since the daemon was spawned."""
        return time.perf_counter() - self.started

    def stop(self) -> None:
        """End the daemon as a user's session would, by SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def log_tail(self) -> str:
        """The last lines that the daemon logged, for a message about a failure."""
        files = (self.folder / "stderr", self.paths.log_file)
        return "\n".join(path.read_text(errors="replace")[-1500:] for path in files if path.exists())

    def connect(self) -> Wire:
        """A connection that has said hello."""
        wire = Wire(self.paths.socket)
        wire.call("ccdash/hello", {"client": "bench"})
        return wire

    def settle(self) -> None:
        """Wait until nothing is being read and all text is indexed. Raises `RuntimeError` after minutes of work that does
        not end."""
        until = time.perf_counter() + SETTLING
        with self.connect() as wire:
            while not scanned(status := wire.call("ccdash/status")) or not _indexed(wire):
                if time.perf_counter() > until:
                    raise RuntimeError(f"the daemon did not come to rest: {status['indexing']}")
                time.sleep(0.05)

    def database_bytes(self) -> int:
        """Size of the cache with its write-ahead log."""
        files = self.paths.database.parent.glob(self.paths.database.name + "*")
        return sum(path.stat().st_size for path in files if not path.name.endswith("-shm"))


def scanned(status: dict[str, Any]) -> bool:
    """Whether a status tells that every file was looked at and nothing is left to read."""
    indexing = status["indexing"]
    return bool(indexing["complete"] and indexing["phase"] == "idle" and status["watch"]["lastScanAt"])


def _indexed(wire: Wire) -> bool:
    """Whether all text can be found."""
    texts = wire.call("cache/status")["textIndex"]
    return bool(texts["complete"] or not texts["enabled"])
