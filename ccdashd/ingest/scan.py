"""Walk the roots and `stat` every file: what is there now.

The watch is a hint, this is the truth. It opens no file, so FIFOs, sockets and devices cannot block it. Plain blocking
code, for a thread. About 10 µs a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

Accept = Callable[[str], bool]
"""Which files are wanted, by their absolute path."""

Enter = Callable[[str], bool]
"""Which folders below a root to look into, by their absolute path. The answer may change with the roots alone."""


def everywhere(_folder: str) -> bool:
    """Enter every folder."""
    return True


class FileStat(NamedTuple):
    """A regular file. `path` is absolute, undecodable bytes in it are surrogate-escaped; `size` is in bytes."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    dev: int
    archived: bool = False
    """Whether it is no file, but a copy of a log in the archive."""


class Problem(NamedTuple):
    """A folder or file that could not be looked at, and why."""

    path: str
    problem: str


def scan(
    roots: Iterable[str | os.PathLike[str]],
    accept: Accept,
    problems: list[Problem] | None = None,
    *,
    enters: Enter = everywhere,
) -> Iterator[FileStat]:
    """Every regular file below `roots` whose path `accept` takes, each path once, in no order.

    Roots are entered always, folders below them when `enters` says so; both calls should be fast.
    A root may be a symbolic link to a folder. Below a root, links to folders are not followed (they can form loops),
    links to regular files are: their `FileStat` is that of the target. What vanishes during the walk is left out; what
    may not be read is added to `problems`. A root that does not exist is no problem. Never raises `OSError`.
    """
    if problems is None:
        problems = []
    waiting = [os.fspath(root) for root in roots]
    visited: set[str] = set()
    while waiting:
        folder = waiting.pop()
        # Roots may lie within each other.
        if folder in visited:
            continue
        visited.add(folder)
        try:
            entries = os.scandir(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(_problem(folder, error))
            continue
        with entries:
            yield from _files(folder, entries, waiting, accept, enters, problems)


def _files(
    folder: str,
    entries: Iterator[os.DirEntry[str]],
    waiting: list[str],
    accept: Accept,
    enters: Enter,
    problems: list[Problem],
) -> Iterator[FileStat]:
    while True:
        try:
            entry = next(entries)
        except StopIteration:
            return
        except OSError as error:
            problems.append(_problem(folder, error))
            return
        try:
            if entry.is_dir(follow_symlinks=False):
                if enters(entry.path):
                    waiting.append(entry.path)
                continue
            if not accept(entry.path):
                continue
            status = entry.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(_problem(entry.path, error))
            continue
        if stat.S_ISREG(status.st_mode):
            yield _file(entry.path, status)


def look(path: str) -> FileStat | None:
    """The file at `path`, or None where there is no regular file. Raises OSError where that cannot be told."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _file(path, status) if stat.S_ISREG(status.st_mode) else None


def newest_first(files: Iterable[FileStat]) -> list[FileStat]:
    """`files` by modification time, the latest first, so that a cold start serves today's sessions first."""
    return sorted(files, key=lambda file: file.mtime_ns, reverse=True)


def _file(path: str, status: os.stat_result) -> FileStat:
    return FileStat(path, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


def _problem(path: str, error: OSError) -> Problem:
    return Problem(path, error.strerror or str(error))
