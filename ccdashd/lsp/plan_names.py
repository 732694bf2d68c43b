"""Names in the text of a planning file: ids of sessions, paths of files in the project, ids of tasks of the feature."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final, Literal, NamedTuple

import sqlalchemy as sa

from ccdashd.lsp.plan_places import Plan
from ccdashd.lsp.text import units
from ccdashd.protocol import lsp
from ccdashd.sources.planning.refs import resolve
from ccdashd.store import plan_file
from ccdashd.store.plan_file import TaskPlace
from ccdashd.store.worked_on import known_sessions

LONGEST: Final = 10_000
"""Characters of a line that are looked at."""

_SESSION: Final = r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])"
_FILE: Final = r"(?<![\w/:.@~-])(?:[\w@.+-]*(?:/[\w@.+-]+)+|[\w.+-]+\.(?:md|markdown|mdc))(?:(?:#L?|:)\d+)?(?![\w/])"
_TASK: Final = r"(?<![\w./-])(?=[A-Za-z_.-]*\d)[A-Za-z]\w*(?:[-.]\w+)*"
_NAME: Final = re.compile(f"(?P<session>{_SESSION})|(?P<file>{_FILE})|(?P<task>{_TASK})", re.ASCII | re.IGNORECASE)


class Name(NamedTuple):
    """A name, and what it is that of."""

    range: lsp.Range
    kind: Literal["session", "file", "task"]
    target: str
    """The id of a session; the path in the project of a file, or of the file that holds a task."""
    line: int | None = None
    """In that file, counted from 1."""
    task: TaskPlace | None = None


class _Found(NamedTuple):
    line: int
    start: int
    match: re.Match[str]

    @property
    def text(self) -> str:
        return self.match[0]


class Names:
    """Finds the names in a planning file. `connection` is asked for what they are those of."""

    def __init__(self, connection: sa.Connection, plan: Plan) -> None:
        self._connection = connection
        self._plan = plan
        self._paths: dict[str, str | None] = {}

    def within(self, lines: Iterable[int]) -> Iterator[Name]:
        """The names in these lines that are those of something."""
        found = [item for line in lines for item in self._matches(line)]
        wanted = {item.text.lower() for item in found if item.match.lastgroup == "session"}
        sessions = known_sessions(self._connection, wanted) if wanted else set()
        for item in found:
            name = self._named(item, sessions)
            if name is not None:
                yield name

    def _matches(self, line: int) -> Iterator[_Found]:
        lines = self._plan.reading.lines
        written = lines[line][:LONGEST] if line < len(lines) else ""
        for match in _NAME.finditer(written):
            yield _Found(line, match.start(), match)

    def _named(self, item: _Found, sessions: set[str]) -> Name | None:
        match item.match.lastgroup:
            case "session" if item.text.lower() in sessions:
                return Name(self._range(item, item.text), "session", item.text.lower())
            case "file":
                return self._file(item)
            case "task" if item.text in self.tasks:
                place = self.tasks[item.text]
                return Name(self._range(item, item.text), "task", place.path, place.line, place)
        return None

    def _range(self, item: _Found, text: str) -> lsp.Range:
        written = self._plan.reading.lines[item.line]
        ends = (item.start, item.start + len(text))
        start, end = (lsp.Position(line=item.line, character=units(written, end)) for end in ends)
        return lsp.Range(start=start, end=end)

    def _file(self, item: _Found) -> Name | None:
        raw = re.split(r"[#:]", item.text, maxsplit=1)[0].rstrip(".")
        path = self._path(raw)
        if path is None:
            return None
        number = item.text[len(raw) :].lstrip("#L:")
        whole = item.text if number.isdigit() else raw
        return Name(self._range(item, whole), "file", path, int(number[:9]) if number.isdigit() else None)

    def _path(self, raw: str) -> str | None:
        """The path in the project of a file that is there."""
        if raw not in self._paths:
            document = self._plan.place.path
            meant = (resolve(raw, document), resolve(raw, document, link=True))
            self._paths[raw] = next((path for path in meant if path and self._is_file(path)), None)
        return self._paths[raw]

    def _is_file(self, path: str) -> bool:
        absolute = os.path.join(self._root, path)
        return os.path.isfile(absolute) and os.path.realpath(absolute).startswith(self._root.rstrip("/") + "/")

    @cached_property
    def _root(self) -> str:
        return os.path.realpath(self._plan.place.root)

    @cached_property
    def tasks(self) -> dict[str, TaskPlace]:
        """The tasks of the feature by their id, of those that it means; those of this file where it has one of that id."""
        feature = self._plan.known.feature
        others = plan_file.tasks_named(self._connection, feature.id) if feature is not None else {}
        here = self._plan.place.path
        found = {name: places[0] for name, places in others.items() if len(places) == 1 and places[0].path != here}
        for at in reversed(self._plan.reading.tasks):
            found[at.task.task_id] = TaskPlace(self._plan.task_id(at.task), here, at.first + 1, at.task.status)
        return found
