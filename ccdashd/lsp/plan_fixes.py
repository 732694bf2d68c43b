"""What may be written instead of what is wrong in a planning file. Pure.

Each fix is tried on the text and read again: it is offered only where what it is for is gone, and everything else says what
it said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from ccdashd.edits import status
from ccdashd.edits.frontmatter import EditRefused, set_value
from ccdashd.lsp.diagnostics import diagnostic_of, duplicate_of
from ccdashd.lsp.plan_places import Reading, TaskAt
from ccdashd.protocol import lsp
from ccdashd.rendering import words
from ccdashd.sources.planning import documents, frontmatter
from ccdashd.sources.planning.fixes import Fix
from ccdashd.sources.planning.model import Document
from ccdashd.sources.planning.status import near
from ccdashd.sources.planning.tasks import ID_KEYS

MOST_REPAIRS: Final = 3
"""Repairs of one request that are tried: each reads the frontmatter anew."""

_TITLE: Final = 100
"""Characters of a title that shows what is written."""

_CONFLICT: Final = "merge-conflict"
_COUNTED: Final = re.compile(r"(.*?)([0-9]+)")


class QuickFix(NamedTuple):
    title: str
    diagnostics: list[lsp.Diagnostic]
    """What it is for."""
    data: bytes
    """The whole file with the fix."""
    preferred: bool = False


def fixes(reading: Reading, first: int, last: int) -> Iterator[QuickFix]:
    """Fixes of what is wrong in these lines."""
    yield from _repairs(reading, first, last)
    yield from _statuses(reading, first, last)
    yield from _renamed(reading, first, last)


# --- frontmatter that is no YAML ---


def _repairs(reading: Reading, first: int, last: int) -> Iterator[QuickFix]:
    repairs = reading.frontmatter.repairs
    here = [place for place, fix in enumerate(repairs) if first <= fix.line + 1 <= last]
    # The lines of one conflict go together.
    conflict = tuple(place for place, fix in enumerate(repairs) if fix.code == _CONFLICT)
    groups = dict.fromkeys(conflict if place in conflict else (place,) for place in here)
    everything = tuple(range(len(repairs)))
    for group in islice(groups, MOST_REPAIRS):
        data = _repaired(reading, group)
        if data is not None:
            fix = repairs[group[0]]
            yield QuickFix(_title(fix), _of_repairs(reading, group), data, preferred=not fix.loses)
    if here and everything not in groups:
        data = _repaired(reading, everything)
        if data is not None:
            title = f"Repair all of the frontmatter, in {words.number(len(repairs), 'place')}"
            yield QuickFix(title, _of_repairs(reading, everything), data)


def _title(fix: Fix) -> str:
    if fix.code == _CONFLICT:
        return "Remove the markers of the merge conflict"
    if fix.loses:
        return f"Make {'a comment of this line' if len(fix.changes) == 1 else f'comments of {len(fix.changes)} lines'}"
    return words.short(f"W{fix.hint.removeprefix('w')}", _TITLE) if fix.hint.startswith("write") else "Repair this line"


def _of_repairs(reading: Reading, places: tuple[int, ...]) -> list[lsp.Diagnostic]:
    repairs = (reading.frontmatter.repairs[place] for place in places)
    repaired = {(fix.code, fix.line + 2) for fix in repairs}
    found = (finding for finding in reading.document.findings if (finding.code, finding.line) in repaired)
    return [diagnostic_of(reading, finding) for finding in found]


@lru_cache(maxsize=16)
def _repaired(reading: Reading, places: tuple[int, ...]) -> bytes | None:
    """The file with some of its repairs; None where it would not say what it says. Kept, since a broken file is read slowly
    and editors ask at every move."""
    changes: dict[int, str | None] = {}
    repairs = [reading.frontmatter.repairs[place] for place in places]
    for fix in repairs:
        changes |= _written(reading, fix)
    data = _with_lines(reading, changes)
    before, now = reading.frontmatter, frontmatter.read(data)
    is_better = len(now.repairs) <= len(before.repairs) - len(repairs)
    return data if is_better and now.values == before.values else None


def _written(reading: Reading, fix: Fix) -> Mapping[int, str | None]:
    """What a repair writes into lines of the file; None for one that goes. What the reader leaves out becomes a comment."""
    if fix.code == _CONFLICT:
        return dict.fromkeys((line + 1 for line in fix.changes), None)
    if not fix.loses:
        return {line + 1: text for line, text in fix.changes.items()}
    return {line + 1: _comment(reading.lines[line + 1]) for line in fix.changes}


def _comment(line: str) -> str:
    said = line.lstrip(" \t")
    return f"{line[: len(line) - len(said)]}# {said}".rstrip("\r") if said.strip() else line.rstrip("\r")


def _with_lines(reading: Reading, changes: Mapping[int, str | None]) -> bytes:
    lines = []
    for number, line in enumerate(reading.lines):
        text = changes.get(number, line)
        if number in changes and text is not None and line.endswith("\r"):
            text += "\r"
        if text is not None:
            lines.append(text)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


# --- words that mean no status ---


def _statuses(reading: Reading, first: int, last: int) -> Iterator[QuickFix]:
    for finding in reading.document.findings:
        line = finding.line - 1
        if finding.code != "unknown-status" or not first <= line <= last:
            continue
        task = next((at.task for at in reading.tasks if at.status == line), None)
        raw = task.raw_status if task is not None else reading.document.raw_status
        for n, word in enumerate(near(raw)):
            try:
                made = status.plan(reading.path, reading.data, status.wanted(word), task.key if task is not None else None)
            except EditRefused:
                continue
            diagnostics = [diagnostic_of(reading, finding)]
            yield QuickFix(f"Set status to {made.raw_status}", diagnostics, made.data, preferred=n == 0)


# --- ids that two tasks have ---


def _renamed(reading: Reading, first: int, last: int) -> Iterator[QuickFix]:
    for at in reading.tasks:
        diagnostic = duplicate_of(reading, at)
        if diagnostic is None or not first <= diagnostic.range.start.line <= last:
            continue
        name = _free(reading.document, at.task.task_id)
        data = _with_id(reading, at, name)
        if data is not None and _ids(documents.read(reading.path, data), at) == [*_ids(reading.document, at)[:-1], name]:
            yield QuickFix(f"Rename to {name}", [diagnostic], data)


def _ids(document: Document, at: TaskAt) -> list[str]:
    """The ids of all tasks, that of one at the end."""
    others = [task.task_id for task in document.tasks if task.line != at.task.line]
    return others + [task.task_id for task in document.tasks if task.line == at.task.line]


def _free(document: Document, task_id: str) -> str:
    """The next id of its kind that no task has."""
    counted = _COUNTED.fullmatch(task_id)
    kind, width = (counted[1], len(counted[2])) if counted is not None else (f"{task_id}-", 1)
    alike = (_COUNTED.fullmatch(task.task_id) for task in document.tasks)
    numbers = [int(other[2]) for other in alike if other is not None and other[1] == kind and len(other[2]) < 10]
    return f"{kind}{max(numbers, default=1) + 1:0{width}d}"


def _with_id(reading: Reading, at: TaskAt, name: str) -> bytes | None:
    if at.path is not None:
        key = next((key for key in ID_KEYS if key in at.task.fields), None)
        try:
            return set_value(reading.data, (*at.path, key), name).data if key is not None else None
        except EditRefused:
            return None
    line = reading.lines[at.first]
    return _with_lines(reading, {at.first: line.rstrip("\r").replace(at.task.task_id, name, 1)})
