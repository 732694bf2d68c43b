"""Where planning files contradict themselves or each other. Pure.

A mismatch is told, never repaired: which of two sayings is right is for the user to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ccdashd.derive import statuses
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import Outline, Status, Task

_SHOWN = 20
"""Tasks that one mismatch names."""


def of_document(document: Outline) -> list[t.Mismatch]:
    """Where a document's status and counters are not what its own tasks say."""
    return [*_status(document), *_counters(document)]


def _status(document: Outline) -> list[t.Mismatch]:
    tasks = document.tasks
    left = [task for task in tasks if task.status in statuses.OPEN]
    if document.status == "done" and left:
        message = f"{_raw(document)}, but {len(left)} of {_number(tasks)} {'is' if len(left) == 1 else 'are'} open"
        code = "completed_with_open_tasks"
        return [_mismatch(code, message, document, f"{len(tasks) - len(left)} of {len(tasks)}", _named(document, left))]
    is_open = document.status in statuses.OPEN
    if is_open and tasks and all(task.status in statuses.CLOSED for task in tasks):
        followed = statuses.together(task.status for task in tasks) or "done"
        message = f"{_raw(document)}, but nothing is left of {_number(tasks)}"
        return [_mismatch("open_with_all_tasks_done", message, document, followed, [])]
    return []


def _counters(document: Outline) -> list[t.Mismatch]:
    # Counters are in the frontmatter: where tasks are too, these are what they count.
    tasks = [task for task in document.tasks if task.form in ("list", "map")] or document.tasks
    total = len(tasks)
    done = sum(task.status == "done" for task in tasks)
    closed = sum(task.status in statuses.CLOSED for task in tasks)
    found = []

    def differs(field: str, declared: float, followed: str, message: str) -> None:
        evidence = [t.Evidence(signal="counter", weight=1.0, place=document.path, detail=f"{field}: {declared:g}")]
        found.append(
            t.Mismatch(code=field, message=message, declared=f"{declared:g}", computed=followed, evidence=evidence)
        )

    said = document.declared_total
    if said is not None and tasks and said != total:
        differs("total_tasks", said, str(total), f"total_tasks is {said}, but there are {total}")
    said = document.declared_completed
    # Some count what was deferred as completed, others do not.
    if said is not None and tasks and said not in (done, closed):
        differs("completed_tasks", said, str(done), f"completed_tasks is {said}, but {done} of {total} are done")
    percent = document.declared_progress
    if percent is not None and tasks:
        if all(abs(percent - 100 * part / total) > 1 for part in (done, closed)):
            computed = f"{100 * done / total:.0f}"
            differs("progress", percent, computed, f"progress is {percent:g} %, but {done} of {total} tasks are done")
    elif percent is not None and document.status == "done" and percent < 100:
        differs("progress", percent, "100", f"{_raw(document)}, but progress is {percent:g} %")
    return found


def of_feature(holder: Outline | None, plans: Sequence[Outline], followed: Status | None, parts: str) -> list[t.Mismatch]:
    """Where the document that holds a feature's status says done and the parts do not, or the other way round; and where
    its PRDs and plans do not agree on that.

    `parts`, such as ``its tasks``, are what `followed` follows from.
    """
    found = []
    if holder is not None and _contradict(holder.status, followed):
        message = f"{_raw(holder)}, but {parts} say {_words(followed)}"
        found.append(_mismatch("status", message, holder, followed or "", []))
    for plan in plans:
        if holder is not None and plan is not holder and _contradict(holder.status, plan.status):
            message = f"{_raw(holder)}, but {plan.path} says {plan.raw_status}"
            found.append(_mismatch("documents", message, holder, plan.raw_status, [_said(plan)]))
    return found


def _contradict(one: Status | None, other: Status | None) -> bool:
    """One is done, the other open. The draft of work that is under way is no contradiction: it says how far the text is."""
    return (one == "done" and other in statuses.OPEN) or (other == "done" and one in statuses.OPEN)


def _mismatch(code: str, message: str, document: Outline, computed: str, evidence: Iterable[t.Evidence]) -> t.Mismatch:
    return t.Mismatch(
        code=code,
        message=message,
        declared=document.raw_status,
        computed=computed,
        evidence=[_said(document), *evidence],
    )


def _said(document: Outline) -> t.Evidence:
    detail = f"status: {document.raw_status}"
    return t.Evidence(signal="status", weight=1.0, place=document.path, line=document.status_line or None, detail=detail)


def _named(document: Outline, tasks: Sequence[Task]) -> list[t.Evidence]:
    return [
        t.Evidence(
            signal="task",
            weight=1.0,
            place=document.path,
            line=task.line,
            detail=f"{task.task_id or task.title}: {task.raw_status}".removesuffix(": "),
        )
        for task in tasks[:_SHOWN]
    ]


def _raw(document: Outline) -> str:
    return f"{document.path} says {document.raw_status}"


def _number(tasks: Sequence[Task]) -> str:
    return "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"


def _words(status: Status | None) -> str:
    return (status or "").replace("_", " ")
