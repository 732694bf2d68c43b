"""Words at the end of lines of planning files: what a status comes down to, and how many sessions worked on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.lsp.editor import Editor
from ccdashd.lsp.plan_lenses import MOST
from ccdashd.lsp.plan_places import Plan, plan_at
from ccdashd.protocol import lsp
from ccdashd.rendering import words
from ccdashd.sources.planning.model import Status
from ccdashd.store.entities import Key
from ccdashd.store.worked_on import NO_WORK, worked_on


class _Line(NamedTuple):
    """A line that tells a status, and of what."""

    line: int
    raw: str
    status: Status | None
    key: Key


def within(connection: sa.Connection, editor: Editor, params: lsp.RangeParams) -> list[lsp.InlayHint]:
    """The hints of those lines of a planning file that lie in a range, none for other files."""
    plan = plan_at(connection, editor, params.text_document.uri)
    if plan is None:
        return []
    first, last = params.range.start.line, params.range.end.line
    told = [line for line in _lines(plan) if first <= line.line <= last][:MOST]
    work = worked_on(connection, [line.key for line in told])
    hints = []
    for line in told:
        sessions = len(work.get(line.key, NO_WORK).sessions)
        meant = _meant(line.raw, line.status)
        label = " ".join(filter(None, (meant, f"← {words.number(sessions, 'session')}" if sessions else "")))
        if label:
            tooltip = f"ccdash reads {words.short(line.raw, 60)!r} as {meant!r}" if meant else None
            end = plan.reading.range_of(line.line).end
            hints.append(lsp.InlayHint(position=end, label=label, tooltip=tooltip, padding_left=True))
    return hints


def _lines(plan: Plan) -> Iterator[_Line]:
    document, line = plan.reading.document, plan.reading.status_line
    if line is not None:
        yield _Line(line, document.raw_status, document.status, plan.status_of())
    for at in plan.reading.tasks:
        # What a box says is plain to see.
        raw = "" if at.task.form in ("checkbox", "numbered") else at.task.raw_status
        yield _Line(at.status, raw, at.task.status, ("task", plan.task_id(at.task)))


def _meant(raw: str, status: Status | None) -> str:
    """What a word means, where it is another one than that."""
    plain = raw.strip().casefold().replace("-", "_").replace(" ", "_")
    return words.status(status) if raw and status is not None and plain != status else ""
