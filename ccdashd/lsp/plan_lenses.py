"""Lenses of planning files: status, sessions and cost of the feature, of each phase and of each task."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from ccdashd.lsp.editor import Editor
from ccdashd.lsp.plan_places import Plan, entity, plan_at
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.rendering import words
from ccdashd.store.entities import Key
from ccdashd.store.plan_lists import phase_title
from ccdashd.store.worked_on import NO_WORK, Work, worked_on

MOST: Final = 500
"""Tasks of one file that have a lens, the first."""

_TITLE: Final = 60
"""Characters of the name of a feature or phase that a lens shows."""


def of(connection: sa.Connection, editor: Editor, params: lsp.DocumentParams) -> list[lsp.CodeLens]:
    """The lenses of a planning file, none for other files."""
    plan = plan_at(connection, editor, params.text_document.uri)
    return lenses_of(connection, plan) if plan is not None else []


def lenses_of(connection: sa.Connection, plan: Plan) -> list[lsp.CodeLens]:
    """The lenses of a planning file, from top to bottom."""
    tasks = [(at, plan.task_id(at.task)) for at in plan.reading.tasks[:MOST]]
    phases = list(plan.phases())
    feature = plan.known.feature
    keys: list[Key] = [("phase", told.id) for told, _ in phases] + [("task", id) for _, id in tasks]
    if feature is not None:
        keys.append(("feature", feature.id))
    work = worked_on(connection, keys)
    found: list[tuple[int, lsp.Command]] = []
    if feature is not None:
        found.append((0, _of_feature(feature, work.get(("feature", feature.id), NO_WORK))))
    for told, line in phases:
        done = work.get(("phase", told.id), NO_WORK)
        name = words.short(phase_title(told.phase, told.title), _TITLE)
        title = words.joined(name, _said(told.status, sum(told.row.counts), told.row.progress), *_figures(done))
        found.append((line, _sessions(title, plan.uri, "phase", told.id, done)))
    for at, id in tasks:
        done = work.get(("task", id), NO_WORK)
        title = words.joined(words.status(at.task.status), *_figures(done))
        found.append((at.first, _sessions(title, plan.uri, "task", id, done)))
    found.sort(key=lambda lens: lens[0])
    return [lsp.CodeLens(range=plan.reading.range_of(line), command=command) for line, command in found]


def _of_feature(feature: t.FeatureRow, work: Work) -> lsp.Command:
    blocked = words.number(feature.open_blockers, "blocker") if feature.open_blockers else ""
    said = _said(feature.status, feature.tasks.total, feature.progress)
    title = words.joined(words.short(feature.name, _TITLE), said, blocked, *_figures(work))
    return lsp.Command(title=title, command="ccdash.showFeature", arguments=[{"id": feature.id}])


def _sessions(title: str, uri: str, type_: t.EntityType, id: str, work: Work) -> lsp.Command:
    if len(work.sessions) == 1:
        return lsp.Command(title=title, command="ccdash.openTranscript", arguments=[{"session": work.sessions[0]}])
    if not work.sessions:
        return lsp.Command(title=title, command="")
    arguments: list[Any] = [{"uri": uri, "entity": entity(type_, id)}]
    return lsp.Command(title=title, command="ccdash.showSessions", arguments=arguments)


def _said(status: t.PlanStatus, tasks: int, progress: float) -> str:
    done = f"{round(tasks * progress)} of {words.number(tasks, 'task')}" if tasks else ""
    return words.joined(words.status(status), done)


def _figures(work: Work) -> tuple[str, str]:
    return (words.number(len(work.sessions), "session") if work.sessions else "", words.cost(work.cost))
