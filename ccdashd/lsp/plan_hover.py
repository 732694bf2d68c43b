"""What is known of a place in a planning file: of the session, file or task that it names, or of what it belongs to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from ccdashd.derive.statuses import closed
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.page import Page
from ccdashd.lsp.plan_names import Name, Names
from ccdashd.lsp.plan_places import Plan, TaskAt, plan_at, uri_in
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.rendering import words
from ccdashd.sources.planning.model import Task
from ccdashd.store import plan_lists
from ccdashd.store.activity import context
from ccdashd.store.costs import session_costs
from ccdashd.store.entities import Key
from ccdashd.store.plan_file import PhaseTold
from ccdashd.store.plan_lists import phase_title
from ccdashd.store.worked_on import NO_WORK, sessions_of, worked_on

SESSIONS: Final = 5
"""Sessions that are shown of one thing."""

EVIDENCE: Final = 5
"""Documents, contradictions and blockers that are shown of a feature or phase."""

_TITLE: Final = 80
_TEXT: Final = 300
"""Characters of a title, and of a description, that are shown."""

_NAMES_FEATURE: Final = re.compile(r"(?:title|name|feature(?:_slug)?|prd|slug)\s*:|#\s")
"""Lines that say what a file is about."""


def at(connection: sa.Connection, editor: Editor, params: lsp.PositionParams) -> lsp.Hover | None:
    """What is known of a place in a planning file; None where that is nothing, and for other files."""
    plan = plan_at(connection, editor, params.text_document.uri)
    if plan is None or params.position.line >= len(plan.reading.lines):
        return None
    return _Hover(connection, editor, plan).at(params.position)


class _Hover:
    def __init__(self, connection: sa.Connection, editor: Editor, plan: Plan) -> None:
        self._connection = connection
        self._plan = plan
        self._names = Names(connection, plan)
        self._page = Page(editor)

    def at(self, place: lsp.Position) -> lsp.Hover | None:
        plan, line = self._plan, place.line
        for name in self._names.within([line]):
            if name.range.start.character <= place.character <= name.range.end.character:
                told = self._named(name)
                if told is not None:
                    return told
        task = plan.reading.task_at(line)
        if task is not None:
            return self._task(task, plan.reading.range_of(line))
        phase = next((told for told, at in plan.phases() if at == line), None)
        if phase is not None:
            return self._phase(phase, plan.reading.range_of(line))
        about = line in (0, plan.reading.status_line) or _NAMES_FEATURE.match(plan.reading.lines[line]) is not None
        if about and plan.known.feature is not None:
            return self._feature(plan.known.feature, plan.reading.range_of(line))
        return None

    def _named(self, name: Name) -> lsp.Hover | None:
        match name.kind:
            case "session":
                return self._session(name)
            case "file":
                return self._file(name)
        assert name.task is not None
        own = (at for at in self._plan.reading.tasks if self._plan.task_id(at.task) == name.task.id)
        found = next(own, None)
        if found is not None:
            return self._task(found, name.range)
        rows = plan_lists.tasks_of(self._connection, [name.task.id])
        return self._told_task(rows[0], rows[0].id, rows[0].path, name.range) if rows else None

    # --- what is shown of each ---

    def _task(self, at: TaskAt, where: lsp.Range) -> lsp.Hover:
        plan, page = self._plan, self._page
        task = at.task
        id, path = plan.task_id(task), plan.place.path
        others = self._names.tasks if task.depends_on else {}
        waits = [
            words.joined(name, words.status(others[name].status if name in others else "")) for name in task.depends_on
        ]
        holding = [item for item in plan.reading.document.blockers if item.open and task.task_id in item.tasks]
        blockers = [page.link(words.short(item.title, _TITLE), uri_in(plan.place, path, item.line)) for item in holding]
        return self._told_task(task, id, path, where, waits, blockers)

    def _told_task(
        self,
        task: Task | t.TaskRow,
        id: str,
        path: str,
        where: lsp.Range,
        waits: Sequence[str] = (),
        blockers: Sequence[str] = (),
    ) -> lsp.Hover:
        page = self._page
        page.head(task.task_id or "Task", words.short(task.title, _TEXT))
        in_text = task.form in ("checkbox", "numbered")
        self._status(task.status, "" if in_text else task.raw_status, path, task.line)
        page.say(*(page.text(said) for said in (task.priority, task.effort, ", ".join(task.assignees))))
        page.listed("Waits for", [page.text(name) for name in waits])
        page.listed("Held up by", list(blockers))
        self._work(("task", id))
        return page.hover(where)

    def _phase(self, phase: PhaseTold, where: lsp.Range) -> lsp.Hover:
        path = self._plan.place.path
        self._page.head(phase_title(phase.phase, phase.title) or "Phase", self._progress(phase.row.counts))
        self._status(phase.status, phase.row.raw_status, path, phase.row.line)
        self._mismatches(phase.row.mismatches)
        self._work(("phase", phase.id))
        self._belongs(self._plan.known.feature)
        return self._page.hover(where)

    def _feature(self, feature: t.FeatureRow, where: lsp.Range) -> lsp.Hover:
        page, known = self._page, self._plan.known
        done = round(feature.tasks.total * feature.progress)
        tasks = f"{done} of {words.number(feature.tasks.total, 'task')}" if feature.tasks.total else ""
        page.head(words.short(feature.name, _TITLE), words.status(feature.status), tasks)
        evidence = [
            f"{self._place(said.path, said.line)}: {page.text(words.joined(said.raw, words.status(said.status)))}"
            for said in known.evidence[:EVIDENCE]
        ]
        page.listed("Its documents say", evidence)
        self._mismatches(known.mismatches)
        page.listed(
            "Blockers",
            [
                f"{page.text(words.short(item.title, _TITLE))} ({self._place(item.path, item.line)})"
                for item in known.blockers
                if item.open
            ][:EVIDENCE],
        )
        self._work(("feature", feature.id))
        return page.hover(where)

    def _session(self, name: Name) -> lsp.Hover | None:
        rows = sessions_of(self._connection, [name.target])
        if not rows:
            return None
        (row,), page = rows, self._page
        cost = session_costs(self._connection, [row.id], with_subagents=True).get(row.id)
        page.head(words.short(row.title or row.id, _TITLE), words.ago(row.ended_at), words.cost(cost))
        page.say(page.text(row.model), page.text(words.number(row.prompts, "prompt")), page.text(row.git_branch))
        page.say(page.transcript("Open the transcript", row.id))
        return page.hover(name.range)

    def _file(self, name: Name) -> lsp.Hover | None:
        place, page = self._plan.place, self._page
        absolute = os.path.join(place.root, name.target)
        document = next(iter(plan_lists.documents_of(self._connection, [f"{place.project_id}/{name.target}"])), None)
        touches, total = context(self._connection, absolute, SESSIONS)
        if document is None and not total:
            return None
        if document is not None:
            kind = document.doc_type.replace("_", " ")
            page.head(words.short(document.title, _TITLE), kind, words.status(document.status or ""))
            tasks = words.number(document.tasks.total, "task") if document.tasks.total else ""
            page.say(self._place(name.target), page.text(tasks))
        else:
            page.head(name.target, words.number(total, "session"))
        page.listed(
            f"Touched by {words.number(total, 'session')}",
            [self._transcript(touch.session, words.ago(touch.change.last_at)) for touch in touches],
        )
        return page.hover(name.range)

    # --- parts ---

    def _status(self, status: t.PlanStatus | None, raw: str, path: str, line: int) -> None:
        said = "" if raw.strip() in ("", status) else f"says {words.short(raw, _TITLE)}"
        self._page.say(self._page.text(words.joined(words.status(status or "unknown"), said)), self._place(path, line))

    def _work(self, key: Key) -> None:
        work = worked_on(self._connection, [key]).get(key, NO_WORK)
        shown = work.sessions[:SESSIONS]
        costs = session_costs(self._connection, shown, with_subagents=True)
        self._page.listed(
            words.joined(words.number(len(work.sessions), "session"), words.cost(work.cost)),
            [
                self._transcript(row, words.ago(row.ended_at), words.cost(costs.get(row.id)))
                for row in sessions_of(self._connection, shown)
            ],
        )

    def _transcript(self, row: t.SessionRow, *facts: str) -> str:
        title = self._page.transcript(words.short(row.title or row.id, _TITLE), row.id)
        return words.joined(title, *(self._page.text(fact) for fact in facts))

    def _mismatches(self, found: Sequence[t.Mismatch]) -> None:
        self._page.listed("Contradictions", [self._page.text(item.message) for item in found[:EVIDENCE]])

    def _belongs(self, feature: t.FeatureRow | None) -> None:
        if feature is not None:
            told = words.joined(words.short(feature.name, _TITLE), words.status(feature.status))
            self._page.say(self._page.text(f"Feature: {told}"))

    def _place(self, path: str, line: int = 0) -> str:
        name = path.rpartition("/")[2]
        return self._page.link(f"{name}:{line}" if line else name, uri_in(self._plan.place, path, line or None))

    def _progress(self, counts: Sequence[int]) -> str:
        total = sum(counts)
        return f"{closed(counts)} of {words.number(total, 'task')}" if total else ""
