"""Find the daemon of a profile; start it where none runs, so that twenty callers at once start one.

A daemon is running when its socket answers ``ccdash/hello``. A socket that refuses is stale: the daemon that comes next
removes it, never a client. Protocol numbers are compared, not versions: where the daemon is the older side it is asked
to stop and started anew, once.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from ccdash.client import PROTOCOL, Client, dial
from ccdash.errors import (
    CLIENT_OUTDATED,
    SHUTTING_DOWN,
    ConnectionLost,
    Error,
    NotRunning,
    NotTheProtocol,
    RpcError,
    StartFailed,
    Timeout,
)
from ccdashd.paths import Paths, resolve

if TYPE_CHECKING:
    import subprocess

DEMO_PROFILE = "demo"
START_BUDGET = 10.0
"""Seconds that a daemon may take from its start to its first answer."""

STOP_BUDGET = 20.0
"""Seconds that a daemon may take to finish what runs."""

POLL = 0.02
LOG_LINES = 5
LOG_BYTES = 8192

RUNNING_ALREADY = 3
"""Exit code of a daemon that found the lock taken."""


def connect(
    profile: str | None = None,
    *,
    autostart: bool = True,
    paths: Paths | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> Client:
    """A connection to the daemon of `profile` that has said hello; starts the daemon where none runs.

    `on_wait` is called with the seconds waited so far while a daemon starts. With ``autostart=False``, or with
    ``CCDASH_NO_SPAWN=1`` in the environment, raises `NotRunning` instead. Raises `StartFailed` when a daemon was started
    in vain, and `Error` for a daemon that cannot be used.
    """
    where = paths or resolve(profile)
    client = probe(where, START_BUDGET)
    if client is None:
        if not autostart:
            raise NotRunning(f"No daemon runs for profile {where.profile!r}. Start it with `ccdash up`.")
        if os.environ.get("CCDASH_NO_SPAWN", "") not in ("", "0"):
            raise NotRunning(
                f"No daemon answers at {where.socket}, and CCDASH_NO_SPAWN forbids to start one. Run `ccdashd serve`."
            )
        client = _start(where, on_wait)
    if int(client.hello.get("protocol", 0)) < PROTOCOL and autostart:
        client = _replace(client, where)
    served = client.hello.get("profile", where.profile)
    if served != where.profile:
        client.close()
        raise Error(
            f"The daemon at {where.socket} serves profile {served!r}, not {where.profile!r}. "
            "Unset CCDASH_SOCKET, or give each profile its own."
        )
    return client


def probe(paths: Paths, timeout: float) -> Client | None:
    """A connection that has said hello, or None when nobody listens. Raises `Error` when somebody does, but wrongly."""
    try:
        client = dial(paths.socket, timeout)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except TimeoutError:
        raise _mute(paths, timeout) from None
    except OSError as error:
        # A listener whose queue is full says EAGAIN: it is there, and busy.
        if error.errno == errno.EAGAIN:
            raise Timeout(f"The daemon at {paths.socket} is too busy to take a connection. Try again.") from error
        raise Error(f"Cannot connect to {paths.socket}: {error.strerror}. Check who owns it.") from error
    try:
        client.say_hello(_cwd(), timeout)
    except Timeout:
        client.close()
        raise _mute(paths, timeout) from None
    except RpcError as error:
        client.close()
        if error.code == SHUTTING_DOWN:
            return None
        if error.code == CLIENT_OUTDATED:
            raise Error(f"{error.message} This `ccdash` is older than the daemon that runs: upgrade it.") from error
        raise
    except NotTheProtocol:
        client.close()
        raise
    except ConnectionLost:
        # It was stopping: between the connection and the answer it went away.
        client.close()
        return None
    except BaseException:
        client.close()
        raise
    return client


def wait_stopped(client: Client, paths: Paths, timeout: float = STOP_BUDGET) -> bool:
    """Wait until the daemon behind `client`, which was asked to stop, is gone and its lock is free."""
    deadline = time.monotonic() + timeout
    closed = client.wait_closed(timeout)
    client.close()
    while closed and time.monotonic() < deadline:
        if not is_locked(paths.daemon_lock):
            return True
        time.sleep(POLL)
    return False


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file `path`. The kernel drops the lock of a killed process."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def demo_home(paths: Paths) -> Path:
    """The home folder with generated logs, inside the data folder of the profile ``demo``."""
    return paths.data_dir / "home"


def spawn_environment(paths: Paths) -> dict[str, str]:
    """The caller's environment with the profile named; the demo's daemon never sees the user's own logs."""
    environment = {**os.environ, "CCDASH_PROFILE": paths.profile}
    if paths.profile == DEMO_PROFILE:
        environment["CCDASH_CLAUDE_DIRS"] = str(demo_home(paths) / ".claude" / "projects")
    return environment


