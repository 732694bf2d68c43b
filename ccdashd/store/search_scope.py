"""Which logs and sessions a search is about, and what is known of those that hits are of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.store import pages, projects, sessions
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.logs import path_from, path_value


class Wanted(NamedTuple):
    """What filters say of sessions: values that are wanted, any of those of one name, and values that are not."""

    projects: Sequence[str] = ()
    sessions: Sequence[str] = ()
    agents: Sequence[str] = ()
    branches: Sequence[str] = ()
    not_projects: Sequence[str] = ()
    not_sessions: Sequence[str] = ()
    not_agents: Sequence[str] = ()
    not_branches: Sequence[str] = ()


class Scope(NamedTuple):
    """The sessions that are meant, or, if `rest`, all but these. Of other entities, those of a project."""

    rest: bool
    paths: frozenset[str]
    """Logs of these sessions."""
    sessions: frozenset[str]
    projects: frozenset[str]
    """Projects that are meant, or, if `rest_of_projects`, all but these."""
    rest_of_projects: bool
    sessions_alone: bool
    """Whether only sessions can fit, with the notes on them."""

    @property
    def everything(self) -> bool:
        """Whether all that there is is meant."""
        return self.rest and not self.sessions and not self.paths and self.rest_of_projects and not self.projects

    def has_log(self, path: str) -> bool:
        """Whether the log at that path is meant."""
        return (path in self.paths) != self.rest

    def has_session(self, id: str) -> bool:
        """Whether the session is meant."""
        return (id in self.sessions) != self.rest

    def has_project(self, id: str | None) -> bool:
        """Whether what is no session, of that project or of none, is meant."""
        return not self.sessions_alone and (id in self.projects) != self.rest_of_projects


_SESSIONS = "SELECT s.id, f.path FROM sessions s LEFT JOIN sync_state f ON f.session_id = s.id WHERE "
_HIDDEN = "SELECT id FROM projects WHERE hidden"
_AMONG = "IN (SELECT value FROM json_each(:{}))"
_TESTS = {
    "projects": f"s.project_id {_AMONG}",
    "sessions": f"(s.id {_AMONG} OR s.agent_id IS NOT NULL AND s.parent_id {_AMONG})",
    "agents": f"s.agent {_AMONG}",
    "branches": f"s.git_branch {_AMONG}",
}
"""Conditions of filters, by their names in `Wanted`; a session comes with its sub-agents."""


def resolve(connection: sa.Connection, wanted: Wanted) -> Scope:
    """The scope of filters. What is hidden is left out, unless a project or session is asked for by name.

    Raises NotFound for a project or session that is not there, or whose name means several.
    """
    raw = raw_connection(connection)
    own = [projects.find(connection, name) for name in wanted.projects]
    others = [projects.find(connection, name) for name in wanted.not_projects]
    if not wanted.projects and not wanted.sessions:
        others += [id for (id,) in raw.execute(_HIDDEN)]
    meant = wanted._replace(
        projects=own,
        sessions=[sessions.find(connection, id) for id in wanted.sessions],
        not_projects=others,
        not_sessions=[sessions.find(connection, id) for id in wanted.not_sessions],
    )
    values = {name: json.dumps(given) for name, given in _given(meant).items()}
    some = [test.format(name, name) for name, test in _TESTS.items() if name in values]
    none = [test.format(f"not_{name}", f"not_{name}") for name, test in _TESTS.items() if f"not_{name}" in values]
    # Where something is only left out, that is what is looked for: it is less than what is meant.
    tests = [*some, *(f"NOT {test}" for test in none)] if some else [" OR ".join(none)] if none else []
    rows = raw.execute(_SESSIONS + " AND ".join(tests), values).fetchall() if tests else []
    return Scope(
        rest=not some,
        paths=frozenset(path_from(path) for _, path in rows if path is not None),
        sessions=frozenset(id for id, _ in rows),
        projects=frozenset(own) - frozenset(others) if own else frozenset(others),
        rest_of_projects=not own,
        sessions_alone=bool(wanted.sessions or wanted.agents or wanted.branches),
    )


def _given(wanted: Wanted) -> dict[str, list[str]]:
    """The filters that were given, by name."""
    return {name: list(given) for name, given in wanted._asdict().items() if given}


def known(connection: sa.Connection, column: str) -> list[str]:
    """All agents or branches (``agent``, ``git_branch``) that sessions have, sorted."""
    if column not in ("agent", "git_branch"):
        raise ValueError(f"{column} is no column that is looked up")
    rows = raw_connection(connection).execute(f"SELECT DISTINCT {column} FROM sessions WHERE {column} <> ''")
    return sorted(value for (value,) in rows)


class Source(NamedTuple):
    """The session of a log."""

    path: str
    session_id: str
    title: str
    project_id: str
    project: str
    agent: str
    model: str
    branch: str


_SOURCES = """
SELECT f.path, s.id, s.title, s.project_id, COALESCE(p.name, ''), s.agent, s.model, s.git_branch
FROM sync_state f JOIN sessions s ON s.id = f.session_id LEFT JOIN projects p ON p.id = s.project_id
WHERE f.path IN ({})
"""
_OF_SESSIONS = """
SELECT '', s.id, s.title, s.project_id, COALESCE(p.name, ''), s.agent, s.model, s.git_branch
FROM sessions s LEFT JOIN projects p ON p.id = s.project_id WHERE s.id IN ({})
"""


def sources(connection: sa.Connection, paths: Iterable[str]) -> dict[str, Source]:
    """The sessions of these logs by path; of those that the cache knows."""
    rows = select(connection, _SOURCES, [path_value(path) for path in paths])
    return {(path := path_from(row[0])): Source(path, *row[1:]) for row in rows}


def of_sessions(connection: sa.Connection, ids: Iterable[str]) -> dict[str, Source]:
    """These sessions by id; of those that there are."""
    return {row[1]: Source(*row) for row in select(connection, _OF_SESSIONS, ids)}


def project_names(connection: sa.Connection, ids: Iterable[str]) -> dict[str, str]:
    """Names of projects by id."""
    return dict(select(connection, "SELECT id, name FROM projects WHERE id IN ({})", ids))


_SEVERAL = """
SELECT session_id, COUNT(*) FROM sync_state WHERE session_id IN ({}) GROUP BY session_id HAVING COUNT(*) > 1
"""


def of_several_logs(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """Those of these sessions that have more than one log, of which a transcript shows what stands in both but once."""
    return {id for id, _ in select(connection, _SEVERAL, ids)}


_KEPT = """
SELECT l.data FROM session_logs l JOIN sync_state f ON f.id = l.file_id WHERE f.path = ? ORDER BY l.page
"""


def kept_text(connection: sa.Connection, path: str, offset: int, block: int) -> str | None:
    """What the cache keeps of the text of an entry; None where it does not know it."""
    for (data,) in raw_connection(connection).execute(_KEPT, (path_value(path),)):
        for entry in pages.unpack(data):
            if (entry.offset, entry.block) == (offset, block):
                return entry.text
    return None
