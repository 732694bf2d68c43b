"""How far the plans of projects are now, and were on past days, which cannot be recomputed: those come from the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive.progress_days import Figures, kept
from ccdashd.edits.decisions import DayEdit
from ccdashd.sources.planning.model import STATUSES
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.projects import project_id
from ccdashd.store.schema import progress_days

_counts = msgspec.json.Decoder(tuple[int, ...])
_encode = msgspec.json.Encoder().encode

_PLACES = {status: place for place, status in enumerate(STATUSES)}
_UNKNOWN = _PLACES["unknown"]

# --- what the journal says ---

_WRITE = f"INSERT OR REPLACE INTO progress_days VALUES ({', '.join('?' * len(progress_days.c))})"
_FIGURES = "undated, features, features_done, progress, counts"


def store(connection: sa.Connection, edits: Sequence[DayEdit]) -> None:
    """Carry out lines of the journal in their order, and leave out days that are too old for each to be kept.

    Projects that are not known (now) are among them: their rows wait.
    """
    raw = raw_connection(connection)
    raw.executemany(_WRITE, [_row(edit) for edit in edits])
    for id in {project_id(edit.root) for edit in edits}:
        query = "SELECT day FROM progress_days WHERE project_id = ?"
        days = {date.fromisoformat(day) for (day,) in raw.execute(query, (id,))}
        gone = [(id, day.isoformat()) for day in days - kept(days)]
        raw.executemany("DELETE FROM progress_days WHERE project_id = ? AND day = ?", gone)


def forget(connection: sa.Connection) -> None:
    """Forget all days."""
    connection.execute(sa.delete(progress_days))


def _row(edit: DayEdit) -> tuple[object, ...]:
    counts = [0] * len(STATUSES)
    for status, number in edit.tasks.items():
        counts[_PLACES.get(status, _UNKNOWN)] += number
    return (
        project_id(edit.root),
        edit.day.isoformat(),
        sum(counts),
        counts[_PLACES["done"]],
        edit.undated,
        edit.features,
        edit.features_done,
        edit.progress,
        _encode(counts),
    )


def edit_of(root: str, day: date, figures: Figures) -> DayEdit:
    """The line of the journal that says that the plans of the project at `root` were so far."""
    return DayEdit(
        root=root,
        day=day,
        tasks={status: number for status, number in zip(STATUSES, figures.counts, strict=True) if number},
        undated=figures.undated,
        features=figures.features,
        features_done=figures.features_done,
        progress=figures.progress,
    )


def days(connection: sa.Connection, project_ids: Iterable[str]) -> dict[str, list[tuple[date, Figures]]]:
    """The days of each of these projects that has any, in their order."""
    found: defaultdict[str, list[tuple[date, Figures]]] = defaultdict(list)
    query = f"SELECT project_id, day, {_FIGURES} FROM progress_days WHERE project_id IN ({{}})"
    for id, day, *figures in select(connection, query, project_ids):
        found[id].append((date.fromisoformat(day), _figures(figures)))
    return {id: sorted(rows, key=lambda row: row[0]) for id, rows in found.items()}


def last(connection: sa.Connection, id: str, day: date) -> Figures | None:
    """What is known last of a project at the end of a day; None before the first day that is known."""
    query = f"SELECT {_FIGURES} FROM progress_days WHERE project_id = ? AND day <= ? ORDER BY day DESC LIMIT 1"
    row = raw_connection(connection).execute(query, (id, day.isoformat())).fetchone()
    return _figures(row) if row is not None else None


def _figures(row: Sequence[object]) -> Figures:
    *figures, counts = row
    return Figures(_counts.decode(counts), *figures)  # type: ignore[arg-type]


# --- what the files say now ---

_TASKS = "SELECT project_id, status, COUNT(*) FROM tasks GROUP BY project_id, status"
_DATED = "SELECT project_id, COUNT(*) FROM tasks WHERE completed <> '' GROUP BY project_id"
_FEATURES = """
SELECT project_id, COUNT(*), SUM(status = 'done'), ROUND(AVG(progress), 6) FROM features GROUP BY project_id
"""


def current(connection: sa.Connection) -> dict[str, Figures]:
    """How far the plans of each project that has any are now."""
    raw = raw_connection(connection)
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(STATUSES))
    for id, status, number in raw.execute(_TASKS):
        counts[id][_PLACES[status]] = number
    dated: dict[str, int] = dict(raw.execute(_DATED).fetchall())
    features = {row[0]: row[1:] for row in raw.execute(_FEATURES)}
    found = {}
    for id in counts.keys() | features.keys():
        of_project = tuple(counts[id])
        undated = of_project[_PLACES["done"]] - dated.get(id, 0)
        found[id] = Figures(of_project, undated, *features.get(id, (0, 0, 0.0)))
    return found


class Completed(NamedTuple):
    """Done tasks whose file says when."""

    project_id: str
    feature_id: str | None
    at: str
    """As `derive.progress_days.moment` gives it."""
    number: int


_COMPLETED = """
SELECT project_id, feature_id, completed, COUNT(*) FROM tasks WHERE completed <> '' AND project_id IN ({})
GROUP BY project_id, feature_id, completed
"""


def completed(connection: sa.Connection, project_ids: Iterable[str]) -> list[Completed]:
    """When tasks of these projects were completed."""
    return [Completed(*row) for row in select(connection, _COMPLETED, project_ids)]


_BY_FEATURE = """
SELECT project_id, feature_id, status, COUNT(*), SUM(status = 'done' AND completed = '') FROM tasks
WHERE project_id IN ({}) GROUP BY project_id, feature_id, status
"""
_PROGRESS = "SELECT project_id, id, status = 'done', progress FROM features WHERE project_id IN ({})"


def by_feature(connection: sa.Connection, project_ids: Collection[str]) -> dict[tuple[str, str], Figures]:
    """How far each feature of these projects is, by project and feature; with an empty id, tasks that belong to none."""
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(STATUSES))
    undated: defaultdict[tuple[str, str], int] = defaultdict(int)
    for project, feature, status, number, without_date in select(connection, _BY_FEATURE, project_ids):
        counts[project, feature or ""][_PLACES[status]] = number
        undated[project, feature or ""] += without_date
    found = {}
    for project, feature, is_done, progress in select(connection, _PROGRESS, project_ids):
        key = (project, feature)
        found[key] = Figures(tuple(counts.pop(key, [0] * len(STATUSES))), undated[key], 1, is_done, progress)
    return found | {key: Figures(tuple(numbers), undated[key]) for key, numbers in counts.items()}
