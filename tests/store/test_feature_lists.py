"""Lists of features: what each filter keeps, and in which order they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import STATUSES
from ccdashd.store import feature_lists
from ccdashd.store.schema import features, projects
from tests.store import shop
from tests.store.shop import SHOP, TILL, filled

CHECKOUT, EMPTY, OTHER = f"{SHOP}/checkout", f"{SHOP}/empty-till", f"{TILL}/checkout"


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with filled() as connection:
        shop.tag(connection, "feature", EMPTY)
        yield connection


def listed(connection: sa.Connection, **asked: Any) -> list[str]:
    """Ids in order."""
    found = feature_lists.page(connection, t.FeaturesList(**asked), 1)
    assert found.total == len(found.items)
    return [row.id for row in found.items]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [EMPTY, CHECKOUT, OTHER]),
        ({"project": "till"}, [OTHER]),
        ({"status": ["in_progress", "done"]}, [EMPTY, CHECKOUT]),
        ({"status": []}, []),
        ({"category": "Enhancements"}, [CHECKOUT]),
        ({"category": "enh"}, []),
        ({"tag": "UI"}, [CHECKOUT]),
        ({"tag": "later"}, [EMPTY]),
        ({"tag": "i"}, []),
        ({"text": "CHECK"}, [CHECKOUT, OTHER]),
        ({"text": "other check"}, [OTHER]),
        ({"text": "_"}, []),
        ({"mismatch": True}, [EMPTY, CHECKOUT]),
        ({"mismatch": False}, [OTHER]),
    ],
)
def test_filters(connection: sa.Connection, asked: dict[str, Any], found: list[str]) -> None:
    assert listed(connection, **asked) == found


def test_the_most_urgent_are_first(connection: sa.Connection) -> None:
    assert listed(connection, sort="priority") == [CHECKOUT, OTHER, EMPTY]


SORTS: dict[str, Callable[[t.FeatureRow], Any]] = {
    "name": lambda row: row.name.lower(),
    "status": lambda row: STATUSES.index(row.status),
    "progress": lambda row: row.progress,
    "tasks": lambda row: row.tasks.total,
    "modifiedAt": lambda row: row.modified_at or "",
    "sessions": lambda row: row.sessions,
    "priority": lambda row: ["", "P3", "High"].index(row.priority),
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_sorts_and_pages(sort: Any, order: Any) -> None:
    with filled() as connection:
        table = features.c
        connection.execute(sa.update(features).where(table.id == EMPTY).values(modified_at=None, sessions=3))
        asked = t.FeaturesList(sort=sort, order=order, limit=1)
        rows = feature_lists.page(connection, replace(asked, limit=9), 1).items
        assert rows == sorted(rows, key=lambda row: (SORTS[sort](row), row.id), reverse=order == "desc")
        pages = [feature_lists.page(connection, asked, 1)]
        while pages[-1].next_cursor is not None:
            pages.append(feature_lists.page(connection, replace(asked, cursor=pages[-1].next_cursor), 1))
        assert [row for page in pages for row in page.items] == rows
        assert {page.total for page in pages} == {len(rows)} == {3}


def test_a_row_says_what_files_say_together(connection: sa.Connection) -> None:
    row = feature_lists.page(connection, t.FeaturesList(category="enhancements"), 7).items[0]
    assert row == t.FeatureRow(
        id=CHECKOUT,
        project_id=SHOP,
        project_name="shop",
        slug="checkout",
        name="Checkout",
        status="in_progress",
        raw_status="in-progress",
        category="enhancements",
        priority="High",
        phases=3,
        phases_done=1,
        tasks=t.Counts(total=4, todo=1, in_progress=1, done=1, blocked=1),
        progress=0.25,
        documents=4,
        sessions=0,
        open_blockers=1,
        mismatches=row.mismatches,
        modified_at="1970-01-01T00:00:04.000Z",
    )
    assert row.mismatches > 0


def test_hidden_projects_are_left_out_unless_asked_for() -> None:
    with filled() as connection:
        connection.execute(sa.update(projects).where(projects.c.id == SHOP).values(hidden=True))
        assert listed(connection) == [OTHER]
        assert listed(connection, include_hidden=True) == [EMPTY, CHECKOUT, OTHER]


def test_a_project_that_is_not_there_is_named(connection: sa.Connection) -> None:
    with pytest.raises(NotFound, match="no project 'nowhere'; see projects/list"):
        listed(connection, project="nowhere")
