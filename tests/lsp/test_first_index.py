"""An editor that is opened before the first index is complete sees how far that is."""

from __future__ import annotations

from typing import Any

import pytest

from ccdashd.lsp import first_index
from ccdashd.lsp.first_index import FirstIndex
from tests.helpers import wait_until
from tests.lsp.clients import converted
from tests.lsp.conftest import Opening
from tests.lsp.editors import PROGRESS, EditorClient

CREATE = "window/workDoneProgress/create"


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_index, "AFTER", 0.0)
    monkeypatch.setattr(first_index, "EVERY", 0.0)


def reported(editor: EditorClient) -> dict[str, Any]:
    """The next progress, which must be what the protocol says."""
    params = editor.told("$/progress")["params"]
    assert params["token"] == first_index.TOKEN
    value: dict[str, Any] = params["value"]
    converted(value, PROGRESS[value["kind"]])
    return value


def index(
    opening: Opening,
    phase: str,
    done: int = 0,
    total: int = 0,
    files: tuple[int, int] = (0, 0),
    complete: bool | None = None,
) -> None:
    """The index run gets on."""
    opening.soon(
        lambda: opening.app.pipeline.progress(
            phase, done=done, total=total, files_done=files[0], files_total=files[1], complete=complete
        )
    )


def held(opening: Opening) -> None:
    """Open the cache, and have the first index begin anew."""
    opening.let()
    wait_until(lambda: opening.app.scanned, "the index")
    index(opening, "scan", complete=False)


def is_followed(opening: Opening) -> bool:
    return any(isinstance(follower, FirstIndex) for follower in opening.app.events._topics)


def test_from_begin_to_end(opening: Opening) -> None:
    with EditorClient(opening.path) as editor:
        editor.request("initialize", {"capabilities": {"window": {"workDoneProgress": True}}})
        held(opening)
        editor.notify("initialized", {})
        wait_until(lambda: is_followed(opening), "the follower")
        index(opening, "scan")
        editor.answer(editor.told(CREATE))
        assert reported(editor) == {"kind": "begin", "title": "Reading the logs of agents", "percentage": 0}
        assert reported(editor) == {"kind": "report", "message": "comparing files", "percentage": 0}
        index(opening, "glance", 90, 100, (9, 10))
        assert reported(editor) == {"kind": "report", "message": "9 of 10 logs", "percentage": 90}
        index(opening, "parse", 10, 100, (1, 1_000))
        assert reported(editor) == {"kind": "report", "message": "1 of 1,000 logs", "percentage": 90}
        index(opening, "plans", 0, 0, (2, 3))
        assert reported(editor) == {"kind": "report", "message": "2 of 3 planning files", "percentage": 90}
        index(opening, "idle", complete=True)
        assert reported(editor) == {"kind": "end"}
        wait_until(lambda: not is_followed(opening), "the end")


@pytest.mark.parametrize("capabilities", [{}, {"window": {"workDoneProgress": False}}])
def test_one_that_shows_no_progress_is_told_nothing(opening: Opening, capabilities: dict[str, Any]) -> None:
    with EditorClient(opening.path) as editor:
        editor.start(capabilities=capabilities)
        held(opening)
        index(opening, "parse", 10, 100, (1, 10))
        assert editor.request("ccdash/status")["indexing"]["phase"] == "parse"
        assert CREATE not in [message["method"] for message in editor.notifications]
        assert not is_followed(opening)


def test_one_that_refuses_is_left_alone(opening: Opening) -> None:
    with EditorClient(opening.path) as editor:
        editor.request("initialize", {"capabilities": {"window": {"workDoneProgress": True}}})
        held(opening)
        editor.notify("initialized", {})
        wait_until(lambda: is_followed(opening), "the follower")
        index(opening, "parse", 10, 100, (1, 10))
        editor.answer(editor.told(CREATE), error="not now")
        wait_until(lambda: not is_followed(opening), "the end")
        assert editor.request("shutdown") is None
        assert editor.notifications == []


def test_an_index_that_was_complete_before_is_no_news(opening: Opening) -> None:
    opening.let()
    wait_until(lambda: opening.app.scanned, "the index")
    with EditorClient(opening.path) as editor:
        editor.start()
        index(opening, "parse", 10, 100, (1, 10))
        assert editor.at("textDocument/codeLens", "file:///a.md") == []
        assert not is_followed(opening)
