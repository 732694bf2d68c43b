"""Sessions, features, tasks and documents by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.lsp import symbols
from ccdashd.lsp.text import path_of, uri_of
from tests.cli import plans
from tests.helpers import wait_until
from tests.lsp.code_desk import editor_of
from tests.rpc.blame_world import BlameWorld, blame_world

PHASE_2 = ".claude/progress/checkout/phase-2-progress.md"


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    """A shop and a depot with the same plans but for their names, and a session in each."""
    with blame_world() as world:
        for name, files in (("shop", plans.SHOP), ("depot", plans.feature("loading"))):
            plans.write(world.folder / name, files)
            session = world.session(world.folder / name)
            session.prompt(f"Count the boxes of the {name}")
            session.say("I count.")
            world.logged(session)
        with world.client() as client:
            wait_until(lambda: client.request("tasks/list", {"limit": 1})["total"] == 8, "the tasks of both")
        yield world


def found(world: BlameWorld, query: str, *folders: Path) -> list[dict[str, Any]]:
    """What an editor that has these folders open finds."""
    with editor_of(world) as editor:
        editor.start(workspaceFolders=[{"uri": uri_of(str(folder)), "name": folder.name} for folder in folders])
        answer: list[dict[str, Any]] = editor.request("workspace/symbol", {"query": query})
        return answer


def places(symbols: list[dict[str, Any]]) -> list[tuple[str | None, int]]:
    return [(path_of(one["location"]["uri"]), one["location"]["range"]["start"]["line"]) for one in symbols]


def test_a_task_is_found_at_its_line(world: BlameWorld) -> None:
    (task,) = found(world, "checkout give change", world.folder / "shop") or [None]
    assert task is None
    tasks = found(world, "T2-002", world.folder / "shop")
    assert [task["name"] for task in tasks] == ["T2-002 Give change"] * 2
    path, line = places(tasks)[0]
    assert path == str(world.folder / "shop" / PHASE_2)
    assert "T2-002" in Path(path).read_text().splitlines()[line]
    assert tasks[0]["containerName"].startswith("task in ")


def test_what_lies_in_open_folders_comes_first(world: BlameWorld) -> None:
    for first, other in (("shop", "depot"), ("depot", "shop")):
        tasks = found(world, "give change", world.folder / first / "src")
        assert [Path(path or "").is_relative_to(world.folder / name) for (path, _), name in zip(
            places(tasks), (first, other), strict=True
        )] == [True, True]  # fmt: skip


def test_features_documents_and_sessions_are_found(world: BlameWorld) -> None:
    named = {one["containerName"].split()[0]: one for one in reversed(found(world, "checkout", world.folder / "shop"))}
    assert named.keys() == {"feature", "document"}
    prd = str(world.folder / "shop/docs/project_plans/PRDs/checkout-v1.md")
    assert places([named["feature"]]) == [(prd, 0)]
    (session,) = found(world, "boxes shop")
    assert session["containerName"] == "session in shop"
    path, line = places([session])[0]
    assert line == 0
    assert b"Count the boxes of the shop" in Path(path or "").read_bytes()


def test_there_are_not_too_many(world: BlameWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = found(world, "")
    kinds = {one["containerName"].split()[0] for one in everything}
    assert kinds == {"feature", "task", "document", "session"}
    monkeypatch.setattr(symbols, "MOST", 7)
    monkeypatch.setattr(symbols, "_EACH", 2)
    few = found(world, "")
    assert len(few) == 7
    assert {one["containerName"].split()[0] for one in few} == kinds


@pytest.mark.parametrize("query", ["nothing is called so", "%", "_" * 10, "x" * 100_000, "\0", "'; DROP TABLE tasks --"])
def test_nothing_is_found(world: BlameWorld, query: str) -> None:
    assert found(world, query) == []


def test_hidden_projects_stay_hidden(world: BlameWorld) -> None:
    with world.client() as client:
        (depot,) = [one for one in client.request("projects/list")["items"] if one["name"] == "depot"]
        client.request("projects/update", {"id": depot["id"], "hidden": True})
        assert len(found(world, "T2-002")) == 1
        client.request("projects/update", {"id": depot["id"], "hidden": False})
