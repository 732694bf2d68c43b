"""Blame by prompt: which session, and which prompt in it, wrote each line of a file as it is now."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.archive.archive import Archive
from ccdashd.clock import iso
from ccdashd.derive import blame as engine
from ccdashd.derive.alignment import NOBODY, Line
from ccdashd.derive.blame import Block
from ccdashd.derive.pricing import Prices, total
from ccdashd.errors import NotFound, ReadOnly, Unsupported
from ccdashd.protocol import types as t
from ccdashd.store import file_edits
from ccdashd.store.costs import wire
from ccdashd.store.file_edits import Recorded, Worker
from ccdashd.store.turns import Log, Turns

FILE_CAP = 8 * 1024 * 1024
"""Larger files, in bytes, are not blamed."""

KEPT = 64
"""Files whose blame is remembered, the last asked for."""


Answer = tuple[list[t.BlameBlock], list[t.BlameChange]]
"""Blocks of lines, and the changes that they come from, the oldest first."""

_Around = tuple[dict[int, Log], dict[str, Worker]]
"""The logs and the sessions of changes: while they are the same, all that is told of the changes is."""


@dataclass(eq=False)
class Blamed:
    """The origin of each line: its number is that of the change."""

    changes: list[Recorded]
    unread: int
    lines: list[Line]
    blocks: list[Block]
    """The same lines, joined where they come from one change."""
    told: tuple[tuple[int, int], _Around, Answer] | None = None
    """The last answer, about which lines, and what it was made of."""


class Blames:
    """Blames of late, by path: as long as neither the text nor the recorded changes are others. Safe to use from several
    threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.turns = Turns()
        self._kept: OrderedDict[str, tuple[bytes, Blamed]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: str, changes: list[Recorded], text: Callable[[], str]) -> Blamed:
        """The blame of a file with these recorded changes; `text` gives what it holds, and is asked only where there are
        any. Raises what `text` raises."""
        if not changes:
            return Blamed([], 0, [], [])
        now = text().replace("\r\n", "\n")
        state = _state(changes, now)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == state:
                self._kept.move_to_end(path)
                return kept[1]
        blamed = _blamed(self._archive, path, changes, now)
        with self._lock:
            self._kept[path] = state, blamed
            self._kept.move_to_end(path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return blamed

    def answer(self, connection: sa.Connection, blamed: Blamed, prices: Prices, first: int, last: int) -> Answer:
        """What is known of the lines `first` to before `last`, from 0."""
        whole = first == 0 and last >= len(blamed.lines)
        part = blamed.blocks if whole else list(engine.blocks(blamed.lines[first:last]))
        standing: Counter[int] = Counter()
        for block in part:
            standing[block.origin] += block.end - block.start
        changes = {origin: blamed.changes[origin] for origin in sorted(standing)}
        around = self._around(connection, changes.values())
        if blamed.told is not None and blamed.told[:2] == ((first, last), around):
            return blamed.told[2]
        order = {origin: number for number, origin in enumerate(changes)}
        blocks = [
            t.BlameBlock(start=first + block.start + 1, end=first + block.end, change=order[block.origin], fit=block.fit)
            for block in part
        ]
        answer = blocks, _changes(connection, changes, around, prices, standing)
        blamed.told = (first, last), around, answer
        return answer

    def turns_of(self, connection: sa.Connection, blamed: Blamed) -> dict[int, tuple[int, int]]:
        """The turn of each change of which lines stand: the log, and its number in it."""
        origins = {block.origin for block in blamed.blocks}
        logs = self.turns.of(connection, {blamed.changes[origin].file_id for origin in origins})
        return {
            origin: (change.file_id, logs[change.file_id].turn(change.time))
            for origin, change in ((origin, blamed.changes[origin]) for origin in origins)
        }

    def changes(
        self, connection: sa.Connection, changes: Mapping[int, Recorded], prices: Prices
    ) -> dict[int, t.BlameChange]:
        """What is known of changes by number: who made them, for which prompt, what that cost."""
        around = self._around(connection, changes.values())
        return dict(zip(changes, _changes(connection, changes, around, prices, {}), strict=True))

    def _around(self, connection: sa.Connection, changes: Collection[Recorded]) -> _Around:
        logs = self.turns.of(connection, {change.file_id for change in changes})
        return logs, file_edits.workers(connection, {change.session_id for change in changes})

    def cost(self, connection: sa.Connection, changes: Iterable[Recorded], prices: Prices) -> t.Cost | None:
        """What the turns cost in which these changes were made, each once; None where no usage is known."""
        by_log: dict[int, list[Recorded]] = {}
        for change in changes:
            by_log.setdefault(change.file_id, []).append(change)
        parts = []
        for file_id, log in self.turns.of(connection, by_log).items():
            turns = {log.turn(change.time) for change in by_log[file_id]}
            used = log.spent(connection, prices, turns)
            parts += [spent for turn in turns if (spent := used[turn]) is not None]
        return wire(total(parts)) if parts else None


def text_of(path: str) -> str:
    """What a file holds. Raises `NotFound`, `ReadOnly` where it cannot be read, `Unsupported` where it is no text."""
    try:
        with open(path, "rb", opener=_opened) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError
            data = file.read(FILE_CAP + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound("file", path, "only files that are there can be blamed") from None
    except (OSError, ValueError) as error:
        raise ReadOnly(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > FILE_CAP:
        raise Unsupported(f"{path} is larger than {FILE_CAP // 2**20} MiB, and is not blamed")
    if b"\0" in data:
        raise Unsupported(f"{path} is not text")
    return data.decode("utf-8", "replace")


def _opened(path: str, flags: int) -> int:
    # A pipe would be waited for.
    return os.open(path, flags | os.O_NONBLOCK)


def _state(changes: Sequence[Recorded], text: str) -> bytes:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    for change in changes:
        digest.update(f"\0{change.tool_use_id} {change.log} {change.offset}".encode("utf-8", "surrogateescape"))
    return digest.digest()


def _blamed(archive: Archive, path: str, changes: list[Recorded], now: str) -> Blamed:
    copies: dict[str, list[int]] = {path: []}
    for number in reversed(range(len(changes))):  # the copy that was changed last comes first
        copies.setdefault(changes[number].path, []).append(number)
    lines: list[Line] = []
    with file_edits.reading(archive, changes) as edits:
        for numbers in copies.values():
            there = [(number, edit) for number in reversed(numbers) if (edit := edits[number]) is not None]
            found = engine.blame([edit for _, edit in there], now)
            told = [_numbered(line, there[line.origin][0]) if line.origin != NOBODY else line for line in found]
            # Each copy has a life of its own: what others tell is asked only of lines that are not from the file's own.
            lines = [other if ours.origin == NOBODY else ours for ours, other in zip(lines or told, told, strict=True)]
    return Blamed(changes, sum(edit is None for edit in edits), lines, list(engine.blocks(lines)))


def _numbered(line: Line, origin: int) -> Line:
    return line if line.origin == origin else line._replace(origin=origin)


def _changes(
    connection: sa.Connection,
    changes: Mapping[int, Recorded],
    around: _Around,
    prices: Prices,
    standing: Mapping[int, int],
) -> list[t.BlameChange]:
    logs, workers = around
    at = {number: (change.file_id, logs[change.file_id].turn(change.time)) for number, change in changes.items()}
    asked: dict[tuple[int, int], _Turn] = {}
    for file_id, turns in groupby(sorted(set(at.values())), itemgetter(0)):
        asked.update(_turns(connection, logs[file_id], [turn for _, turn in turns], prices))
    return [
        _change(change, asked[at[number]], workers.get(change.session_id), standing.get(number, 0))
        for number, change in changes.items()
    ]


class _Turn(NamedTuple):
    """What a change was made for, and what that cost; `tag` is that of the log."""

    tag: str
    prompt: t.BlamePrompt | None
    cost: t.Cost | None


def _turns(connection: sa.Connection, log: Log, turns: Sequence[int], prices: Prices) -> dict[tuple[int, int], _Turn]:
    prompts, spent = log.prompts(connection, turns), log.spent(connection, prices, turns)
    found = {}
    for turn in turns:
        prompt, cost = prompts[turn], spent[turn]
        told = None
        if prompt is not None:
            told = t.BlamePrompt(entry=f"{log.tag}-{prompt.offset}", text=prompt.text, time=iso(prompt.time))
        found[log.file_id, turn] = _Turn(log.tag, told, wire(cost) if cost is not None else None)
    return found


def _change(change: Recorded, turn: _Turn, worker: Worker | None, lines: int) -> t.BlameChange:
    prompt = turn.prompt
    if prompt is None and worker is not None and worker.subagent is not None:
        prompt = t.BlamePrompt(entry=None, text=worker.title, time=None)  # the task that it was given
    return t.BlameChange(
        session_id=change.session_id,
        title=worker.main if worker is not None else "",
        subagent=worker.subagent if worker is not None else None,
        tool=change.tool,
        tool_use_id=change.tool_use_id,
        entry=f"{turn.tag}-{change.offset}",
        model=change.model,
        time=iso(change.time),
        prompt=prompt,
        cost=turn.cost,
        lines=lines,
    )
