"""What metrics for Prometheus are made of: sums over all time, by what labels tell apart, hidden projects included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.measures import NONE, Measures
from ccdashd.derive.pricing import PICO_PER_MICRO
from ccdashd.store.connection import raw_connection

# What belongs to no session belongs to no project; it counts all the same.
_USAGE = """
SELECT COALESCE(s.project_id, ''), u.model, SUM(u.messages), SUM(u.lower_bounds), SUM(u.unpriced), SUM(u.input),
       SUM(u.output), SUM(u.cache_read), SUM(u.cache_write), SUM(u.cache_write_1h), SUM(u.web_searches), SUM(u.cost_micro),
       SUM(u.cost_pico)
FROM usage_slots u JOIN sync_state f ON f.id = u.file_id LEFT JOIN sessions s ON s.id = f.session_id GROUP BY 1, 2
"""
_EVENTS = (
    "prompts",
    "steering",
    "commands",
    "interrupts",
    "compactions",
    "api_errors",
    "edits",
    "additions",
    "deletions",
)
_ACTIVITY = f"""
SELECT COALESCE(s.project_id, ''), {", ".join(f"SUM(a.{name})" for name in _EVENTS)}
FROM activity_slots a JOIN sync_state f ON f.id = a.file_id LEFT JOIN sessions s ON s.id = f.session_id GROUP BY 1
"""
_SESSIONS = "SELECT project_id, COUNT(*) FROM sessions WHERE agent_id IS NULL AND NOT empty GROUP BY 1"
# Minutes of a sub-agent are those of its main session, and its project's, where that is known.
_MINUTES = """
SELECT COALESCE(m.project_id, s.project_id), COALESCE(m.id, s.id), d.slot, d.minutes
FROM session_minutes d JOIN sync_state f ON f.id = d.file_id JOIN sessions s ON s.id = f.session_id
LEFT JOIN sessions m ON s.agent_id IS NOT NULL AND m.id = s.parent_id
"""
_TOOLS = "SELECT tool, SUM(calls), SUM(success), SUM(errors), SUM(ms) FROM tool_slots GROUP BY 1"
_PROJECTS = "SELECT id, name, hidden FROM projects"
_TASKS = "SELECT project_id, status, COUNT(*) FROM tasks GROUP BY 1, 2"
_FEATURES = "SELECT project_id, COUNT(*), SUM(progress) FROM features GROUP BY 1"
_BY_SLOT = """
SELECT slot, SUM(cost_micro), SUM(cost_pico), SUM(input + output + cache_read + cache_write)
FROM usage_slots WHERE slot >= 0 GROUP BY 1 ORDER BY 1
"""


class ProjectName(NamedTuple):
    """What a project is called, and whether the user hides it."""

    name: str
    hidden: bool


class FeatureSum(NamedTuple):
    """The features of a project, and the sum of their progress, each from 0 to 1."""

    features: int
    progress: float


@dataclass(frozen=True)
class Work:
    """All that was done, and how far plans are."""

    usage: dict[tuple[str, str], Measures] = field(default_factory=dict)
    """By project and model."""
    projects: dict[str, Measures] = field(default_factory=dict)
    """Sessions, minutes and events, by project."""
    tools: dict[str, Measures] = field(default_factory=dict)
    names: dict[str, ProjectName] = field(default_factory=dict)
    """By id of a project."""
    tasks: dict[tuple[str, str], int] = field(default_factory=dict)
    """By project and status."""
    features: dict[str, FeatureSum] = field(default_factory=dict)
    """By project."""


class SlotUse(NamedTuple):
    """What all models used in a slot."""

    slot: int
    pico: int
    """Picodollars."""
    tokens: int


def work(connection: sa.Connection) -> Work:
    """All of it."""
    raw = raw_connection(connection)
    names = {id: ProjectName(name, bool(hidden)) for id, name, hidden in raw.execute(_PROJECTS)}
    return Work(
        usage={(project, model): _usage(row) for project, model, *row in raw.execute(_USAGE)},
        projects=_projects(connection),
        tools={
            tool: Measures(calls=calls, success=success, errors=errors, tool_ms=ms)
            for tool, calls, success, errors, ms in raw.execute(_TOOLS)
        },
        names=names,
        tasks={(project, status): count for project, status, count in raw.execute(_TASKS)},
        features={project: FeatureSum(count, progress) for project, count, progress in raw.execute(_FEATURES)},
    )


def by_slot(connection: sa.Connection) -> list[SlotUse]:
    """What was used in each slot, in their order."""
    rows = raw_connection(connection).execute(_BY_SLOT)
    return [SlotUse(slot, micro * PICO_PER_MICRO + pico, tokens) for slot, micro, pico, tokens in rows]


def _usage(row: list[int]) -> Measures:
    messages, lower_bounds, unpriced, fresh, output, read, write, hour, searches, micro, pico = row
    return Measures(
        messages=messages,
        lower_bounds=lower_bounds,
        unpriced=unpriced,
        input=fresh,
        output=output,
        cache_read=read,
        cache_write=write,
        cache_write_1h=hour,
        web_searches=searches,
        cost=micro * PICO_PER_MICRO + pico,
    )


def _projects(connection: sa.Connection) -> dict[str, Measures]:
    raw = raw_connection(connection)
    found = {project: Measures(**dict(zip(_EVENTS, sums, strict=True))) for project, *sums in raw.execute(_ACTIVITY)}
    for project, count in raw.execute(_SESSIONS):
        found[project] = found.get(project, NONE) + Measures(sessions=count)
    for project, count in _minutes(connection).items():
        found[project] = found.get(project, NONE) + Measures(minutes=count)
    return found


def _minutes(connection: sa.Connection) -> dict[str, int]:
    """Minutes by project, each once for each main session."""
    masks: dict[tuple[str, str, int], int] = {}
    for project, main, slot, minutes in raw_connection(connection).execute(_MINUTES):
        key = (project, main, slot)
        masks[key] = masks.get(key, 0) | minutes
    found: dict[str, int] = {}
    for (project, _, _), mask in masks.items():
        found[project] = found.get(project, 0) + mask.bit_count()
    return found
