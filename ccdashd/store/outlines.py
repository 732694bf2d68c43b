"""The outline of a session's transcript: which entry stands where in which log, and on which branch, without texts.

An outline takes reading all pages of a session, so those of late are kept. They follow from the bytes of logs alone; what
tells that these are the same tells that the outline is.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

import sqlalchemy as sa

from ccdashd.derive import branches
from ccdashd.derive.branches import Branches
from ccdashd.sources.model import KIND, Entry
from ccdashd.store import entries
from ccdashd.store.entries import Log
from ccdashd.store.pages import Head

KEPT: Final = 200_000
"""Entries of outlines that are kept, at about 100 bytes each."""

NO_TIME: Final = -(2**63)

_CALL = KIND["toolCall"]
_ASKING = frozenset((KIND["prompt"], KIND["command"], KIND["bash"], KIND["steering"]))
_ID = re.compile(r"([0-9a-f]{6})-([0-9]{1,18})(?:-([0-9]{1,9}))?")


class Span(NamedTuple):
    """What is known of a branch beside its shape."""

    prompt: int | None
    """The first entry on it that asks for something."""
    started_at: int | None
    ended_at: int | None


class Outline:
    """The entries of a session in the order in which a transcript shows them, each of several copies once."""

    def __init__(self, logs: list[Log], placed: list[tuple[int, int, Head]]) -> None:
        """`placed` tells of each entry the number of its log, and its number there."""
        heads = [head for _, _, head in placed]
        self.logs = logs
        self.branches: Branches = branches.derive(heads)
        self.offsets = array("q", [head.offset for head in heads])
        self.times = array("q", [NO_TIME if head.time is None else head.time for head in heads])
        self.calls = {
            head.tool_use_id: index
            for index, head in enumerate(heads)
            if head.kind == _CALL and head.tool_use_id is not None
        }
        """Tool calls, by their id."""
        self.spans = _spans(self.branches, heads)
        """Of each branch."""
        self._logs = array("I", [log for log, _, _ in placed])
        self._numbers = array("I", [number for _, number, _ in placed])
        self._blocks = array("I", [head.block for head in heads])
        self._hashes = array("q", [hash(head.uuid) for head in heads])
        self._paths: dict[int, list[range]] = {}

    def __len__(self) -> int:
        return len(self.offsets)

    def log(self, index: int) -> Log:
        """The log that an entry stands in."""
        return self.logs[self._logs[index]]

    def id(self, index: int) -> str:
        """The id of an entry."""
        return entries.entry_id(self.log(index), self.offsets[index], self._blocks[index])

    def branch(self, index: int) -> str:
        """The id of the branch that an entry is on: that of the first entry there."""
        return self.id(self.branches.items[self.branches.of[index]].first)

    def path(self, number: int) -> list[range]:
        """The entries that lead to the end of a branch; see `Branches.path`."""
        if number not in self._paths:
            self._paths[number] = self.branches.path(number)
        return self._paths[number]

    def branch_number(self, wanted: str) -> int | None:
        """The number of a branch by its id; None where there is none."""
        first = self._with_id(wanted)
        if first is None or self.branches.items[self.branches.of[first]].first != first:
            return None
        return self.branches.of[first]

    def read(self, connection: sa.Connection, start: int, stop: int) -> list[Entry]:
        """Entries `start` to `stop`, with their texts."""
        found: list[Entry] = []
        while start < stop:
            end = start + 1
            log, number = self._logs[start], self._numbers[start]
            while end < stop and self._logs[end] == log and self._numbers[end] == number + end - start:
                end += 1
            found += entries.read(connection, self.logs[log], number, number + end - start)
            start = end
        return found

    def find(self, connection: sa.Connection, wanted: str) -> int | None:
        """The place of the entry with that id, or of the first with that uuid; None where there is none.

        The id of a copy that is left out leads to the entry that is shown in its place.
        """
        index = self._with_id(wanted)
        if index is None:
            copy = self._left_out(connection, wanted)
            index = self._with_uuid(connection, wanted) if copy is None else self._with_uuid(connection, *copy)
        return index

    def _with_uuid(self, connection: sa.Connection, uuid: str, block: int | None = None) -> int | None:
        start = 0
        while True:
            try:
                start = self._hashes.index(hash(uuid), start)
            except ValueError:
                return None
            if block in (None, self._blocks[start]) and self.read(connection, start, start + 1)[0].uuid == uuid:
                return start
            start += 1

    def _left_out(self, connection: sa.Connection, wanted: str) -> tuple[str, int] | None:
        """The uuid and block of the entry with that id in its log, of which a transcript shows another copy."""
        match = _ID.fullmatch(wanted)
        if match is None or len(self.logs) < 2:
            return None
        place = int(match[2]), int(match[3] or 0)
        for log in self.logs:
            if log.tag == match[1]:
                for head in entries.heads(connection, log):
                    if (head.offset, head.block) == place and head.uuid is not None:
                        return head.uuid, head.block
        return None

    def first_entries(self, log: Log) -> dict[int, int]:
        """The first entry of each record of a log that is shown, by the record's offset."""
        places = reversed(range(len(self)))
        return {self.offsets[index]: index for index in places if self.logs[self._logs[index]] is log}

    def record_at(self, path: str, offset: int) -> int | None:
        """The first entry of the record at an offset of a log; None where it is not shown."""
        start = 0
        while True:
            try:
                start = self.offsets.index(offset, start)
            except ValueError:
                return None
            if self.log(start).path == path:
                return start
            start += 1

    def _with_id(self, wanted: str) -> int | None:
        match = _ID.fullmatch(wanted)
        if match is None:
            return None
        for log in self.logs:
            index = self.record_at(log.path, int(match[2])) if log.tag == match[1] else None
            while index is not None and index < len(self) and self.offsets[index] == int(match[2]):
                if self.id(index) == wanted:
                    return index
                index += 1
        return None


