"""What can be done at a place of a planning file: repair what is wrong, set a status, link a session, open a transcript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from ccdashd.lsp.capabilities import ACTION_KINDS
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.edits import edit_of, workspace_edit
from ccdashd.lsp.plan_fixes import fixes
from ccdashd.lsp.plan_places import Plan, entity, plan_at
from ccdashd.protocol import lsp
from ccdashd.rendering import words
from ccdashd.sources.planning.model import STATUSES, Status, TaskForm
from ccdashd.sources.planning.status import MARKS
from ccdashd.store.entities import Key
from ccdashd.store.worked_on import NO_WORK, lately, sessions_of, worked_on

QUICK_FIX, REFACTOR = ACTION_KINDS

SESSIONS: Final = 5
"""Sessions that can be linked or opened from one place."""

_TITLE: Final = 50
"""Characters of a session's title."""


_SETTABLE: Final[dict[TaskForm, tuple[Status, ...]]] = {
    "list": STATUSES,
    "map": STATUSES,
    "checkbox": tuple(status for status in STATUSES if status in MARKS.values()),
    "numbered": (),
}
"""What can be said of a task by its form."""


class _Subject(NamedTuple):
    """What stands at a line."""

    key: Key
    name: str
    status: Status | None
    settable: tuple[Status, ...]


def within(connection: sa.Connection, editor: Editor, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """The actions of a planning file at a range, none for other files."""
    fixing, other = (_is_wanted(kind, params.context.only) for kind in (QUICK_FIX, REFACTOR))
    plan = plan_at(connection, editor, params.text_document.uri) if fixing or other else None
    if plan is None:
        return []
    found: list[lsp.CodeAction] = []
    if fixing:
        found += _fixes(editor, plan, params.range)
    subject = _subject(plan, params.range.start.line) if other else None
    if subject is not None:
        found += _statuses(subject)
        found += _sessions(connection, plan, subject)
    return found


def _is_wanted(kind: str, only: list[str] | None) -> bool:
    """Whether a kind is one of those that are wanted, or below one."""
    return only is None or any(kind == wanted or kind.startswith(f"{wanted}.") for wanted in only if wanted)


def _fixes(editor: Editor, plan: Plan, where: lsp.Range) -> Iterator[lsp.CodeAction]:
    reading = plan.reading
    for fix in fixes(reading, where.start.line, where.end.line):
        edit = edit_of(reading.text, fix.data.decode("utf-8", "surrogateescape"))
        yield lsp.CodeAction(
            title=fix.title,
            kind=QUICK_FIX,
            diagnostics=fix.diagnostics,
            edit=workspace_edit(editor, plan.uri, plan.version, [edit]),
            is_preferred=fix.preferred,
        )


def _subject(plan: Plan, line: int) -> _Subject | None:
    reading = plan.reading
    at = reading.task_at(line)
    if at is not None:
        task = at.task
        return _Subject(("task", plan.task_id(task)), task.task_id or "the task", task.status, _SETTABLE[task.form])
    if line in (0, reading.status_line) and reading.document.has_frontmatter | reading.document.status_in_text:
        key = plan.status_of()
        return _Subject(key, f"the {key[0]}", reading.document.status, STATUSES)
    return None


def _statuses(subject: _Subject) -> Iterator[lsp.CodeAction]:
    for status in subject.settable:
        if status not in (subject.status, "unknown"):
            argument = {"entity": entity(*subject.key), "status": status}
            yield _action(f"Set status of {subject.name} to {words.status(status)}", "ccdash.setStatus", argument)


def _sessions(connection: sa.Connection, plan: Plan, subject: _Subject) -> Iterator[lsp.CodeAction]:
    linked = worked_on(connection, [subject.key]).get(subject.key, NO_WORK).sessions
    for row in lately(connection, plan.place.project_id, SESSIONS, linked):
        title = f"Link session “{words.short(row.title or row.id, _TITLE)}”, {words.ago(row.ended_at)}, with {subject.name}"
        yield _action(title, "ccdash.linkSession", {"entity": entity(*subject.key), "session": row.id})
    for row in sessions_of(connection, linked[:SESSIONS]):
        title = f"Open transcript of “{words.short(row.title or row.id, _TITLE)}”"
        yield _action(title, "ccdash.openTranscript", {"session": row.id})


def _action(title: str, command: str, argument: Any) -> lsp.CodeAction:
    return lsp.CodeAction(
        title=title, kind=REFACTOR, command=lsp.Command(title=title, command=command, arguments=[argument])
    )
