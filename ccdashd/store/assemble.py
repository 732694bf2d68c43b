"""Session rows from the rows of their logs, of which they are a pure function: built anew whenever one changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive import sessions as derive
from ccdashd.sources import PARSER
from ccdashd.sources.log import unpack_keys
from ccdashd.sources.model import Entry, Stats
from ccdashd.store import pages, projects
from ccdashd.store.database import raw_connection
from ccdashd.store.schema import session_logs, session_summaries, session_tool_usage, sessions, sync_state

_stats = msgspec.json.Decoder(Stats)
_encode = msgspec.json.Encoder().encode
_CHUNK = 200

# Nearly every session has one log, in which each message and each call stands once.
_USAGE = """
SELECT f.session_id, m.model, COUNT(*), SUM(m.input), SUM(m.output), SUM(m.cache_read), SUM(m.cache_write),
       SUM(m.cache_write_5m), SUM(m.cache_write_1h), SUM(m.lower_bound)
FROM sync_state f JOIN session_messages m ON m.file_id = f.id
WHERE f.session_id IN ({marks}) AND NOT m.mirror
GROUP BY f.session_id, m.model
"""
_TOOLS = """
SELECT f.session_id, c.name, COUNT(*), SUM(COALESCE(c.status, '') = 'success'),
       SUM(COALESCE(c.status, '') = 'error'),
       SUM(MAX(COALESCE(c.ended_at - c.called_at, 0), 0))
FROM sync_state f JOIN session_tool_calls c ON c.file_id = f.id
WHERE f.session_id IN ({marks}) AND c.name IS NOT NULL
GROUP BY f.session_id, c.name
"""
# Copies in several logs of a session are one; all copies agree but for what a torn one lacks.
_USAGE_ONCE = """
SELECT session_id, model, COUNT(*), SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(five), SUM(hour),
       SUM(lower_bound)
FROM (SELECT f.session_id, MAX(m.model) AS model, MAX(m.input) AS input, MAX(m.output) AS output,
             MAX(m.cache_read) AS cache_read, MAX(m.cache_write) AS cache_write, MAX(m.cache_write_5m) AS five,
             MAX(m.cache_write_1h) AS hour, MIN(m.lower_bound) AS lower_bound
      FROM sync_state f JOIN session_messages m ON m.file_id = f.id
      WHERE f.session_id IN ({marks}) AND NOT m.mirror
      GROUP BY f.session_id, m.message_id, m.request_id)
GROUP BY session_id, model
"""
_TOOLS_ONCE = """
SELECT session_id, name, COUNT(*), SUM(ended AND NOT failed), SUM(failed), SUM(MAX(COALESCE(ended_at - called_at, 0), 0))
FROM (SELECT f.session_id, MAX(c.name) AS name, MAX(c.status IS NOT NULL) AS ended,
             MAX(COALESCE(c.status, '') = 'error') AS failed, MIN(c.called_at) AS called_at, MIN(c.ended_at) AS ended_at
      FROM sync_state f JOIN session_tool_calls c ON c.file_id = f.id
      WHERE f.session_id IN ({marks})
      GROUP BY f.session_id, c.tool_use_id)
WHERE name IS NOT NULL
GROUP BY session_id, name
"""
_OWN = """
SELECT f.session_id, m.mirror, SUM(m.input), SUM(m.output), SUM(m.cache_read), SUM(m.cache_write), SUM(m.cache_write_5m),
       SUM(m.cache_write_1h)
