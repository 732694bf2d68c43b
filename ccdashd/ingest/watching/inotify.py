"""Linux: one inotify watch per folder below the roots; files are never watched, so replacing one is seen.

What inotify(7) leaves to its user, and where it is done:

- a new folder is watched first and listed then, so that nothing made in between is lost (`_enter`);
- the queue overflows: everything is walked again, since folders may be new (`_overflowed`);
- a root comes, goes, or is replaced: the nearest existing folder above it is watched too (`guards.py`);
- no watch is left, or the file system is a remote one whose changes are not seen here: that part is polled. Earlier
  roots come first: the last ones have to give up their watches (`_make_room`).

Other roots (`set_roots`): what lies at or below those that come or go is walked, nothing else. Before each walk the
known paths in question are *suspects*; what is still one after it is no longer watched.

Links to folders below a root are not followed; a root may be one.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
from collections import deque
from collections.abc import Collection, Iterable

from ccdashd.ingest.scan import Accept, Enter
from ccdashd.ingest.watching import inotify_fd as fd
from ccdashd.ingest.watching.backend import Reason, Sink
from ccdashd.ingest.watching.guards import Guards
from ccdashd.ingest.watching.mounts import is_remote
from ccdashd.ingest.watching.polling import Polling
from ccdashd.ingest.watching.tree import Tree, within
from ccdashd.ingest.watching.unwatched import Unwatched

TREE_MASK = (
    fd.MODIFY | fd.ATTRIB | fd.CREATE | fd.DELETE | fd.MOVED_FROM | fd.MOVED_TO | fd.ONLYDIR | fd.EXCL_UNLINK | fd.MASK_ADD
)

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

    def __init__(self, roots: Iterable[str], sink: Sink, accept: Accept, enters: Enter) -> None:
        self._roots: dict[str, Identity | None] = dict.fromkeys(roots)
        self._sink = sink
        self._enters = enters
        self._inotify = fd.Inotify()
        self._tree = Tree()
        self._guards = Guards(self._inotify, self._tree)
        self._polling = Polling((), sink, accept, enters)
        self._unwatched = Unwatched(self._polling)
        # Both with whether the files found there are to be reported. Each root is walked before the next is begun.
        self._arming: deque[tuple[str, bool]] = deque()
        self._queue: list[tuple[str, bool]] = []
        self._suspects: set[str] = set()
        self._started = False
        self._continuing: asyncio.Handle | None = None
        self._rewalk: asyncio.TimerHandle | None = None
        self._drained = asyncio.Event()
        self._fault: Exception | None = None

    @property
    def directories(self) -> int:
        return len(self._tree)

    @property
    def problem(self) -> str | None:
        return self._unwatched.problem

    async def start(self) -> None:
        self._arming.extend((root, False) for root in self._roots)
        self._drain()
        await self._drained.wait()
        if self._fault is not None:
            raise self._fault
        await self._polling.start()
        self._started = True
        asyncio.get_running_loop().add_reader(self._inotify.fd, self._readable)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._inotify.fd)
        for handle in (self._continuing, self._rewalk):
            if handle is not None:
                handle.cancel()
        self._inotify.close()
        self._drained.set()
        await self._polling.stop()

    async def set_roots(self, roots: Iterable[str]) -> None:
        wanted = dict.fromkeys(roots)
        gone = set(self._roots.keys() - wanted.keys())
        new = [root for root in wanted if root not in self._roots]
        self._roots = {root: self._roots.get(root) for root in wanted}
        if gone or new:
            self._drained.clear()
            self._replace_roots(gone, new)
        await self._drained.wait()
        await self._polling.settle()

    async def check(self) -> None:
        for root in self._roots:
            self._recheck(root)
        self._queue.extend((folder, True) for folder in (*self._unwatched.denied, *reversed(self._unwatched.limited)))
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
            if mask & fd.IGNORED:
                recheck.update(self._guards.forget(wd))
                recheck.update(path for path in self._tree.forget(wd) if path in self._roots)
                continue
            if name is None:
                continue
            recheck.update(self._guards.touched(wd, name))
            for folder in self._tree.paths(wd):
                path = _join(folder, name)
                if not mask & fd.ISDIR:
                    files.add(path)
                elif mask & fd.DELETE:
                    self._tree.drop(path)
                    self._unwatched.discard(path, report=True)
                elif mask & fd.MOVED_FROM:
                    recheck.update(within(self._roots, [path]))
                    if self._drop_tree(path) or self._enters(path):
                        reasons.add(Reason.DIRECTORY_MOVED)
                elif self._enters(path):
                    self._queue.append((path, True))
                    if mask & fd.MOVED_TO:
                        reasons.add(Reason.DIRECTORY_MOVED)
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
        self._suspects.update(self._tree)
        self._arming.extend((root, True) for root in self._roots)
        try:
            self._drain()
        except Exception as error:
            self._sink.failed(error)

    # Roots

    def _replace_roots(self, gone: set[str], new: Collection[str]) -> None:
        """`_roots` is already what it shall be."""
        changed = {*gone, *new}
        self._suspects.update(within((*self._tree, *self._unwatched), changed))
        self._guards.discard(gone)
        self._arming.extend((root, False) for root in new)
        # These are suspects although they stay, or may stay as folders of another root.
        stay = within(self._roots.keys() - changed, changed)
        self._queue.extend((folder, True) for folder in (*stay, *gone))
        self._drain()

    def _arm(self, root: str, *, report: bool) -> None:
        """Guard `root`, and queue it for watching when it exists."""
        self._guards.set(root)
        self._roots[root] = identity = _identity(root)
        if identity is None:
            return
        if is_remote(root):
            log.info("%s is on a network file system: it is polled", root)
            self._unwatched.poll_remote(root, report=report)
            # It may have been a folder of another root.
            self._tree.drop(root)
            self._suspects.discard(root)
        else:
            self._queue.append((root, report))

    def _recheck(self, root: str) -> None:
        before, now = self._roots[root], _identity(root)
        if before is None and now is None:
            self._arm(root, report=True)
            return
        if before == now and (root in self._tree or root in self._unwatched):
            return
        if before is not None:
            self._drop_tree(root)
            self._sink.rescan(Reason.ROOT_VANISHED)
        self._arm(root, report=True)
        if now is not None:
            self._sink.rescan(Reason.ROOT_APPEARED)
        for inner in within(self._roots, [root]):
            if inner != root:
                self._recheck(inner)

    # Folders

    def _drop_tree(self, path: str) -> bool:
        """`path` is no longer what it was; whether any of it was watched or polled."""
        unwatched = within(self._unwatched, [path])
        for folder in unwatched:
            self._unwatched.discard(folder)
        return self._tree.drop_tree(path) or bool(unwatched)

    def _drain(self) -> None:
        """Watch and list the queued folders, for one slice of time; the rest follows when the loop had its turn."""
        loop = asyncio.get_running_loop()
        if self._continuing is not None:
            self._continuing.cancel()
            self._continuing = None
        until = loop.time() + SLICE_SECONDS
        found: set[str] = set()
        while (self._queue or self._arming) and loop.time() < until:
            if self._queue:
                self._enter(*self._queue.pop(), found)
            else:
                root, report = self._arming.popleft()
                if root in self._roots:
                    self._arm(root, report=report)
        if found:
            self._sink.paths(found)
        if self._queue or self._arming:
            self._continuing = loop.call_soon(self._resume)
            return
        for path in self._suspects:
            self._tree.drop(path)
            self._unwatched.discard(path)
        self._suspects.clear()
        self._remove_orphans()
        self._drained.set()

    def _remove_orphans(self) -> None:
        for wd in self._tree.take_orphans():
            if wd not in self._guards:
                self._inotify.remove(wd)

    def _resume(self) -> None:
        self._continuing = None
        try:
            self._drain()
        except Exception as error:
            self._fault = error
            self._drained.set()
            if self._started:
                self._sink.failed(error)

    def _enter(self, folder: str, report: bool, found: set[str]) -> None:
        """Watch `folder`, then list it: its folders are queued, and when it was not watched before, its files found."""
        if folder in self._unwatched.remote and folder in self._roots:
            self._suspects.discard(folder)
            return
        if not self._is_wanted(folder):
            # During a walk that is not known for good.
            if not self._suspects:
                self._unwatched.discard(folder, report=True)
            return
        wd = self._add(folder, report)
        if wd is None:
            return
        fresh = self._tree.bind(wd, folder)
        self._unwatched.discard(folder, report=True)
        if not fresh and folder not in self._suspects:
            return
        self._suspects.discard(folder)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        self._queue.append((entry.path, report))
                    elif fresh and report:
                        found.add(entry.path)
        except OSError:
            # Gone again, which is an event of its own, or not readable, which the scan reports.
            return

    def _is_wanted(self, folder: str) -> bool:
        """Whether a walk should get there, and still may: its root may be none any more since it was queued."""
        if folder in self._roots:
            return True
        parent = os.path.dirname(folder)
        return parent in self._tree and parent not in self._suspects and self._enters(folder)

    def _add(self, folder: str, report: bool) -> int | None:
        mask = TREE_MASK if folder in self._roots else TREE_MASK | fd.DONT_FOLLOW
        while True:
            try:
                return self._inotify.add(folder, mask)
            except OSError as error:
                if error.errno in GONE:
                    self._unwatched.discard(folder, report=True)
                    return None
                if error.errno == errno.ENOSPC:
                    if self._make_room(folder):
                        continue
                    self._unwatched.limit(folder, report=report)
                elif error.errno in DENIED:
                    self._tree.drop(folder)
                    self._unwatched.denied.add(folder)
                else:
                    raise
                self._suspects.discard(folder)
                return None

    def _make_room(self, folder: str) -> bool:
        """Give up the watches of the last root that has any, if `folder` is of an earlier one; whether that was done."""
        roots = list(self._roots)
        first = next(at for at, root in enumerate(roots) if within([folder], [root]))
        for at in range(len(roots) - 1, first, -1):
            root, earlier = roots[at], roots[:at]
            if root not in self._tree or within([root], earlier):
                continue
            known = within((*self._tree, *self._unwatched.limited), [root])
            polled = [other for other in within(roots, [root]) if other in self._tree and other not in earlier]
            for path in set(known).difference(within(known, earlier)):
                self._tree.drop(path)
                self._unwatched.discard(path)
            for other in polled:
                self._unwatched.give_up(other)
            self._remove_orphans()
            return True
        return False


def _join(folder: str, name: str) -> str:
    return folder + name if folder.endswith("/") else f"{folder}/{name}"


def _identity(root: str) -> Identity | None:
    try:
        status = os.stat(root)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None