def _start(paths: Paths, on_wait: Callable[[float], None] | None = None) -> Client:
    """Under the start-up lock: look again, start a daemon, wait until it answers."""
    with _startup_lock(paths):
        client = probe(paths, START_BUDGET)
        if client is not None:
            return client
        log_size = _size(paths.log_file)
        deadline = time.monotonic() + START_BUDGET
        while True:
            with _spawn(paths) as child:
                client = _await_answer(paths, child, deadline, on_wait)
                if client is not None:
                    return client
                if child.process.poll() != RUNNING_ALREADY or time.monotonic() > deadline:
                    raise _failed(paths, child, log_size)


def _await_answer(paths: Paths, child: _Child, deadline: float, on_wait: Callable[[float], None] | None) -> Client | None:
    """Wait until a daemon answers; None when `child` ended and no other daemon holds the lock, or time is up."""
    while time.monotonic() < deadline:
        client = probe(paths, max(POLL, deadline - time.monotonic()))
        if client is not None:
            return client
        code = child.process.poll()
        # One that found the lock taken waits with us: its holder either answers soon, or is on its way out.
        if code is not None and (code != RUNNING_ALREADY or not is_locked(paths.daemon_lock)):
            return None
        if on_wait is not None:
            on_wait(START_BUDGET - (deadline - time.monotonic()))
        time.sleep(POLL)
    return None


class _Child(NamedTuple):
    """A daemon that was started, and what it says before it has a log."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]


@contextmanager
def _spawn(paths: Paths) -> Iterator[_Child]:
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
        yield _Child(process, said)


def _replace(client: Client, paths: Paths) -> Client:
    """Ask an older daemon to drain, and start one of this installation. Once: two versions must not fight."""
    old = client.hello
    with suppress(RpcError, ConnectionLost, Timeout):
        client.request("ccdash/shutdown", timeout=STOP_BUDGET)
    if not wait_stopped(client, paths):
        raise Error(f"The older daemon (version {old.get('version')}, process {old.get('pid')}) does not stop. Kill it.")
    fresh = probe(paths, START_BUDGET) or _start(paths)
    if int(fresh.hello.get("protocol", 0)) < PROTOCOL:
        fresh.close()
        raise Error(
            f"The daemon that came back is version {fresh.hello.get('version')}, too old for this `ccdash`. "
            "A service of another installation starts it: `ccdash service install` replaces that."
        )
    return fresh


@contextmanager
def _startup_lock(paths: Paths) -> Iterator[None]:
    deadline = time.monotonic() + START_BUDGET + 1.0
    try:
        _make_private(paths.runtime_dir)
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
                        f"Another process has been starting the daemon for {START_BUDGET:g} s (it holds "
                        f"{paths.startup_lock}). Try again, and see {paths.log_file}."
                    ) from None
                time.sleep(POLL)
        yield
    finally:
        os.close(descriptor)


def _make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing, all for the user alone (``mkdir -p`` gives that to the last)."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _failed(paths: Paths, child: _Child, log_size: int) -> StartFailed:
    code = child.process.poll()
    what = f"ended with exit code {code}" if code is not None else f"does not answer after {START_BUDGET:g} s"
    child.said.seek(0)
    said = _last_lines(child.said.read(LOG_BYTES)) or _log_tail(paths.log_file, log_size)
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
    return "\n".join(f"  {line}" for line in text.decode(errors="replace").splitlines()[-LOG_LINES:])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _cwd() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _mute(paths: Paths, timeout: float) -> Timeout:
    try:
        pid = paths.daemon_lock.read_text().split()[0]
    except (OSError, IndexError):
        pid = "unknown"
    return Timeout(
        f"The daemon (process {pid}) took the connection but did not answer within {timeout:.0f} s. "
        f"See {paths.log_file}; if it hangs, end that process and run the command again."
    )
