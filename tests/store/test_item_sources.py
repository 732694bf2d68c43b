"""Titles and texts of entities, as search takes them from the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ccdashd.store import item_sources
from ccdashd.store.item_sources import TYPES, Item
from ccdashd.store.schema import app_metadata, documents, projects
from tests.store import search_world, shop
from tests.store.shop import LOOSE, PHASE_1, PRD, SHOP


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with shop.filled() as connection:
        notes = [("feature", f"{SHOP}/checkout", b'"Ask ada"'), ("session", "gone", b'"Keep"'), ("project", SHOP, b"3")]
        for type, id, value in notes:
            note = {"entity_type": type, "entity_id": id, "key": "note", "value": value}
            said_at = "" if id == "gone" else "2026-01-02T00:00:00.000Z"
            connection.execute(sa.insert(app_metadata).values(**note, updated_at=said_at))
        yield connection


def one(connection: sa.Connection, type: item_sources.ItemType, id: str) -> Item:
    (item,) = item_sources.items(connection, type, [id])
    return item


def test_planning_files_tasks_and_features(connection: sa.Connection) -> None:
    document = one(connection, "document", f"{SHOP}/{PRD}")
    assert (document.title, document.project_id, document.time) == ("PRD: Checkout", SHOP, 1000)
    assert item_sources.place(document) == f"/work/shop/{PRD}"
    task = one(connection, "task", f"{SHOP}/{PHASE_1}#T1-001")
    assert (task.title, task.text) == ("T1-001 Count the coins", "All of them, also pennies")
    assert (item_sources.place(task), task.line) == (f"/work/shop/{PHASE_1}", 11)
    feature = one(connection, "feature", f"{SHOP}/checkout")
    assert (feature.title, feature.text.splitlines()[0]) == ("Checkout", "checkout")
    assert item_sources.place(feature) is None


def test_notes_are_told_with_what_they_are_on(connection: sa.Connection) -> None:
    found = {item.id: item for item in item_sources.items(connection, "note")}
    assert found.keys() == {f"feature:{SHOP}/checkout", "session:gone"}
    note = found[f"feature:{SHOP}/checkout"]
    assert (note.title, note.text, note.project_id) == ("Checkout", "Ask ada", SHOP)
    assert note.time == 1_767_312_000_000
    assert found["session:gone"].time is None, "nobody said when"
    assert item_sources.entity_of_note(note.id) == ("feature", f"{SHOP}/checkout")


def test_sessions_are_found_by_their_titles() -> None:
    with search_world.filled() as connection:
        found = {item.id: item for item in item_sources.items(connection, "session")}
        assert found.keys() == {"a1", "a1/agent-x", "b2", "c3", "d4"}
        assert found["a1"][:5] == ("session", "a1", "shop-1", 1000, "Title of a1")


def test_some_are_as_all(connection: sa.Connection) -> None:
    for type in TYPES:
        every = {item.id: item for item in item_sources.items(connection, type)}
        assert {item.id: item for item in item_sources.items(connection, type, [*every, "none"])} == every
        assert len({item.stamp for item in every.values()}) == len(every)
        assert list(item_sources.items(connection, type, [])) == []


def test_a_stamp_tells_a_change(connection: sa.Connection) -> None:
    before = one(connection, "document", f"{SHOP}/{LOOSE}")
    assert before.stamp == one(connection, "document", f"{SHOP}/{LOOSE}").stamp
    with connection.begin_nested() as change:
        connection.execute(sa.update(documents).where(documents.c.id == before.id).values(hash="01"))
        assert before.stamp != one(connection, "document", before.id).stamp
        change.rollback()


def test_the_text_of_a_planning_file_is_read_from_disk(connection: sa.Connection, tmp_path: Path) -> None:
    assert item_sources.text_of(one(connection, "document", f"{SHOP}/{PRD}")) == ""
    shop.write(tmp_path)
    with connection.begin_nested() as change:
        connection.execute(sa.update(projects).where(projects.c.id == SHOP).values(root=str(tmp_path)))
        assert item_sources.text_of(one(connection, "document", f"{SHOP}/{LOOSE}")) == shop.FILES[LOOSE]
        change.rollback()
