"""Where the transcripts of sub-agents belong in those of the sessions that started them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, NamedTuple

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection
from ccdashd.store.outlines import Outline, outlines

DEPTH: Final = 50
"""Sub-agents of sub-agents that are shown inside each other; agents themselves allow a few."""

_MAIN = "SELECT CASE WHEN agent_id IS NULL THEN id ELSE COALESCE(parent_id, id) END FROM sessions WHERE id = ?"
_AGENTS = """
SELECT id, parent_id, agent_id, parent_tool_use_id, started_at
FROM sessions WHERE parent_id IN (SELECT value FROM json_each(?)) AND agent_id IS NOT NULL
"""
_CALLS = """
SELECT c.agent_id, MIN(c.tool_use_id) FROM sync_state f JOIN session_tool_calls c ON c.file_id = f.id
WHERE f.session_id IN (SELECT value FROM json_each(?)) AND c.agent_id IS NOT NULL GROUP BY c.agent_id
"""


class _Agent(NamedTuple):
    id: str
    parent_id: str
    agent_id: str
    tool_use_id: str | None
    started_at: int | None


class _Host(NamedTuple):
    """The session in whose transcript a sub-agent is shown, and the entry that it stands behind."""

    session_id: str
    place: int


class Family(NamedTuple):
    """The transcripts of a session and its sub-agents."""

    outlines: dict[str, Outline]
    guests: dict[str, list[tuple[int, str]]]
    """Of each session the sub-agents that are shown in it, with the entry that each stands behind; -1 before all."""


def family(connection: sa.Connection, session_id: str) -> Family:
    """A session, its sub-agents, and theirs; of a sub-agent that of the session that it belongs to.

    A sub-agent stands behind the call that started it, which may stand in the transcript of another sub-agent of the same
    session. One whose call is not known stands in its parent's transcript, behind what was written before it began.
    """
    raw = raw_connection(connection)
    (main,) = raw.execute(_MAIN, (session_id,)).fetchone()
    agents = _agents(connection, main)
    known = outlines(connection, (main, *agents))
    calls: dict[str, str] = dict(raw.execute(_CALLS, (json.dumps(list(known)),)).fetchall())
    hosts: dict[str, _Host] = {}
    for agent in agents.values():
        call = agent.tool_use_id or calls.get(agent.agent_id)
        likely = (agent.parent_id, *known)
        host = next((id for id in likely if id != agent.id and call is not None and call in known[id].calls), None)
        if host is not None and call is not None:
            hosts[agent.id] = _Host(host, known[host].calls[call])
        else:
            hosts[agent.id] = _Host(agent.parent_id, _behind(known[agent.parent_id], agent.started_at))
    for agent in agents.values():
        if not _leads_to(main, agent.id, hosts):
            hosts[agent.id] = _Host(main, _behind(known[main], agent.started_at))
    guests: dict[str, list[tuple[int, str]]] = defaultdict(list)
    ages = {agent.id: (agent.started_at or 0, agent.id) for agent in agents.values()}
    for id in sorted(hosts, key=lambda id: (hosts[id].place, ages[id])):
        guests[hosts[id].session_id].append((hosts[id].place, id))
    return Family(known, guests)


def _agents(connection: sa.Connection, main: str) -> dict[str, _Agent]:
    """The sub-agents of a session, and theirs."""
    agents: dict[str, _Agent] = {}
    parents = [main]
    while parents:
        rows = map(_Agent._make, raw_connection(connection).execute(_AGENTS, (json.dumps(parents),)))
        new = {agent.id: agent for agent in rows if agent.id not in agents and agent.id != main}
        agents |= new
        parents = list(new)
    return agents


def _behind(own: Outline, time: int | None) -> int:
    """The last entry before which nothing was written after a time; of all, where the time is not known."""
    if time is None:
        return len(own) - 1
    return bisect_right(list(accumulate(own.times, max)), time) - 1


def _leads_to(main: str, agent: str, hosts: Mapping[str, _Host]) -> bool:
    """Whether a sub-agent is shown within the main session's transcript at last: logs can say what makes a circle."""
    for _ in range(DEPTH):
        if agent == main:
            return True
        agent = hosts[agent].session_id
    return False
