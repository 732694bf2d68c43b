"""Blame by prompt: which session, and which prompt in it, wrote each line of a file as it is now."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.derive import blame as engine
from ccdashd.derive.alignment import NOBODY, Line
from ccdashd.derive.pricing import Prices
from ccdashd.errors import NotFound, ReadOnly, Unsupported
from ccdashd.protocol import types as t
from ccdashd.sources.edits import Edit
from ccdashd.store import file_edits, projects
from ccdashd.store.costs import wire
from ccdashd.store.file_edits import Prompt, Recorded, Turns, Worker
from ccdashd.store.transcripts import log_tag

FILE_CAP = 8 * 1024 * 1024
"""Larger files, in bytes, are not blamed."""

KEPT = 64
"""Files whose blame is remembered, the last asked for."""

PROMPT_CAP = 2_000
"""Characters of a prompt that an answer shows."""


class Blamed(NamedTuple):
    """The origin of each line: its number is that of the change."""

    changes: list[Recorded]
    unread: int
    lines: list[Line]


class Blames:
    """Blames of late, by path: as long as neither the text nor the recorded changes are others. Safe to use from several
    threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[bytes, Blamed]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: sa.Connection, path: str, text: Callable[[], str]) -> Blamed:
        """The blame of a file; `text` gives what it holds, and is asked only where changes of it are recorded. Raises what
        `text` raises."""
        changes = file_edits.of_path(connection, _paths(connection, path))
        if not changes:
            return Blamed([], 0, [])
        now = text().replace("\r\n", "\n")
        state = _state(changes, now)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == state:
                self._kept.move_to_end(path)
                return kept[1]
        blamed = _blamed(changes, file_edits.read(changes), now)
        with self._lock:
            self._kept[path] = state, blamed
            self._kept.move_to_end(path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return blamed


def text_of(path: str) -> str:
    """What a file holds. Raises `NotFound`, `ReadOnly` where it cannot be read, `Unsupported` where it is no text."""
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_CAP + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound("file", path, "only files that are there can be blamed") from None
    except OSError as error:
        raise ReadOnly(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > FILE_CAP:
        raise Unsupported(f"{path} is larger than {FILE_CAP // 2**20} MiB, and is not blamed")
    if b"\0" in data:
        raise Unsupported(f"{path} is not text")
    return data.decode("utf-8", "replace")


def answer(
    connection: sa.Connection, blamed: Blamed, prices: Prices, first: int, last: int
) -> tuple[list[t.BlameBlock], list[t.BlameChange]]:
    """Blocks of the lines `first` to before `last`, from 0, and the changes that they come from, the oldest first."""
    part = list(engine.blocks(blamed.lines[first:last]))
    standing: dict[int, int] = {}
    for block in part:
        standing[block.origin] = standing.get(block.origin, 0) + block.end - block.start
    order = {origin: number for number, origin in enumerate(sorted(standing))}
    turns: dict[int, Turns] = {}
    workers = file_edits.workers(connection, {blamed.changes[origin].session_id for origin in order})
    changes = []
    for origin in order:
        change = blamed.changes[origin]
        log = turns.get(change.file_id)
        if log is None:
            log = turns[change.file_id] = Turns(connection, change.file_id)
        changes.append(_change(change, log, prices, workers.get(change.session_id), standing[origin]))
    blocks = [
        t.BlameBlock(start=first + block.start + 1, end=first + block.end, change=order[block.origin], fit=block.fit)
        for block in part
    ]
    return blocks, changes


def _paths(connection: sa.Connection, path: str) -> list[str]:
    project = projects.holding(connection, path)
    return [path] if project is None else file_edits.paths_of(connection, path, project.root, project.id)


def _state(changes: Sequence[Recorded], text: str) -> bytes:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    for change in changes:
        digest.update(f"\0{change.tool_use_id} {change.log} {change.offset}".encode("utf-8", "surrogateescape"))
    return digest.digest()


def _blamed(changes: list[Recorded], edits: Sequence[Edit | None], now: str) -> Blamed:
    numbers = [number for number, edit in enumerate(edits) if edit is not None]
    lines = engine.blame([edit for edit in edits if edit is not None], now)
    return Blamed(
        changes,
        len(edits) - len(numbers),
        [line if line.origin == NOBODY else line._replace(origin=numbers[line.origin]) for line in lines],
    )


def _change(change: Recorded, turns: Turns, prices: Prices, worker: Worker | None, lines: int) -> t.BlameChange:
    turn = turns.turn(change.time)
    spent = turns.spent(turn, prices)
    return t.BlameChange(
        session_id=change.session_id,
        title=worker.main if worker is not None else "",
        subagent=worker.subagent if worker is not None else None,
        tool=change.tool,
        tool_use_id=change.tool_use_id,
        entry=f"{log_tag(change.log)}-{change.offset}",
        model=change.model,
        time=iso(change.time),
        prompt=_prompt(change, turns.prompt(turn), worker),
        cost=wire(spent) if spent is not None else None,
        lines=lines,
    )


def _prompt(change: Recorded, prompt: Prompt | None, worker: Worker | None) -> t.BlamePrompt | None:
    if prompt is not None:
        entry = f"{log_tag(change.log)}-{prompt.entry.offset}"
        return t.BlamePrompt(entry=entry, text=prompt.entry.text[:PROMPT_CAP], time=iso(prompt.time))
    if worker is not None and worker.subagent is not None:
        return t.BlamePrompt(entry=None, text=worker.title, time=None)  # the task that it was given
    return None
