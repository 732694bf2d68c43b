"""Lists of tasks: what each filter keeps, and in which order they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import STATUSES
from ccdashd.store import task_lists
from ccdashd.store.schema import projects
from tests.store import shop
from tests.store.shop import BROKEN, LOOSE, PHASE_1, PHASE_2, QUICK, SHOP, filled

COINS, NOTES = f"{PHASE_1}#T1-001", f"{PHASE_1}#T1-002"
PAY, AGAIN = f"{PHASE_2}#T2-001", f"{PHASE_2}#T1-001"
OPEN, KEY, COUNT = (f"{QUICK}#@{number}" for number in (1, 2, 3))
SWEEP = f"{LOOSE}#@1"
ALL = [COINS, NOTES, PAY, AGAIN, OPEN, KEY, COUNT, SWEEP]
"""In the order of the files."""


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with filled() as connection:
        shop.tag(connection, "task", f"{SHOP}/{SWEEP}")
        yield connection


def listed(connection: sa.Connection, **asked: Any) -> list[str]:
    """Tasks in order, by what comes after the project in their ids."""
    found = task_lists.page(connection, t.TasksList(**asked), 1)
    assert found.total == len(found.items)
    return [row.id.removeprefix(f"{SHOP}/") for row in found.items]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ALL),
        ({"project": "till"}, []),
        ({"feature": f"{SHOP}/checkout"}, [COINS, NOTES, PAY, AGAIN]),
        ({"feature": "empty-till"}, [OPEN, KEY, COUNT]),
        ({"phase": "2"}, [PAY, AGAIN]),
        ({"phase": f"{SHOP}/{PHASE_1}#phase-1"}, [COINS, NOTES]),
        ({"document": "phase-1-progress.md"}, [COINS, NOTES]),
        ({"document": f"/work/shop/{LOOSE}"}, [SWEEP]),
        ({"status": ["done", "blocked"]}, [COINS, PAY, OPEN, KEY]),
        ({"status": []}, []),
        ({"assignee": "bob"}, [COINS]),
        ({"assignee": "bo"}, []),
        ({"priority": "HIGH"}, [PAY]),
        ({"form": "checkbox"}, [OPEN, KEY, COUNT]),
        ({"form": "map"}, []),
        ({"recovered": True}, []),
        ({"recovered": False}, ALL),
        ({"tag": "LATER"}, [SWEEP]),
        ({"tag": "never"}, []),
        ({"text": "count THE"}, [COINS, NOTES]),
        ({"text": "pennies"}, [COINS]),
        ({"text": "t1-001"}, [COINS, AGAIN]),
        ({"text": "100%"}, [SWEEP]),
        ({"text": "%"}, [SWEEP]),
        ({"feature": "checkout-v1", "project": SHOP, "status": ["todo"], "priority": "low"}, [NOTES]),
    ],
)
def test_filters(connection: sa.Connection, asked: dict[str, Any], found: list[str]) -> None:
    assert listed(connection, **asked) == found


def test_priorities_and_statuses_are_sorted_by_what_they_mean(connection: sa.Connection) -> None:
    assert listed(connection, sort="priority", order="desc")[:4] == [COINS, PAY, AGAIN, NOTES]
    assert listed(connection, sort="status") == [NOTES, COUNT, AGAIN, COINS, OPEN, KEY, PAY, SWEEP]


PRIORITIES = ["", "low", "medium", "high", "critical"]
SORTS: dict[str, Callable[[t.TaskRow], Any]] = {
    "path": lambda row: (),
    "status": lambda row: STATUSES.index(row.status),
    "priority": lambda row: PRIORITIES.index(row.priority),
    "title": lambda row: row.title.lower(),
    "feature": lambda row: row.feature_id or "",
    "modifiedAt": lambda row: [PHASE_1, PHASE_2, QUICK, LOOSE, BROKEN].index(row.path),
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_sorts_with_ties_in_the_order_of_the_files(connection: sa.Connection, sort: Any, order: Any) -> None:
    rows = task_lists.page(connection, t.TasksList(sort=sort, order=order), 1).items
    places = {f"{SHOP}/{id}": place for place, id in enumerate(ALL)}
    assert rows == sorted(rows, key=lambda row: (SORTS[sort](row), places[row.id]), reverse=order == "desc")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_come_to_the_whole(connection: sa.Connection, sort: Any, order: Any) -> None:
    asked = t.TasksList(sort=sort, order=order, limit=3)
    pages = [task_lists.page(connection, asked, 1)]
    while pages[-1].next_cursor is not None:
        pages.append(task_lists.page(connection, replace(asked, cursor=pages[-1].next_cursor), 1))
    whole = task_lists.page(connection, replace(asked, limit=100), 1)
    assert [row for page in pages for row in page.items] == whole.items
    assert {page.total for page in pages} == {len(whole.items)} == {len(ALL)}


def test_a_row_says_what_the_file_says(connection: sa.Connection) -> None:
    (row,) = task_lists.page(connection, t.TasksList(assignee="ada"), 7).items
    assert row == t.TaskRow(
        id=f"{SHOP}/{COINS}",
        project_id=SHOP,
        project_name="shop",
        document_id=f"{SHOP}/{PHASE_1}",
        path=PHASE_1,
        line=11,
        feature_id=f"{SHOP}/checkout",
        phase_id=f"{SHOP}/{PHASE_1}#phase-1",
        phase="1",
        task_id="T1-001",
        title="Count the coins",
        raw_status="completed",
        status="done",
        priority="critical",
        assignees=["ada", "bob"],
        effort="2 pts",
        form="list",
        recovered=False,
    )


def test_hidden_projects_are_left_out_unless_asked_for() -> None:
    with filled() as connection:
        connection.execute(sa.update(projects).where(projects.c.id == SHOP).values(hidden=True))
        assert listed(connection) == []
        assert listed(connection, include_hidden=True) == listed(connection, project="shop") == ALL


@pytest.mark.parametrize("asked", [{"project": "nowhere"}, {"feature": "nothing"}, {"document": "none.md"}])
def test_what_is_not_there_is_named(connection: sa.Connection, asked: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match=r"see (projects|features|documents)/list"):
        listed(connection, **asked)


@pytest.mark.parametrize("asked", [{"feature": "checkout"}, {"document": "README.md"}])
def test_what_is_there_twice_is_told_apart(connection: sa.Connection, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidParams, match=r"means several (features|documents)") as caught:
        listed(connection, **asked)
    assert caught.value.data["field"] == next(iter(asked))
