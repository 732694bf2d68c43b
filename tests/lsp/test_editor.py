"""What an editor has open, after any sequence of what it may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.lsp import editor as editors
from ccdashd.lsp.editor import Editor, Open
from ccdashd.lsp.editor import initialize as read
from ccdashd.lsp.text import changed, uri_of
from ccdashd.protocol.lsp import ContentChange, Position, Range

PLAN, CODE, NO_FILE = "/p/docs/plan.md", "/p/src/a.py", "untitled:1"
URIS = {PLAN: uri_of(PLAN), CODE: "file://localhost/p/src/../src/%61.py", NO_FILE: NO_FILE}


def new(**params: Any) -> tuple[Editor, list[bytes]]:
    """An editor, and the frames that it is sent."""
    sent: list[bytes] = []
    params = {"capabilities": {}, **params}
    return Editor(read(json.dumps(params).encode()), sent.append, lambda path: path.startswith("/p/docs/")), sent


def say(editor: Editor, event: str, path: str, **others: Any) -> None:
    document = {"uri": URIS[path], **others.pop("document", {})}
    editor.notified(f"textDocument/{event}", json.dumps({"textDocument": document, **others}).encode())


positions = st.builds(Position, line=st.integers(0, 3), character=st.integers(0, 4))
ranges = st.tuples(positions, positions).map(
    lambda ends: Range(**dict(zip(("start", "end"), sorted(ends, key=lambda end: (end.line, end.character)), strict=True)))
)
texts = st.text(alphabet="aé😀\n", max_size=8)
changes = st.lists(st.builds(ContentChange, text=texts, range=st.none() | ranges), min_size=1, max_size=3)
events = st.lists(
    st.one_of(
        st.tuples(st.just("didOpen"), st.sampled_from(list(URIS)), texts),
        st.tuples(st.just("didChange"), st.sampled_from(list(URIS)), changes),
        st.tuples(st.just("didClose"), st.sampled_from(list(URIS)), st.none()),
        st.tuples(st.just("didSave"), st.sampled_from(list(URIS)), st.none()),
        st.tuples(st.just("tells"), st.just(PLAN), st.booleans()),
    ),
    max_size=30,
)


@given(events)
def test_documents_are_what_a_model_says(said: list[tuple[str, str, Any]]) -> None:
    editor, _ = new()
    heard: list[tuple[str, str]] = []
    editor.on_open = lambda document: heard.append(("open", document.path))
    editor.on_close = lambda document: heard.append(("close", document.path))
    model: dict[str, tuple[int | None, str | None]] = {}
    opened: dict[str, str] = {}
    expected: list[tuple[str, str]] = []
    for version, (event, path, what) in enumerate(said):
        if event == "tells":
            editor.tells_changes = what
            continue
        known = path in model
        if event == "didOpen":
            say(editor, event, path, document={"languageId": "x", "version": version, "text": what})
            if path != NO_FILE:
                model[path] = (version, what) if editor.tells_changes and path == PLAN else (None, None)
                opened[path] = what
                expected.append(("open", path))
        elif event == "didChange":
            content = [
                {"text": change.text} | ({} if change.range is None else {"range": _json(change.range)}) for change in what
            ]
            say(editor, event, path, document={"version": version}, contentChanges=content)
            if known:
                # The first change is one of the text that was opened, and that is known once.
                before, text = opened.pop(path, None), model[path][1]
                model[path] = _changed(path, before if text is None else text, version, what)
                expected.append(("open", path))
        elif event == "didClose":
            say(editor, event, path)
            opened.pop(path, None)
            if model.pop(path, None) is not None:
                expected.append(("close", path))
        else:
            say(editor, event, path)
            if known:
                expected.append(("open", path))
    assert {path: (document.version, document.text) for path, document in editor.documents.items()} == model
    assert all(document.path == path and document.uri == URIS[path] for path, document in editor.documents.items())
    assert heard == expected


def _changed(path: str, text: str | None, version: int, changes: list[ContentChange]) -> tuple[int | None, str | None]:
    """Of planning files alone a text is known, and that from the first change on."""
    if path != PLAN:
        return None, None
    for change in changes:
        if change.range is None:
            text = change.text
        elif text is not None:
            text = changed(text, [change])
    return (version, text) if text is not None else (None, None)


def _json(range: Range) -> dict[str, Any]:
    return {
        end: {"line": position.line, "character": position.character}
        for end, position in (("start", range.start), ("end", range.end))
    }


def test_a_text_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editors, "KEPT_TEXT", 5)
    editor, _ = new()
    editor.tells_changes = True
    say(editor, "didOpen", PLAN, document={"languageId": "markdown", "version": 1, "text": "12345"})
    assert editor.documents[PLAN].text == "12345"
    say(editor, "didChange", PLAN, document={"version": 2}, contentChanges=[{"text": "123456"}])
    assert editor.documents[PLAN] == Open(URIS[PLAN], PLAN)
    say(editor, "didChange", PLAN, document={"version": 3}, contentChanges=[{"text": "1"}])
    assert editor.documents[PLAN] == Open(URIS[PLAN], PLAN, 3, "1")


def test_an_editor_that_may_be_asked_for_changes_tells_none_before() -> None:
    """So what it opened may be another text by the time of its first change."""
    editor, _ = new(capabilities={"textDocument": {"synchronization": {"dynamicRegistration": True}}})
    say(editor, "didOpen", PLAN, document={"languageId": "markdown", "version": 1, "text": "a"})
    insert = {"text": "b", "range": _json(Range(start=Position(line=0, character=0), end=Position(line=0, character=0)))}
    say(editor, "didChange", PLAN, document={"version": 2}, contentChanges=[insert])
    assert editor.documents[PLAN] == Open(URIS[PLAN], PLAN)


def test_a_document_that_is_no_planning_file_any_more_is_read_from_disk() -> None:
    plans = {PLAN}
    editor = Editor(read(b'{"capabilities":{}}'), lambda frame: None, lambda path: path in plans)
    editor.tells_changes = True
    say(editor, "didOpen", PLAN, document={"languageId": "markdown", "version": 1, "text": "a"})
    plans.clear()
    say(editor, "didChange", PLAN, document={"version": 2}, contentChanges=[{"text": "b"}])
    assert editor.documents[PLAN] == Open(URIS[PLAN], PLAN)


@pytest.mark.parametrize(
    ("params", "folders"),
    [
        ({"workspaceFolders": [{"uri": "file:///a", "name": "a"}, {"uri": "untitled:x", "name": ""}]}, ["/a"]),
        ({"workspaceFolders": None, "rootUri": "file:///b"}, ["/b"]),
        ({"workspaceFolders": [], "rootUri": None}, []),
    ],
)
def test_folders(params: dict[str, Any], folders: list[str]) -> None:
    editor, _ = new(**params)
    assert editor.folders == folders
    event = {"added": [{"uri": "file:///c", "name": "c"}, {"uri": "git:/x", "name": ""}], "removed": [{"uri": "file:///a"}]}
    editor.notified("workspace/didChangeWorkspaceFolders", json.dumps({"event": event}).encode())
    editor.notified("workspace/didChangeWorkspaceFolders", json.dumps({"event": event}).encode())
    assert editor.folders == [folder for folder in folders if folder != "/a"] + ["/c"]


@pytest.mark.parametrize(
    ("capabilities", "methods"),
    [
        ({}, []),
        ({"workspace": {"codeLens": {"refreshSupport": True}}}, ["workspace/codeLens/refresh"]),
        (
            {"workspace": {"codeLens": {"refreshSupport": True}, "inlayHint": {"refreshSupport": True}}},
            ["workspace/codeLens/refresh", "workspace/inlayHint/refresh"],
        ),
    ],
)
def test_only_what_the_editor_can_do_is_refreshed(capabilities: dict[str, Any], methods: list[str]) -> None:
    editor, sent = new(capabilities=capabilities)
    editor.refresh()
    messages = [json.loads(frame.partition(b"\r\n\r\n")[2]) for frame in sent]
    assert [message["method"] for message in messages] == methods
    assert len({message["id"] for message in messages}) == len(methods)
