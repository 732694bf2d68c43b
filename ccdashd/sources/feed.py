"""From the bytes of a JSONL log to its records, whatever state they are in. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from ccdashd.sources import lines
from ccdashd.sources.log import Log

R = TypeVar("R")

_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Feed(ABC, Generic[R]):
    """Reads one log, in one go or piece by piece, each piece ending where `feed` says.

    `decode` reads a well-formed line, `lenient` makes a record of an odd object. Parse workers run without the cycle
    collector, so a reader must not refer to itself, not by a bound method either.
    """

    def __init__(
        self,
        log: Log,
        decode: Callable[[bytes | memoryview], R],
        lenient: Callable[[dict[str, Any]], R],
    ) -> None:
        self.log = log
        self._decode = decode
        self._lenient = lenient

    @abstractmethod
    def record(self, record: R, offset: int, length: int) -> None:
        """Take one record, in the order of the log."""

    def feed(self, data: bytes, offset: int, *, final: bool = True) -> int:
        """Read `data`, which stands at `offset` in the log; returns the offset up to which it was read.

        A last line without newline is read when it is whole and `final`, else left for the next piece.
        """
        log, stats = self.log, self.log.stats
        decode, record, find, view = self._decode, self.record, data.find, memoryview(data)
        begin = 0
        if offset == 0 and data.startswith(lines.BOM):
            log.find("bom", "info", 0, 3, "the log begins with a byte order mark; it was skipped")
            begin = 3
        # Decoding views, newline by newline, takes a third of the time that it takes to split all lines from each other.
        while (end := find(b"\n", begin)) >= 0:
            stats.lines += 1
            try:
                value = decode(view[begin:end])
            except _UNDECODABLE:
                self._odd(data[begin:end], offset + begin)
            else:
                record(value, offset + begin, end - begin)
            begin = end + 1
        if final and begin < len(data):
            stats.lines += 1
            saved = self._tail(data[begin:], offset + begin)
            if not saved:
                stats.lines -= 1  # it counts when it is whole
            begin += saved
        return offset + begin

    def _tail(self, tail: bytes, start: int) -> int:
        """Read the whole records at the beginning of a last line without newline; returns the bytes that they take."""
        try:
            value = self._decode(tail)
        except _UNDECODABLE:
            pass
        else:
            self.record(value, start, len(tail))
            return len(tail)
        if b"}" not in tail:
            return 0
        end = 0
        whole = []
        for position, length, found in lines.recover(tail):
            if tail[end:position].strip(lines.BLANK):
                break
            whole.append((position, length, found))
            end = position + length
        if end == len(tail):
            self._odd(tail, start)  # nothing is missing but the newline
        else:
            for position, length, found in whole:
                self.record(self._lenient(found), start + position, length)
        return end

    def _odd(self, line: bytes, start: int) -> None:
        """A line that is no plain record: blank, damaged, glued, or of other types than expected."""
        log = self.log
        length = len(line)
        bare = line.strip(lines.BLANK)
        if not bare:
            if b"\x00" in line:
                log.find("nul", "warning", start, length, "a run of NUL bytes was skipped")
            return
        if bare.startswith((b"//", b"#")):
            log.find("comment", "info", start, length, "a comment line was skipped")
            return
        try:
            value = lines.loads(line)
        except ValueError:
            self._damaged(line, start)
            return
        if not isinstance(value, dict):
            log.find("not-an-object", "warning", start, length, "a line holds JSON that is no object; it was skipped")
            return
        try:
            line.decode()
        except UnicodeDecodeError:
            log.find("bad-utf8", "warning", start, length, "bytes that are not UTF-8 were replaced by U+FFFD")
        if b"\x00" in line:
            log.find("nul", "warning", start, length, "NUL bytes around a record were skipped")
        self.record(self._lenient(value), start, length)

    def _damaged(self, line: bytes, start: int) -> None:
        saved = lines.recover(line)
        for position, length, value in saved:
            self.record(self._lenient(value), start + position, length)
        rest = len(line) - sum(length for _, length, _ in saved)
        count = "a whole record was" if len(saved) == 1 else f"{len(saved)} whole records were"
        if len(saved) > 1 and rest <= 8:
            message = f"{len(saved)} records on one line were taken apart"
            self.log.find("glued", "warning", start, len(line), message)
        elif saved:
            message = f"{count} saved from a line with a torn one"
            self.log.find("torn", "error", start, len(line), message)
        else:
            self.log.find("broken-line", "error", start, len(line), "a line is no JSON; nothing could be saved from it")
