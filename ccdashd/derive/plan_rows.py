"""What a planning file comes to in rows, whoever its neighbours are. Pure, and run in the worker that read the file, so
that the writer has nothing left to do but write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ccdashd.derive import slugs, statuses
from ccdashd.derive.progress_days import moment
from ccdashd.sources.planning.model import PLANNING_READER, Document, PlanningFile, Task

Row = tuple[Any, ...]

encoder = msgspec.json.Encoder()


class PlanRows(msgspec.Struct, array_like=True):
    """The rows of one planning file, in the order of the columns of their tables; `data` comes last.

    Features, phases and links are made of them together with those of other files.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    hash: str
    problem: str
    document: Row
    """Of `documents` without `feature_id`."""
    findings: list[Row]
    tasks: list[Row]
    """Of `tasks` without `feature_id` and `phase_id`."""
    names: list[Row]
    """Of `task_names`."""


def rows_of(project_id: str, file: PlanningFile) -> PlanRows:
    """The rows of a file of the project."""
    id = document_id(project_id, file.path)
    document = file.document or Document(path=file.path, doc_type="document", title=file.path.rpartition("/")[2])
    tasks = [_task(project_id, id, document, n, task) for n, task in enumerate(document.tasks)]
    return PlanRows(
        file.path,
        file.size,
        file.mtime_ns,
        file.inode,
        file.hash,
        file.problem,
        _document(project_id, id, file, document),
        [(id, n, f.code, f.severity, f.line, f.column, f.message, f.hint) for n, f in enumerate(document.findings)],
        tasks,
        [name for row, task in zip(tasks, document.tasks, strict=True) for name in _names(row[0], task)],
    )


def document_id(project_id: str, path: str) -> str:
    """The id of the document at a path in its project."""
    return f"{project_id}/{path}"


def lines(values: Iterable[str]) -> str:
    """Values in a column that is searched for one: each between line feeds, in lower case."""
    text = "\n".join(dict.fromkeys(value.replace("\n", " ").lower() for value in values))
    return f"\n{text}\n" if text else ""


def _document(project_id: str, id: str, file: PlanningFile, document: Document) -> Row:
    counts = statuses.counts(task.status for task in document.tasks)
    return (
        id,
        project_id,
        file.path,
        file.size,
        file.mtime_ns,
        file.inode,
        file.hash,
        PLANNING_READER,
        file.problem,
        document.doc_type,
        document.title,
        document.raw_status,
        document.status,
        document.recovered,
        len(document.findings),
        encoder.encode(slugs.claim(document)),
        lines(document.tags),
        encoder.encode(counts),
        len(document.tasks),
        encoder.encode(msgspec.structs.replace(document, tasks=[])),
    )


def _task(project_id: str, id: str, document: Document, n: int, task: Task) -> Row:
    return (
        f"{id}#{task.key}",
        id,
        project_id,
        n,
        task.line,
        f"{id}#{task.parent}" if task.parent else None,
        task.task_id,
        task.form,
        task.title,
        task.description,
        task.raw_status,
        task.status,
        task.priority,
        task.effort,
        "\n".join(name.replace("\n", " ") for name in task.assignees),
        task.phase,
        task.recovered,
        _completed(document, task),
        encoder.encode(task),
    )


def _completed(document: Document, task: Task) -> str:
    """When a done task was completed, as it says itself, or else its file, which is done."""
    if task.status != "done":
        return ""
    return moment(task.completed) or (moment(document.completed) if document.status == "done" else "")


def _names(id: str, task: Task) -> Iterator[Row]:
    for kind, names in (("assignee", task.assignees), ("session", task.session_ids), ("commit", task.commits)):
        for name in dict.fromkeys(names):
            yield (id, kind, name)
