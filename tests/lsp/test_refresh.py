"""Editors show anew what changed, and are not bothered with the rest."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccdashd.lsp import refresh
from ccdashd.lsp.refresh import Refresher
from ccdashd.protocol import types as t
from tests.cli import plans
from tests.helpers import wait_until
from tests.lsp.conftest import Connect, Opening
from tests.lsp.editors import EditorClient
from tests.rpc.conftest import Served
from tests.store.edited import Clock, Session

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


class Look(NamedTuple):
    """A look at open documents."""

    revision: int
    time: float


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """Every look that is over."""
    looks: list[Look] = []
    begun: dict[Refresher, Look] = {}
    look, differing = Refresher._look, Refresher._differing

    def noted(self: Refresher, states: Any, revision: int) -> set[str]:
        begun[self] = Look(revision, time.monotonic())
        return differing(self, states, revision)

    async def followed(self: Refresher) -> float | None:
        again = await look(self)
        if self in begun:
            looks.append(begun.pop(self))
        return again

    monkeypatch.setattr(Refresher, "_look", followed)
    monkeypatch.setattr(Refresher, "_differing", noted)
    return looks


def settled(served: Served, looks: list[Look], editors: int = 1) -> None:
    """Wait until every editor was looked after in the state that there is now."""
    before, revision = len(looks), served.app.revision
    served.soon(served.app.events.publish, [t.Change(type="session", id="none", op="upsert")], revision)
    wait_until(lambda: len([look for look in looks[before:] if look.revision >= revision]) >= editors, "a look")


def set_status(served: Served, task: str, status: str) -> None:
    with served.client() as client:
        (item,) = [item for item in client.request("tasks/list", {"limit": 100})["items"] if item["id"].endswith(task)]
        wish = {"id": item["id"], "status": status}
        hashes = {file["path"]: file["hash"] for file in client.request("tasks/setStatus", wish)["files"]}
        client.request("tasks/setStatus", {**wish, "apply": True, "hashes": hashes})


def follower_of(served: Served) -> Refresher:
    """What follows the cache for the only editor."""
    (refresher,) = [follower for follower in served.app.events._topics if isinstance(follower, Refresher)]
    return refresher


def methods(editor: EditorClient) -> list[str]:
    """Of what the editor was told and has not looked at."""
    return [message["method"] for message in editor.notifications]


def refreshes(editor: EditorClient) -> int:
    """How often the editor was told to refresh its lenses, until it had an answer to something."""
    editor.request("workspace/symbol", {"query": "nothing is called so"})
    told = methods(editor).count(LENSES)
    editor.notifications = [message for message in editor.notifications if message["method"] != LENSES]
    return told


def wrong(editor: EditorClient, path: Path) -> list[dict[str, Any]]:
    """The first time that something is wrong in a document."""
    while True:
        told = editor.told(DIAGNOSTICS)["params"]
        if told["uri"] == path.as_uri() and told["diagnostics"]:
            found: list[dict[str, Any]] = told["diagnostics"]
            return found


def test_what_is_wrong_in_a_planning_file_is_told_and_taken_back(editor: EditorClient, root: Path) -> None:
    editor.start()
    path = root / "docs/project_plans/reports/notes.md"
    editor.open(path, plans.BROKEN)
    assert [found["source"] for found in wrong(editor, path)] == ["ccdash"]
    editor.close_document(path)
    assert editor.told(DIAGNOSTICS)["params"] == {"uri": path.as_uri(), "diagnostics": []}


def test_nothing_is_told_of_other_files(served: Served, editor: EditorClient, root: Path, looks: list[Look]) -> None:
    editor.start()
    editor.open(root / "src/till.py")
    settled(served, looks)
    editor.close_document(root / "src/till.py")
    assert refreshes(editor) == 0
    assert DIAGNOSTICS not in methods(editor)


def test_a_change_of_what_is_shown_is_followed(
    served: Served, connect: Connect, root: Path, looks: list[Look], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "AT_ONCE", 1)
    editors = [connect(), connect()]
    for editor in editors:
        editor.start()
        for path in ("src/till.py", PHASE.format("checkout"), "README.md"):
            editor.open(root / path)
    settled(served, looks, 2)
    for editor in editors:
        refreshes(editor)
        editor.notifications.clear()
    before = editors[0].at("textDocument/codeLens", (root / PHASE.format("checkout")).as_uri())
    set_status(served, "checkout/phase-2-progress.md#T2-002", "completed")
    for editor in editors:
        editor.told(LENSES)
        assert editor.at("textDocument/codeLens", (root / PHASE.format("checkout")).as_uri()) != before


def test_a_change_elsewhere_is_not(served: Served, editor: EditorClient, root: Path, looks: list[Look]) -> None:
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


def test_changes_are_gathered(
    served: Served, editor: EditorClient, root: Path, looks: list[Look], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "REST", 0.0)
    editor.start()
    editor.open(root / PHASE.format("loading"))
    settled(served, looks)
    refreshes(editor)
    looks.clear()
    for number in range(10):
        set_status(served, "loading/phase-2-progress.md#T2-003", ("completed", "in_progress")[number % 2])
    settled(served, looks)
    assert all(later.time - look.time >= refresh.PAUSE for look, later in pairwise(looks))
    assert refreshes(editor) <= len(looks)


def test_comparing_rests_and_diagnostics_do_not(
    served: Served, editor: EditorClient, root: Path, looks: list[Look]
) -> None:
    editor.start()
    editor.open(root / PHASE.format("loading"))
    settled(served, looks)
    refreshes(editor)
    looks.clear()
    notes = root / "docs/project_plans/reports/notes.md"
    follower_of(served)._rested = time.monotonic() + 1e6
    set_status(served, "loading/phase-2-progress.md#T2-002", "completed")
    editor.open(notes, plans.BROKEN)
    assert wrong(editor, notes)
    assert looks == []
    rested = follower_of(served)._rested = time.monotonic() + 2 * refresh.PAUSE
    served.soon(follower_of(served)._due.set)
    editor.told(LENSES)
    assert time.monotonic() >= rested


def test_what_was_only_saved_is_not_compared(served: Served, editor: EditorClient, root: Path, looks: list[Look]) -> None:
    editor.start()
    notes = root / "docs/project_plans/reports/notes.md"
    editor.open(notes, plans.BROKEN)
    settled(served, looks)
    looks.clear()
    for _ in range(3):
        editor.save(notes)
        assert wrong(editor, notes)
    assert looks == []


@pytest.mark.parametrize("what", ["plan", "code"])
def test_an_editor_that_was_deaf_is_told_once(
    served: Served,
    editor: EditorClient,
    root: Path,
    looks: list[Look],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    editor.start()
    path = root / (PHASE.format("loading") if what == "plan" else "src/till.py")
    session = Session(Clock(len(what)), str(root))
    editor.open(path)
    settled(served, looks)
    refreshes(editor)
    monkeypatch.setattr(refresh, "PAUSE", 0.0)
    monkeypatch.setattr(refresh, "REST", 0.0)
    (connection,) = served.app.server._connections
    served.soon(connection.pause_writing)
    for number in range(6):
        before = served.app.revision
        if what == "plan":
            set_status(served, "loading/phase-2-progress.md#T2-001", ("blocked", "pending")[number % 2])
        else:
            session.write(str(path), f"{number}\n", None)
            session.save(served.folder / ".claude/projects")
        wait_until(lambda before=before: served.app.revision > before, "the change")
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
        wrong(editor, path)
        editor.told(LENSES)


@pytest.fixture
def cached(short_folder: Path) -> None:
    """What the next daemon of the folder shows is in its cache already."""
    lay_out(short_folder)
    served = Served(short_folder)
    served.start()
    served.stop()
    shutil.rmtree(served.paths.runtime_dir)


def test_documents_that_were_opened_before_a_cache_that_stays_as_it_is(
    cached: None, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "PAUSE", 0.0)
    monkeypatch.setattr(refresh, "RETRY", 0.05)
    path = opening.folder / "shop/docs/project_plans/reports/notes.md"
    with EditorClient(opening.path) as editor:
        editor.start()
        editor.open(path, plans.BROKEN)
        opening.let()
        wrong(editor, path)


def test_what_fails_is_tried_again(
    served: Served, editor: EditorClient, root: Path, looks: list[Look], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "RETRY", 0.05)
    editor.start()
    path = root / PHASE.format("checkout")
    editor.open(path)
    settled(served, looks)
    refreshes(editor)
    refresher = follower_of(served)
    database, served.app._database = served.app._database, None
    try:
        assert editor.at("textDocument/codeLens", path.as_uri()) is None
        editor.save(path)
        wait_until(lambda: refresher._seen == {}, "an attempt")
        wait_until(lambda: len(refresher._stale) == 1 and not refresher._due.is_set(), "its end")
    finally:
        served.app._database = database
    editor.told(LENSES)
    assert refresher._stale == set()
