"""Which watch descriptor stands for which folders. Bookkeeping alone, without a system call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Tree:
    """Watch descriptors and paths, many to one at most times.

    A descriptor has more than one path when a folder can be reached by two (a root that links into another root, a bind
    mount), and for a moment when a moved folder was found before the event that it left its old path. A descriptor
    whose last path was taken away is put in `orphans`, for the owner to remove from the kernel.
    """

    def __init__(self) -> None:
        self._paths: dict[int, tuple[str, ...]] = {}
        self._wds: dict[str, int] = {}
        self.orphans: set[int] = set()

    def __len__(self) -> int:
        return len(self._wds)

    def __contains__(self, path: object) -> bool:
        return path in self._wds

    def __iter__(self) -> Iterator[str]:
        return iter(self._wds)

    def paths(self, wd: int) -> tuple[str, ...]:
        return self._paths.get(wd, ())

    def bind(self, wd: int, path: str) -> bool:
        """Note that `wd` now stands for `path`; False when it already did."""
        before = self._wds.get(path)
        if before == wd:
            return False
        if before is not None:
            self._unbind(path)
        self._paths[wd] = (*self._paths.get(wd, ()), path)
        self._wds[path] = wd
        self.orphans.discard(wd)
        return True

    def forget(self, wd: int) -> tuple[str, ...]:
        """The kernel removed `wd`; the paths it had."""
        self.orphans.discard(wd)
        paths = self._paths.pop(wd, ())
        for path in paths:
            del self._wds[path]
        return paths

    def drop(self, path: str) -> None:
        """`path` is gone; what was below it is dropped on its own account."""
        if path in self._wds:
            self._unbind(path)

    def drop_tree(self, path: str) -> bool:
        """`path` is gone with everything below it; whether any of it was known.

        Looks at every path: about a millisecond for 10 000.
        """
        known = within(self._wds, [path])
        for each in known:
            self._unbind(each)
        return bool(known)

    def take_orphans(self) -> set[int]:
        orphans, self.orphans = self.orphans, set()
        return orphans

    def _unbind(self, path: str) -> None:
        wd = self._wds.pop(path)
        left = tuple(other for other in self._paths[wd] if other != path)
        if left:
            self._paths[wd] = left
        else:
            del self._paths[wd]
            self.orphans.add(wd)


def within(paths: Iterable[str], folders: Iterable[str]) -> list[str]:
    """Those of `paths` that are among `folders` or lie below one of them."""
    inside = tuple(folder.rstrip("/") + "/" for folder in folders)
    return [path for path in paths if f"{path}/".startswith(inside)]
