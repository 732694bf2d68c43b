"""Editors tell what is typed in planning files, and nowhere else."""

from __future__ import annotations

import fnmatch
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.lsp import plan_texts
from ccdashd.lsp.editor import Editor, Open
from ccdashd.lsp.plan_texts import PlanTexts
from tests.cli import plans
from tests.helpers import wait_until
from tests.lsp.conftest import Connect
from tests.lsp.editors import EditorClient
from tests.rpc.conftest import Served

REGISTER, UNREGISTER = "client/registerCapability", "client/unregisterCapability"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A daemon that knows a project."""
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        served = Served(Path(folder))
        plans.write(Path(folder) / "shop", plans.SHOP)
        plans.write_session(Path(folder), Path(folder) / "shop")
        try:
            served.start()
            yield served
        finally:
            served.stop()


@pytest.fixture
def root(served: Served) -> Path:
    return served.folder / "shop"


def known(served: Served) -> Editor:
    (connection,) = served.app.server._connections
    assert connection.editor is not None
    return connection.editor


def followers(served: Served) -> list[Any]:
    return [follower for follower in served.app.events._topics if isinstance(follower, PlanTexts)]


def only(message: dict[str, Any], name: str) -> dict[str, Any]:
    """The only registration, or the like."""
    (one,) = message["params"][name]
    assert one["method"] == "textDocument/didChange"
    return dict(one)


def test_planning_files_are_told_as_they_are_typed(served: Served, editor: EditorClient, root: Path) -> None:
    plan, code = root / "docs/project_plans/PRDs/refunds.md", root / "src/till.py"
    editor.start()
    editor.open(plan, "before")
    asked = editor.told(REGISTER)
    editor.at("textDocument/hover", code.as_uri())
    options = only(asked, "registrations")["registerOptions"]
    assert options == {
        "documentSelector": [{"scheme": "file", "pattern": f"{root}/**/*.{{md,markdown,mdc}}"}],
        "syncKind": 1,
    }
    assert known(served).documents == {str(plan): Open(plan.as_uri(), str(plan))}
    editor.answer(asked)
    wait_until(lambda: known(served).tells_changes, "the answer")
    editor.change(plan, 7, {"text": "typed"})
    editor.open(code, "secret")
    editor.change(code, 2, {"text": "more secrets"})
    editor.open(root / "README.md", "told")
    editor.request("shutdown")
    documents = known(served).documents
    assert documents[str(plan)] == Open(plan.as_uri(), str(plan), 7, "typed")
    assert documents[str(code)] == Open(code.as_uri(), str(code))
    assert documents[str(root / "README.md")].text == "told"


def test_one_that_refuses_is_not_asked_again(served: Served, editor: EditorClient, root: Path) -> None:
    editor.start()
    editor.answer(editor.told(REGISTER), error="no")
    wait_until(lambda: followers(served) == [], "the end")
    editor.open(root / "README.md", "text")
    editor.request("shutdown")
    assert known(served).documents[str(root / "README.md")].text is None


@pytest.mark.parametrize("client", ["neovim_v0.7.0", "emacs_v29.1"])
def test_one_that_cannot_is_not_asked(served: Served, editor: EditorClient, client: str) -> None:
    editor.start(client)
    editor.request("shutdown")
    assert followers(served) == []
    assert [message["method"] for message in editor.notifications] == []


def test_projects_come(served: Served, connect: Connect, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_texts, "PAUSE", 0.05)
    editor = connect()
    editor.start()
    first = editor.told(REGISTER)
    editor.answer(first)
    other = served.folder / "depot"
    plans.write(other, plans.feature("loading"))
    plans.write_session(served.folder, other, "0c0ffee0-1111-4222-8333-444455550002")
    second = editor.told(REGISTER)
    selector = only(second, "registrations")["registerOptions"]["documentSelector"]
    assert [one["pattern"].partition("/**")[0] for one in selector] == [str(other), str(root)]
    editor.answer(second)
    gone = editor.told(UNREGISTER)
    assert only(gone, "unregisterations")["id"] == only(first, "registrations")["id"]
    editor.answer(gone)
    wait_until(lambda: known(served).tells_changes, "the answer")


@pytest.mark.parametrize("folder", ["/home/me/shop", "/home/me/a [1] {b},c/*?!", "/", "/ü/\\x"])
def test_a_pattern_matches_what_is_below_the_folder(folder: str) -> None:
    pattern = plan_texts.pattern(folder)
    before, _, after = pattern.partition("/**/")
    assert after == "*.{md,markdown,mdc}"
    assert re.search(r"[\[\]{}*,!\\]", before) is None
    assert fnmatch.fnmatchcase(folder.rstrip("/"), before)
