"""The folders above the roots, which tell when a root comes, goes or is replaced."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection

from ccdashd.ingest.watching import inotify_fd as fd
from ccdashd.ingest.watching.tree import Tree

MASK = fd.CREATE | fd.DELETE | fd.MOVED_FROM | fd.MOVED_TO | fd.ONLYDIR | fd.MASK_ADD


class Guards:
    """For each root a watch on the nearest existing folder above it, which `tree` may have for itself as well."""

    def __init__(self, inotify: fd.Inotify, tree: Tree) -> None:
        self._inotify = inotify
        self._tree = tree
        self._roots: dict[int, dict[str, str]] = {}

    def __contains__(self, wd: object) -> bool:
        return wd in self._roots

    def set(self, root: str) -> None:
        """Watch what is above `root` now, and nothing else on its account."""
        self._take_off([root])
        # What is missing may appear while the guard is set, hence again; a path that never settles is left to the check.
        for _ in range(8):
            guard, step = _nearest(root)
            # Without a guard the root is still looked at by the check.
            with contextlib.suppress(OSError):
                self._roots.setdefault(self._inotify.add(guard, MASK), {})[root] = step
            if _nearest(root) == (guard, step):
                break
        self._remove_idle()

    def discard(self, roots: Collection[str]) -> None:
        """These are roots no more."""
        self._take_off(roots)
        self._remove_idle()

    def touched(self, wd: int, name: str) -> list[str]:
        """The roots that an event about `name` in the folder of `wd` may be about."""
        return [root for root, step in self._roots.get(wd, {}).items() if step == name]

    def forget(self, wd: int) -> list[str]:
        """The kernel removed `wd`; the roots that it guarded."""
        return list(self._roots.pop(wd, ()))

    def _take_off(self, roots: Collection[str]) -> None:
        for guarded in self._roots.values():
            for root in guarded.keys() & roots:
                del guarded[root]

    def _remove_idle(self) -> None:
        for wd in [wd for wd, guarded in self._roots.items() if not guarded]:
            del self._roots[wd]
            if not self._tree.paths(wd):
                self._inotify.remove(wd)


def _nearest(root: str) -> tuple[str, str]:
    """The nearest existing folder above `root`, and the name in it that leads to `root`."""
    guard, step = os.path.split(root)
    while guard != "/" and not os.path.isdir(guard):
        guard, step = os.path.split(guard)
    return guard, step
