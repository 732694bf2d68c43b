"""A process of a deep search: reads its share of the logs and tells of each record with a match, as it goes.

Logs are read in blocks and not mapped: one that is cut while it is looked at would end a process that maps it. Lines are
counted only where something was found, since that costs as much as the search.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from ccdashd.helper import serve
from ccdashd.search.patterns import Found, Pattern, pattern
from ccdashd.sources.log import milliseconds

BLOCK = 256 * 1024
"""Bytes read at a time, few enough to stay in the processor's cache."""

EVERY = 0.05
"""Seconds between two answers, at most, as far as blocks go."""

MANY = 64
"""Matches after which an answer is given at once."""

MATCH_CAP = 2_000
"""Characters shown of a match."""

_NICE = 5
_LONGEST = 12
"""Bytes that one character can take: two escapes."""

_SLACK = 64
"""Bytes more on either side, for a character that is cut there is not to be shown."""

_BACKSLASH = ord("\\")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"\\/bfnrt]))")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Log(msgspec.Struct, array_like=True, gc=False):
    """A log to be searched. `path` is as the file system gives it, since a name need not be UTF-8."""

    number: int
    path: bytes
    gone: bool
    """Where it is known to be gone, only its copy is looked for."""


class Job(msgspec.Struct, array_like=True):
    """What to look for, in which logs. `archive` is the archive's folder; empty where copies do not count."""

    pattern: str
    regex: bool
    ignore_case: bool
    limit: int
    context: int
    archive: bytes
    logs: list[Log]


class Match(msgspec.Struct, array_like=True, gc=False):
    """A record with a match; `time` is in milliseconds since the epoch."""

    log: int
    archived: bool
    offset: int
    length: int
    line: int
    before: str
    match: str
    after: str
    matches: int
    time: int | None


class Report(msgspec.Struct, array_like=True):
    """What was done since the last report: matches, logs that were finished, and what could not be read of them."""

    bytes: int = 0
    matches: list[Match] = []
    done: list[int] = []
    problems: list[tuple[int, str]] = []


encode = msgspec.msgpack.Encoder().encode
decode_report = msgspec.msgpack.Decoder(Report).decode
_decode_job = msgspec.msgpack.Decoder(Job).decode


def work(data: bytes) -> Iterator[bytes]:
    """Reports on an encoded `Job`, encoded."""
    job = _decode_job(data)
    wanted = pattern(job.pattern, regex=job.regex, ignore_case=job.ignore_case)
    report, left, told = Report(), job.limit, time.monotonic()
    for log in job.logs:
        try:
            with _opened(log, job.archive) as source:
                for step in _search(source, log.number, wanted, job.context):
                    if isinstance(step, int):
                        report.bytes += step
                    else:
                        report.matches.append(step)
                        left -= 1
                    if left == 0 or len(report.matches) == MANY or time.monotonic() - told > EVERY:
                        yield encode(report)
                        report, told = Report(), time.monotonic()
                    if left == 0:
                        return
        except OSError as error:
            report.problems.append((log.number, error.strerror or str(error)))
        report.done.append(log.number)
    yield encode(report)


@dataclass(frozen=True)
class _Source:
    """The bytes of a log, from itself or from its copy; `blocks` begins anew at each call."""

    blocks: Callable[[], Iterator[bytes]]
    archived: bool


@contextmanager
def _opened(log: Log, folder: bytes) -> Iterator[_Source]:
    """Raises OSError."""
    if not log.gone:
        try:
            fd = os.open(log.path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            pass  # since it was picked
        else:
            try:
                yield _Source(partial(_blocks, fd), archived=False)
            finally:
                os.close(fd)
            return
    if not folder:
        raise OSError("the log is gone")
    from ccdashd.archive.archive import Archive

    archive = Archive(Path(os.fsdecode(folder)))
    copy = archive.source(os.fsdecode(log.path))
    if copy is None:
        raise OSError("the log is gone, and there is no copy of it in the archive")
    yield _Source(partial(archive.stream, copy[1]), archived=True)


def _blocks(fd: int) -> Iterator[bytes]:
    offset = 0
    while block := os.pread(fd, BLOCK, offset):
        yield block
        offset += len(block)


def _search(source: _Source, log: int, wanted: Pattern, context: int) -> Iterator[Match | int]:
    """Matches, and after each block the bytes that were searched."""
    line: int | None = None
    for offset, block in _whole_lines(source.blocks()):
        counted = 0
        for found in wanted.records(block):
            if line is None:
                line = 1 + _newlines(source.blocks(), offset)
            line += block.count(b"\n", counted, found.begin)
            counted = found.begin
            yield _match(source, log, offset, line, block, found, context)
        if line is not None:
            line += block.count(b"\n", counted)
        yield len(block)


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The same bytes in pieces that end where lines do, each with its offset."""
    offset = 0
    pieces: list[bytes | memoryview] = []
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end == 0:
            pieces.append(block)
            continue
        data = b"".join((*pieces, memoryview(block)[:end]))
        pieces = [block[end:]] if end < len(block) else []
        yield offset, data
        offset += len(data)
    if pieces:
        yield offset, b"".join(pieces)


def _newlines(blocks: Iterable[bytes], end: int) -> int:
    """Newlines among the first `end` bytes."""
    number = 0
    for block in blocks:
        number += block.count(b"\n", 0, max(end, 0))
        end -= len(block)
        if end <= 0:
            break
    return number


class _Stamped(msgspec.Struct):
    timestamp: Any = None


_decode_stamp = msgspec.json.Decoder(_Stamped).decode


def _match(source: _Source, log: int, offset: int, line: int, block: bytes, found: Found, context: int) -> Match:
    begin, end, start, stop, matches = found
    try:
        stamp = _decode_stamp(memoryview(block)[begin:end]).timestamp
        is_json = True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        stamp, is_json = None, False
    room = context * _LONGEST + _SLACK
    shown = partial(_readable, is_json=is_json)
    before = shown(block[_at_escape(block, max(begin, start - room), begin) : start])
    match = shown(block[start : min(stop, start + MATCH_CAP * _LONGEST)])
    after = shown(block[stop : min(end, stop + room)])
    return Match(
        log=log,
        archived=source.archived,
        offset=offset + begin,
        length=end - begin,
        line=line,
        before=before[-context:] if context else "",
        match=match[:MATCH_CAP],
        after=after[:context],
        matches=matches,
        time=milliseconds(stamp) if isinstance(stamp, str) else None,
    )


def _at_escape(data: bytes, place: int, begin: int) -> int:
    """`place`, or as many backslashes before it as it takes to be between two escapes, and not within one."""
    first = place
    while first > begin and data[first - 1] == _BACKSLASH:
        first -= 1
    return place - (place - first) % 2


def _readable(data: bytes, *, is_json: bool) -> str:
    """A piece of a record as people read it: in one of JSON, what is escaped is not."""
    text = data.decode("utf-8", "replace")
    return _ESCAPE.sub(_unescaped, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace") if is_json else text


def _unescaped(escape: re.Match[str]) -> str:
    code, short = escape.groups()
    return chr(int(code, 16)) if code else _SHORT.get(short, short)


def main() -> None:
    """The process. A regular expression may run for ever, and no other thread while it does: the one by which a process
    ends with its daemon is not enough."""
    daemon = os.getppid()
    signal.signal(signal.SIGALRM, lambda *_: None if os.getppid() == daemon else os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
    serve(work, nice=_NICE)


if __name__ == "__main__":
    main()
