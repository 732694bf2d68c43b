"""Reads and replaces single files inside a project, such that a crash leaves the old or the new file, whole.

A new file is written beside the old one, brought to disk, and renamed over it, after a last look whether the old one is
still that which the caller saw. The folder is reached step by step from the project's root, by descriptor and without
following symbolic links, so that none that is swapped in meanwhile leads out of the project. A link that stays inside is
resolved first: its target is replaced, the link stays. Of several hard links only the one that is named gets the new bytes.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ccdashd.errors import Busy, CcdashError, Conflict, ReadOnly
from ccdashd.sources.planning.model import digest

STALE: Final = 3600.0
"""Seconds after which a temporary file is one that a crash left behind: a write takes milliseconds."""

_TEMPORARY: Final = re.compile(r"\.ccdash-[0-9a-f]{16}\.tmp")

_FLAGS: Final = os.O_CLOEXEC | os.O_NOFOLLOW

_PLAIN: Final = {
    errno.ENOENT: "is not there any more",
    errno.ENOTDIR: "is not there any more",
    errno.ELOOP: "is reached by a symbolic link that was changed just now; try again",
    errno.EACCES: "may not be read or written; change the permissions of the file and its folder",
    errno.EPERM: "may not be written; change the permissions of the file and its folder",
    errno.EROFS: "lies on a disk that is mounted read-only",
}

_FULL: Final = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your quota of the disk is used up"}

_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file as it was at one moment."""

    data: bytes
    hash: str
    """`digest` of `data`."""
    stat: os.stat_result


@dataclass(frozen=True, slots=True)
class Replacement:
    """New bytes for the file at `path`, relative to the folder `root`, as long as it has `expected_hash`."""

    root: str
    path: str
    expected_hash: str
    data: bytes


def read(root: str, path: str) -> FileBytes:
    """The file at `path`, relative to the folder `root`; blocks.

    Raises ReadOnly where there is no regular file, where it lies outside `root`, or where it cannot be read.
    """
    with _explained(path), _folder(root, path) as (folder, name), _opened(folder, name, path) as fd:
        return _read(fd)


def replace(root: str, path: str, expected_hash: str, data: bytes) -> None:
    """Replace one file; see `replace_all`."""
    replace_all([Replacement(root, path, expected_hash, data)])


def replace_all(replacements: Sequence[Replacement]) -> None:
    """Give files new bytes, and wait until they are on disk; blocks. Owner, mode bits and extended attributes stay.

    All new files are written before the first takes its place. Raises Conflict where a file is not that of its
    `expected_hash`, ReadOnly where one cannot be written, Busy where the disk is full; nothing was changed then, but for
    those files that the error names as written.
    """
    with _writing, ExitStack() as stack:
        staged = [stack.enter_context(_staged(replacement)) for replacement in replacements]
        written: list[str] = []
        for replacement, take_place in zip(replacements, staged, strict=True):
            try:
                with _explained(replacement.path):
                    take_place()
            except CcdashError as error:
                if written:
                    error.message += f" (written before that: {', '.join(written)})"
                    error.data["written"] = written
                raise
            written.append(replacement.path)


@contextmanager
def _staged(new: Replacement) -> Iterator[Callable[[], None]]:
    """Write a new file beside the old one; gives the function that renames it."""
    with _explained(new.path), _folder(new.root, new.path) as (folder, name):
        temporary = f".ccdash-{secrets.token_hex(8)}.tmp"

        def take_place() -> None:
            with _opened(folder, name, new.path) as fd:
                _expect(new, _read(fd))
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            _confirm(folder, new.path)

        try:
            with _opened(folder, name, new.path) as old:
                _expect(new, _read(old))
                _check_writable(folder, name, old, new.path)
                _sweep(folder)
                _write(folder, temporary, old, new.data)
            yield take_place
        finally:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)


def _expect(new: Replacement, current: FileBytes) -> None:
    if current.hash != new.expected_hash:
        raise Conflict(f"{new.path} changed since you read it; read it again", path=new.path, hash=current.hash)


def _check_writable(folder: int, name: str, old: int, path: str) -> None:
    # A rename would replace a write-protected file too, and root may write anything: the mode bits are a wish.
    protected = not os.fstat(old).st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    if protected or not os.access(name, os.W_OK, dir_fd=folder):
        raise ReadOnly(f"{path} is write-protected; make it writable first", path=path)


def _write(folder: int, name: str, old: int, data: bytes) -> None:
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=folder)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        _copy_attributes(old, fd)
        os.fsync(fd)
    finally:
        os.close(fd)


def _copy_attributes(old: int, new: int) -> None:
    status = os.fstat(old)
    for owner in (status.st_uid, -1):
        try:
            os.fchown(new, owner, status.st_gid)
            break
        except OSError:
            continue  # Only root may give files away; what is ours stays so.
    os.fchmod(new, stat.S_IMODE(status.st_mode))
    if hasattr(os, "listxattr"):  # Linux; access control lists are among them
        with suppress(OSError):
            for attribute in os.listxattr(old):
                with suppress(OSError):
                    os.setxattr(new, attribute, os.getxattr(old, attribute))


def _confirm(folder: int, path: str) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems know no such thing
            reason = error.strerror or str(error)
            raise ReadOnly(f"{path} is written, but the disk did not confirm it: {reason}", path=path) from error


def _sweep(folder: int) -> None:
    """Remove what a crash left behind."""
    for name in os.listdir(folder):
        if _TEMPORARY.fullmatch(name):
            with suppress(OSError):
                if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < time.time() - STALE:
                    os.unlink(name, dir_fd=folder)


@contextmanager
def _folder(root: str, path: str) -> Iterator[tuple[int, str]]:
    """A descriptor of the folder that holds the file once links are resolved, and the file's name in it."""
    if os.path.isabs(path) or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ReadOnly(f"{path!r} is no path inside the project", path=path)
    base = os.path.realpath(root)
    real = os.path.realpath(os.path.join(base, path))
    if os.path.commonpath([base, real]) != base or real == base:
        raise ReadOnly(f"{path} leads out of the project, by a symbolic link; it is left alone", path=path)
    *folders, name = os.path.relpath(real, base).split("/")
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    try:
        for part in folders:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd, name
    finally:
        os.close(fd)


@contextmanager
def _opened(folder: int, name: str, path: str) -> Iterator[int]:
    """A descriptor of a regular file."""
    # Without O_NONBLOCK, a named pipe would hold us until somebody writes to it.
    fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ReadOnly(f"{path} is no regular file", path=path)
        yield fd
    finally:
        os.close(fd)


def _read(fd: int) -> FileBytes:
    status = os.fstat(fd)
    with open(fd, "rb", closefd=False) as file:
        data = file.read()
    return FileBytes(data, digest(data), status)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = _FULL.get(error.errno or 0)
        if full is not None:
            raise Busy(f"{path} cannot be written: {full}", reason=full, retry_after=5.0) from error
        reason = _PLAIN.get(error.errno or 0) or f"cannot be read or written: {error.strerror or error}"
        raise ReadOnly(f"{path} {reason}", path=path) from error
