"""A planning file as an editor has it, and where in it tasks, phases and the feature stand.

What is read is the text at hand: that of the buffer where the editor tells it, else that of the disk. It may be ahead of
the cache, so places come from the text, and the cache only tells what belongs to the ids in it. Lines count from 0 here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

import sqlalchemy as sa

from ccdashd.derive.phases import tokens
from ccdashd.edits import files
from ccdashd.errors import ReadOnly
from ccdashd.lsp.editor import KEPT_TEXT, Editor
from ccdashd.lsp.text import line_range, path_of, units, uri_of
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.sources.planning import documents, frontmatter, tasks
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.model import Document, Task
from ccdashd.sources.planning.yaml import Path
from ccdashd.store import plan_file
from ccdashd.store.plan_file import PhaseTold, PlanFile, PlanPath

KEPT: Final = 1024 * 1024
"""Characters of all texts whose reading is remembered, the last asked for: about 20 MB."""


class TaskAt(NamedTuple):
    """A task of a text."""

    task: Task
    first: int
    last: int
    status: int
    """The line that tells its status, or its first one."""
    path: Path | None
    """In the frontmatter, where it stands there."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a text says. Do not change it: it is kept."""

    path: str
    data: bytes
    text: str
    """As `data` says it."""
    document: Document
    frontmatter: Frontmatter

    @cached_property
    def lines(self) -> list[str]:
        """Without line feeds."""
        return self.text.split("\n")

    @cached_property
    def tasks(self) -> list[TaskAt]:
        """Its tasks, in the order of the text."""
        return list(_tasks(self))

    @property
    def status_line(self) -> int | None:
        """The line of its own status."""
        line = self.document.status_line
        return line - 1 if line else None

    def line_of(self, *path: str | int) -> int:
        """The line of a value of the frontmatter, or of what encloses it."""
        return self.frontmatter.line_of(path) - 1

    def range_of(self, line: int) -> lsp.Range:
        """A line without the blanks around what it says; a line behind the text is the last one."""
        number = min(max(line, 0), len(self.lines) - 1)
        words = self.lines[number].rstrip()
        whole = line_range(number, words)
        indent = len(words) - len(words.lstrip())
        return lsp.Range(start=lsp.Position(line=number, character=indent), end=whole.end)

    def range_in(self, line: int, words: str) -> lsp.Range:
        """Where a line says these words the last time; all of it where it does not."""
        written = self.lines[line] if 0 <= line < len(self.lines) else ""
        at = written.rfind(words) if words else -1
        if at < 0:
            return self.range_of(line)
        start, end = units(written, at), units(written, at + len(words))
        return lsp.Range(start=lsp.Position(line=line, character=start), end=lsp.Position(line=line, character=end))

    def task_at(self, line: int) -> TaskAt | None:
        """The task that a line belongs to."""
        return next((at for at in self.tasks if at.first <= line <= at.last), None)


