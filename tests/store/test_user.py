"""What the user says of entities: carried out from the journal, the same in whatever way it gets there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.derive.links import Key
from ccdashd.edits.compaction import Line, live
from ccdashd.edits.decisions import (
    AnyEdit,
    DayEdit,
    ExternalLinkEdit,
    LinkEdit,
    MetadataEdit,
    Name,
    ProjectEdit,
    TagEdit,
    TagUse,
    decode,
    encode,
)
from ccdashd.edits.journal import Journal
from ccdashd.protocol import types as t
from ccdashd.store import bundles, decisions, link_trees, links, progress_days, projects, user
from ccdashd.store.schema import entity_links, metadata
from ccdashd.store.schema import projects as projects_table

HOME = "/home/me"
SHOP, TILL = "/home/me/shop", "/home/me/shop/till"
USER_TABLES = ("user_links", "external_links", "tags", "entity_tags", "app_metadata", "progress_days")


ENGINES = [sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool) for _ in range(2)]
"""Caches in memory, made once: two at a time are needed."""


@contextmanager
def cache() -> Iterator[sa.Connection]:
    """A cache without any row, in one transaction."""
    engine = ENGINES.pop()
    try:
        with engine.connect() as connection:
            for table in metadata.sorted_tables:
                connection.exec_driver_sql(f"DELETE FROM {table.name}")
            connection.commit()
            yield connection
    finally:
        ENGINES.append(engine)


@pytest.fixture(scope="module", autouse=True)
def engines() -> Iterator[None]:
    for engine in ENGINES:
        metadata.create_all(engine)
    yield
    for engine in ENGINES:
        engine.dispose()


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    with cache() as connection:
        yield connection


def state(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that the user said, and the projects that are kept for it."""
    projects.drop_unused(connection)
    tables = [*(metadata.tables[name] for name in USER_TABLES), projects_table]
    return {table.name: sorted(tuple(row) for row in connection.execute(sa.select(table))) for table in tables}


def carried_out(edits: list[AnyEdit]) -> dict[str, list[tuple[Any, ...]]]:
    with cache() as connection:
        carry_out(connection, edits)
        return state(connection)


def carry_out(connection: sa.Connection, edits: list[AnyEdit]) -> user.Changes:
    changes: user.Changes = {}
    for edit in edits:
        if isinstance(edit, ProjectEdit):
            projects.apply(connection, edit)
        elif isinstance(edit, DayEdit):
            progress_days.store(connection, [edit])
        else:
            changes |= user.apply(connection, edit)
    return changes


# --- random edits ---

NAMES = st.sampled_from(
    [
        Name(type="session", key="s1"),
        Name(type="session", root="/ignored", key="s1"),
        Name(type="project", root=SHOP),
        Name(type="feature", root=SHOP, key="till"),
        Name(type="document", root=SHOP, key="till"),
        Name(type="file", root=SHOP, key="till/a.py"),
        Name(type="file", root=TILL, key="a.py"),
    ]
)
ROOTS = st.sampled_from([SHOP, TILL, "/srv/x"])
TAGS = st.sampled_from(["a", "A", "b", "straße", "STRASSE", "Straße"])
COLORS = st.sampled_from(["", "#000000", "#ffffff"])
TIMES = st.sampled_from(["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"])
URLS = st.sampled_from(["https://a.org/", "https://b.org/"])
EDITS: st.SearchStrategy[AnyEdit] = st.one_of(
    st.builds(
        ProjectEdit,
        op=st.sampled_from(["add", "update", "remove"]),
        root=ROOTS,
        name=st.sampled_from([None, "", "x"]),
        hidden=st.sampled_from([None, True, False]),
    ),
    st.builds(
        LinkEdit,
        op=st.sampled_from(["make", "remove", "dismiss", "restore"]),
        source=NAMES,
        target=NAMES,
        link_type=st.sampled_from(["related", "child"]),
        note=st.sampled_from(["", "why"]),
        at=TIMES,
    ),
    st.builds(ExternalLinkEdit, op=st.sampled_from(["create", "delete"]), entity=NAMES, url=URLS, label=TAGS, at=TIMES),
    st.builds(TagEdit, op=st.just("set"), name=TAGS, color=COLORS, at=TIMES),
    st.builds(TagEdit, op=st.just("rename"), name=TAGS, new_name=TAGS, at=TIMES),
    st.builds(TagEdit, op=st.just("delete"), name=TAGS, at=TIMES),
    st.builds(TagUse, op=st.sampled_from(["add", "add", "remove"]), name=TAGS, entity=NAMES, at=TIMES),
    st.builds(
        MetadataEdit, entity=NAMES, key=st.sampled_from(["note", "k"]), value=st.sampled_from([None, 1, "x"]), at=TIMES
    ),
    st.builds(
        DayEdit,
        root=ROOTS,
        day=st.one_of(st.dates(date(2019, 1, 1), date(2025, 12, 31)), st.sampled_from([date(2025, 1, d) for d in (6, 8)])),
        tasks=st.sampled_from([{}, {"done": 1, "later": 2}]),
        undated=st.integers(0, 1),
        at=TIMES,
    ),
)
SCRIPTS = st.lists(EDITS, max_size=25)
FEW = settings(max_examples=150, deadline=None)


