"""Find the daemon of a profile; start it where none runs, so that twenty callers at once start one.

A daemon is running when its socket answers ``ccdash/hello``. A socket that refuses is stale: the daemon that comes next
removes it, never a client. Protocol numbers are compared, not versions: where the daemon is the older side it is asked
to stop and started anew, once.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ccdash.client import PROTOCOL, Client, dial
from ccdash.errors import (
    CLIENT_OUTDATED,
    SHUTTING_DOWN,
    ConnectionLost,
    Error,
    NotRunning,
    NotTheProtocol,
    RpcError,
    Timeout,
)
from ccdash.spawn import POLL, RUNNING_ALREADY, Child, failed, size_of, spawn, startup_lock
from ccdashd.paths import Paths, resolve

START_BUDGET = 10.0
"""Seconds that a daemon may take from its start to its first answer."""

STOP_BUDGET = 20.0
"""Seconds that a daemon may take to finish what runs."""


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


def _start(paths: Paths, on_wait: Callable[[float], None] | None = None) -> Client:
    """Under the start-up lock: look again, start a daemon, wait until it answers."""
    with startup_lock(paths, START_BUDGET + 1.0):
        client = probe(paths, START_BUDGET)
        if client is not None:
            return client
        log_size = size_of(paths.log_file)
        deadline = time.monotonic() + START_BUDGET
        while True:
            with spawn(paths) as child:
                client = _await_answer(paths, child, deadline, on_wait)
                if client is not None:
                    return client
                if child.process.poll() != RUNNING_ALREADY or time.monotonic() > deadline:
                    raise failed(paths, child, log_size, START_BUDGET)


def _await_answer(paths: Paths, child: Child, deadline: float, on_wait: Callable[[float], None] | None) -> Client | None:
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