def outlines(connection: sa.Connection, session_ids: Iterable[str]) -> dict[str, Outline]:
    """The outlines of these sessions; empty ones where there are no logs."""
    found = {}
    for session_id, logs in entries.logs_of(connection, session_ids).items():
        made = _kept.get(tuple(logs))
        if made is None:
            made = Outline(logs, _placed(connection, logs))
            if all(log.is_whole for log in logs):
                _kept.put(tuple(logs), made)
        found[session_id] = made
    return found


def outline(connection: sa.Connection, session_id: str) -> Outline:
    """The outline of one session."""
    return outlines(connection, [session_id])[session_id]


def _placed(connection: sa.Connection, logs: list[Log]) -> list[tuple[int, int, Head]]:
    """The entries of logs, each once: log by log, the one that begins first coming first."""
    read = [(number, entries.heads(connection, log)) for number, log in enumerate(logs)]
    if len(read) == 1:
        return [(0, number, head) for number, head in enumerate(read[0][1])]
    read.sort(key=lambda pair: (min((e.time for e in pair[1] if e.time is not None), default=0), -len(pair[1]), pair[0]))
    seen: set[tuple[str, int]] = set()
    placed = []
    for log, heads in read:
        for number, head in enumerate(heads):
            if head.uuid is not None:
                if (head.uuid, head.block) in seen:
                    continue
                seen.add((head.uuid, head.block))
            placed.append((log, number, head))
    return placed


def _spans(found: Branches, heads: list[Head]) -> list[Span]:
    prompts: list[int | None] = [None] * len(found.items)
    times: list[tuple[int, int] | None] = [None] * len(found.items)
    for index, head in enumerate(heads):
        branch = found.of[index]
        if head.kind in _ASKING and prompts[branch] is None:
            prompts[branch] = index
        if head.time is not None:
            first, last = times[branch] or (head.time, head.time)
            times[branch] = min(first, head.time), max(last, head.time)
    return [Span(prompt, *(span or (None, None))) for prompt, span in zip(prompts, times, strict=True)]


class _Kept:
    """Outlines of late, by the logs as they were. Safe to use from several threads."""

    def __init__(self) -> None:
        self._outlines: OrderedDict[tuple[Log, ...], Outline] = OrderedDict()
        self._entries = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[Log, ...]) -> Outline | None:
        with self._lock:
            known = self._outlines.get(key)
            if known is not None:
                self._outlines.move_to_end(key)
            return known

    def put(self, key: tuple[Log, ...], made: Outline) -> None:
        with self._lock:
            self._entries += len(made) - len(self._outlines.pop(key, ()))
            self._outlines[key] = made
            while self._entries > KEPT and len(self._outlines) > 1:
                _, dropped = self._outlines.popitem(last=False)
                self._entries -= len(dropped)


_kept = _Kept()
