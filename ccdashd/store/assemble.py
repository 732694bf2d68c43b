"""Session rows from the rows of their logs, of which they are a pure function: built anew whenever one changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.archive import manifest as manifests
from ccdashd.derive import sessions as derive
from ccdashd.sources import PARSER
from ccdashd.sources.log import unpack_keys
from ccdashd.sources.model import Entry, Stats
from ccdashd.store import figures, logs, pages, projects
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import session_logs, session_summaries, session_tool_usage, sessions, sync_state

_stats = msgspec.json.Decoder(Stats)
_encode = msgspec.json.Encoder().encode
_CHUNK = 200

_AGENTS = """
SELECT DISTINCT f.session_id, c.agent_id FROM sync_state f JOIN session_tool_calls c ON c.file_id = f.id
WHERE f.session_id IN ({marks}) AND c.agent_id IS NOT NULL
"""


_SESSION_COLUMNS = [column.name for column in sessions.columns]
_SESSIONS = (
    f"INSERT INTO sessions ({', '.join(_SESSION_COLUMNS)}) VALUES ({', '.join('?' * len(_SESSION_COLUMNS))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _SESSION_COLUMNS[1:])}"
)


class _Source(NamedTuple):
    id: int
    path: str
    agent: str
    state: str
    guard: bytes
    parent_id: str | None
    agent_id: str | None
    parser: int
    stats: Stats


class Built(NamedTuple):
    """Sessions that were written or removed, and projects that came or went."""

    upserted: set[str]
    deleted: set[str]
    projects: set[str]
    dropped_projects: set[str]


def build(connection: sa.Connection, session_ids: Iterable[str], owner: Callable[[str], str]) -> Built:
    """Write the rows of these sessions; remove those that have no log left. `owner` gives the project root of a cwd."""
    built = Built(set(), set(), set(), set())
    wanted = sorted(session_ids)
    for begin in range(0, len(wanted), _CHUNK):
        _build(connection, wanted[begin : begin + _CHUNK], owner, built)
    built.dropped_projects.update(projects.drop_unused(connection))
    return built


def _build(connection: sa.Connection, wanted: list[str], owner: Callable[[str], str], built: Built) -> None:
    sources = _sources(connection, wanted)
    single = [session_id for session_id, files in sources.items() if len(files) == 1]
    several = [session_id for session_id, files in sources.items() if len(files) > 1]
    counted = figures.sources(connection, single, several)
    usage = figures.usage(connection, counted)
    tools = figures.tools(connection, counted)
    summaries = _summaries(connection, wanted)
    agents = _agents(connection, wanted, sources)
    known = projects.ids(connection)
    rows: list[dict[str, Any]] = []
    for session_id, files in sources.items():
        row = _row(connection, session_id, files, usage[session_id], tools[session_id])
        details: derive.Details = row.pop("details")
        details.summaries = summaries[session_id]
        details.agents = sorted(agents[session_id])
        row["subagents"] = len(details.agents) + details.stats.sidechain_roots
        subagent = row["agent_id"] is not None
        row["title"], row["title_source"] = derive.title(details.stats, details.summaries, subagent)
        root = owner(row["cwd"]) if row["cwd"] else logs.shown(files[0].path).rsplit("/", 1)[0]
        row["project_id"] = projects.project_id(root)
        if row["project_id"] not in known:
            projects.add(connection, root)
            known.add(row["project_id"])
            built.projects.add(row["project_id"])
        row["details"] = _encode(details)
        rows.append(row)
    if rows:
        raw_connection(connection).executemany(_SESSIONS, [tuple(map(row.__getitem__, _SESSION_COLUMNS)) for row in rows])
    connection.execute(sa.delete(session_tool_usage).where(session_tool_usage.c.session_id.in_(wanted)))
    counts = [tuple(row) for session_id in sources for row in tools[session_id]]
    if counts:
        marks = "INSERT INTO session_tool_usage VALUES (?, ?, ?, ?, ?, ?)"
        raw_connection(connection).executemany(marks, counts)
    lost = [session_id for session_id in wanted if session_id not in sources]
    if lost:
        connection.execute(sa.delete(sessions).where(sessions.c.id.in_(lost)))
    built.upserted.update(sources)
    built.deleted.update(lost)


def _sources(connection: sa.Connection, wanted: list[str]) -> dict[str, list[_Source]]:
    """The logs of each session, the one to be believed in doubt first: there before gone, then the longest."""
    table = sync_state.c
    query = sa.select(
        table.session_id,
        table.id,
        table.path,
        table.agent,
        table.state,
        table.guard,
        table.parent_id,
        table.agent_id,
        table.parser,
        table.stats,
    ).where(table.session_id.in_(wanted))
    found: dict[str, list[_Source]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.session_id].append(_Source._make((*row[1:-1], _stats.decode(row.stats))))
    for files in found.values():
        files.sort(key=lambda file: (file.state == "gone", -file.stats.entries, str(file.path)))
    return found


def superseded(connection: sa.Connection, session_ids: Iterable[str]) -> list[logs.FileState]:
    """Logs that are gone and whose every record stands in logs of the same session that are there: moved, or copied and
    deleted. An earlier version of a log also where they stand in that log, gone or not."""
    table = sync_state.c
    wanted = sorted(session_ids)
    found = []
    for begin in range(0, len(wanted), _CHUNK):
        part = wanted[begin : begin + _CHUNK]
        gone = sa.select(table.id, table.path, table.session_id)
        gone = gone.where(table.session_id.in_(part), table.state == "gone")
        for file_id, path, session_id in connection.execute(gone).all():
            own, version = manifests.split(logs.path_from(path))
            stays = table.state != "gone"
            if version is not None:
                stays |= table.path == logs.path_value(own)
            there = sa.select(table.id).where(table.session_id == session_id, stays)
            others = connection.execute(there).scalars().all()
            if others and _keys(connection, file_id) <= set().union(*(_keys(connection, other) for other in others)):
                found += logs.with_ids(connection, [file_id])
    return found


def _keys(connection: sa.Connection, file_id: int) -> set[str]:
    keys: set[str] = set()
    for packed in connection.execute(sa.select(session_logs.c["keys"]).where(session_logs.c.file_id == file_id)).scalars():
        keys |= unpack_keys(packed)
    return keys


def entries_of(connection: sa.Connection, file_id: int) -> list[Entry]:
    """All entries of a log."""
    query = sa.select(session_logs.c.data).where(session_logs.c.file_id == file_id).order_by(session_logs.c.page)
    return [entry for data in connection.execute(query).scalars() for entry in pages.unpack(data)]


def _summaries(connection: sa.Connection, wanted: list[str]) -> dict[str, list[str]]:
    """Summaries that name a record of the session, in the order of path and place."""
    query = (
        sa.select(session_summaries.c.session_id, session_summaries.c.summary)
        .join(sync_state, sync_state.c.id == session_summaries.c.file_id)
        .where(session_summaries.c.session_id.in_(wanted))
        .order_by(sync_state.c.path, session_summaries.c.offset)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for session_id, summary in connection.execute(query):
        found[session_id].append(summary)
    return found


def _agents(connection: sa.Connection, wanted: list[str], sources: dict[str, list[_Source]]) -> dict[str, set[str]]:
    """Sub-agents that each session started: named by its records, or by logs that name it as parent."""
    found: dict[str, set[str]] = defaultdict(set)
    for session_id, agent_id in figures.rows(connection, _AGENTS, wanted):
        found[session_id].add(agent_id)
    children = sa.select(sync_state.c.parent_id, sync_state.c.agent_id).where(sync_state.c.parent_id.in_(wanted))
    for parent_id, agent_id in connection.execute(children):
        found[parent_id].add(agent_id)
    for session_id, files in sources.items():
        for file in files:
            found[session_id].update(file.stats.agent_ids)
            found[session_id].discard(file.agent_id or "")
    return found


def _row(
    connection: sa.Connection,
    session_id: str,
    files: list[_Source],
    usage: figures.Usage,
    tools: list[figures.ToolUsage],
) -> dict[str, Any]:
    first = files[0]
    if len(files) == 1:
        stats = first.stats
    else:
        stats = derive.merge([(file.stats, entries_of(connection, file.id)) for file in files])
    models = {model: used.messages for model, used in usage.by_model.items()}
    details = derive.Details(
        stats=stats,
        models=models,
        tokens_by_model={model: list(used.tokens) for model, used in usage.by_model.items()},
        tokens_mirrored=usage.mirrored,
    )
    total = [sum(column) for column in zip(*(used.tokens for used in usage.by_model.values()), strict=True)] or [0] * 6
    return {
        "id": session_id,
        "agent": first.agent,
        "parent_id": first.parent_id,
        "agent_id": first.agent_id,
        "agent_type": stats.agent_type or None,
        "parent_tool_use_id": stats.parent_tool_use_id or None,
        "first_prompt": stats.first_prompt,
        "model": derive.most_used(models),
        "cwd": stats.cwd,
        "git_branch": stats.git_branch,
        "version": stats.version,
        "started_at": stats.started_at,
        "ended_at": stats.ended_at,
        "records": stats.records,
        "prompts": stats.prompts,
        "assistant_messages": sum(models.values()),
        "tool_calls": sum(tool.calls for tool in tools),
        "tool_errors": sum(tool.errors for tool in tools),
        **dict(zip(figures.TOKENS, total, strict=True)),
        "lower_bounds": sum(used.lower_bounds for used in usage.by_model.values()),
        **dict(zip(figures.OWN, usage.own, strict=True)),
        "empty": derive.is_empty(stats),
        "indexed": all(_is_indexed(file) for file in files),
        "source_gone": all(file.state == "gone" for file in files),
        "details": details,
    }


def _is_indexed(file: _Source) -> bool:
    """Whether the log was read whole, by today's reader if it can still be read."""
    return file.guard != b"" and (file.parser == PARSER or file.state == "gone")
