"""The journal: every decision of the user, one JSON line each, on disk before it is acknowledged.

It is the only file of ours whose loss loses something. Lines are appended; carrying them all out, on nothing, gives the
state that they describe. A torn last line (power failed) is left out. How far it was carried out is a *position*: a number
of bytes and their hash, so that a journal that was edited by hand, or put in the place of another, is noticed.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from ccdashd.edits.compaction import Line, live
from ccdashd.edits.decisions import AnyEdit, decode, encode
from ccdashd.edits.examination import examine, replaced

log = logging.getLogger(__name__)

COMPACT_FROM = 1_000_000
"""Bytes from which on a journal is looked at whether most of it is superseded."""


_UNKNOWN = "0:?"
"""A position that fits no journal."""


class JournalUnreadable(OSError):
    """The journal is there and cannot be read, for `reason`. Without it, decisions of the user would be forgotten."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the journal {path} cannot be read: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class News:
    """What a journal holds after a position."""

    edits: list[AnyEdit]
    position: str
    """Where it ends."""
    anew: bool = False
    """What comes before the position asked for is something else now: these are all edits, for a state without any."""


class _Stamp(NamedTuple):
    """Tells a file that was not changed from one that was, without reading it."""

    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class _Append:
    """An append, from and to which size of the file, and the position it led to."""

    before: int
    after: int
    position: str


