"""Starting a daemon: the start-up lock, the process and its environment, and what it said where it failed."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from ccdash.errors import StartFailed
from ccdashd.paths import Paths

if TYPE_CHECKING:
    import subprocess

DEMO_PROFILE = "demo"
POLL = 0.02
"""Seconds between two looks at what is waited for."""

RUNNING_ALREADY = 3
"""Exit code of a daemon that found the lock taken."""

LOG_LINES = 5
LOG_BYTES = 8192


def demo_home(paths: Paths) -> Path:
    """The home folder with generated logs, inside the data folder of the profile ``demo``."""
    return paths.data_dir / "home"


def spawn_environment(paths: Paths) -> dict[str, str]:
    """The caller's environment with the profile named; the demo's daemon never sees the user's own logs."""
    environment = {**os.environ, "CCDASH_PROFILE": paths.profile}
    if paths.profile == DEMO_PROFILE:
        environment["CCDASH_CLAUDE_DIRS"] = str(demo_home(paths) / ".claude" / "projects")
    return environment


class Child(NamedTuple):
    """A daemon that was started, and what it says before it has a log."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]


@contextmanager
def spawn(paths: Paths) -> Iterator[Child]:
    """Start a daemon, which stays when the context ends. Raises `StartFailed` when that is not possible at all."""
    import subprocess
    import tempfile
    import threading

    try:
        # A file without a name: it goes with the last process that has it open.
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise StartFailed(f"Cannot write a temporary file: {error.strerror}. Make room, or set TMPDIR.") from error
    with said:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ccdashd", "serve", "--auto"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                cwd="/",
                env=spawn_environment(paths),
                start_new_session=True,
            )
        except OSError as error:
            raise StartFailed(f"Cannot start {sys.executable}: {error.strerror}. Install ccdash again.") from error
        # The daemon outlives most callers; for those that live longer, somebody must take its exit code.
        threading.Thread(target=process.wait, daemon=True).start()
        yield Child(process, said)


@contextmanager
def startup_lock(paths: Paths, patience: float) -> Iterator[None]:
    """Be the only one who starts a daemon. Raises `StartFailed` when another has the lock for `patience` seconds."""
    deadline = time.monotonic() + patience
    try:
        make_private(paths.runtime_dir)
        descriptor = os.open(paths.startup_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartFailed(
            f"Cannot write to {paths.runtime_dir}: {error.strerror}. Set CCDASH_RUNTIME_DIR to a folder of yours."
        ) from error
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StartFailed(
                        f"Another process has been starting the daemon for {patience:g} s (it holds "
                        f"{paths.startup_lock}). Try again, and see {paths.log_file}."
                    ) from None
                time.sleep(POLL)
        yield
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing, all for the user alone (``mkdir -p`` gives that to the last)."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def failed(paths: Paths, child: Child, log_size: int, budget: float) -> StartFailed:
    """The error for a daemon that did not answer within `budget` seconds; `log_size` is where its log began."""
    code = child.process.poll()
    what = f"ended with exit code {code}" if code is not None else f"does not answer after {budget:g} s"
    child.said.seek(0)
    said = _last_lines(child.said.read()) or _log_tail(paths.log_file, log_size)
    said = f" It says:\n{said}\n" if said else " It says nothing. "
    return StartFailed(f"The daemon was started, but {what}.{said}`ccdashd serve` runs it here; log: {paths.log_file}")


def _log_tail(path: Path, start: int) -> str:
    """The last lines that were logged after `start` bytes; all of a file that was rotated meanwhile."""
    try:
        with path.open("rb") as log:
            size = os.fstat(log.fileno()).st_size
            log.seek(max(start if start <= size else 0, size - LOG_BYTES))
            return _last_lines(log.read())
    except OSError:
        return ""


def _last_lines(text: bytes) -> str:
    lines = text.decode(errors="replace").splitlines()
    if any(line.startswith("Traceback (") for line in lines):
        # Of a traceback only the error that ended it: the lines that are not indented.
        lines = [line for line in lines if line.strip() and not line.startswith((" ", "Traceback (", "\t"))]
    return "\n".join(f"  {line}" for line in lines[-LOG_LINES:])


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
