"""A cache with sessions of several projects, agents and branches, put there row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from ccdashd.store.logs import path_value
from ccdashd.store.schema import projects, sessions, sync_state
from tests.store.plans import cache


@contextmanager
def filled() -> Iterator[sa.Connection]:
    """Three projects, one of them hidden; a session with a sub-agent, and one whose log's name is not UTF-8."""
    with cache() as connection:
        for name in ("shop", "till", "secret"):
            hidden = name == "secret"
            project = {"id": f"{name}-1", "root": f"/work/{name}", "name": name, "origin": "added", "hidden": hidden}
            connection.execute(sa.insert(projects).values(**project))
        add(connection, "a1", "/logs/a1.jsonl", project="shop-1")
        add(connection, "a1/agent-x", "/logs/agent-x.jsonl", project="shop-1", parent="a1", agent_id="x")
        add(connection, "b2", "/logs/b\udcff.jsonl", project="till-1", branch="feature/pay", agent="codex")
        add(connection, "c3", "/logs/c3.jsonl", project="secret-1")
        add(connection, "d4", None, project="till-1")
        yield connection


def add(
    connection: sa.Connection,
    id: str,
    path: str | None,
    *,
    project: str,
    agent: str = "claude-code",
    branch: str = "main",
    parent: str | None = None,
    agent_id: str | None = None,
) -> None:
    """Add a session and its log, if it has one."""
    given = {"id": id, "project_id": project, "agent": agent, "git_branch": branch, "title": f"Title of {id}"}
    given |= {"parent_id": parent, "agent_id": agent_id, "ended_at": 1_000, "model": "opus"}
    connection.execute(sa.insert(sessions).values(**_blank(sessions) | given))
    if path is not None:
        log = {"path": path_value(path), "agent": agent, "session_id": id, "state": "ok"}
        connection.execute(sa.insert(sync_state).values(**_blank(sync_state) | log))


def _blank(table: sa.Table) -> dict[str, Any]:
    """A value for each column that must have one."""
    blanks: dict[type, Any] = {str: "", int: 0, bool: False, bytes: b"{}"}
    return {
        column.name: blanks[column.type.python_type]
        for column in table.columns
        if not column.nullable and column.name != "id"
    }
