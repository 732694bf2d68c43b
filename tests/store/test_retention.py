"""What retention looks at: sessions with their sub-agents, what they are linked with, and what is tagged keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.derive.links import Key
from ccdashd.derive.retention import Policy
from ccdashd.edits.decisions import RetentionEdit
from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.store import retention, schema
from ccdashd.store.projects import project_id
from ccdashd.store.retention import Log
from ccdashd.store.session_rows import ACTIVE_MS
from tests.store.plans import cache

ROOT = "/work/shop"
PROJECT = project_id(ROOT)
FEATURE = f"{PROJECT}/till"
DAY = 86_400_000


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    with cache() as connection:
        add(connection, schema.projects, id=PROJECT, root=ROOT, name="shop", origin="discovered")
        add(connection, schema.features, id=FEATURE, project_id=PROJECT, slug="till", status="done")
        yield connection


def add(connection: sa.Connection, table: sa.Table, **given: Any) -> None:
    """Add a row; what is not given is empty."""
    empty = {
        column.name: column.type.python_type()
        for column in table.columns
        if not column.nullable and column.autoincrement is not True and column.name != "id"
    }
    connection.execute(sa.insert(table).values({**empty, **given}))


def session(
    connection: sa.Connection,
    id: str,
    *,
    agent: str | None = None,
    ended_at: int | None = 5,
    state: str = "ok",
    size: int = 1,
) -> str:
    """A session, or a sub-agent of one, with its log; returns its id."""
    parent, id = (id, f"{id}/agent-{agent}") if agent else (None, id)
    given = {"parent_id": parent, "agent_id": agent}
    add(connection, schema.sessions, id=id, project_id=PROJECT, title=f"T {id}", ended_at=ended_at, **given)
    path = f"/logs/{id}.jsonl"
    log = {"path": path, "state": state, "size": size, "mtime_ns": 7_000_000, "stats": b"{}"}
    add(connection, schema.sync_state, session_id=id, **given, **log)
    return id


def link(connection: sa.Connection, source: tuple[str, str], target: tuple[str, str]) -> str:
    """A link that was found; returns its id."""
    key = Key(*source, *target, "related")  # type: ignore[arg-type]
    add(connection, schema.entity_links, owner="x", id=key.id, **key._asdict(), evidence=b"[]")
    return key.id


def say(connection: sa.Connection, source: tuple[str, str], target: tuple[str, str], state: str) -> None:
    """A link that the user made, or dismissed."""
    key = Key(*source, *target, "related")  # type: ignore[arg-type]
    add(connection, schema.user_links, id=key.id, **key._asdict(), state=state)


def tag(connection: sa.Connection, type: str, id: str, name: str = "keep") -> None:
    if connection.execute(sa.select(schema.tags).where(schema.tags.c.name == name)).first() is None:
        add(connection, schema.tags, name=name, color="")
    add(connection, schema.entity_tags, entity_type=type, entity_id=id, tag=name)


def test_a_session_is_told_with_its_sub_agents(connection: sa.Connection) -> None:
    session(connection, "a", ended_at=10, size=100)
    session(connection, "a", agent="x", ended_at=30, state="gone", size=20)
    session(connection, "b", agent="y", ended_at=None, state="gone")
    found = retention.sessions(connection)
    assert found.keys() == {"a", "b"}
    assert retention.sessions(connection, ["b", "c"]) == {"b": found["b"]}
    first, second = found["a"], found["b"]
    assert first.logs == [Log("/logs/a.jsonl", False, 100), Log("/logs/a/agent-x.jsonl", True, 20)]
    assert (first.title, first.project_id, first.project, first.root) == ("T a", PROJECT, "shop", ROOT)
    assert (first.ended_at, first.last_at, first.gone) == (30, 30, False)
    assert (second.title, second.project_id, second.last_at, second.gone) == ("", PROJECT, 7, True)
    assert retention.main_of(connection, "a/agent-x") == ("a", True)
    assert retention.main_of(connection, "b/agent-y") == ("b", False)
    assert retention.main_of(connection, "a") == ("a", True)
    assert retention.main_of(connection, "c") is None


def test_a_session_is_active_while_it_is_written(connection: sa.Connection) -> None:
    session(connection, "a", ended_at=DAY)
    session(connection, "gone", ended_at=DAY, state="gone")
    found = retention.sessions(connection)
    assert found["a"].is_active(DAY + ACTIVE_MS - 1)
    assert not found["a"].is_active(DAY + ACTIVE_MS)
    assert not found["gone"].is_active(DAY)
    found["a"].written_at = 2 * DAY
    assert found["a"].is_active(2 * DAY + 1)


@pytest.mark.parametrize(
    ("source", "target", "linked", "features"),
    [
        (("session", "a"), ("feature", FEATURE), True, ["done"]),
        (("feature", FEATURE), ("session", "a"), True, ["done"]),
        (("session", "a/agent-x"), ("feature", FEATURE), True, ["done"]),
        (("session", "a"), ("feature", f"{PROJECT}/lost"), True, []),
        (("task", "t"), ("session", "a"), True, []),
        (("session", "a"), ("document", "d"), True, []),
        (("session", "a"), ("commit", "c"), False, []),
        (("session", "other"), ("feature", FEATURE), False, []),
    ],
)
def test_links_count_whoever_says_them_unless_they_were_dismissed(
    connection: sa.Connection, source: tuple[str, str], target: tuple[str, str], linked: bool, features: list[str]
) -> None:
    session(connection, "a")
    session(connection, "a", agent="x")

    def found() -> tuple[bool, list[str]]:
        one = retention.sessions(connection)["a"]
        return one.linked, one.features

    assert found() == (False, [])
    id = link(connection, source, target)
    assert found() == (linked, features)
    say(connection, source, target, "dismissed")
    assert found() == (False, [])
    connection.execute(sa.delete(schema.entity_links).where(schema.entity_links.c.id == id))
    connection.execute(sa.update(schema.user_links).values(state="made"))
    assert found() == (linked, features)


@pytest.mark.parametrize(
    ("type", "id", "keep"),
    [
        ("session", "a", True),
        ("session", "a/agent-x", True),
        ("project", PROJECT, True),
        ("feature", FEATURE, True),
        ("task", "t", True),
        ("document", "d", False),
        ("session", "b", False),
        ("feature", "a", False),
    ],
)
@pytest.mark.parametrize("name", ["keep", "Keep"])
def test_what_is_tagged_keep_keeps_its_sessions(
    connection: sa.Connection, type: str, id: str, keep: bool, name: str
) -> None:
    session(connection, "a")
    session(connection, "a", agent="x")
    link(connection, ("session", "a/agent-x"), ("feature", FEATURE))
    link(connection, ("task", "t"), ("session", "a"))
    assert not retention.sessions(connection)["a"].keep
    tag(connection, "session", "a", "keeper")
    assert not retention.sessions(connection)["a"].keep
    tag(connection, type, id, name)
    assert retention.sessions(connection)["a"].keep is keep


def test_policies_are_kept_by_id_and_by_the_root_of_their_project(connection: sa.Connection) -> None:
    wanted = t.RetentionPolicy(id="old", max_age_days=9, project="shop", status="done", automatic=True)
    policy = retention.policy_of(connection, wanted)
    assert policy == Policy(max_age_days=9, root=ROOT, status="done", automatic=True)
    retention.apply(connection, RetentionEdit(id="old", policy=policy))
    retention.apply(connection, RetentionEdit(id="big", policy=Policy(max_bytes=5)))
    assert list(retention.policies(connection).items()) == [("big", Policy(max_bytes=5)), ("old", policy)]
    told = retention.wire("old", policy)
    assert told.project == ROOT and retention.policy_of(connection, told) == policy
    with pytest.raises(NotFound):
        retention.policy_of(connection, t.RetentionPolicy(max_age_days=1, project="other"))
    connection.execute(sa.delete(schema.projects))
    add(connection, schema.projects, id="work", root="/work", name="work", origin="added")
    assert retention.policy_of(connection, told) == policy, "also where the project is gone"
    retention.apply(connection, RetentionEdit(id="old"))
    assert retention.policies(connection) == {"big": Policy(max_bytes=5)}
    retention.forget(connection)
    assert retention.policies(connection) == {}
