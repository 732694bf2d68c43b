"""Linux: one inotify watch per folder below the roots; files are never watched, so replacing one is seen.

What inotify(7) leaves to its user, and where it is done:

- a new folder is watched first and listed then, so that nothing made in between is lost (`_enter`);
- the queue overflows: everything is walked again, since folders may be new (`_overflowed`);
- a root comes, goes, or is replaced: the nearest existing folder above it is watched too, the guard (`_arm`);
- no watch is left, or the file system is a remote one whose changes are not seen here: that part is polled.

Links to folders below a root are not followed; a root may be one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import stat
from collections.abc import Iterable

from ccdashd.ingest.watching import inotify_fd as fd
from ccdashd.ingest.watching.backend import Accept, Reason, Sink
from ccdashd.ingest.watching.mounts import is_remote
from ccdashd.ingest.watching.polling import Polling
from ccdashd.ingest.watching.tree import Tree

TREE_MASK = (
    fd.MODIFY | fd.ATTRIB | fd.CREATE | fd.DELETE | fd.MOVED_FROM | fd.MOVED_TO | fd.ONLYDIR | fd.EXCL_UNLINK | fd.MASK_ADD
)
GUARD_MASK = fd.CREATE | fd.DELETE | fd.MOVED_FROM | fd.MOVED_TO | fd.ONLYDIR | fd.MASK_ADD

GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
DENIED = {errno.EACCES, errno.EPERM}

SLICE_SECONDS = 0.005
"""How long the walk of new folders may hold the loop at a time."""

REWALK_SECONDS = 0.2
"""How long to gather overflows before the folders are walked again."""

Identity = tuple[int, int]

log = logging.getLogger(__name__)


class InotifyBackend:
    """See the module. All of it runs on the loop's thread, but for the polling of what cannot be watched."""

    mode = "inotify"
    delay = 0.0

    def __init__(self, roots: Iterable[str], sink: Sink, accept: Accept) -> None:
        self._roots: dict[str, Identity | None] = dict.fromkeys(roots)
        self._sink = sink
        self._inotify = fd.Inotify()
        self._tree = Tree()
        self._guards: dict[int, dict[str, str]] = {}
        self._polling = Polling((), sink, accept)
        self._limited: dict[str, None] = {}
        self._denied: set[str] = set()
        self._remote: set[str] = set()
        self._queue: list[str] = []
        self._visited: set[str] | None = None
        self._reporting = False
        self._continuing: asyncio.Handle | None = None
        self._rewalk: asyncio.TimerHandle | None = None
        self._drained = asyncio.Event()
        self._fault: Exception | None = None

    @property
    def directories(self) -> int:
        return len(self._tree)

    @property
    def problem(self) -> str | None:
        problems = []
        if self._limited:
            problems.append(
                f"the limit of inotify watches is reached: {len(self._limited)} folders, {min(self._limited)!r} among"
                " them, are polled instead; raise fs.inotify.max_user_watches with sysctl"
            )
        if self._denied:
            problems.append(
                f"{len(self._denied)} of the folders may not be read, {min(self._denied)!r} among them;"
                " make them readable to see what is in them"
            )
        return "; ".join(problems) or None

    async def start(self) -> None:
        for root in self._roots:
            self._arm(root)
        self._drain()
        await self._drained.wait()
        if self._fault is not None:
            raise self._fault
        await self._polling.start()
        self._reporting = True
        asyncio.get_running_loop().add_reader(self._inotify.fd, self._readable)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._inotify.fd)
        for handle in (self._continuing, self._rewalk):
            if handle is not None:
                handle.cancel()
        self._inotify.close()
        await self._polling.stop()

    async def check(self) -> None:
        for root in self._roots:
            self._recheck(root)
        self._denied = {folder for folder in self._denied if os.path.lexists(folder)}
        self._retry_limited()
        self._drain()

    # Events

    def _readable(self) -> None:
        # Nobody awaits a reader callback, so what it raises would be lost.
        try:
            self._take(self._inotify.read())
        except Exception as error:
            asyncio.get_running_loop().remove_reader(self._inotify.fd)
            self._sink.failed(error)

    def _take(self, events: list[fd.Event]) -> None:
        files: set[str] = set()
        recheck: set[str] = set()
        reasons: set[Reason] = set()
        for wd, mask, name in events:
            if mask & fd.Q_OVERFLOW:
                reasons.add(Reason.OVERFLOW)
                continue
            guarded = self._guards.get(wd)
            if mask & fd.IGNORED:
                recheck.update(self._guards.pop(wd, ()))
                recheck.update(path for path in self._tree.forget(wd) if path in self._roots)
                continue
            if name is None:
                continue
            if guarded:
                recheck.update(root for root, step in guarded.items() if step == name)
            for folder in self._tree.paths(wd):
                path = _join(folder, name)
                if not mask & fd.ISDIR:
                    files.add(path)
                elif mask & fd.DELETE:
                    self._tree.drop(path)
                elif mask & fd.MOVED_FROM:
                    self._tree.drop_tree(path)
                    reasons.add(Reason.DIRECTORY_MOVED)
                elif mask & fd.MOVED_TO:
                    self._queue.append(path)
                    reasons.add(Reason.DIRECTORY_MOVED)
                else:
                    self._queue.append(path)
        if files:
            self._sink.paths(files)
        for root in recheck:
            self._recheck(root)
        self._drain()
        if Reason.OVERFLOW in reasons:
            self._overflowed()
        for reason in sorted(reasons):
            self._sink.rescan(reason)

    def _overflowed(self) -> None:
        if self._rewalk is None:
            self._rewalk = asyncio.get_running_loop().call_later(REWALK_SECONDS, self._walk_again)

    def _walk_again(self) -> None:
        self._rewalk = None
        self._visited = set()
        try:
            for root in self._roots:
                self._arm(root)
            self._drain()
        except Exception as error:
            self._sink.failed(error)

    # Roots

    def _arm(self, root: str) -> None:
        """Guard `root`, and queue it for watching when it exists."""
        for guarded in self._guards.values():
            guarded.pop(root, None)
        # What is missing may appear while the guard is set, hence again; a path that never settles is left to `check`.
        for _ in range(8):
            guard, step = _nearest(root)
            # Without a guard the root is still looked at by `check`.
            with contextlib.suppress(OSError):
                self._guards.setdefault(self._inotify.add(guard, GUARD_MASK), {})[root] = step
            if _nearest(root) == (guard, step):
                break
        for wd in [wd for wd, guarded in self._guards.items() if not guarded]:
            del self._guards[wd]
            if not self._tree.paths(wd):
                self._inotify.remove(wd)
        self._roots[root] = identity = _identity(root)
        if identity is None:
            return
        if is_remote(root):
            log.info("%s is on a network file system: it is polled", root)
            self._remote.add(root)
            self._polling.add(root, report=self._reporting)
        else:
            self._queue.append(root)

    def _recheck(self, root: str) -> None:
        before, now = self._roots[root], _identity(root)
        if before is None and now is None:
            self._arm(root)
            return
        known = root in self._tree or root in self._remote or root in self._denied or root in self._limited
        if before == now and known:
            return
        if before is not None:
            self._tree.drop_tree(root)
            self._polling.discard(root)
            self._remote.discard(root)
            self._sink.rescan(Reason.ROOT_VANISHED)
        self._arm(root)
        if now is not None:
            self._sink.rescan(Reason.ROOT_APPEARED)

    # Folders

    def _drain(self) -> None:
        """Watch and list the queued folders, for one slice of time; the rest follows when the loop had its turn."""
        loop = asyncio.get_running_loop()
        if self._continuing is not None:
            self._continuing.cancel()
            self._continuing = None
        until = loop.time() + SLICE_SECONDS
        found: set[str] = set()
        while self._queue and loop.time() < until:
            self._enter(self._queue.pop(), found)
        if found:
            self._sink.paths(found)
        if self._queue:
            self._continuing = loop.call_soon(self._resume)
            return
        if self._visited is not None:
            self._tree.keep_only(self._visited)
            self._visited = None
        for wd in self._tree.take_orphans():
            if wd not in self._guards:
                self._inotify.remove(wd)
        self._drained.set()

    def _resume(self) -> None:
        self._continuing = None
        try:
            self._drain()
        except Exception as error:
            self._fault = error
            self._drained.set()
            if self._reporting:
                self._sink.failed(error)

    def _enter(self, folder: str, found: set[str]) -> None:
        """Watch `folder`, then list it: its files go to `found` if it was not watched before, its folders are queued."""
        wd = self._add(folder, TREE_MASK if folder in self._roots else TREE_MASK | fd.DONT_FOLLOW)
        if wd is None:
            return
        fresh = self._tree.bind(wd, folder)
        if self._visited is not None:
            self._visited.add(folder)
        elif not fresh:
            return
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        self._queue.append(entry.path)
                    elif fresh and self._reporting:
                        found.add(entry.path)
        except OSError:
            # Gone again, which is an event of its own, or not readable, which the scan reports.
            return

    def _add(self, folder: str, mask: int) -> int | None:
        self._denied.discard(folder)
        # One refusal stands for all until `check` tries again.
        if self._limited and folder not in self._roots:
            self._poll(folder)
            return None
        try:
            return self._inotify.add(folder, mask)
        except OSError as error:
            if error.errno in GONE:
                return None
            if error.errno in DENIED:
                self._denied.add(folder)
                return None
            if error.errno == errno.ENOSPC:
                self._poll(folder)
                return None
            raise

    def _poll(self, folder: str) -> None:
        self._limited[folder] = None
        self._polling.add(folder, report=self._reporting)

    def _retry_limited(self) -> None:
        while self._limited:
            folder = next(iter(self._limited))
            try:
                self._inotify.add(folder, TREE_MASK)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    return
            del self._limited[folder]
            self._polling.discard(folder)
            self._queue.append(folder)


def _join(folder: str, name: str) -> str:
    return folder + name if folder.endswith("/") else f"{folder}/{name}"


def _nearest(root: str) -> tuple[str, str]:
    """The nearest existing folder above `root`, and the name in it that leads to `root`."""
    guard, step = os.path.split(root)
    while guard != "/" and not os.path.isdir(guard):
        guard, step = os.path.split(guard)
    return guard, step


def _identity(root: str) -> Identity | None:
    try:
        status = os.stat(root)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None
