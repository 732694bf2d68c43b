"""Figures of planning files as people read them: statuses, shares, numbers of tasks, places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccdash.figures import short_id
from ccdash.text import clean

STATUSES = ("todo", "in_progress", "review", "done", "blocked", "deferred", "archived", "unknown")
"""What the words of files come down to: ``PlanStatus`` of the wire, which costs too much to import."""

CLOSED = ("done", "deferred", "archived")
"""Statuses of things that nobody works on any more."""

OPEN = tuple(status for status in STATUSES if status not in CLOSED)

_STYLES = {
    "in_progress": "cyan",
    "review": "magenta",
    "done": "green",
    "blocked": "red",
    "deferred": "dim",
    "archived": "dim",
    "unknown": "yellow",
}
BAR_CELLS = 10


def status_style(status: str) -> str:
    """The style of a status, by its name; none for todo, and for what is no status."""
    return _STYLES.get(status, "")


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """A share from 0 to 1 as a bar. It is full only at 1, and empty only at 0."""
    filled = round(share * cells)
    if 0 < share < 1:
        filled = min(max(filled, 1), cells - 1)
    return "█" * filled + "░" * (cells - filled)


def percent(share: float) -> str:
    """A share from 0 to 1 in whole per cent, 100 only for all and 0 only for nothing."""
    number = round(100 * share)
    return f"{min(max(number, 1), 99) if 0 < share < 1 else number} %"


def closed(tasks: Mapping[str, int]) -> int:
    """Tasks that nobody works on any more."""
    return sum(tasks[status] for status in CLOSED)


def numbers(tasks: Mapping[str, int]) -> str:
    """Tasks by status, without those that no task has: ``2 todo, 3 done``."""
    counted = [(status, tasks[_wire(status)]) for status in STATUSES]
    return ", ".join(f"{number:,} {status}" for status, number in counted if number)


def _wire(status: str) -> str:
    return "inProgress" if status == "in_progress" else status


def short_entity(type_: str, identifier: str, project: str | None) -> str:
    """The id of an entity as a command takes it: without the project it is in, where that is `project`."""
    if type_ == "session":
        return clean(short_id(identifier))
    return clean(identifier.removeprefix(f"{project}/") if project and type_ != "file" else identifier)


def slug(feature_id: str | None) -> str:
    """The slug of a feature's id, which is the project's and the slug."""
    return clean((feature_id or "").partition("/")[2])


def place(row: Mapping[str, Any]) -> str:
    """Where something stands, as editors and terminals take it: ``docs/plan.md:12``."""
    return clean(row["path"]) + (f":{row['line']}" if row["line"] else "")
