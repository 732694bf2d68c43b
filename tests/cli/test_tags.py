"""Tags, notes and ratings on the command line, on a made-up project and the real daemon."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccdash.output import paint
from tests.cli.conftest import Done, run_in_terminal, run_process
from tests.cli.world import World

Run = Callable[..., Done]
FEATURE = "feature:checkout"


@pytest.fixture
def home(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The daemon's home in place of an empty one; the current folder is the shop."""
    return world.enter(monkeypatch)


@pytest.fixture
def tagged(run: Run) -> Iterator[Run]:
    """Two tags on the checkout, one of them also on a session; none in the end."""
    run("tag", "checkout", "urgent", "needs review")
    run("tag", "session:0c0ffee0", "urgent")
    yield run
    for tag in json.loads(run("tags", "--json").out)["items"]:
        run("tags", "delete", tag["name"], "--yes")


def cells(done: Done) -> list[list[str]]:
    return [line.split() for line in done.out.splitlines()]


# --- tags ---


def test_tags_are_given_and_taken(run: Run, world: World, tagged: Run) -> None:
    assert run("tag", "checkout", "Soon") == Done(0, f"{FEATURE} has the tags: needs review, Soon, urgent.\n", "")
    assert run("tag", "checkout", "soon").out == f"{FEATURE} has the tags: needs review, Soon, urgent.\n"
    done = run("untag", "checkout", "soon", "needs review", "--json")
    (feature,) = (row["id"] for row in world.ask("features/list")["items"] if row["slug"] == "checkout")
    assert json.loads(done.out) == world.ask("tags/list", type="feature", id=feature)
    assert run("untag", "checkout", "urgent").out == f"{FEATURE} has no tag.\n"
    assert run("tags", "checkout") == Done(0, "", "checkout has no tag.\n")
    assert run("sessions", "--tag", "urgent").out.count("\n") == 2
    assert run("features", "--tag", "urgent").out == ""


def test_tags_are_listed(run: Run, world: World, tagged: Run) -> None:
    assert cells(run("tags")) == [["TAG", "COLOR", "ENTITIES"], ["needs", "review", "-", "1"], ["urgent", "-", "2"]]
    assert cells(run("tags", "session:0c0ffee0")) == [["TAG", "COLOR", "ENTITIES"], ["urgent", "-", "2"]]
    assert json.loads(run("tags", "--json").out) == world.ask("tags/list")


def test_without_tags_it_is_said_how_to_make_one(run: Run) -> None:
    assert run("tags") == Done(0, "", "There is no tag yet. `ccdash tag ENTITY TAG` gives an entity one.\n")


def test_tags_are_renamed_and_become_one(tagged: Run) -> None:
    assert tagged("tags", "rename", "urgent", "soon").out == "urgent is now called soon, on 2 entities.\n"
    assert tagged("tags", "rename", "soon", "Soon").out == "soon is now called Soon, on 2 entities.\n"
    assert tagged("tags", "rename", "soon", "NEEDS REVIEW").out == "soon is now part of needs review, on 2 entities.\n"
    tag = {"name": "needs review", "color": "", "count": 2}
    assert json.loads(tagged("tags", "rename", "needs review", "needs review", "--json").out) == tag


def test_tags_have_colors(tagged: Run) -> None:
    assert tagged("tags", "color", "urgent", "#d33").out == "urgent is #dd3333.\n"
    assert tagged("tags", "color", "new", "Red").out == "new is #ff0000.\n"
    assert {row[0]: row[-2] for row in cells(tagged("tags"))[1:]} == {"needs": "-", "new": "#ff0000", "urgent": "#dd3333"}
    done = run_in_terminal("tags")
    assert "\x1b[38;5;167m■ #dd3333\x1b[0m" in done.out and "\x1b[38;5;196m■ #ff0000\x1b[0m" in done.out
    assert "■" not in run_in_terminal("tags", "--no-color").out


@pytest.mark.parametrize(
    ("color", "code"),
    [("#000000", 16), ("#ffffff", 231), ("#ff0000", 196), ("#00ff00", 46), ("#0000ff", 21), ("#dd3333", 167)],
)
def test_a_color_is_the_nearest_of_256(color: str, code: int) -> None:
    assert paint("x", f"bold {color}", True) == f"\x1b[1;38;5;{code}mx\x1b[0m"
    assert paint("x", color, False) == "x"


