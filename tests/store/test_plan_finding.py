"""Documents, tasks and features are found by what people and editors call them; what means several is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.errors import InvalidParams, NotFound
from ccdashd.store import finding
from tests.store import shop
from tests.store.shop import LOOSE, PHASE_1, PHASE_2, PRD, QUICK, SHOP, TILL, filled

OTHER = "docs/project_plans/PRDs/checkout.md"


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with filled() as connection:
        yield connection


@pytest.mark.parametrize(
    ("wanted", "project", "found"),
    [
        (f"{SHOP}/{PRD}", None, f"{SHOP}/{PRD}"),
        (f"/work/shop/{PRD}", None, f"{SHOP}/{PRD}"),
        (f"/work/shop/docs/../{LOOSE}", None, f"{SHOP}/{LOOSE}"),
        (f"/work/shop/till/{OTHER}", None, f"{TILL}/{OTHER}"),
        (f"/work/shop/till/{OTHER}", "shop", f"{TILL}/{OTHER}"),
        (PRD, None, f"{SHOP}/{PRD}"),
        (f"./{PRD}", None, f"{SHOP}/{PRD}"),
        ("README.md", "till", f"{TILL}/README.md"),
        ("loose.md", None, f"{SHOP}/{LOOSE}"),
        ("enhancements/checkout-v1.md", None, None),
        ("PRDs/enhancements/checkout-v1.md", None, f"{SHOP}/{PRD}"),
    ],
)
def test_documents(connection: sa.Connection, wanted: str, project: str | None, found: str | None) -> None:
    if found is None:
        with pytest.raises(InvalidParams, match="means several documents"):
            finding.document_id(connection, wanted, project)
    else:
        assert finding.document_id(connection, wanted, project) == found


@pytest.mark.parametrize(
    "wanted", ["", "/", ".", "..", "oose.md", "LOOSE.md", "%", "/work/shop", "/work/shop/none.md", "x" * 5000]
)
def test_no_document(connection: sa.Connection, wanted: str) -> None:
    with pytest.raises(NotFound, match="see documents/list") as caught:
        finding.document_id(connection, wanted)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("wanted", "within", "found"),
    [
        (f"{SHOP}/{PHASE_1}#T1-001", {}, f"{PHASE_1}#T1-001"),
        ("T2-001", {}, f"{PHASE_2}#T2-001"),
        ("T1-002", {"feature": "checkout", "project": "shop"}, f"{PHASE_1}#T1-002"),
        ("phase-1-progress.md#T1-001", {}, f"{PHASE_1}#T1-001"),
        (f"/work/shop/{PHASE_2}#T1-001", {}, f"{PHASE_2}#T1-001"),
        ("@2", {}, f"{QUICK}#@2"),
        ("@1", {"feature": "empty-till"}, f"{QUICK}#@1"),
    ],
)
def test_tasks(connection: sa.Connection, wanted: str, within: dict[str, Any], found: str) -> None:
    assert finding.task_id(connection, wanted, **within) == f"{SHOP}/{found}"


@pytest.mark.parametrize(
    ("wanted", "within"),
    [
        ("", {}),
        ("#", {}),
        ("T2", {}),
        ("t2-001", {}),
        ("T2-001", {"feature": "empty-till"}),
        ("/work/shop/x.md#T1-001", {}),
    ],
)
def test_no_task(connection: sa.Connection, wanted: str, within: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="see tasks/list"):
        finding.task_id(connection, wanted, **within)


def test_a_task_that_is_in_several_files(connection: sa.Connection) -> None:
    with pytest.raises(InvalidParams, match="means several tasks") as caught:
        finding.task_id(connection, "T1-001")
    found = [f"{SHOP}/{PHASE_1}#T1-001", f"{SHOP}/{PHASE_2}#T1-001"]
    assert f"{', '.join(found)}; give its id" in caught.value.message
    assert caught.value.data["candidates"] == found


def test_no_more_than_some_candidates_are_named() -> None:
    files = {f"docs/{number}/note.md": "# Note\n" for number in range(9)}
    with filled() as connection:
        shop.store(connection, SHOP, files)
        with pytest.raises(InvalidParams) as caught:
            finding.document_id(connection, "note.md")
    assert caught.value.message.count("note.md") == finding.NAMED
    assert ", …; give its id" in caught.value.message


@pytest.mark.parametrize(
    ("wanted", "project", "found"),
    [
        (f"{TILL}/checkout", None, f"{TILL}/checkout"),
        ("checkout", "till", f"{TILL}/checkout"),
        ("Checkout_v1.0", "/work/shop/src", f"{SHOP}/checkout"),
        ("empty-till", None, f"{SHOP}/empty-till"),
        ("Empty Till", None, f"{SHOP}/empty-till"),
    ],
)
def test_features(connection: sa.Connection, wanted: str, project: str | None, found: str) -> None:
    assert finding.feature_id(connection, wanted, project) == found


@pytest.mark.parametrize("wanted", ["", "check", "checkout-v2", "%", "'"])
def test_no_feature(connection: sa.Connection, wanted: str) -> None:
    with pytest.raises(NotFound, match="see features/list"):
        finding.feature_id(connection, wanted)


def test_an_unknown_project_is_named(connection: sa.Connection) -> None:
    for find in (finding.document_id, finding.task_id, finding.feature_id):
        with pytest.raises(NotFound, match="no project 'nowhere'; see projects/list"):
            find(connection, "x", "nowhere")