FROM sync_state f JOIN session_messages m ON m.file_id = f.id
WHERE f.session_id IN ({marks}) AND m.counted
GROUP BY f.session_id, m.mirror
"""
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
    usage = {**_grouped(connection, _USAGE, single), **_grouped(connection, _USAGE_ONCE, several)}
    tools = {**_grouped(connection, _TOOLS, single), **_grouped(connection, _TOOLS_ONCE, several)}
    own = _grouped(connection, _OWN, wanted)
    summaries = _summaries(connection, wanted)
    agents = _agents(connection, wanted, sources)
    rows: list[dict[str, Any]] = []
    for session_id, files in sources.items():
        row = _row(connection, session_id, files, usage.get(session_id, []), own[session_id], tools.get(session_id, []))
        details: derive.Details = row.pop("details")
        details.summaries = summaries[session_id]
        details.agents = sorted(agents[session_id])
        row["subagents"] = len(details.agents) + details.stats.sidechain_roots
        subagent = row["agent_id"] is not None
        row["title"], row["title_source"] = derive.title(details.stats, details.summaries, subagent)
        root = owner(row["cwd"]) if row["cwd"] else str(files[0].path).rsplit("/", 1)[0]
        row["project_id"], is_new = projects.ensure(connection, root)
        if is_new:
            built.projects.add(row["project_id"])
        row["details"] = _encode(details)
        rows.append(row)
    if rows:
        raw_connection(connection).executemany(_SESSIONS, [tuple(map(row.__getitem__, _SESSION_COLUMNS)) for row in rows])
    connection.execute(sa.delete(session_tool_usage).where(session_tool_usage.c.session_id.in_(wanted)))
    counts = [tuple(row) for session_id in sources for row in tools.get(session_id, [])]
    if counts:
        marks = "INSERT INTO session_tool_usage VALUES (?, ?, ?, ?, ?, ?)"
        raw_connection(connection).executemany(marks, counts)
    lost = [session_id for session_id in wanted if session_id not in sources]
    if lost:
        connection.execute(sa.delete(sessions).where(sessions.c.id.in_(lost)))
    built.upserted.update(sources)
    built.deleted.update(lost)


def _grouped(connection: sa.Connection, statement: str, wanted: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    grouped: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    if not wanted:
        return grouped
    for row in raw_connection(connection).execute(statement.format(marks=", ".join("?" * len(wanted))), wanted):
        grouped[row[0]].append(row)
    return grouped


def _sources(connection: sa.Connection, wanted: list[str]) -> dict[str, list[_Source]]:
    """The logs of each session, the one to be believed in doubt first: there before gone, then the longest."""
    table = sync_state.c
    query = sa.select(
        table.session_id,
        table.id,
        table.path,
        table.agent,
        table.state,
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


def superseded(connection: sa.Connection, session_ids: Iterable[str]) -> list[tuple[int, str]]:
    """``(id, session)`` of logs that are gone and whose every record stands in logs of the same session that are there:
    moved, or copied and deleted."""
    table = sync_state.c
    wanted = sorted(session_ids)
    found = []
    for begin in range(0, len(wanted), _CHUNK):
        part = wanted[begin : begin + _CHUNK]
        gone = sa.select(table.id, table.session_id).where(table.session_id.in_(part), table.state == "gone")
        for file_id, session_id in connection.execute(gone).all():
            there = sa.select(table.id).where(table.session_id == session_id, table.state != "gone")
            others = connection.execute(there).scalars().all()
            if others and _keys(connection, file_id) <= set().union(*(_keys(connection, other) for other in others)):
                found.append((file_id, session_id))
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
    for session_id, agent_id in _flat(_grouped(connection, _AGENTS, wanted)):
        found[session_id].add(agent_id)
    children = sa.select(sync_state.c.parent_id, sync_state.c.agent_id).where(sync_state.c.parent_id.in_(wanted))
    for parent_id, agent_id in connection.execute(children):
        found[parent_id].add(agent_id)
    for session_id, files in sources.items():
        for file in files:
            found[session_id].update(file.stats.agent_ids)
            found[session_id].discard(file.agent_id or "")
    return found


def _flat(grouped: dict[str, list[tuple[Any, ...]]]) -> Iterable[tuple[Any, ...]]:
    return (row for rows in grouped.values() for row in rows)


def _row(
    connection: sa.Connection,
    session_id: str,
    files: list[_Source],
    usage: list[tuple[Any, ...]],
    own: list[tuple[Any, ...]],
    tools: list[tuple[Any, ...]],
) -> dict[str, Any]:
    first = files[0]
    if len(files) == 1:
        stats = first.stats
    else:
        stats = derive.merge([(file.stats, entries_of(connection, file.id)) for file in files])
    models = {row[1]: row[2] for row in usage}
    details = derive.Details(
        stats=stats,
        models=models,
        tokens_by_model={row[1]: list(row[3:9]) for row in usage},
        tokens_mirrored=next((row[2:] for row in own if row[1]), (0,) * 6),
    )
    counted = next((row[2:] for row in own if not row[1]), (0,) * 6)
    totals = [sum(row[column] for row in usage) for column in range(2, 10)]
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
        "assistant_messages": totals[0],
        "tool_calls": sum(row[2] for row in tools),
        "tool_errors": sum(row[4] for row in tools),
        "tokens_in": totals[1],
        "tokens_out": totals[2],
        "cache_read": totals[3],
        "cache_write": totals[4],
        "cache_write_5m": totals[5],
        "cache_write_1h": totals[6],
        "lower_bounds": totals[7],
        "own_in": counted[0],
        "own_out": counted[1],
        "own_cache_read": counted[2],
        "own_cache_write": counted[3],
        "own_cache_write_5m": counted[4],
        "own_cache_write_1h": counted[5],
        "empty": derive.is_empty(stats),
        "indexed": all(file.state != "glanced" for file in files) and all(file.parser == PARSER for file in files),
        "source_gone": all(file.state == "gone" for file in files),
        "details": details,
    }
