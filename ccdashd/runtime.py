"""What makes the daemon the only one of its profile, and reachable: private folders, the lock, the socket.

The lock says who is the daemon, never the socket file: `flock` is dropped by the kernel when its holder dies, however it
dies. All paths come from `ccdashd.paths`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ccdashd import __version__

ATTEMPTS = 10
PAUSE = 0.02
"""Seconds between two attempts at the lock: one who asks whether it is held, holds it for an instant."""


class RuntimeProblem(Exception):
    """The daemon cannot run here. The message says what is wrong with which path, and what to do."""


class AlreadyRunning(Exception):
    """Another daemon holds the lock."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"a daemon of this profile is running already ({holder})")
        self.holder = holder


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, as far as the lock tells: it is held a moment before it is written."""

    pid: int | None
    version: str

    def __str__(self) -> str:
        return f"pid {self.pid or 'unknown'}, version {self.version or 'unknown'}"


def private_folder(path: Path) -> None:
    """Make `path` (0700) if it is missing, and make sure that nobody but its owner can enter it.

    Raises `RuntimeProblem`.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except FileExistsError:
        raise RuntimeProblem(f"{path} is not a folder; move it away") from None
    except OSError as error:
        raise RuntimeProblem(f"{path}: cannot be made: {error.strerror}") from error
    if status.st_uid != os.getuid():
        raise RuntimeProblem(f"{path} belongs to user id {status.st_uid}, not to you; move it away")
    if status.st_mode & 0o077:
        raise RuntimeProblem(
            f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o}); run: chmod 700 {path}"
        )


def _socket_folder(path: Path) -> None:
    # A socket that the user put in a shared folder like /tmp is as safe as can be there: nobody else may replace it in a
    # sticky folder, its mode is 0600, and the peer is checked.
    with suppress(OSError):
        status = path.stat()
        if status.st_uid == 0 and status.st_mode & stat.S_ISVTX:
            return
    private_folder(path)


class Lock:
    """``daemon.lock``: held for the daemon's life, never unlinked; holds ``pid version``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> None:
        """Take the lock. Raises `AlreadyRunning`, or `RuntimeProblem` where the file cannot be had."""
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise RuntimeProblem(f"{self._path}: cannot be opened: {error.strerror}") from error
        for attempt in range(ATTEMPTS):
            if _flock(fd, fcntl.LOCK_EX):
                break
            if attempt < ATTEMPTS - 1:
                time.sleep(PAUSE)
        else:
            holder = _read_holder(fd)
            os.close(fd)
            raise AlreadyRunning(holder)
        with suppress(OSError):  # A full disk must not stop the daemon: the lock holds whatever the file says.
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()} {__version__}\n".encode(), 0)
        if self._fd is not None:
            os.close(self._fd)
        self._fd = fd

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to the file that is locked."""
        return self._fd is not None and _same_file(self._path, os.fstat(self._fd))

    def release(self) -> None:
        """Let another daemon have it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def lock_holder(path: Path) -> Holder | None:
    """Who holds the lock at `path`; None when nobody does."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _flock(fd, fcntl.LOCK_SH) else _read_holder(fd)
    finally:
        os.close(fd)


class Socket:
    """The daemon's listening socket: bound by us, or handed over by the service manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bound: os.stat_result | None = None

    @property
    def ours(self) -> bool:
        """Whether we bound it, so that we look after its file."""
        return self._bound is not None

    def bind(self) -> socket.socket:
        """Bind and listen; the lock must be held. Raises `RuntimeProblem`."""
        _socket_folder(self.path.parent)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._remove_stale()
            # The file never exists with wider rights than these, whatever the umask.
            previous = os.umask(0o177)
            try:
                listener.bind(os.fspath(self.path))
            finally:
                os.umask(previous)
            self._bound = self.path.lstat()
            listener.listen(512)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise RuntimeProblem(f"{self.path}: cannot listen: {error.strerror or error}") from error
        except BaseException:
            listener.close()
            raise
        return listener

    def adopt(self, fd: int) -> socket.socket:
        """Take over a listening socket from the service manager, who keeps its file."""
        listener = socket.socket(fileno=fd)
        if listener.family != socket.AF_UNIX or listener.type != socket.SOCK_STREAM:
            listener.close()
            raise RuntimeProblem("the socket that the service manager passed is no Unix stream socket")
        listener.setblocking(False)
        return listener

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to our socket."""
        return self._bound is None or _same_file(self.path, self._bound)

    def touch(self) -> None:
        """Keep the file young: what lies untouched in a runtime folder for six hours may be cleaned away.

        https://specifications.freedesktop.org/basedir-spec/latest/
        """
        with suppress(OSError):
            os.utime(self.path)

    def unlink(self) -> None:
        """Remove the file, if it is still ours."""
        if self._bound is not None and self.in_place:
            with suppress(OSError):
                self.path.unlink()

    def _remove_stale(self) -> None:
        try:
            status = self.path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(status.st_mode):
            raise RuntimeProblem(f"{self.path} is not a socket; move it away")
        if _answers(self.path):
            raise RuntimeProblem(f"{self.path}: another program listens here, but does not hold our lock; stop it first")
        with suppress(FileNotFoundError):
            self.path.unlink()


def raise_file_limit(wanted: int = 8192) -> None:
    """Let the process have as many open files as it may, at most `wanted`: each client takes one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


def memory_bytes() -> int:
    """Resident memory of this process; its peak where the platform does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _answers(path: Path) -> bool:
    """Whether somebody listens at `path`. Refused is the only proof of a stale socket; the file's being there is none."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(1.0)
    try:
        probe.connect(os.fspath(path))
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError as error:
        return error.errno != errno.ENOTSOCK
    else:
        return True
    finally:
        probe.close()


def _flock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(fd: int) -> Holder:
    pid, _, version = os.pread(fd, 200, 0).decode("ascii", "replace").strip().partition(" ")
    return Holder(int(pid) if pid.isdigit() else None, version)


def _same_file(path: Path, status: os.stat_result) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino)
