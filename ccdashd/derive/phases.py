"""The phases of a feature: as its progress files tell them, and as its plans announce them. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from ccdashd.derive import mismatches, statuses
from ccdashd.protocol import types as t
from ccdashd.sources.planning.body import phase_heading
from ccdashd.sources.planning.model import Outline, PlannedPhase, Status, Task

_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_RANGE = re.compile(rf"({_NUMBER.pattern})\s*(?:-|\u2013|to|&|and|,)\s*({_NUMBER.pattern})")
_PREFIX = re.compile(r"(?:phases?|ph|p)[\s_-]*(?=[0-9])", re.IGNORECASE)
_MOST = 50
"""Phases that one range may stand for."""


class PhaseRow(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What columns do not show of a phase; JSON in `feature_phases.data`. The document's path is in its row."""

    raw_status: str = ""
    """Empty where the document holds several phases, for its status is that of all of them."""
    line: int = 0
    """Of the status, else of the heading that names the phase, else of its first task; 0 where there is none."""
    counts: list[int] = []
    """Tasks by status, in the order of `STATUSES`."""
    progress: float = 0.0
    started: str = ""
    completed: str = ""
    mismatches: list[t.Mismatch] = []
    planned: bool = False
    """Announced by a plan, without a progress file."""


class Phase(msgspec.Struct, kw_only=True):
    """One phase as one document tells it."""

    path: str
    phase: str
    """As written."""
    title: str
    status: Status
    followed: Status | None
    """What status and tasks say together: how far the feature is in this phase."""
    row: PhaseRow
    tasks: list[str]
    """Keys of its tasks, which are in the same document."""


def key(phase: str) -> str:
    """What stands for the phase in ids; ``all`` for a document that names none."""
    return phase or "all"


def of_feature(documents: Sequence[Outline]) -> list[Phase]:
    """The phases of a feature's documents, in order; those that plans announce only where no progress file tells them."""
    told = [phase for document in documents if document.doc_type == "progress" for phase in _told(document)]
    titles = {token: planned.title for _, planned in _headings(documents) for token in tokens(planned.phase)}
    for phase in told:
        if not phase.title:
            phase.title = next((titles[token] for token in tokens(phase.phase) if token in titles), "")
    return sorted([*told, *_announced(documents, told)], key=lambda phase: (_order(phase.phase), phase.path))


def _told(document: Outline) -> list[Phase]:
    """Phases of a progress file: its own, or those that its tasks name where they name others."""
    named: defaultdict[str, list[Task]] = defaultdict(list)
    for task in document.tasks:
        named[key(task.phase or document.phase)].append(task)
    if set(named) <= {key(document.phase)}:
        phase = _phase(document, document.phase, _title(document), document.tasks, document.status)
        phase.row.raw_status = document.raw_status
        phase.row.line = document.status_line or phase.row.line
        phase.row.started, phase.row.completed = document.started, document.completed
        phase.row.mismatches = mismatches.of_document(document)
        return [phase]
    return [_phase(document, name, "", tasks, None) for name, tasks in named.items()]


def _announced(documents: Sequence[Outline], told: list[Phase]) -> list[Phase]:
    covered = {token for phase in told for token in tokens(phase.phase)}
    if "all" in covered:
        return []
    found = []
    plans = [document for document in documents if document.doc_type == "phase_plan" and document.phase]
    for document in plans:
        if not tokens(document.phase) <= covered:
            phase = _phase(document, document.phase, _title(document), document.tasks, document.status)
            phase.row.raw_status, phase.row.line = document.raw_status, document.status_line or phase.row.line
            phase.row.planned = True
            found.append(phase)
    covered |= {token for phase in found for token in tokens(phase.phase)}
    for document, planned in _headings(documents):
        wanted = tokens(planned.phase)
        if not wanted <= covered:
            covered |= wanted
            tasks = [task for task in document.tasks if task.phase and tokens(task.phase) <= wanted]
            # A plan that is done has nothing to do in any of its phases; how far one that is not has come, it does not say.
            declared: Status = document.status if document.status in statuses.CLOSED else "todo"
            phase = _phase(document, planned.phase, planned.title, tasks, None if tasks else declared)
            phase.row.line, phase.row.planned = planned.line, True
            found.append(phase)
    return found


def _title(document: Outline) -> str:
    """The title of a file's phase, without the phase itself where that stands before it."""
    named = phase_heading(document.title)
    return document.phase_title or (named[1] if named else "") or document.title


def _headings(documents: Iterable[Outline]) -> list[tuple[Outline, PlannedPhase]]:
    return [
        (document, planned)
        for document in documents
        if document.doc_type == "implementation_plan"
        for planned in document.phases
    ]


def _phase(document: Outline, phase: str, title: str, tasks: list[Task], declared: Status | None) -> Phase:
    followed = statuses.together(task.status for task in tasks)
    counts = statuses.counts(task.status for task in tasks)
    known = declared if declared not in (None, "unknown") else followed or declared
    status: Status = known or "unknown"
    return Phase(
        path=document.path,
        phase=phase,
        title=title,
        status=status,
        followed=statuses.furthest(declared, followed),
        row=PhaseRow(
            line=tasks[0].line if tasks else 0,
            counts=counts,
            progress=statuses.progress(counts, status),
        ),
        tasks=[task.key for task in tasks],
    )


def tokens(phase: str) -> set[str]:
    """The single phases that one stands for, to tell whether two speak of the same: ``1-3`` is 1, 2 and 3; ``P1`` is 1."""
    text = _plain(phase)
    span = _RANGE.fullmatch(text)
    if span is None:
        return {text}
    first, last = span.groups()
    between = range(int(float(first)) + 1, min(int(float(last)), int(float(first)) + _MOST))
    return {first, *map(str, between), last}


def _plain(phase: str) -> str:
    return _PREFIX.sub("", phase.strip()).lower() or "all"


def _order(phase: str) -> tuple[int, float, float, str]:
    """By number, a range after its first phase; then all phases at once; then what does not begin with a number."""
    text = _plain(phase)
    padded = _NUMBER.sub(lambda digits: digits[0].zfill(8), text)
    span = _RANGE.fullmatch(text)
    if span is not None:
        return (0, float(span[1]), float(span[2]), padded)
    number = _NUMBER.match(text)
    if number is not None:
        return (0, float(number[0]), float(number[0]), padded)
    return (1, 0.0, 0.0, "") if text == "all" else (2, 0.0, 0.0, padded)