def lines(edits: list[AnyEdit]) -> list[Line]:
    return [Line(encode(edit, HOME), edit) for edit in edits]


@FEW
@given(SCRIPTS)
def test_what_compaction_leaves_says_the_same(edits: list[AnyEdit]) -> None:
    kept = live(lines(edits), HOME)
    shorter = [decode(line, HOME) for raw in kept for line in raw.splitlines(keepends=True)]
    assert carried_out(shorter) == carried_out(edits)
    assert len(b"".join(live(lines(shorter), HOME))) == len(b"".join(kept))


OF_TAGS: list[AnyEdit] = [
    TagEdit(op="set", name="a", color="#000000"),
    TagEdit(op="set", name="A"),
    TagEdit(op="set", name="b", color="#ffffff"),
    TagEdit(op="rename", name="a", new_name="B"),
    TagEdit(op="rename", name="a", new_name="A"),
    TagEdit(op="delete", name="a"),
    TagUse(op="add", name="a", entity=Name(type="session", key="s1")),
    TagUse(op="add", name="b", entity=Name(type="session", key="s1")),
    TagUse(op="remove", name="a", entity=Name(type="session", key="s1")),
]


OF_A_PROJECT: list[AnyEdit] = [
    ProjectEdit(op="add", root=SHOP),
    ProjectEdit(op="add", root=SHOP, name="added"),
    ProjectEdit(op="update", root=SHOP, name="named", hidden=True),
    ProjectEdit(op="update", root=SHOP, name=""),
    ProjectEdit(op="update", root=SHOP, hidden=False),
    ProjectEdit(op="remove", root=SHOP),
]


@pytest.mark.parametrize("steps", [OF_TAGS, OF_A_PROJECT], ids=["tags", "a project"])
def test_compaction_is_right_after_every_three_steps(steps: list[AnyEdit]) -> None:
    for edits in itertools.product(steps, repeat=3):
        shorter = [decode(line, HOME) for raw in live(lines(list(edits)), HOME) for line in raw.splitlines(keepends=True)]
        assert carried_out(shorter) == carried_out(list(edits)), edits


@FEW
@given(SCRIPTS, st.integers(0, 30))
def test_lines_of_newer_versions_outlive_compaction_in_their_order(edits: list[AnyEdit], where: int) -> None:
    newer = [b'{"type":"newer","n":1}\n', b'{"type":"newer","n":2}']
    known: list[Line] = lines(edits)
    mixed = [*known[:where], Line(newer[0], None), Line(b"\0\0\n", None), *known[where:], Line(newer[1], None)]
    kept = b"".join(live(mixed, HOME)).splitlines()
    assert [line for line in kept if b"newer" in line] == [line.strip() for line in newer]
    assert [line for line in kept if b"newer" not in line] == b"".join(live(known, HOME)).splitlines()
    assert kept[-1] == newer[1]


