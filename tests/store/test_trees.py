"""Trees of documents and tasks: each once, at its place; what is cut off is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.store import trees
from ccdashd.store.schema import documents, feature_phases, features, projects, tasks
from tests.store import shop
from tests.store.shop import LOOSE, PHASE_1, PHASE_2, PLAN, QUICK, SHOP, TILL, filled

Shape = dict[str, Any]


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with filled() as connection:
        yield connection


def shape(nodes: Iterable[t.TreeNode]) -> Shape:
    """What is below what, by the last part of the ids."""
    return {node.id.rpartition("/")[2]: shape(node.children) for node in nodes}


def ids(nodes: Iterable[t.TreeNode], type_: str) -> list[str]:
    return [id for node in nodes for id in ([node.id] if node.type == type_ else []) + ids(node.children, type_)]


def test_documents_by_folder(connection: sa.Connection) -> None:
    (folder, readme) = trees.of_documents(connection, t.DocumentsTree(project="till"))
    assert (folder.type, folder.id, folder.title, folder.status) == ("folder", "docs", "docs", "")
    assert folder.children[0].children[0].id == "docs/project_plans/PRDs"
    assert shape([folder]) == {"docs": {"project_plans": {"PRDs": {"checkout.md": {}}}}}
    assert readme == t.TreeNode(type="document", id=f"{TILL}/README.md", title="Till", status="", children=[])


def test_each_document_is_there_once(connection: sa.Connection) -> None:
    nodes = trees.of_documents(connection, t.DocumentsTree())
    assert [(node.type, node.id, node.title) for node in nodes] == [("project", SHOP, "shop"), ("project", TILL, "till")]
    assert sorted(ids(nodes, "document")) == sorted(connection.execute(sa.select(documents.c.id)).scalars())


def test_documents_below_a_folder(connection: sa.Connection) -> None:
    asked = t.DocumentsTree(project=SHOP, path="./.claude/progress/")
    assert shape(trees.of_documents(connection, asked)) == {
        "checkout": {"phase-1-progress.md": {}, "phase-2-progress.md": {}},
        "quick-features": {"empty-till.md": {}},
    }
    assert trees.of_documents(connection, t.DocumentsTree(project=SHOP, path="README.md")) == []
    assert trees.of_documents(connection, t.DocumentsTree(project=SHOP, path="progress")) == []


def test_tasks_by_feature_phase_and_parent(connection: sa.Connection) -> None:
    nodes = trees.of_tasks(connection, t.TasksTree())
    assert shape(nodes) == {
        "checkout": {
            "phase-1-progress.md#phase-1": {"phase-1-progress.md#T1-001": {}, "phase-1-progress.md#T1-002": {}},
            "phase-2-progress.md#phase-2": {"phase-2-progress.md#T2-001": {}, "phase-2-progress.md#T1-001": {}},
        },
        "empty-till": {"empty-till.md#@1": {"empty-till.md#@2": {}}, "empty-till.md#@3": {}},
        "loose.md": {"loose.md#@1": {}},
    }
    assert [node.type for node in nodes] == ["feature", "feature", "document"]
    assert sorted(ids(nodes, "task")) == sorted(connection.execute(sa.select(tasks.c.id)).scalars())


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"project": "till"}, 0),
        ({"feature": "empty-till"}, 3),
        ({"document": PHASE_2}, 2),
        ({"document": LOOSE}, 1),
        ({"feature": f"{SHOP}/checkout", "document": QUICK}, 0),
    ],
)
def test_some_tasks(connection: sa.Connection, asked: dict[str, str], count: int) -> None:
    nodes = trees.of_tasks(connection, t.TasksTree(**asked))
    assert len(ids(nodes, "task")) == count
    assert all(node.children for node in nodes), "nothing without tasks is shown"


def test_features_have_all_their_phases(connection: sa.Connection) -> None:
    nodes = trees.of_features(connection, t.FeaturesTree())
    assert [node.id for node in nodes] == [f"{SHOP}/checkout", f"{SHOP}/empty-till", f"{TILL}/checkout"]
    assert sorted(ids(nodes, "phase")) == sorted(connection.execute(sa.select(feature_phases.c.id)).scalars())
    (one,) = trees.of_features(connection, t.FeaturesTree(id="checkout", project="shop"))
    assert one == nodes[0]
    assert [(phase.id, phase.title, phase.status) for phase in one.children] == [
        (f"{SHOP}/{PHASE_1}#phase-1", "Phase 1: Count", "done"),
        (f"{SHOP}/{PHASE_2}#phase-2", "Phase 2", "in_progress"),
        (f"{SHOP}/{PLAN}#phase-3", "Phase 3: Refund", "todo"),
    ]


def test_hidden_projects_are_left_out() -> None:
    with filled() as connection:
        connection.execute(sa.update(projects).where(projects.c.id == SHOP).values(hidden=True))
        assert [node.id for node in trees.of_documents(connection, t.DocumentsTree())] == [TILL]
        assert trees.of_tasks(connection, t.TasksTree()) == []
        assert [node.id for node in trees.of_features(connection, t.FeaturesTree())] == [f"{TILL}/checkout"]
        assert len(trees.of_features(connection, t.FeaturesTree(project="shop"))) == 2


def test_no_task_gets_lost_without_its_phase() -> None:
    with filled() as connection:
        connection.execute(sa.delete(feature_phases).where(feature_phases.c.document_id == f"{SHOP}/{PHASE_1}"))
        nodes = trees.of_tasks(connection, t.TasksTree())
        assert sorted(ids(nodes, "task")) == sorted(connection.execute(sa.select(tasks.c.id)).scalars())


def test_what_is_cut_off_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "docs" + "/d" * (trees.DEPTH + 5)
    with filled() as connection:
        shop.store(connection, SHOP, {f"{deep}/{name}.md": f"# {name}\n" for name in "abc"})
        monkeypatch.setattr(trees, "CHILDREN", 2)
        (docs,) = trees.of_documents(connection, t.DocumentsTree(project=SHOP, path="docs/d"))
        levels = 1
        while docs.children:
            (docs,) = docs.children
            levels += 1
        assert (levels, docs.more) == (trees.DEPTH, 3)
        boxes = "".join("  " * level + f"- [ ] {level}\n" for level in range(3))
        shop.store(connection, SHOP, {QUICK: f"---\ntype: quick-feature\n---\n\n{boxes}- [ ] b\n- [ ] c\n"})
        monkeypatch.setattr(trees, "DEPTH", 2)
        (feature,) = trees.of_features(connection, t.FeaturesTree(id="empty-till"))
        assert (len(feature.children), feature.more) == (2, 1)
        (inner,) = feature.children[0].children
        assert (inner.children, inner.more) == ([], 1)


@pytest.mark.parametrize("asked", [t.FeaturesTree(id="nothing"), t.FeaturesTree(project="nowhere")])
def test_what_is_not_there_is_named(connection: sa.Connection, asked: t.FeaturesTree) -> None:
    with pytest.raises(NotFound, match=r"see (features|projects)/list"):
        trees.of_features(connection, asked)
    assert connection.execute(sa.select(sa.func.count()).select_from(features)).scalar_one() == 3
