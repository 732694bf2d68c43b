"""Filters of a search choose sessions with their logs, and what is hidden is left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ccdashd.errors import NotFound
from ccdashd.store import search_scope
from ccdashd.store.schema import projects
from ccdashd.store.search_scope import Wanted
from tests.store.search_world import filled

LOGS = {
    "a1": "/logs/a1.jsonl",
    "a1/agent-x": "/logs/agent-x.jsonl",
    "b2": "/logs/b\udcff.jsonl",
    "c3": "/logs/c3.jsonl",
}
SESSIONS = {*LOGS, "d4"}


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with filled() as connection:
        yield connection


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), {"a1", "a1/agent-x", "b2", "d4"}),
        (Wanted(projects=["shop"]), {"a1", "a1/agent-x"}),
        (Wanted(projects=["shop-1", "/work/till/src"]), {"a1", "a1/agent-x", "b2", "d4"}),
        (Wanted(projects=["secret"]), {"c3"}),
        (Wanted(not_projects=["shop"]), {"b2", "d4"}),
        (Wanted(projects=["shop"], not_projects=["shop"]), set()),
        (Wanted(sessions=["a1"]), {"a1", "a1/agent-x"}),
        (Wanted(sessions=["a1/agent-x"]), {"a1/agent-x"}),
        (Wanted(sessions=["c"]), {"c3"}),
        (Wanted(not_sessions=["a1"]), {"b2", "d4"}),
        (Wanted(agents=["codex", "other"]), {"b2"}),
        (Wanted(not_agents=["codex"]), {"a1", "a1/agent-x", "d4"}),
        (Wanted(branches=["main"]), {"a1", "a1/agent-x", "d4"}),
        (Wanted(branches=["main"], not_projects=["shop"]), {"d4"}),
        (Wanted(projects=["till"], branches=["main"]), {"d4"}),
        (Wanted(branches=["none"]), set()),
    ],
)
def test_sessions_and_logs_of_filters(connection: sa.Connection, wanted: Wanted, found: set[str]) -> None:
    scope = search_scope.resolve(connection, wanted)
    assert {id for id in SESSIONS if scope.has_session(id)} == found
    assert {id for id, path in LOGS.items() if scope.has_log(path)} == found & LOGS.keys()
    assert not scope.everything


def test_all_is_meant_where_nothing_is_hidden(connection: sa.Connection) -> None:
    with connection.begin_nested() as change:
        connection.execute(sa.update(projects).values(hidden=False))
        scope = search_scope.resolve(connection, Wanted())
        change.rollback()
    assert scope.everything
    assert all(map(scope.has_session, SESSIONS))
    assert scope.has_project(None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), {"shop-1", "till-1", None}),
        (Wanted(projects=["shop"]), {"shop-1"}),
        (Wanted(projects=["secret"]), {"secret-1"}),
        (Wanted(not_projects=["shop"]), {"till-1", None}),
        (Wanted(agents=["codex"]), set()),
        (Wanted(not_agents=["codex"]), {"shop-1", "till-1", None}),
    ],
)
def test_what_is_no_session_is_chosen_by_its_project(
    connection: sa.Connection, wanted: Wanted, found: set[str | None]
) -> None:
    scope = search_scope.resolve(connection, wanted)
    assert {id for id in ("shop-1", "till-1", "secret-1", None) if scope.has_project(id)} == found


@pytest.mark.parametrize("wanted", [Wanted(projects=["none"]), Wanted(not_sessions=["zz"]), Wanted(sessions=[""])])
def test_what_is_not_there_is_an_error(connection: sa.Connection, wanted: Wanted) -> None:
    with pytest.raises(NotFound):
        search_scope.resolve(connection, wanted)


def test_sources_tell_the_session_of_a_log(connection: sa.Connection) -> None:
    found = search_scope.sources(connection, ["/logs/b\udcff.jsonl", "/logs/unknown.jsonl"])
    assert list(found) == ["/logs/b\udcff.jsonl"]
    source = found["/logs/b\udcff.jsonl"]
    assert (source.session_id, source.title, source.project, source.agent) == ("b2", "Title of b2", "till", "codex")
    assert search_scope.of_sessions(connection, ["d4", "zz"])["d4"].project_id == "till-1"
    assert search_scope.project_names(connection, ["till-1"]) == {"till-1": "till"}


def test_values_that_filters_may_have(connection: sa.Connection) -> None:
    assert search_scope.known(connection, "agent") == ["claude-code", "codex"]
    assert search_scope.known(connection, "git_branch") == ["feature/pay", "main"]
    with pytest.raises(ValueError, match="title"):
        search_scope.known(connection, "title")
