"""Editors show anew what changed, and are not bothered with the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.lsp import refresh
from ccdashd.lsp.refresh import Refresher
from ccdashd.protocol import types as t
from tests.cli import plans
from tests.helpers import wait_until
from tests.lsp.conftest import Connect, Opening
from tests.lsp.editors import EditorClient
from tests.rpc.conftest import Served

LENSES = "workspace/codeLens/refresh"
DIAGNOSTICS = "textDocument/publishDiagnostics"
PHASE = ".claude/progress/{}/phase-2-progress.md"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A daemon that knows a project with planning files, and a session that worked there."""
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        served = Served(Path(folder))
        lay_out(Path(folder))
        try:
            served.start()
            yield served
        finally:
            served.stop()


def lay_out(home: Path) -> None:
    root = home / "shop"
    plans.write(root, plans.SHOP | plans.feature("loading"))
    (root / "src").mkdir()
    (root / "src/till.py").write_text("def pay(): ...\n")
    plans.write_session(home, root)


@pytest.fixture
def root(served: Served) -> Path:
    return served.folder / "shop"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, set[str]]]:
    """The revision of each look at open documents, and those that differed."""
    looks: list[tuple[int, set[str]]] = []
    differing = Refresher._differing

    def noted(self: Refresher, states: Any, revision: int) -> set[str]:
        changed = differing(self, states, revision)
        looks.append((revision, changed))
        return changed

    monkeypatch.setattr(Refresher, "_differing", noted)
    return looks


def settled(served: Served, looks: list[tuple[int, set[str]]], editors: int = 1) -> None:
    """Wait until every editor was looked after in the state that there is now."""
    looks.clear()
    served.soon(served.app.events.publish, [t.Change(type="session", id="none", op="upsert")], served.app.revision)
    wait_until(lambda: len([at for at, _ in looks if at == served.app.revision]) >= editors, "a look at open documents")


def set_status(served: Served, task: str, status: str) -> None:
    with served.client() as client:
        (item,) = [item for item in client.request("tasks/list", {"limit": 100})["items"] if item["id"].endswith(task)]
        wish = {"id": item["id"], "status": status}
        hashes = {file["path"]: file["hash"] for file in client.request("tasks/setStatus", wish)["files"]}
        client.request("tasks/setStatus", {**wish, "apply": True, "hashes": hashes})


def methods(editor: EditorClient) -> list[str]:
    """Of what the editor was told and has not looked at."""
    return [message["method"] for message in editor.notifications]


def refreshes(editor: EditorClient) -> int:
    """How often the editor was told to refresh its lenses, until it had an answer to something."""
    editor.request("workspace/symbol", {"query": "nothing is called so"})
    told = methods(editor).count(LENSES)
    editor.notifications = [message for message in editor.notifications if message["method"] != LENSES]
    return told


def test_what_is_wrong_in_a_planning_file_is_told_and_taken_back(editor: EditorClient, root: Path) -> None:
    editor.start()
    path = root / "docs/project_plans/reports/notes.md"
    editor.open(path, plans.BROKEN)
    told = editor.told(DIAGNOSTICS)["params"]
    assert told["uri"] == path.as_uri()
    assert [found["source"] for found in told["diagnostics"]] == ["ccdash"]
    editor.close_document(path)
    assert editor.told(DIAGNOSTICS)["params"] == {"uri": path.as_uri(), "diagnostics": []}


def test_nothing_is_told_of_other_files(
    served: Served, editor: EditorClient, root: Path, looks: list[tuple[int, set[str]]]
) -> None:
    editor.start()
    editor.open(root / "src/till.py")
    settled(served, looks)
    editor.close_document(root / "src/till.py")
    assert refreshes(editor) == 0
    assert DIAGNOSTICS not in methods(editor)


def test_a_change_of_what_is_shown_is_followed(
    served: Served, connect: Connect, root: Path, looks: list[tuple[int, set[str]]]
) -> None:
    editors = [connect(), connect()]
    for editor in editors:
        editor.start()
        editor.open(root / PHASE.format("checkout"))
    settled(served, looks, 2)
    for editor in editors:
        refreshes(editor)
        editor.notifications.clear()
    before = editors[0].at("textDocument/codeLens", (root / PHASE.format("checkout")).as_uri())
    set_status(served, "checkout/phase-2-progress.md#T2-002", "completed")
    for editor in editors:
        editor.told(LENSES)
        assert editor.at("textDocument/codeLens", (root / PHASE.format("checkout")).as_uri()) != before


def test_a_change_elsewhere_is_not(
    served: Served, editor: EditorClient, root: Path, looks: list[tuple[int, set[str]]]
) -> None:
    editor.start()
    editor.open(root / PHASE.format("checkout"))
    settled(served, looks)
    refreshes(editor)
    editor.notifications.clear()
    for status in ("completed", "pending"):
        set_status(served, "loading/phase-2-progress.md#T2-002", status)
        settled(served, looks)
    assert refreshes(editor) == 0
    assert DIAGNOSTICS not in methods(editor)


def test_many_changes_are_one_refresh(
    served: Served,
    editor: EditorClient,
    root: Path,
    looks: list[tuple[int, set[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    editor.start()
    editor.open(root / PHASE.format("loading"))
    settled(served, looks)
    refreshes(editor)
    monkeypatch.setattr(refresh, "PAUSE", 0.7)
    for number in range(10):
        set_status(served, "loading/phase-2-progress.md#T2-003", ("completed", "pending")[number % 2])
    set_status(served, "loading/phase-2-progress.md#T2-003", "in_progress")
    editor.told(LENSES)
    settled(served, looks)
    assert refreshes(editor) <= 5


def test_an_editor_that_was_deaf_is_told_once(
    served: Served,
    editor: EditorClient,
    root: Path,
    looks: list[tuple[int, set[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    editor.start()
    editor.open(root / PHASE.format("loading"))
    settled(served, looks)
    refreshes(editor)
    monkeypatch.setattr(refresh, "PAUSE", 0.0)
    monkeypatch.setattr(refresh, "REST", 0.0)
    (connection,) = served.app.server._connections
    served.soon(connection.pause_writing)
    for status in ("blocked", "completed", "pending", "blocked", "completed", "pending"):
        set_status(served, "loading/phase-2-progress.md#T2-001", status)
    served.soon(connection.resume_writing)
    editor.told(LENSES)
    settled(served, looks)
    assert refreshes(editor) <= 1  # of the look that waited, and of the one after it


def test_documents_that_were_opened_before_the_cache_are_shown_later(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "RETRY", 0.05)
    home = opening.folder
    lay_out(home)
    path = home / "shop/docs/project_plans/reports/notes.md"
    with EditorClient(opening.path) as editor:
        editor.start()
        editor.open(path, plans.BROKEN)
        opening.let()
        told = editor.told(DIAGNOSTICS)["params"]
        assert (told["uri"], len(told["diagnostics"])) == (path.as_uri(), 1)
        editor.told(LENSES)


def test_what_fails_is_tried_again(
    served: Served, editor: EditorClient, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "RETRY", 0.05)
    database, served.app._database = served.app._database, None
    try:
        editor.start()
        path = root / "docs/project_plans/reports/notes.md"
        editor.open(path, plans.BROKEN)
        (refresher,) = wait_until(
            lambda: [follower for follower in served.app.events._topics if isinstance(follower, Refresher)], "initialized"
        )
        wait_until(lambda: refresher._stale == {str(path)} and refresher._due.is_set(), "an attempt")
    finally:
        served.app._database = database
    assert editor.told(DIAGNOSTICS)["params"]["diagnostics"]