@settings(FEW, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(EDITS, st.sampled_from(["restart", "elsewhere", "refused", "lost", "compact"])), max_size=25))
def test_in_whatever_way_edits_get_into_the_cache_they_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[Any]
) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    journal, other = Journal(path, HOME), Journal(path, HOME)
    monkeypatch.setattr("ccdashd.edits.journal.COMPACT_FROM", 1)
    monkeypatch.setattr("ccdashd.store.decisions.now", lambda: "2026-01-03T00:00:00.000Z")
    edits: list[AnyEdit] = []
    elsewhere = False
    with cache() as connection:
        connection.commit()
        for step in steps:
            if step == "restart":
                journal = Journal(path, HOME)
            elif step == "elsewhere":
                elsewhere = True
            elif step == "compact":
                journal._look_from = 1
            elif step in ("refused", "lost"):
                # The first decides nothing; the second is in the journal already when its transaction fails.
                with pytest.raises(ZeroDivisionError):
                    decisions.decide(connection, journal, refuse if step == "refused" else never)
                    raise ZeroDivisionError
                connection.rollback()
                decisions.catch_up(connection, journal)
                connection.commit()
            elif elsewhere:
                other.append(step)
                edits.append(step)
                elsewhere = False
            else:
                decisions.decide(connection, journal, lambda _, step=step: (step, None))
                connection.commit()
                edits.append(with_time(step))
        decisions.catch_up(connection, journal)
        assert state(connection) == carried_out(edits)


