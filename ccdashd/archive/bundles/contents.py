"""What goes into a bundle, read from logs, archive and projects: as it is, or redacted."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ccdashd.archive.archive import Archive, Version
from ccdashd.archive.bundles.frames import PIECE
from ccdashd.archive.bundles.manifest import is_log
from ccdashd.logfile import described, guard, stamp
from ccdashd.redact import Redactor

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of a line that are redacted together; what is longer is no record, and is redacted in pieces."""


class Unreadable(Exception):
    """A log or file could not be read; the message says why, in words for people."""


class Source(NamedTuple):
    """A version of a log."""

    mtime_ns: int
    meta: bytes | None
    pieces: Iterator[bytes]
    """Raises Unreadable."""


def versions(archive: Archive, path: str) -> Iterator[Source]:
    """Every version of the log at `path`: those in the archive that it does not begin as, then what is there, if it is.

    Raises Unreadable, also for a log that is gone and of which there is no copy.
    """
    try:
        manifest = archive.manifest(path)
        known = manifest.versions if manifest is not None else ()
    except OSError as error:
        raise Unreadable(f"its copy cannot be read: {_words(error)}") from None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        if not known:
            raise Unreadable("it is gone, and there is no copy of it") from None
        yield from (_copy(archive, version) for version in known)
        return
    except OSError as error:
        raise Unreadable(_words(error)) from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is no regular file")
        for version in known:
            if version.size > status.st_size or guard(fd, version.size) != version.guard:
                yield _copy(archive, version)
        yield Source(stamp(path, status.st_mtime_ns), described(path), _file(fd, status.st_size))
    except OSError as error:
        raise Unreadable(_words(error)) from None
    finally:
        os.close(fd)


def _copy(archive: Archive, version: Version) -> Source:
    def pieces() -> Iterator[bytes]:
        try:
            yield from archive.stream(version)
        except OSError as error:
            raise Unreadable(f"its copy cannot be read: {_words(error)}") from None

    return Source(version.mtime_ns, version.meta, pieces())


def _file(fd: int, size: int) -> Iterator[bytes]:
    """The bytes of an open log, which may grow meanwhile."""
    try:
        sealed, offset = guard(fd, size), 0
        while offset < size:
            data = os.pread(fd, min(PIECE, size - offset), offset)
            if not data:
                break
            offset += len(data)
            yield data
        if offset < size or guard(fd, size) != sealed:
            raise Unreadable("it was rewritten while it was read; export once more")
    except OSError as error:
        raise Unreadable(_words(error)) from None


def document(path: str) -> Iterator[bytes]:
    """The bytes of a planning file. Raises Unreadable."""
    try:
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("it is no regular file")
            while data := file.read(PIECE):
                yield data
    except OSError as error:
        raise Unreadable(_words(error)) from None


def redacted_log(pieces: Iterable[bytes], redactor: Redactor) -> Iterator[bytes]:
    """A log, record by record."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        end = rest.rfind(b"\n") + 1
        if not end and len(rest) < LONGEST_LINE:
            continue
        end = end or len(rest)
        yield b"".join(map(redactor.bytes, io.BytesIO(rest[:end])))
        del rest[:end]
    if rest:
        yield redactor.bytes(bytes(rest))


def redacted_document(pieces: Iterable[bytes], redactor: Redactor) -> Iterator[bytes]:
    """A planning file, as one text: what is to be taken out may be of several lines."""
    data = b"".join(pieces)
    text = data.decode("utf-8", "replace")
    clean = redactor.text(text)
    yield data if clean == text else clean.encode("utf-8", "replace")


def place(path: str, roots: Sequence[str]) -> str | None:
    """Where a log lies below the agent's folder, one of `roots`; None for a path that no log has.

    For a log below none of them, which settings once named, all from the folder of its project on.
    """
    for root in roots:
        if path.startswith(root.rstrip("/") + "/"):
            found = path[len(root.rstrip("/")) + 1 :]
            return found if is_log(found) else None
    parts = path.split("/")
    if "subagents" in parts[-5:-1]:
        # Before it stand the folders of the project and of the session.
        depth = len(parts) - parts[::-1].index("subagents") - 1
        parts = parts[max(depth - 2, 0) :]
    else:
        parts = parts[-2:]
    found = "/".join(parts)
    return found if is_log(found) else None


def _words(error: OSError) -> str:
    return error.strerror or str(error)
