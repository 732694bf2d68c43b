"""Tables of features, phases, tasks, documents, linked sessions and entities of any type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ccdash.analytics_words import cost
from ccdash.figures import NOTHING, ago, count, duration, short_id, total_tokens
from ccdash.output import Output
from ccdash.plan_figures import bar, closed, percent, place, short_entity, slug, status_style
from ccdash.table import Column, draw
from ccdash.text import clean

Row = Mapping[str, Any]
Rows = Sequence[Row]

_EMPTY = ("", "0", NOTHING)
TITLE_LEAST = 24


def draw_features(out: Output, features: Rows) -> None:
    """Write features, one a line. The project is a column where there are several."""
    now = datetime.now(UTC)
    columns = (
        _status(),
        Column("PROJECT", flexible=True, drop=1, least=8),
        Column("NAME", flexible=True, drop=9, least=TITLE_LEAST),
        Column("SLUG", flexible=True, style="cyan", least=40),
        Column("PHASES", right=True, drop=4),
        Column("TASKS", right=True),
        _done(drop=3),
        Column("SESSIONS", right=True, drop=6),
        Column("BLOCKERS", right=True, style="red", drop=7),
        Column("!", right=True, style="yellow", drop=2),
        Column("CHANGED", right=True, drop=5),
    )
    rows = [
        (
            feature["status"],
            clean(feature["projectName"]),
            clean(feature["name"]),
            clean(feature["slug"]),
            f"{feature['phasesDone']}/{feature['phases']}" if feature["phases"] else NOTHING,
            _closed(feature["tasks"]),
            _share(out, feature["progress"], feature["tasks"]),
            f"{feature['sessions']:,}",
            f"{feature['openBlockers']:,}",
            f"{feature['mismatches']:,}",
            ago(feature["modifiedAt"], now),
        )
        for feature in features
    ]
    _draw(out, columns, rows, _one_project(features))


def draw_phases(out: Output, phases: Rows) -> None:
    """Write phases with their progress, and the file that each is in."""
    columns = (
        _status(),
        Column("PHASE"),
        Column("TITLE", flexible=True, least=28),
        Column("TASKS", right=True),
        _done(drop=1),
        Column("!", right=True, style="yellow", drop=2),
        Column("FILE", flexible=True, style="dim", path=True, drop=3, least=24),
    )
    rows = [
        (
            phase["status"],
            clean(phase["phase"]) or NOTHING,
            clean(phase["title"]) or NOTHING,
            _closed(phase["tasks"]),
            _share(out, phase["progress"], phase["tasks"]),
            f"{len(phase['mismatches']):,}",
            place(phase),
        )
        for phase in phases
    ]
    _draw(out, columns, rows)


def draw_tasks(out: Output, tasks: Rows, *, of_feature: bool = False, above: Mapping[int, str] | None = None) -> None:
    """Write tasks, one a line; those `of_feature` are all of one, which then is no column. On the page of what they belong
    to, `above` has lines that stand above some of them, by number; phase, feature and file are no columns then."""
    columns = (
        _status(),
        Column("PROJECT", flexible=True, drop=2, least=8),
        Column("ID", flexible=True, style="cyan", least=20),
        Column("TITLE", flexible=True, least=TITLE_LEAST),
        Column("PHASE", flexible=True, drop=6, least=6),
        Column("PRIORITY", flexible=True, drop=5, least=8),
        Column("ASSIGNEE", flexible=True, drop=8, least=10),
        Column("FEATURE", flexible=True, drop=3, least=20),
        Column("FILE", flexible=True, style="dim", path=True, drop=9, least=28),
    )
    hidden = _one_project(tasks) | ({"PHASE", "FEATURE", "FILE"} if above is not None else set())
    hidden |= {"FEATURE"} if of_feature else set()
    rows = [
        (
            task["status"],
            clean(task["projectName"]),
            clean(task["taskId"]) or clean(task["id"]).rpartition("#")[2],
            clean(task["title"]) or NOTHING,
            clean(task["phase"]) or NOTHING,
            clean(task["priority"]).lower() or NOTHING,
            ", ".join(map(clean, task["assignees"])) or NOTHING,
            slug(task["featureId"]) or NOTHING,
            place(task),
        )
        for task in tasks
    ]
    _draw(out, columns, rows, hidden, above)


def draw_documents(out: Output, documents: Rows, *, of_feature: bool = False) -> None:
    """Write documents, one a line; those `of_feature` are all of one, which then is no column."""
    now = datetime.now(UTC)
    columns = (
        _status(),
        Column("TYPE", drop=2),
        Column("PROJECT", flexible=True, drop=1, least=8),
        Column("PATH", flexible=True, path=True, style="cyan", least=32),
        Column("TITLE", flexible=True, drop=8, least=TITLE_LEAST),
        Column("TASKS", right=True, drop=4),
        Column("FEATURE", flexible=True, drop=7, least=20),
        Column("FINDINGS", right=True, style="yellow", drop=3),
        Column("CHANGED", right=True, drop=5),
    )
    hidden = _one_project(documents) | ({"FEATURE"} if of_feature else set())
    rows = [
        (
            document["status"] or NOTHING,
            clean(document["docType"]) or NOTHING,
            clean(document["projectName"]),
            clean(document["path"]),
            clean(document["title"]),
            _closed(document["tasks"]),
            slug(document["featureId"]) or NOTHING,
            f"{document['findings']:,}",
            ago(document["modifiedAt"], now),
        )
        for document in documents
    ]
    _draw(out, columns, rows, hidden)


def draw_linked_sessions(out: Output, linked: Rows) -> None:
    """Write sessions with how sure it is that they belong here, why, and what they took."""
    now = datetime.now(UTC)
    columns = (
        Column("ID", style="cyan"),
        Column("SURE", right=True),
        Column("TITLE", flexible=True, least=TITLE_LEAST),
        Column("BY", flexible=True, style="dim", drop=3, least=12),
        Column("TOKENS", right=True, drop=2),
        Column("COST", right=True, drop=1),
        Column("TIME", right=True, drop=4),
        Column("LAST", right=True),
    )
    rows = [
        (
            clean(short_id(link["session"]["id"])),
            percent(link["confidence"]),
            clean(link["session"]["title"]) or "(no title)",
            ", ".join(map(clean, link["signals"])),
            count(total_tokens(link["tokens"])),
            cost(out, link["cost"]),
            duration(link["session"]["duration"]),
            ago(link["session"]["endedAt"], now),
        )
        for link in linked
    ]
    _draw(out, columns, rows)


def draw_entities(out: Output, entities: Rows, project: str | None) -> None:
    """Write entities of any type; ids in `project` without it, as commands take them."""
    columns = (
        Column("TYPE", style="dim"),
        _status(),
        Column("TITLE", flexible=True, least=TITLE_LEAST),
        Column("ID", flexible=True, path=True, style="cyan", least=20),
    )
    rows = [
        (
            entity["type"],
            "missing" if entity["missing"] else entity["status"] or NOTHING,
            clean(entity["title"]),
            short_entity(entity["type"], entity["id"], project),
        )
        for entity in entities
    ]
    _draw(out, columns, rows)


def _status() -> Column:
    return Column("STATUS", style=status_style)


def _done(drop: int) -> Column:
    return Column("DONE", style="green", drop=drop)


def _closed(tasks: Mapping[str, int]) -> str:
    return f"{closed(tasks)}/{tasks['total']}" if tasks["total"] else NOTHING


def _share(out: Output, share: float, tasks: Mapping[str, int]) -> str:
    """A bar where somebody looks, a number where a program reads."""
    if not tasks["total"]:
        return NOTHING
    return bar(share) if out.terminal else percent(share)


def _one_project(rows: Rows) -> set[str]:
    return {"PROJECT"} if len({row["projectId"] for row in rows}) < 2 else set()


def _draw(
    out: Output,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    hidden: set[str] | None = None,
    above: Mapping[int, str] | None = None,
) -> None:
    """Write a table without `hidden` columns; in a terminal, also without those that have nothing in any row."""

    def tells(at: int) -> bool:
        return not out.terminal or any(row[at] not in _EMPTY for row in rows)

    kept = [at for at, column in enumerate(columns) if column.title not in (hidden or ()) and tells(at)]
    draw(out, [columns[at] for at in kept], [[row[at] for at in kept] for row in rows], above=above)
