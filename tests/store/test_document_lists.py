"""Lists of documents: what each filter keeps, and in which order they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from ccdashd.derive.plan_rows import rows_of
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import STATUSES, PlanningFile
from ccdashd.store import document_lists, planning
from ccdashd.store.planning import Changes
from ccdashd.store.schema import projects
from tests.store import shop
from tests.store.shop import BROKEN, LOOSE, PHASE_1, PHASE_2, PLAN, PRD, SHOP, TILL, filled


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with filled() as connection:
        shop.tag(connection, "document", f"{SHOP}/{LOOSE}")
        yield connection


def listed(connection: sa.Connection, **asked: Any) -> list[str]:
    """Paths of the documents of the shop, in order; of others the id."""
    found = document_lists.page(connection, t.DocumentsList(**asked), 1)
    assert found.total == len(found.items)
    return [row.id.removeprefix(f"{SHOP}/") for row in found.items]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"type": "progress"}, [PHASE_1, PHASE_2]),
        ({"type": "prd", "project": "shop"}, [PRD]),
        ({"project": "/work/shop/till/src"}, [f"{TILL}/README.md", f"{TILL}/docs/project_plans/PRDs/checkout.md"]),
        ({"status": ["todo", "in_progress"]}, [PHASE_2, PRD, PLAN]),
        ({"status": []}, []),
        ({"feature": f"{SHOP}/checkout"}, [PHASE_1, PHASE_2, PRD, PLAN]),
        ({"feature": "Checkout-v1", "project": "shop"}, [PHASE_1, PHASE_2, PRD, PLAN]),
        ({"tag": "ui"}, [PRD]),
        ({"tag": "PAYMENT"}, [PRD]),
        ({"tag": "later"}, [LOOSE]),
        ({"tag": "u"}, []),
        ({"tag": "%"}, []),
        ({"path": "docs", "project": SHOP}, [BROKEN, LOOSE, PRD, PLAN]),
        ({"path": "./docs/project_plans/"}, [PRD, PLAN, f"{TILL}/docs/project_plans/PRDs/checkout.md"]),
        ({"path": PRD}, [PRD]),
        ({"path": "doc"}, []),
        ({"path": "DOCS"}, []),
        ({"text": "CHECKOUT phase"}, [PHASE_1, PHASE_2]),
        ({"text": "_"}, [PRD, PLAN, f"{TILL}/docs/project_plans/PRDs/checkout.md"]),
        ({"text": "%"}, []),
        ({"problems": True}, [BROKEN]),
        ({"type": "progress", "status": ["done"]}, [PHASE_1]),
    ],
)
def test_filters(connection: sa.Connection, asked: dict[str, Any], found: list[str]) -> None:
    assert listed(connection, **asked) == found


SORTS: dict[str, Callable[[t.DocumentRow], Any]] = {
    "path": lambda row: row.project_id,
    "title": lambda row: row.title.lower(),
    "type": lambda row: row.doc_type,
    "status": lambda row: STATUSES.index(row.status) if row.status is not None else -1,
    "modifiedAt": lambda row: row.modified_at,
    "tasks": lambda row: row.tasks.total,
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_sorts(connection: sa.Connection, sort: Any, order: Any) -> None:
    rows = document_lists.page(connection, t.DocumentsList(sort=sort, order=order), 1).items
    assert len({str(SORTS[sort](row)) for row in rows}) > 1
    assert rows == sorted(rows, key=lambda row: (SORTS[sort](row), row.id), reverse=order == "desc")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_come_to_the_whole(connection: sa.Connection, sort: Any, order: Any) -> None:
    asked = t.DocumentsList(sort=sort, order=order, limit=3)
    pages = [document_lists.page(connection, asked, 1)]
    while pages[-1].next_cursor is not None:
        pages.append(document_lists.page(connection, replace(asked, cursor=pages[-1].next_cursor), 1))
    whole = document_lists.page(connection, replace(asked, limit=100), 1)
    assert [row for page in pages for row in page.items] == whole.items
    assert {page.total for page in pages} == {len(whole.items)} == {len(shop.FILES) + len(shop.OTHER)}


def test_hidden_projects_are_left_out_unless_asked_for() -> None:
    with filled() as connection:
        connection.execute(sa.update(projects).where(projects.c.id == TILL).values(hidden=True))
        assert len(listed(connection)) == len(shop.FILES)
        assert len(listed(connection, include_hidden=True)) == len(shop.FILES) + len(shop.OTHER)
        assert len(listed(connection, project="till")) == len(shop.OTHER)


def test_files_that_cannot_be_read_are_problems() -> None:
    with filled() as connection:
        unread = PlanningFile(path="docs/locked.md", problem="Permission denied")
        planning.store(connection, SHOP, [rows_of(SHOP, unread)], Changes())
        assert listed(connection, problems=True) == [BROKEN, "docs/locked.md"]


@pytest.mark.parametrize("asked", [{"project": "nowhere"}, {"feature": "nothing"}, {"feature": "checkout", "project": "x"}])
def test_what_is_not_there_is_named(connection: sa.Connection, asked: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match=r"see (projects|features)/list"):
        listed(connection, **asked)


def test_a_slug_of_several_projects_is_told_apart(connection: sa.Connection) -> None:
    with pytest.raises(InvalidParams, match=f"{SHOP}/checkout, {TILL}/checkout; give its id, or project") as caught:
        listed(connection, feature="checkout")
    assert caught.value.data["field"] == "feature"
