"""What is shown on a line of code: who wrote it, why, and what of it is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.lsp.code_desk import editor_of, hover
from tests.lsp.editors import EditorClient
from tests.rpc.blame_world import BlameWorld, blame_world
from tests.store.edited import Edited, Session


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    with blame_world() as world:
        yield world


@pytest.fixture
def editor(world: BlameWorld) -> Iterator[EditorClient]:
    with editor_of(world) as editor:
        editor.start()
        yield editor


def written(world: BlameWorld, prompt: str = "Write it", said: str = "I write it now.") -> tuple[Edited, Session]:
    """A file of five lines."""
    file, session = world.file(), world.session()
    session.prompt(prompt)
    session.say("At first.")
    session.say(said)
    file.written(session, 0, 5)
    return file, session


def test_a_line_tells_who_wrote_it_and_why(world: BlameWorld, editor: EditorClient) -> None:
    file, session = written(world, "Write the file,\nfive lines of it")
    world.save(file, session)
    shown = hover(editor, file.path, 1)
    assert shown is not None
    who, prompt, said, facts, how = shown.split("\n\n")
    assert who == "**Write the file, five lines of it**"
    assert prompt == "> Write the file,  \n> five lines of it"
    assert said == "I write it now."
    assert facts.startswith("opus-4-5 · 2026-01-02 ")
    assert facts.endswith(" · \\$0.08 for the turn · Write")
    assert how == f"ccdash show {session.id} --transcript"


def test_what_became_of_a_line_is_told(world: BlameWorld, editor: EditorClient) -> None:
    file, session = written(world)
    indented, changed = f"    {file.lines[1]}", f"{file.lines[3]} now"
    file.lines[1], file.lines[3] = indented, changed
    file.by_hand(5, 0, 1)
    world.save(file, session)
    facts = [(hover(editor, file.path, line) or "").split("\n\n")[-2:-1] for line in range(5)]
    assert [told[0].rpartition(" · ")[2] for told in facts] == [
        "Write",
        "indented otherwise since",
        "Write",
        "changed since",
        "Write",
    ]
    assert hover(editor, file.path, 5) is None
    assert hover(editor, file.path, 6) is None
    assert hover(editor, file.path, 1_000_000) is None


def test_a_sub_agent_is_told_with_its_task(world: BlameWorld, editor: EditorClient) -> None:
    file, main = world.file(), world.session()
    main.prompt("Have it written")
    worker = Session(world.clock, str(world.root), id=main.id, agent_id="a1b2c3d4")
    worker.prompt("Write a line")
    file.written(worker, 0, 1)
    world.save(file, main, worker)
    shown = hover(editor, file.path, 0) or ""
    assert shown.startswith("**Have it written** · sub-agent")
    assert "> Write a line" in shown
    assert f"ccdash show {main.id}/agent-a1b2c3d4 --transcript" in shown


def test_words_of_another_turn_are_not_told(world: BlameWorld, editor: EditorClient) -> None:
    file, session = written(world)
    session.prompt("Again")
    file.replaced(session, 0, 1, 1)
    world.save(file, session)
    shown = hover(editor, file.path, 0) or ""
    assert "> Again" in shown
    assert "I write it now." not in shown


EVIL = (
    "[click](command:ccdash.x) ![](http://evil/i.png) <img src=x> <script>alert(1)</script>\n"
    "# Heading\n```\ncode\n```\n| a | b |\n&lt; <http://evil> *bold* `tick` \\[x](y)\n"
)


def test_nothing_that_others_wrote_acts(world: BlameWorld, editor: EditorClient) -> None:
    file, session = written(world, EVIL, EVIL)
    world.save(file, session)
    shown = hover(editor, file.path, 0) or ""
    plain = shown.replace("> ", "")
    for at, character in enumerate(plain):
        if character in "[]`<>!|&#" and not plain[:at].endswith("\\"):
            raise AssertionError(f"{character!r} may act in {plain[max(at - 20, 0) : at + 20]!r}")


def test_long_words_are_cut(world: BlameWorld, editor: EditorClient) -> None:
    file, session = written(world, "line of a prompt\n" * 1000, "word " * 10_000)
    world.save(file, session)
    shown = hover(editor, file.path, 0) or ""
    assert len(shown) < 2_000
    assert shown.count("\n> ") == 12
    assert "…" in shown


def test_an_extension_gets_a_link_to_the_entry(world: BlameWorld) -> None:
    file, session = written(world)
    world.save(file, session)
    (change,) = world.blame(file.path)["changes"]
    with editor_of(world) as editor:
        editor.start(initializationOptions={"ccdash": {"commands": ["ccdash.openTranscript"]}})
        link = (hover(editor, file.path, 0) or "").rpartition("\n\n")[2]
    begin = "[Open the transcript](command:ccdash.openTranscript?"
    assert link.startswith(begin)
    arguments = json.loads(unquote(link.removeprefix(begin).removesuffix(")")))
    assert arguments == [{"session": session.id, "entry": change["entry"]}]


def test_an_editor_that_reads_no_markdown_gets_plain_text(world: BlameWorld) -> None:
    file, session = written(world, "Write *it*")
    world.save(file, session)
    with editor_of(world) as editor:
        editor.start(capabilities={"textDocument": {"hover": {"contentFormat": ["plaintext"]}}})
        shown = hover(editor, file.path, 0) or ""
    assert shown.startswith("Write *it*\n\n> Write *it*\n\nI write it now.\n\n")


def test_nothing_on_lines_of_files_that_cannot_be_read(world: BlameWorld, editor: EditorClient) -> None:
    file, session = written(world)
    world.logged(session)
    assert hover(editor, file.path, 0) is None
    world.put(file.path, b"\0\0")
    assert hover(editor, file.path, 0) is None
    assert hover(editor, "/nowhere/at/all.py", 0) is None


def test_lines_of_a_planning_file_are_those_that_are_typed(world: BlameWorld) -> None:
    file, session = world.file("docs/project_plans/reports/notes.md"), world.session()
    session.prompt("Take notes")
    file.written(session, 0, 3)
    world.save(file, session)
    with editor_of(world) as editor:
        editor.start()
        editor.answer(editor.told("client/registerCapability"))
        assert hover(editor, file.path, 3) is None
        editor.open(Path(file.path), f"typed\n{file.text}")
        assert hover(editor, file.path, 0) is None
        assert "> Take notes" in (hover(editor, file.path, 3) or "")
