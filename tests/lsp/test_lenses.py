"""Lenses of code files: one on top, and one above each block that a prompt wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdashd.lsp import lenses as module
from ccdashd.lsp.text import uri_of
from tests.lsp.code_desk import LENS, editor_of, lenses
from tests.lsp.editors import EditorClient
from tests.rpc.blame_world import BlameWorld, blame_world
from tests.store.edited import Session


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    with blame_world() as world:
        yield world


@pytest.fixture
def editor(world: BlameWorld) -> Iterator[EditorClient]:
    with editor_of(world) as editor:
        editor.start()
        yield editor


def test_who_touched_a_file_stands_on_top(world: BlameWorld, editor: EditorClient) -> None:
    file, writer, reader = world.file(), world.session(), world.session()
    writer.prompt("Write it")
    file.written(writer, 0, 4)
    worker = Session(world.clock, str(world.root), id=writer.id, agent_id="a1b2c3d4")
    worker.prompt("Look at it")
    worker.call("Read", {}, file_path=file.path)
    reader.prompt("Look at it, too")
    reader.call("Read", {}, file_path=file.path)
    world.save(file, writer, worker, reader)
    line, title, command = lenses(editor, file.path)[0]
    assert line == 0
    assert title == "2 sessions · last 2026-01-02 · $0.03"
    assert command["command"] == "ccdash.showSessions"
    assert command["arguments"] == [{"uri": uri_of(file.path)}]


def test_each_block_of_a_prompt_has_a_lens(world: BlameWorld, editor: EditorClient) -> None:
    file, session = world.file(), world.session()
    session.prompt("Write the file\nwith care")
    first = file.written(session, 0, 10)
    session.prompt("Change some of it")
    session.say("I change it.")
    changed = file.replaced(session, 4, 2, 2)
    file.replaced(session, 6, 1, 1)
    file.by_hand(9, 1, 3)
    world.save(file, session)
    found = [(line, title, command["arguments"][0]) for line, title, command in lenses(editor, file.path)[1:]]
    entries = {change["toolUseId"]: change["entry"] for change in world.blame(file.path)["changes"]}
    told = "{} · opus-4-5 · 2026-01-02 · {}"
    changed_in = "Write the file with care · “Change some of it”"
    assert found == [
        (0, told.format("“Write the file with care”", "$0.03"), {"session": session.id, "entry": entries[first]}),
        (4, told.format(changed_in, "$0.08"), {"session": session.id, "entry": entries[changed]}),
    ], "a session is not named twice; lines 7 and 8 are too few for a lens, lines of people have none"


def test_of_many_blocks_the_largest_have_lenses(
    world: BlameWorld, editor: EditorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    file, session = world.file(), world.session()
    session.prompt("Write it")
    file.written(session, 0, 16)
    for at in (3, 9, 13):
        file.by_hand(at, 1, 1)
    world.save(file, session)
    assert [line for line, *_ in lenses(editor, file.path)] == [0, 0, 4]


def test_what_a_lens_says_is_one_short_line(world: BlameWorld, editor: EditorClient) -> None:
    file, session = world.file(), world.session()
    session.prompt("A title\n" * 50)
    file.written(session, 0, 4)
    world.save(file, session)
    for _, title, _ in lenses(editor, file.path):
        assert "\n" not in title
        assert len(title) < 200


def test_a_file_that_is_gone_has_the_lens_on_top_alone(world: BlameWorld, editor: EditorClient) -> None:
    file, session = world.file(), world.session()
    file.written(session, 0, 4)
    world.logged(session)
    assert len(lenses(editor, file.path)) == 1


@pytest.mark.parametrize("uri", ["file:///etc/hosts", "untitled:one", "git:/a.py?x", "file://elsewhere/a.py", "%%%", ""])
def test_nothing_above_files_that_no_session_touched(editor: EditorClient, uri: str) -> None:
    assert editor.request(LENS, {"textDocument": {"uri": uri}}) == []


def test_odd_names_of_files(world: BlameWorld, editor: EditorClient) -> None:
    for number, name in enumerate(("a b#c%.py", "é.py", "'quoted\".py")):
        file, session = world.file(name), world.session()
        session.prompt(f"Write file {number}")
        file.written(session, 0, 3)
        world.save(file, session)
        assert [line for line, *_ in lenses(editor, file.path)] == [0, 0]
    assert editor.request(LENS, {"textDocument": {"uri": "file:///home/%FF%FE.py"}}) == []


def test_an_editor_asks_anew_when_an_agent_changed_a_file(world: BlameWorld, editor: EditorClient) -> None:
    file, session, other = world.file(), world.session(), world.session()
    session.prompt("Write it")
    file.written(session, 0, 3)
    world.save(file, session)
    editor.open(Path(file.path))
    before = lenses(editor, file.path)
    other.prompt("Write more")
    file.replaced(other, 0, 1, 5)
    world.save(file, other)
    editor.told("workspace/codeLens/refresh")
    after = lenses(editor, file.path)
    assert after[0][1].startswith("2 sessions")
    assert len(after) == len(before)
    assert after[1] != before[1]
