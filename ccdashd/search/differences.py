"""What the index of texts lacks of what the cache knows, and where it is to stand in the index. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ccdashd.sources import PARSER
from ccdashd.store.text.cache import CachedLog
from ccdashd.store.text.entries import Span
from ccdashd.store.text.writer import LogState


class Behind(NamedTuple):
    """A log of which the index has nothing, or only the beginning."""

    log: CachedLog
    state: LogState | None
    """How far it is in the index; None where it has to be read from its first entry on."""

    @property
    def start(self) -> int:
        """Number of the first entry that is missing."""
        return self.state.entries if self.state is not None else 0

    @property
    def size(self) -> int:
        """Bytes that are to be read."""
        return max(self.log.parsed_to - (self.state.parsed_to if self.state is not None else 0), 0)


@dataclass
class Differences:
    """What there is to do."""

    behind: list[Behind] = field(default_factory=list)
    """The newest first."""
    moved: list[tuple[str, str]] = field(default_factory=list)
    """Logs that are in the index by another path: that one, and the one they have now."""
    forgotten: list[str] = field(default_factory=list)
    """Logs that the cache does not know any more, or that were replaced by one that was moved."""
    waiting: list[CachedLog] = field(default_factory=list)
    """Logs that the cache has not read yet as a whole."""
    current: int = 0
    """Logs of which everything is in the index."""

    def __bool__(self) -> bool:
        return bool(self.behind or self.moved or self.forgotten)

    @property
    def size(self) -> int:
        """Bytes that are to be read."""
        return sum(behind.size for behind in self.behind)


def compare(cached: Mapping[str, CachedLog], indexed: Mapping[str, LogState]) -> Differences:
    """How the index differs from the cache.

    A log is the one that is in the index when what was read of it, and when it was written, are the same. One that grew is
    read on from there; whether it really begins as it did is for the reader to see.
    """
    found = Differences()
    other: list[CachedLog] = []
    grown: list[Behind] = []
    for path, log in cached.items():
        state = indexed.get(path)
        if not log.guard or (log.parser != PARSER and log.state == "ok"):
            if log.state in ("ok", "glanced"):
                found.waiting.append(log)
        elif state is None:
            other.append(log)
        elif _is_current(log, state):
            found.current += 1
        elif state.parser == log.parser and state.whole and state.parsed_to < log.parsed_to:
            grown.append(Behind(log, state))
        else:
            other.append(log)
    # What seems to have grown may be another log, while the one that is in the index has another path now.
    sought = {_content(log) for log in (*other, *(one.log for one in grown))}
    for one in grown:
        if one.state is not None and _content(one.state) in sought:
            other.append(one.log)
        else:
            found.behind.append(one)
    replaced = {log.path for log in other}
    adrift = {
        _content(state): state
        for path, state in indexed.items()
        if state.whole and (path not in cached or path in replaced)
    }
    for log in other:
        state = adrift.get(_content(log))
        if state is not None and state.path != log.path:
            del adrift[_content(log)]
            found.moved.append((state.path, log.path))
            found.current += 1
        else:
            found.behind.append(Behind(log, None))
    moved_from = {old for old, _ in found.moved}
    moved_to = {new for _, new in found.moved}
    found.forgotten = [path for path in indexed if path not in moved_from and (path not in cached or path in moved_to)]
    found.behind.sort(key=lambda behind: behind.log.mtime_ns, reverse=True)
    return found


def _is_current(log: CachedLog, state: LogState) -> bool:
    # Texts that the cache kept are as good as it gets until the log is there again.
    return _content(log) == _content(state) and (state.whole or log.state != "ok")


def _content(log: CachedLog | LogState) -> tuple[bytes, int, int, int]:
    """What tells that two logs are the same, whatever their paths."""
    return log.guard, log.parsed_to, log.mtime_ns, log.parser


def places(behind: Sequence[Behind], counts: Sequence[int], taken: Span | None, oldest_ns: int) -> list[int]:
    """The rowid of the first entry of each of these logs, newest first; `counts` tells how many entries each has.

    Entries that are newer have higher rowids, as far as that is possible without moving any: what is older than all that is
    in the index (`oldest_ns`) goes below, where there is room for it, anything else above. `taken` are the rowids that are
    in use; the first index leaves no room at all.
    """
    total = sum(counts)
    low, high = (taken.first, taken.last) if taken is not None else (total + 1, total)
    firsts = [0] * len(behind)
    above = []
    for number, (one, count) in enumerate(zip(behind, counts, strict=True)):
        if low > count and (taken is None or one.log.mtime_ns <= oldest_ns):
            low -= count
            firsts[number] = low
        else:
            above.append(number)
    for number in reversed(above):
        firsts[number] = high + 1
        high += counts[number]
    return firsts