def test_a_tag_is_deleted_once_that_is_confirmed(tagged: Run) -> None:
    done = tagged("tags", "delete", "Urgent")
    assert (done.code, done.out) == (2, "")
    assert done.err == "ccdash: That would delete the tag 'urgent' of 2 entities. Nobody can be asked here; say --yes.\n"
    refused = run_in_terminal("tags", "delete", "urgent", typed="n\n")
    assert refused.code == 1 and refused.out.endswith("Nothing was deleted.\x1b[0m\n")
    assert "Delete the tag 'urgent' of 2 entities? [y/N]" in refused.out
    assert run_in_terminal("tags", "delete", "urgent", typed="y\n").code == 0
    assert tagged("tags", "delete", "needs review", "--yes").out == "Deleted the tag 'needs review' of 1 entity.\n"
    assert tagged("tags").out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("tag", "zzz", "x"), 1, "Nothing is called 'zzz'."),
        (("tag", "checkout", " "), 1, "name: is empty"),
        (("tag", "checkout", "x" * 101), 1, "name: has 101 characters; at most 100"),
        (("tag", "checkout", "a\nb"), 1, "name: has control characters"),
        (("tag", "checkout"), 2, "the following arguments are required: TAG"),
        (("untag", "checkout", "zzz"), 1, "no tag 'zzz'. `ccdash tags` lists them."),
        (("tags", "zzz"), 1, "Nothing is called 'zzz'."),
        (("tags", "checkout", "refunds"), 2, "lists the tags of one entity only; actions are rename, delete, color."),
        (("tags", "rename", "urgent"), 2, "`ccdash tags rename TAG NEW-NAME`"),
        (("tags", "rename", "zzz", "x"), 1, "no tag 'zzz'. `ccdash tags` lists them."),
        (("tags", "rename", "urgent", ""), 1, "newName: is empty"),
        (("tags", "delete", "zzz", "--yes"), 1, "no tag 'zzz'. `ccdash tags` lists them."),
        (("tags", "color", "urgent", "#12"), 1, "color: must be #rrggbb, #rgb or one of aqua, black, "),
        (("tags", "color", "urgent", "reddish"), 1, "(got reddish)"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_bad_tags_are_refused(tagged: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = tagged(*arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err and done.err.count("\n") == 1


def test_tags_of_others_act_on_no_terminal(world: World, run: Run) -> None:
    (feature,) = (row["id"] for row in world.ask("features/list")["items"] if row["slug"] == "checkout")
    world.ask("tags/add", name="a\u202eb", entity={"type": "feature", "id": feature})
    assert run("tags", "checkout").out.splitlines()[1].split()[0] == "ab"
    run("tags", "delete", "a\u202eb", "--yes")


# --- notes ---


@pytest.fixture
def noted(run: Run) -> Iterator[Run]:
    """A note on the checkout, and none in the end."""
    run("note", "checkout", "Ask", "Ann first")
    yield run
    run("note", "checkout", "--delete")


def test_a_note_is_written_shown_and_deleted(run: Run, noted: Run) -> None:
    assert run("note", "checkout") == Done(0, "Ask Ann first\n", "")
    assert run("note", "checkout", "Ask Bob").out == f"{FEATURE}: the note is kept.\n"
    assert json.loads(run("note", "checkout", "--json").out)["values"] == {"note": "Ask Bob"}
    assert "Note\nAsk Bob\n" in run("feature", "checkout").out
    assert run("note", "checkout", "--delete").out == f"{FEATURE}: the note is deleted.\n"
    for arguments in ((), ("--delete",)):
        assert run("note", "checkout", *arguments) == Done(0, "", f"{FEATURE} has no note.\n")


def test_a_note_comes_from_standard_input(run: Run, noted: Run) -> None:
    done = run_process("note", "checkout", "-", stdin="two\n\x1b]0;x\x07lines\n\n")
    assert done == Done(0, f"{FEATURE}: the note is kept.\n", "")
    assert run("note", "checkout").out == "two\nlines\n"
    assert json.loads(run("note", "checkout", "--json").out)["values"] == {"note": "two\n\x1b]0;x\x07lines"}


def test_bad_notes_are_refused(run: Run, noted: Run) -> None:
    done = run_process("note", "checkout", "-", stdin="x" * 1_048_576)
    assert done == Done(2, "", "ccdash: The note has 1,048,576 bytes; at most 262,144.\n")
    empty = "ccdash: The note is empty. `--delete` deletes the one that is there.\n"
    assert run_process("note", "checkout", "-", stdin=" \n") == run("note", "checkout", "") == Done(2, "", empty)
    assert run("note", "checkout", "x", "--edit").err == "ccdash: --edit takes no text.\n"
    assert run("note", "checkout", "--edit", "--delete").code == 2
    assert run("note", "zzz", "x").code == 1
    assert run("note", "checkout").out == "Ask Ann first\n"


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a shell script the editor; it gets the file as $1. Files that are left behind are below the test's folder."""

    def make(script: str) -> None:
        path = tmp_path / "my editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("VISUAL", f"'{path}' --wait")
        monkeypatch.setenv("EDITOR", "false")

    left = tmp_path / "left"
    left.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(left))
    return make


def test_a_note_is_edited(run: Run, noted: Run, editor: Callable[[str], None], tmp_path: Path) -> None:
    editor('grep -q "Ask Ann first" "$2" && echo "More" >> "$2"')
    assert run("note", "checkout", "--edit").out == f"{FEATURE}: the note is kept.\n"
    assert run("note", "checkout").out == "Ask Ann first\nMore\n"
    editor("true")
    assert run("note", "checkout", "--edit").err == "The note is as it was.\n"
    editor(': > "$2"')
    assert run("note", "checkout", "--edit").out == f"{FEATURE}: the note is deleted.\n"
    assert os.listdir(tmp_path / "left") == []


def test_what_was_written_in_an_editor_is_not_lost(
    run: Run, noted: Run, editor: Callable[[str], None], tmp_path: Path
) -> None:
    left = tmp_path / "left"

    def kept() -> str:
        (path,) = left.iterdir()
        text = path.read_text()
        path.unlink()
        return text

    editor('head -c 300000 /dev/zero | tr "\\0" x > "$2"')
    done = run("note", "checkout", "--edit")
    assert done.code == 1 and "The note has 300,000 bytes; at most 262,144. What you wrote is in " in done.err
    assert len(kept()) == 300_000
    editor('echo new > "$2"; exit 3')
    assert "ended with 3, so the note stays as it was. What you wrote is in " in run("note", "checkout", "--edit").err
    assert kept() == "new\n"
    editor(f'echo mine > "$2"; {sys.executable} -m ccdash note checkout theirs > /dev/null')
    done = run("note", "checkout", "--edit")
    assert "was changed elsewhere meanwhile, and is not overwritten. What you wrote is in " in done.err
    assert run("note", "checkout").out == "theirs\n"
    assert kept() == "mine\n"


def test_an_editor_that_fails_leaves_nothing(
    run: Run, noted: Run, editor: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor("exit 1")
    assert run("note", "checkout", "--edit").err.endswith("ended with 1, so the note stays as it was.\n")
    monkeypatch.setenv("VISUAL", "no-such-editor --wait")
    assert run("note", "checkout", "--edit").err == (
        "ccdash: The editor 'no-such-editor --wait' cannot be run (No such file or directory). "
        "Set EDITOR to the command of yours.\n"
    )
    monkeypatch.setenv("VISUAL", "it's")
    assert "cannot be run (No closing quotation)" in run("note", "checkout", "--edit").err
    assert os.listdir(tmp_path / "left") == []


# --- ratings ---


def test_a_rating_is_given_shown_and_cleared(run: Run) -> None:
    session = "session:0c0ffee0"
    assert run("rate", session).out == f"{session}: not rated.\n"
    assert run("rate", session, "4", "--friction", "2").out == f"{session}: rating 4 of 5, friction 2 of 5.\n"
    assert run("rate", session, "--friction", "1").out == f"{session}: rating 4 of 5, friction 1 of 5.\n"
    assert json.loads(run("rate", session, "5", "--json").out)["values"] == {"rating": 5, "friction": 1}
    assert re.search(r"\nrating +5 of 5, friction 1 of 5\n", run("show", "0c0ffee0").out)
    assert run("rate", session, "--clear").out == f"{session}: not rated.\n"
    assert "rating" not in run("show", "0c0ffee0").out


@pytest.mark.parametrize("given", ["6", "0", "-1", "2.5", "good", "¼"])
def test_a_rating_is_a_number_from_1_to_5(run: Run, given: str) -> None:
    for arguments in ((given,), (f"--friction={given}",)):
        done = run("rate", "checkout", *arguments)
        assert done.code == 2 and done.out == "" and done.err.count("\n") == 1
    assert run("rate", "checkout").out == f"{FEATURE}: not rated.\n"
    assert "--clear forgets rating and friction" in run("rate", "checkout", "3", "--clear").err


# --- what other commands show of it ---


def test_the_page_of_a_session_shows_what_belongs_to_it(run: Run) -> None:
    run("tag", "session:0c0ffee0", "good")
    run("note", "session:0c0ffee0", "keep this one")
    run("rate", "session:0c0ffee0", "3")
    run("link", "session:0c0ffee0", "https://example.com/1", "--label", "Talk")
    text = run("show", "0c0ffee0").out
    facts = dict(line.split(None, 1) for line in text.split("\n\n")[0].splitlines()[1:])
    assert facts["your"].split() == ["tags", "good"] and facts["rating"] == "3 of 5"
    assert "\nLinked with\n" in text and "  checkout\n" in text
    assert "\nNote\nkeep this one\n" in text
    assert "\nExternal links\n- Talk: https://example.com/1\n" in text
    assert run("sessions", "--feature", "checkout", "--tag", "good").out.count("\n") == 2
    assert run("sessions", "--feature", "refunds").err == "No session fits.\n"
    assert "did you mean checkout" in run("sessions", "--feature", "chekout").err