class Readings:
    """The readings of late. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Reading] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def of(self, path: str, text: str) -> Reading:
        """What the text of the file at `path` says, relative to the project."""
        key = (path, text)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        reading = _read(path, text)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = reading
                self._size += len(text)
            while self._size > KEPT and len(self._kept) > 1:
                (_, oldest), _ = self._kept.popitem(last=False)
                self._size -= len(oldest)
        return reading


read: Final = Readings().of
"""Reads a text, or remembers what it says: editors ask for lenses, hints and hovers of the same text."""


def _read(path: str, text: str) -> Reading:
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")  # half a character, which no file can hold
    front = frontmatter.read(data)
    return Reading(
        path=path,
        data=data,
        text=data.decode("utf-8", "surrogateescape"),
        document=documents.read_below(path, data, front),
        frontmatter=front,
    )


def _tasks(reading: Reading) -> Iterator[TaskAt]:
    paths = tasks.places(reading.frontmatter)
    for task in reading.document.tasks:
        first = task.line - 1
        if task.form not in ("list", "map"):
            yield TaskAt(task, first, first, first, None)
            continue
        path = paths[task.key]
        key = next((key for key in tasks.STATUS_KEYS if key in task.fields), None)
        status = reading.line_of(*path, key) if key is not None else first
        # What comes by an alias or a merge stands elsewhere.
        last = max(_last_line(reading, path), first)
        yield TaskAt(task, first, last, status if first <= status <= last else first, path)


def _last_line(reading: Reading, path: Path) -> int:
    yaml = reading.frontmatter.yaml
    found = yaml.find(path) if yaml is not None else None
    if yaml is None or found is None:
        return 0
    # A block ends where the next thing begins.
    end: int = found[1].end_mark.index
    while end > 0 and yaml.text[end - 1].isspace():
        end -= 1
    return yaml.line_at(max(end - 1, 0))


@dataclass(frozen=True, eq=False)
class Plan:
    """A planning file that an editor asks about."""

    uri: str
    version: int | None
    """That of the buffer, where the text is that."""
    place: PlanPath
    reading: Reading
    known: PlanFile

    @property
    def document_id(self) -> str:
        return self.place.document_id

    def task_id(self, task: Task) -> str:
        """The id of a task of the text, as the cache has it or will have it."""
        return f"{self.document_id}#{task.key}"

    def phases(self) -> Iterator[tuple[PhaseTold, int]]:
        """The phases that the cache knows of this file, and where they stand now."""
        for told in self.known.phases:
            line = self._line_of(told)
            if line is not None:
                yield told, line

    def status_of(self) -> tuple[Literal["feature", "phase", "document"], str]:
        """Of what the file's own status is the status: type and id."""
        if self.known.feature is not None and self.known.holds_status:
            return "feature", self.known.feature.id
        own = self._own_phase
        return ("phase", own.id) if own is not None else ("document", self.document_id)

    @property
    def _own_phase(self) -> PhaseTold | None:
        """The phase that the file is of, where it is not one that a plan announces."""
        phases = self.known.phases
        is_own = len(phases) == 1 and (phases[0].row.raw_status or not phases[0].row.planned)
        return phases[0] if is_own else None

    def _line_of(self, told: PhaseTold) -> int | None:
        own = told is self._own_phase
        if own and self.reading.status_line is not None:
            return self.reading.status_line
        wanted = tokens(told.phase)
        planned = (planned.line - 1 for planned in self.reading.document.phases if wanted & tokens(planned.phase))
        begun = (at.first for at in self.reading.tasks if own or tokens(at.task.phase) & wanted)
        return next(planned, next(begun, None))


def plan_at(connection: sa.Connection, editor: Editor, uri: str) -> Plan | None:
    """The planning file of that URI; None where there is none, or it cannot be read."""
    path = path_of(uri)
    place = plan_file.place_of(connection, path) if path is not None else None
    if path is None or place is None:
        return None
    opened = editor.documents.get(path)
    text = opened.text if opened is not None else None
    if text is None:
        size = plan_file.size_of(connection, place.document_id)
        text = text_on_disk(place) if size is not None and size <= KEPT_TEXT else None
    if text is None:
        return None
    version = opened.version if opened is not None else None
    return Plan(uri, version, place, read(place.path, text), plan_file.of_document(connection, place.document_id))


def text_on_disk(place: PlanPath) -> str | None:
    """What the file holds; None where it is gone, cannot be read, or lies outside its project."""
    try:
        return files.read(place.root, place.path).data.decode("utf-8", "surrogateescape")
    except ReadOnly:
        return None


def uri_in(place: PlanPath, path: str, line: int | None = None) -> str:
    """The URI of a file of the same project, at a line that counts from 1."""
    return uri_of(f"{place.root.rstrip('/')}/{path}") + (f"#L{line}" if line else "")


def entity(type_: t.EntityType, id: str) -> dict[str, str]:
    """An entity as arguments of commands name it."""
    return {"type": type_, "id": id}
