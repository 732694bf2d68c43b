"""What editors have the daemon do: show transcripts, sessions, features and blame; link sessions."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.lsp import shown_files
from ccdashd.lsp.text import path_of, uri_of
from tests.cli import plans
from tests.helpers import RpcError, wait_until
from tests.lsp.code_desk import carry_out, editor_of
from tests.lsp.editors import EditorClient
from tests.rpc.blame_world import BlameWorld, blame_world
from tests.store.edited import Session

EXECUTE = "workspace/executeCommand"
DEAF = "neovim_v0.7.0"
"""A client that cannot open documents when asked."""


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    with blame_world() as world:
        plans.write(world.root, plans.SHOP)
        yield world


@pytest.fixture(scope="module")
def session(world: BlameWorld) -> Session:
    """One that wrote ``till.py``."""
    file, session = world.file("till.py"), world.session()
    session.prompt("Write the [till](command:evil) *now*")
    session.say("```\nI write it.")
    file.written(session, 0, 3)
    file.by_hand(1, 0, 1)
    session.say("Done.")
    world.save(file, session)
    return session


@pytest.fixture
def editor(world: BlameWorld) -> Iterator[EditorClient]:
    with editor_of(world) as editor:
        editor.start()
        yield editor


@pytest.fixture
def deaf(world: BlameWorld) -> Iterator[EditorClient]:
    with editor_of(world) as editor:
        editor.start(DEAF)
        yield editor


def shown(editor: EditorClient, command: str, argument: Any, *, success: bool = True) -> tuple[Any, Path, int]:
    """The answer of a command, and which file it has the editor open, at which line."""
    id = editor.send(EXECUTE, {"command": command, "arguments": [argument]})
    asked = editor.told("window/showDocument")
    editor.answer(asked, {"success": success})
    answer = editor.result(id)
    return answer, Path(path_of(asked["params"]["uri"]) or ""), asked["params"]["selection"]["start"]["line"]


def message(editor: EditorClient) -> str:
    said: str = editor.notification("window/showMessage")["message"]
    return said


def test_a_transcript_is_opened_at_the_entry(world: BlameWorld, editor: EditorClient, session: Session) -> None:
    (change,) = world.blame(str(world.root / "till.py"))["changes"]
    argument = {"session": session.id, "entry": change["entry"]}
    answer, path, line = shown(editor, "ccdash.openTranscript", argument)
    assert answer == {"path": str(path), "line": line, "opened": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.is_relative_to(world.served.paths.cache_dir)
    lines = path.read_text().splitlines()
    assert lines[line].startswith("## Call Write")
    assert "    Done." in lines
    assert "    ```" in lines, "what others wrote stands in indented code"
    assert lines[0] == r"# Write the \[till\](command:evil) \*now\*"


def test_without_an_entry_the_end_is_shown(editor: EditorClient, session: Session) -> None:
    _, path, line = shown(editor, "ccdash.openTranscript", {"session": session.id})
    assert line == 0
    assert path.read_text().rstrip().endswith("Done.")


def test_an_editor_that_cannot_open_documents_is_told_how_to_see_it(deaf: EditorClient, session: Session) -> None:
    answer = carry_out(deaf, "ccdash.openTranscript", {"session": session.id})
    assert (answer["opened"], os.path.exists(answer["path"])) == (False, True)
    assert message(deaf) == f"`ccdash show {session.id} --transcript` shows the transcript."


def test_an_editor_that_refuses_is_told_as_well(editor: EditorClient, session: Session) -> None:
    answer, _, _ = shown(editor, "ccdash.openTranscript", {"session": session.id}, success=False)
    assert answer["opened"] is False
    assert "--transcript" in message(editor)
    id = editor.send(EXECUTE, {"command": "ccdash.openTranscript", "arguments": [{"session": session.id}]})
    editor.answer(editor.told("window/showDocument"), error="no window")
    assert editor.result(id)["opened"] is False


def test_a_part_of_a_long_transcript(world: BlameWorld, editor: EditorClient) -> None:
    session = world.session()
    for number in range(700):
        session.say(f"Word {number} of many.")
    world.logged(session)
    _, path, _ = shown(editor, "ccdash.openTranscript", {"session": session.id})
    text = path.read_text()
    assert f"*500 records before; `ccdash show {session.id} --transcript` shows all.*" in text
    assert "Word 500 of" in text and "Word 499 of" not in text
    entry = session.records[300]["uuid"]
    _, path, line = shown(editor, "ccdash.openTranscript", {"session": session.id, "entry": entry})
    text = path.read_text()
    assert "Word 300 of many." in text.splitlines()[line + 2]
    assert "*100 records before" in text and "*100 records after" in text


def test_sessions_of_a_file(editor: EditorClient, deaf: EditorClient, world: BlameWorld, session: Session) -> None:
    uri = uri_of(str(world.root / "till.py"))
    answer, path, _ = shown(editor, "ccdash.showSessions", {"uri": uri})
    assert ([row["id"] for row in answer["items"]], answer["total"]) == ([session.id], 1)
    assert f"`ccdash show {session.id} --transcript`" in path.read_text()
    carry_out(deaf, "ccdash.showSessions", {"uri": uri})
    told = message(deaf)
    assert told.startswith("1 session of till.py: Write the [till] (command:evil) *now*.")
    assert "](" not in told
    nothing = carry_out(editor, "ccdash.showSessions", {"uri": "file:///nowhere/at/all.py"})
    assert nothing == {"items": [], "total": 0}
    assert message(editor) == "No session is known of all.py."


def test_a_session_is_linked_and_told_of_the_feature(
    world: BlameWorld, editor: EditorClient, deaf: EditorClient, session: Session
) -> None:
    with world.client() as client:
        wait_until(lambda: client.request("features/list")["total"], "the features")
        (feature,) = [one for one in client.request("features/list")["items"] if one["slug"] == "checkout"]
    entity = {"type": "feature", "id": feature["id"]}
    link = carry_out(editor, "ccdash.linkSession", {"entity": entity, "session": session.id})
    assert (link["source"]["id"], link["target"]["id"], link["origin"]) == (session.id, feature["id"], "manual")
    uri = uri_of(str(world.root / "till.py"))
    answer, _, _ = shown(editor, "ccdash.showSessions", {"uri": uri, "entity": entity})
    assert [row["id"] for row in answer["items"]] == [session.id]
    lenses = editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert lenses[1]["command"] == {
        "title": f"feature {feature['name']}",
        "command": "ccdash.showFeature",
        "arguments": [{"id": feature["id"]}],
    }
    answer, path, line = shown(editor, "ccdash.showFeature", {"id": feature["id"]})
    assert answer == {"path": str(path), "line": 0, "opened": True}
    assert (path, line) == (world.root / "docs/project_plans/PRDs/checkout-v1.md", 0)
    carry_out(deaf, "ccdash.showFeature", {"id": feature["id"]})
    assert f"`ccdash feature {feature['id']}`" in message(deaf)


def test_blame_is_shown_with_the_lines(
    editor: EditorClient, deaf: EditorClient, world: BlameWorld, session: Session
) -> None:
    till = world.root / "till.py"
    answer, path, _ = shown(editor, "ccdash.blame", {"uri": uri_of(str(till))})
    assert (answer["lines"], answer["agentLines"]) == (4, 3)
    told = [line for line in path.read_text().splitlines() if line.startswith("    ")]
    assert told == [f"    {line}" for line in till.read_text().splitlines()]
    assert path.read_text().count("\n## ") == 3
    assert "\n## Others\n" in path.read_text()
    carry_out(deaf, "ccdash.blame", {"uri": uri_of(str(till))})
    assert message(deaf) == "3 of 4 lines of till.py were written by agents; `ccdash blame till.py` shows by which prompts."
    carry_out(editor, "ccdash.blame", {"uri": "file:///nowhere/at/all.py"})
    assert message(editor) == "No line of all.py is known to be written by an agent."


@pytest.mark.parametrize(
    ("command", "argument", "code"),
    [
        ("ccdash.openTranscript", {"session": "no-such"}, -32001),
        ("ccdash.openTranscript", {"session": 7}, -32602),
        ("ccdash.openTranscript", None, -32602),
        ("ccdash.showSessions", {"uri": "untitled:1"}, -32602),
        ("ccdash.showFeature", {"id": "no-such"}, -32001),
        ("ccdash.linkSession", {"entity": {"type": "feature", "id": "no-such"}, "session": "none"}, -32001),
        ("ccdash.blame", {"uri": "untitled:1"}, -32602),
        ("ccdash.noSuch", {}, -32602),
    ],
)
def test_what_cannot_be_done_is_said(editor: EditorClient, command: str, argument: Any, code: int) -> None:
    with pytest.raises(RpcError) as refused:
        carry_out(editor, command, argument)
    assert refused.value.code == code


def test_an_entry_that_is_not_there(editor: EditorClient, session: Session) -> None:
    with pytest.raises(RpcError) as refused:
        carry_out(editor, "ccdash.openTranscript", {"session": session.id, "entry": "no-such"})
    assert refused.value.code == -32001


def test_old_renderings_are_dropped(
    world: BlameWorld, deaf: EditorClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_files, "KEPT", 2)
    till = {"uri": uri_of(str(world.root / "till.py"))}
    for command, argument in (
        ("ccdash.openTranscript", {"session": session.id}),
        ("ccdash.blame", till),
        ("ccdash.blame", till),
    ):
        carry_out(deaf, command, argument)
    folder = world.served.paths.cache_dir / "transcripts"
    assert len(list(folder.iterdir())) == 2


def test_a_cache_folder_that_others_can_read_is_not_written_to(
    world: BlameWorld, deaf: EditorClient, session: Session
) -> None:
    folder = world.served.paths.cache_dir / "transcripts"
    carry_out(deaf, "ccdash.openTranscript", {"session": session.id})
    folder.chmod(0o755)
    with pytest.raises(RpcError) as refused:
        carry_out(deaf, "ccdash.openTranscript", {"session": session.id})
    assert refused.value.code == -32003
    folder.chmod(0o700)