class Journal:
    """One ``journal.jsonl`` of a user with the folder `home`. Blocking; for one thread, that of the writer."""

    def __init__(self, path: Path, home: str | None = None) -> None:
        self.path = path
        self._home = os.path.expanduser("~") if home is None else home
        self._offset = 0
        self._hash = _hash()
        """Of the bytes before `_offset`, which were carried out, or are about to be."""
        self._seen: _Stamp | None = None
        """The file as it was when all up to its end was known."""
        self._last: _Append | None = None
        self._look_from = COMPACT_FROM

    def since(self, position: str) -> News:
        """The edits after a position, or all where it does not fit; ``""`` is the position before all.

        Lines that are no edits, or of a kind that only a newer version knows, are logged and left out. The last append is
        taken back where `position` is not the one it led to: its transaction failed then, and the client was told so.
        Raises JournalUnreadable.
        """
        self._take_back_unless(position)
        if position == self._position and self._seen is not None and self._seen == self._stamp():
            return News([], position)
        stamp, data = self._read()
        start = offset_of(position)
        anew = not fits(position, data)
        lines, end = self._lines(data, 0 if anew else start)
        self._offset, self._hash, self._seen = end, _hash(data[:end]), stamp
        return News([line.edit for line in lines if line.edit is not None], self._position, anew)

    def append(self, *edits: AnyEdit) -> str:
        """Write edits, all or none, and wait until they are on disk; returns the position after them.

        Where somebody else wrote since the last look, it is a position that fits nothing, so that all is carried out anew.
        Raises OSError; nothing was decided then.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not self.path.exists()
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            before = _stamp(os.fstat(fd))
            known = before == self._seen or (self._seen is None and before.size == self._offset == 0)
            rest = os.pread(fd, before.size - self._offset, self._offset) if known else b""
            torn = before.size > 0 and os.pread(fd, 1, before.size - 1) != b"\n"
            line = (b"\n" if torn else b"") + b"".join(encode(edit, self._home) for edit in edits)
            _write(fd, line, before.size)
            self._seen = _stamp(os.fstat(fd)) if known else None
        finally:
            os.close(fd)
        if new:
            _sync_folder(self.path.parent)
        position = _UNKNOWN
        if known:
            self._offset = before.size + len(line)
            self._hash.update(rest + line)
            position = self._position
        self._last = _Append(before.size, before.size + len(line), position)
        return position

    def compact(self) -> str | None:
        """Leave out what is superseded where that is most of a large journal; returns the position after, if it did.

        The new file takes the place of the old one whole, or not at all. Raises OSError.
        """
        if self._seen is None or self._seen.size < self._look_from:
            return None
        stamp, data = self._read()
        lines, end = self._lines(data, 0)
        kept = b"".join(live(lines, self._home))
        if stamp is None or stamp != self._seen or end != len(data):
            return None  # somebody else writes it: the next decision looks again
        if 2 * len(kept) >= len(data):
            self._look_from = len(data) + len(data) // 4
            return None
        seen = _replace(self.path.resolve(), kept, stamp)
        if seen is None:
            return None
        log.info("journal compacted before=%d after=%d", len(data), len(kept))
        self._offset, self._hash, self._seen, self._last = len(kept), _hash(kept), seen, None
        self._look_from = max(COMPACT_FROM, 2 * len(kept))
        return self._position

    def holds(self, position: str) -> bool:
        """Whether a position is one of the file as it is now. Raises JournalUnreadable."""
        return fits(position, self._read()[1])

    def mend(self) -> Path | None:
        """Set right what is damaged, and move lines of which nobody can tell what they were into a file beside the journal;
        returns that file, None where there are none. Raises OSError."""
        stamp, data = self._read()
        damages = examine(data)
        if stamp is None or not damages:
            return None
        lost = [damage for damage in damages if damage.mended is None]
        aside = None
        if lost:
            aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
            _write_new(aside, b"".join(damage.raw.rstrip(b"\n") + b"\n" for damage in lost))
        data = replaced(data, {damage.offset: damage.mended for damage in damages if damage.mended is not None})
        for damage in reversed(lost):
            data = data[: damage.offset] + data[damage.offset + len(damage.raw) :]
        if _replace(self.path.resolve(), data, stamp) is None:
            raise OSError(errno.EAGAIN, "the journal was written meanwhile")
        self._seen = self._last = None
        return aside

    @property
    def _position(self) -> str:
        return _position(self._offset, self._hash)

    def _stamp(self) -> _Stamp | None:
        try:
            return _stamp(os.stat(self.path))
        except OSError:
            return None

    def _read(self) -> tuple[_Stamp | None, bytes]:
        try:
            with open(self.path, "rb") as file:
                # Taken before the bytes, so that a file that changes meanwhile is read once more.
                return _stamp(os.fstat(file.fileno())), file.read()
        except FileNotFoundError:
            return None, b""
        except OSError as error:
            raise JournalUnreadable(self.path, error.strerror or str(error)) from error

    def _lines(self, data: bytes, start: int) -> tuple[list[Line], int]:
        """The lines from `start` on, and where they end; a last one that is torn is not among them."""
        lines, end = [], start
        for raw in io.BytesIO(data[start:]):
            edit = None
            try:
                edit = decode(raw, self._home) if raw.strip() else None
            except msgspec.DecodeError as error:
                if not raw.endswith(b"\n"):
                    break
                log.warning("journal line left out offset=%d problem=%r path=%s", end, str(error), self.path)
            lines.append(Line(raw, edit))
            end += len(raw)
        return lines, end

    def _take_back_unless(self, position: str) -> None:
        last, self._last = self._last, None
        if last is None or last.position == position:
            return
        self._seen = None
        try:
            with open(self.path, "r+b") as file:
                if os.fstat(file.fileno()).st_size == last.after:
                    file.truncate(last.before)
                    os.fsync(file.fileno())
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("a decision that failed stays in the journal problem=%r path=%s", str(error), self.path)


def offset_of(position: str) -> int:
    """The number of bytes in a position; 0 for what is none."""
    number = position.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() else 0


def fits(position: str, data: bytes) -> bool:
    """Whether a position is one of the journal with these bytes."""
    start = offset_of(position)
    return len(data) >= start and position == _position(start, _hash(data[:start]))


def _hash(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=16)


def _position(offset: int, hash: hashlib.blake2b) -> str:
    return f"{offset}:{hash.hexdigest()}" if offset else ""


def _stamp(stat: os.stat_result) -> _Stamp:
    return _Stamp(stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _write(fd: int, line: bytes, size: int) -> None:
    """Append a line to a file of that size, and wait until it is on disk; what fails leaves the file as it was."""
    try:
        written = os.write(fd, line)
        if written != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(fd)
    except OSError:
        with suppress(OSError):
            os.ftruncate(fd, size)
        raise


def _write_new(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, data: bytes, stamp: _Stamp) -> _Stamp | None:
    """Put a file with `data` in the place of the one at `path` while that has `stamp`; returns the new one's."""
    beside = path.with_name(path.name + ".new")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), os.stat(path).st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if _stamp(os.stat(path)) == stamp:
                os.rename(beside, path)
                _sync_folder(path.parent)
                return _stamp(os.fstat(file.fileno()))
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    beside.unlink()
    return None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
