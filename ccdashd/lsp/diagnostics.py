"""What is wrong in a planning file: what its text says, and what the cache knows of the files around it.

The findings of the readers and what contradicts itself come from the text at hand; references that lead nowhere, and what
other files of the feature contradict, from the cache. What other servers find in Markdown is theirs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from ccdashd.derive import mismatches
from ccdashd.lsp.editor import Editor, Open
from ccdashd.lsp.plan_places import Plan, Reading, TaskAt, plan_at
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import Finding, Ref
from ccdashd.sources.planning.tasks import DEPENDS_KEYS, ID_KEYS
from ccdashd.store import plan_file

if TYPE_CHECKING:
    from ccdashd.app import App

SOURCE: Final = "ccdash"

MOST: Final = 200
"""Diagnostics of one file, the first."""

ERROR, WARNING, INFORMATION = 1, 2, 3
_SEVERITIES: Final = {"error": ERROR, "warning": WARNING, "info": INFORMATION}

_OF_FEATURE: Final = frozenset({"status", "documents"})
"""Mismatches of a feature that are about more than one of its documents."""

_PROGRESS: Final = ("overall_progress", "progress", "completion", "completion_percentage", "task_counts", "status")
_COUNTERS: Final = {
    "total_tasks": ("total_tasks", "task_counts"),
    "completed_tasks": ("completed_tasks", "task_counts"),
    "progress": _PROGRESS,
}
"""Keys that tell what a mismatch of a counter is about, the first that is there."""

_IS_ID: Final = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z][\w.\-]*")
"""What is an id of a task and no remark, such as ``Phase 1 done``."""


async def publish(app: App, editor: Editor, document: Open) -> None:
    """Tell an editor what is wrong in a planning file that it has open. Raises `Busy` where the cache is not open."""

    def look(connection: sa.Connection, _: int) -> tuple[int | None, list[lsp.Diagnostic]]:
        plan = plan_at(connection, editor, document.uri)
        return (plan.version, diagnostics_of(connection, plan)) if plan is not None else (None, [])

    version, found = await app.database.read(look)
    if document.path in editor.documents:
        _send(editor, lsp.PublishDiagnostics(uri=document.uri, diagnostics=found, version=version))


def clear(editor: Editor, document: Open) -> None:
    """Have an editor forget what is wrong in a document, which it closed."""
    _send(editor, lsp.PublishDiagnostics(uri=document.uri, diagnostics=[]))


def _send(editor: Editor, params: lsp.PublishDiagnostics) -> None:
    editor.notify("textDocument/publishDiagnostics", params)


def diagnostics_of(connection: sa.Connection, plan: Plan) -> list[lsp.Diagnostic]:
    """All that is wrong in a planning file, from top to bottom."""
    found = [*of_text(plan.reading), *_of_feature(plan), *_dangling(connection, plan), *_unknown_tasks(connection, plan)]
    found.sort(key=lambda item: (item.range.start.line, item.range.start.character))
    return found[:MOST]


def of_text(reading: Reading) -> Iterator[lsp.Diagnostic]:
    """What the text alone tells."""
    for finding in reading.document.findings:
        yield diagnostic_of(reading, finding)
    yield from filter(None, (duplicate_of(reading, at) for at in reading.tasks))
    for mismatch in mismatches.of_document(reading.document):
        yield _mismatch(reading, mismatch)


def diagnostic_of(reading: Reading, finding: Finding) -> lsp.Diagnostic:
    """A finding of the reader, as editors have it."""
    line = finding.line - 1
    message = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    word = _unknown_word(reading, line) if finding.code == "unknown-status" else ""
    return _diagnostic(reading.range_in(line, word), _SEVERITIES[finding.severity], finding.code, message)


def duplicate_of(reading: Reading, at: TaskAt) -> lsp.Diagnostic | None:
    """That a task has the id of another one above it; None where it has not."""
    task = at.task
    if not task.task_id or task.key == task.task_id:
        return None
    key = next((key for key in ID_KEYS if key in task.fields), None)
    line = reading.line_of(*at.path, key) if at.path is not None and key is not None else at.first
    message = f"the id {task.task_id} is that of a task above, too; here it is known as {task.key}"
    return _diagnostic(reading.range_in(line, task.task_id), WARNING, "duplicate-task-id", message)


def _unknown_word(reading: Reading, line: int) -> str:
    """The status that a line tells."""
    if line == reading.status_line:
        return reading.document.raw_status
    return next((at.task.raw_status for at in reading.tasks if at.status == line), "")


def _of_feature(plan: Plan) -> Iterator[lsp.Diagnostic]:
    document = plan.reading.document
    for mismatch in plan.known.mismatches:
        said = mismatch.evidence[0]
        # The cache may not have seen yet what was changed here.
        if mismatch.code in _OF_FEATURE and said.place == plan.place.path and mismatch.declared == document.raw_status:
            yield _mismatch(plan.reading, mismatch)


def _mismatch(reading: Reading, mismatch: t.Mismatch) -> lsp.Diagnostic:
    keys = _COUNTERS.get(mismatch.code)
    if keys is None:
        line = reading.status_line or 0
    else:
        key = next((key for key in keys if key in reading.frontmatter.values), "")
        line = reading.line_of(key)
    return _diagnostic(reading.range_of(line), WARNING, mismatch.code, mismatch.message)


def _dangling(connection: sa.Connection, plan: Plan) -> Iterator[lsp.Diagnostic]:
    """Links, and references of the frontmatter, to files that are not there. Paths that a text only mentions may be those
    of files to be made."""
    if plan.reading.document.doc_type == "template":
        return
    refs = [ref for ref in plan.reading.document.refs if ref.path and (ref.field != "body" or _is_link(plan.reading, ref))]
    known = plan_file.documents_at(connection, plan.place.project_id, [ref.path for ref in refs])
    for ref in refs:
        if ref.path not in known and not os.path.exists(os.path.join(plan.place.root, ref.path)):
            where = plan.reading.range_in(ref.line - 1, ref.raw)
            yield _diagnostic(where, WARNING, "dangling-reference", f"there is no {ref.path} in the project")


def _is_link(reading: Reading, ref: Ref) -> bool:
    return f"({ref.raw}" in reading.lines[ref.line - 1]


def _unknown_tasks(connection: sa.Connection, plan: Plan) -> Iterator[lsp.Diagnostic]:
    """Tasks that one waits for, and that are in no file of the feature."""
    reading, feature = plan.reading, plan.known.feature
    waiting = [at for at in reading.tasks if at.path is not None and at.task.depends_on]
    if not waiting:
        return
    known = {name for at in reading.tasks for name in (at.task.key, at.task.task_id)}
    if feature is not None:
        others = plan_file.tasks_named(connection, feature.id)
        known.update(name for name, at in others.items() if any(place.path != plan.place.path for place in at))
    for at in waiting:
        for name in at.task.depends_on:
            if name not in known and _IS_ID.fullmatch(name):
                message = f"there is no task {name} in this feature"
                yield _diagnostic(reading.range_in(_naming(reading, at, name), name), WARNING, "unknown-task", message)


def _naming(reading: Reading, at: TaskAt, name: str) -> int:
    """The line in which a task says that it waits for another one."""
    key = next((key for key in DEPENDS_KEYS if key in at.task.fields), "")
    first = reading.line_of(*(at.path or ()), key)
    return next((line for line in range(first, at.last + 1) if name in reading.lines[line]), first)


def _diagnostic(where: lsp.Range, severity: int, code: str, message: str) -> lsp.Diagnostic:
    return lsp.Diagnostic(range=where, severity=severity, code=code, source=SOURCE, message=message)