def test_a_journal_in_the_place_of_another_leaves_nothing_of_what_that_said(
    connection: sa.Connection, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal.jsonl", HOME)
    projects.add(connection, SHOP)
    said: list[AnyEdit] = [
        ProjectEdit(op="add", root=SHOP, name="Mine", hidden=True),
        TagUse(op="add", name="a", entity=Name(type="project", root=SHOP)),
    ]
    for edit in said:
        decisions.decide(connection, journal, lambda _, edit=edit: (edit, None))
    other = Journal(tmp_path / "other.jsonl", HOME)
    other.append(TagEdit(op="set", name="b"))
    other.path.rename(journal.path)
    carried = decisions.catch_up(connection, journal)
    id = projects.project_id(SHOP)
    assert carried == decisions.Carried(
        {("project", id): "upsert", ("tag", "a"): "delete", ("tag", "b"): "upsert"}, projects=True
    )
    rows = connection.execute(sa.select(projects_table)).all()
    assert rows == [(id, SHOP, "shop", "discovered", False)]
    assert user.all_tags(connection) == [t.Tag(name="b", color="", count=0)]
    assert decisions.catch_up(connection, journal) == decisions.Carried()


def refuse(connection: sa.Connection) -> tuple[AnyEdit, None]:
    raise ZeroDivisionError


def never(connection: sa.Connection) -> tuple[AnyEdit, None]:
    return TagEdit(op="set", name="never"), None


def with_time(edit: AnyEdit) -> AnyEdit:
    """As it is decided: with the time of now, unless it was said elsewhere at another."""
    return edit if edit.at else msgspec.structs.replace(edit, at="2026-01-03T00:00:00.000Z")


# --- what is told of it ---

FEATURE = Name(type="feature", root=SHOP, key="till")
SESSION = Name(type="session", key="s1")
FEATURE_ID = f"{projects.project_id(SHOP)}/till"


def test_names_of_tags_differ_by_more_than_case(connection: sa.Connection) -> None:
    carry_out(
        connection,
        [
            TagEdit(op="set", name="Straße", color="#000000"),
            TagUse(op="add", name="STRASSE", entity=SESSION),
            TagUse(op="add", name="b", entity=SESSION),
            TagUse(op="add", name="B", entity=FEATURE),
        ],
    )
    assert user.spelling(connection, "strasse") == "Straße"
    assert user.spelling(connection, "stras") is None
    assert user.tags_of(connection, "session", "s1") == ["b", "Straße"]
    assert user.tags_of(connection, "feature", FEATURE_ID) == ["b"]
    assert user.tags_of(connection, "feature", "s1") == []
    b, street = t.Tag(name="b", color="", count=2), t.Tag(name="Straße", color="#000000", count=1)
    assert user.all_tags(connection) == user.entity_tag_list(connection, "session", "s1") == [b, street]
    assert user.tag(connection, "b") == b
    assert user.tag(connection, "B") is None


def test_a_tag_that_is_renamed_to_another_becomes_one_with_it(connection: sa.Connection) -> None:
    carry_out(connection, [TagUse(op="add", name=name, entity=SESSION) for name in ("a", "b")])
    carry_out(connection, [TagUse(op="add", name="a", entity=FEATURE), TagEdit(op="set", name="a", color="#ff0000")])
    changes = carry_out(connection, [TagEdit(op="rename", name="A", new_name="B")])
    assert user.all_tags(connection) == [t.Tag(name="b", color="#ff0000", count=2)]
    assert changes == {
        ("tag", "a"): "delete",
        ("tag", "b"): "upsert",
        ("session", "s1"): "upsert",
        ("feature", FEATURE_ID): "upsert",
    }
    assert carry_out(connection, [TagEdit(op="rename", name="b", new_name="B")])["tag", "b"] == "delete"
    assert user.tags_of(connection, "session", "s1") == ["B"]
    carry_out(connection, [TagEdit(op="delete", name="b")])
    assert user.tags_of(connection, "session", "s1") == []


def test_links_to_the_web_and_metadata_are_listed_by_entity(connection: sa.Connection) -> None:
    def link(entity: Name, url: str, at: str) -> ExternalLinkEdit:
        return ExternalLinkEdit(op="create", entity=entity, url=url, label=url, category="docs", at=at)

    carry_out(
        connection,
        [
            link(SESSION, "https://b.org", "2026-01-01"),
            link(FEATURE, "https://b.org", "2026-01-02"),
            link(SESSION, "https://a.org", "2026-01-03"),
            MetadataEdit(entity=SESSION, key="note", value="ü" * 3),
            MetadataEdit(entity=SESSION, key="a.b", value={"x": [None, 1.5]}),
            MetadataEdit(entity=FEATURE, key="note", value="other"),
        ],
    )
    first, second = user.external_links_of(connection, "session", "s1")
    assert (first.url, second.url, first.entity) == ("https://b.org", "https://a.org", t.EntityRef(type="session", id="s1"))
    assert user.external_link(connection, first.id) == first
    page = user.external_links_page(connection, t.ExternalLinksList(offset=1, limit=1, category="docs"), 7)
    assert ([link.entity.id for link in page.items], page.total, page.revision) == ([FEATURE_ID], 3, 7)
    assert user.external_links_page(connection, t.ExternalLinksList(category="chat"), 7).items == []
    assert user.metadata_of(connection, "session", "s1") == {"a.b": {"x": [None, 1.5]}, "note": "üüü"}
    assert user.metadata_of(connection, "session", "s1", "note") == {"note": "üüü"}


def test_forgetting_tells_of_all_that_had_something(connection: sa.Connection) -> None:
    carry_out(
        connection,
        [
            LinkEdit(op="make", source=SESSION, target=FEATURE, link_type="related"),
            TagUse(op="add", name="a", entity=Name(type="project", root=SHOP)),
            TagEdit(op="set", name="b"),
            MetadataEdit(entity=Name(type="document", root=SHOP, key="README.md"), key="note", value=""),
            MetadataEdit(entity=Name(type="commit", root=SHOP, key="1234567"), key="note", value=""),
        ],
    )
    project = projects.project_id(SHOP)
    link = Key("session", "s1", "feature", FEATURE_ID, "related").id
    assert user.forget(connection) == {
        ("session", "s1"): "upsert",
        ("feature", FEATURE_ID): "upsert",
        ("link", link): "delete",
        ("project", project): "upsert",
        ("document", f"{project}/README.md"): "upsert",
        ("tag", "a"): "delete",
        ("tag", "b"): "delete",
    }
    assert not any(state(connection).values())


# --- links ---


def found(connection: sa.Connection, key: Key, owner: str, confidence: float, signals: str) -> None:
    values = {**key._asdict(), "owner": owner, "id": key.id, "confidence": confidence, "signals": signals}
    connection.execute(sa.insert(entity_links).values(**values, sort_order=0, evidence=b"[]"))


def test_what_was_found_and_what_the_user_says_of_it_are_one_link(connection: sa.Connection) -> None:
    key = Key("session", "s1", "feature", FEATURE_ID, "related")
    assert links.by_id(connection, key.id) is None
    found(connection, key, "session:s1", 0.5, "read,write")
    found(connection, key, "feature:x", 0.9, "command,read")
    steps: list[tuple[Any, str, tuple[str, float, bool, str]]] = [
        ("dismiss", "delete", ("auto", 0.9, True, "")),
        ("restore", "upsert", ("auto", 0.9, False, "")),
        ("make", "upsert", ("manual", 1.0, False, "why")),
        ("remove", "upsert", ("auto", 0.9, False, "")),
    ]
    for op, told, expected in steps:
        edit = LinkEdit(op=op, source=SESSION, target=FEATURE, link_type="related", note="why", at="2026-01-01")
        assert carry_out(connection, [edit])["link", key.id] == told
        known = links.by_id(connection, key.id)
        assert known is not None
        link = links.wire(connection, known)
        assert (link.origin, link.confidence, link.dismissed, link.note) == expected
        assert link.signals == ["command", "read", "write"]
        assert (link.created_at is None) == (op != "make")
        assert (link.source.missing, link.target.id) == (True, FEATURE_ID)


def child(connection: sa.Connection, parent: str, child: str) -> None:
    ends = (Name(type="session", key=name) for name in (parent, child))
    carry_out(connection, [LinkEdit(op="make", source=next(ends), target=next(ends), link_type="child")])


def test_cycles_of_children_are_found_through_links_of_both_kinds(connection: sa.Connection) -> None:
    child(connection, "a", "b")
    child(connection, "b", "c")
    key = Key("session", "c", "session", "d", "child")
    found(connection, key, "x", 0.5, "frontmatter")

    def cycle(parent: str, child: str) -> list[str]:
        return [entity.id for entity in link_trees.cycle(connection, ("session", parent), ("session", child))]

    assert cycle("d", "a") == ["a", "b", "c", "d", "a"]
    assert cycle("b", "a") == ["a", "b", "a"]
    assert cycle("a", "d") == cycle("d", "e") == cycle("e", "a") == []
    carry_out(
        connection,
        [
            LinkEdit(
                op="dismiss",
                source=Name(type="session", key="c"),
                target=Name(type="session", key="d"),
                link_type="child",
            )
        ],
    )
    assert cycle("d", "a") == []


def test_what_a_bundle_says_makes_no_circle(connection: sa.Connection) -> None:
    def link(parent: str, below: str) -> LinkEdit:
        ends = [Name(type="session", key=name) for name in (parent, below)]
        return LinkEdit(op="make", source=ends[0], target=ends[1], link_type="child")

    child(connection, "a", "b")
    edits = [link("b", "a"), link("b", "c"), link("c", "a"), link("d", "e"), link("e", "f"), link("f", "d")]
    assert bundles.unsaid(connection, edits, replace=False) == [edits[1], edits[3], edits[4]]


def test_a_circle_that_is_there_already_does_not_catch_the_search(connection: sa.Connection) -> None:
    for parent, below in (("a", "b"), ("b", "a"), ("b", "c")):
        child(connection, parent, below)
    assert link_trees.cycle(connection, ("session", "c"), ("session", "x")) == []
