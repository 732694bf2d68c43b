"""Titles and plans in the index are those of the cache, whatever changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.search import items
from ccdashd.search.items import BATCH, Behind
from ccdashd.store import item_sources
from ccdashd.store.item_sources import TYPES
from ccdashd.store.schema import app_metadata, documents, projects, tasks
from ccdashd.store.text import items as stored
from ccdashd.store.text.items_schema import ITEMS
from tests.store import shop
from tests.store.shop import LOOSE, PHASE_1, PRD, SHOP

CAP = 10_000


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[sa.Connection]:
    shop.write(tmp_path)
    with shop.filled() as cache:
        cache.execute(sa.update(projects).where(projects.c.id == SHOP).values(root=str(tmp_path)))
        yield cache


@pytest.fixture
def text() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    for statement in ITEMS:
        connection.execute(statement)
    yield connection
    connection.close()


def catch_up(cache: sa.Connection, text: apsw.Connection, behind: list[Behind]) -> int:
    return sum(items.write(text, items.compare(cache, text, behind), CAP))


def found(text: apsw.Connection, expression: str) -> set[str]:
    return {item.id for item in stored.find(text, TYPES, expression)}


def same(cache: sa.Connection, text: apsw.Connection) -> None:
    """The index holds the items of the cache and no others, and words of these alone."""
    known = {item.id: item for type in TYPES for item in stored.find(text, [type], None)}
    there = {item.id: item for type in TYPES for item in item_sources.items(cache, type)}
    assert known.keys() == there.keys()
    assert all((known[id].project_id, known[id].time) == (there[id].project_id, there[id].time) for id in there)
    assert stored.numbers(text, stored.EVERYTHING) == {item.n for item in known.values()}


def test_all_items_are_found_by_their_words(cache: sa.Connection, text: apsw.Connection) -> None:
    number = catch_up(cache, text, items.everything())
    same(cache, text)
    assert number == len(list(stored.find(text, TYPES, None)))
    assert found(text, "title : checkout") >= {f"{SHOP}/{PRD}", f"{SHOP}/checkout"}
    assert found(text, "text : coins") >= {f"{SHOP}/{PRD}", f"{SHOP}/{PHASE_1}"}
    assert found(text, "text : pennies") == {f"{SHOP}/{PHASE_1}", f"{SHOP}/{PHASE_1}#T1-001"}
    assert found(text, 'path : "loose md"') == {f"{SHOP}/{LOOSE}", f"{SHOP}/{LOOSE}#@1"}
    assert catch_up(cache, text, items.everything()) == 0


def test_what_changed_is_written_again_and_nothing_else(
    cache: sa.Connection, text: apsw.Connection, tmp_path: Path
) -> None:
    catch_up(cache, text, items.everything())
    (tmp_path / LOOSE).write_text("# Ends\n\nAll tied.\n")
    id = f"{SHOP}/{LOOSE}"
    # Neither title nor hash tells it yet.
    assert catch_up(cache, text, items.everything()) == 0
    cache.execute(sa.update(documents).where(documents.c.id == id).values(hash="02"))
    changes = [t.Change(type="document", id=id, op="upsert"), t.Change(type="link", id="x", op="upsert")]
    assert catch_up(cache, text, items.changed(changes)) == 1
    assert found(text, "text : tied") == {id}
    assert id not in found(text, "text : sweep")
    cache.execute(sa.update(documents).where(documents.c.id == id).values(mtime_ns=10**18))
    # Its task with it.
    assert catch_up(cache, text, items.changed(changes)) == 2
    assert found(text, "text : tied") == {id}
    same(cache, text)


def test_what_went_is_forgotten(cache: sa.Connection, text: apsw.Connection) -> None:
    catch_up(cache, text, items.everything())
    cache.execute(sa.delete(tasks).where(tasks.c.id == f"{SHOP}/{PHASE_1}#T1-001"))
    changes = [t.Change(type="task", id=f"{SHOP}/{PHASE_1}#T1-001", op="delete")]
    assert catch_up(cache, text, items.changed(changes)) == 1
    same(cache, text)
    assert found(text, "text : pennies") == {f"{SHOP}/{PHASE_1}"}


def test_notes_come_change_and_go(cache: sa.Connection, text: apsw.Connection) -> None:
    catch_up(cache, text, items.everything())
    note = {"entity_type": "feature", "entity_id": f"{SHOP}/checkout", "key": "note", "updated_at": "2026-01-02T00:00:00Z"}
    cache.execute(sa.insert(app_metadata).values(**note, value=b'"askAda first"'))
    assert catch_up(cache, text, items.changed([])) == 1
    # By its words and their parts, not by the title of what it is on.
    assert found(text, "parts : ada") == {f"feature:{SHOP}/checkout"}
    assert f"feature:{SHOP}/checkout" not in found(text, "title : checkout")
    cache.execute(sa.update(app_metadata).values(value=b'"ask bob"'))
    assert catch_up(cache, text, items.changed([])) == 1
    assert found(text, "parts : ada") == set()
    cache.execute(sa.delete(app_metadata))
    assert catch_up(cache, text, items.changed([])) == 1
    same(cache, text)


def test_many_are_written_in_several_steps(cache: sa.Connection, text: apsw.Connection) -> None:
    row = cache.execute(sa.select(tasks).limit(1)).one()._mapping
    for n in range(2 * BATCH + 1):
        cache.execute(sa.insert(tasks).values(**{**row, "id": f"{SHOP}/many#{n}", "title": f"Many {n}", "n": n}))
    steps = list(items.write(text, items.compare(cache, text, [Behind("task", None)]), CAP))
    assert len(steps) == 3
    assert max(steps) == BATCH
    assert len(found(text, "title : many")) == 2 * BATCH + 1
