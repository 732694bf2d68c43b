"""``ccdash show --format``: the documents that the daemon renders, in a file of one's own or in a pipe."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import FakeDaemon
from tests.cli.plans import SESSION
from tests.cli.world import World

Run = Callable[..., Done]


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run) -> Path:
    world.enter(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pieces(*texts: str, redactions: Any = None) -> Callable[[dict[str, Any]], Any]:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        start = params["start"]
        next = start + 1 if start + 1 < len(texts) else None
        return {"text": texts[start], "next": next, "total": len(texts), "redactions": redactions, "revision": 1}

    return answer


@pytest.mark.parametrize(
    ("format", "begin"), [("md", "# /dev:execute"), ("html", "<!DOCTYPE html>\n"), ("json", '{"session":{')]
)
def test_a_file_is_written_that_only_its_owner_may_read(format: str, begin: str, shop: Path, run: Run) -> None:
    file = shop / f"session.{format}"
    done = run("show", SESSION[:8], "--format", format, "-o", file.name)
    assert done == Done(0, "", f"Wrote session.{format}.\n")
    assert file.read_text().startswith(begin)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("show", SESSION, "--format", format).out == file.read_text()
    assert [path.name for path in shop.iterdir()] == [file.name]


def test_json_is_one_document(shop: Path, run: Run) -> None:
    document = json.loads(run("show", SESSION, "--format", "json", "--subagents").out)
    assert document["session"]["id"] == SESSION
    assert len(document["entries"]) == 1


def test_a_file_that_is_there_stays_unless_forced(shop: Path, run: Run) -> None:
    file, link = shop / "a.md", shop / "link.md"
    file.write_text("mine")
    file.chmod(0o644)
    link.symlink_to(file)
    done = run("show", SESSION, "--format", "md", "-o", "link.md")
    assert done == Done(1, "", "ccdash: link.md is there already. --force replaces it.\n")
    assert file.read_text() == "mine"
    assert run("show", SESSION, "--format", "md", "-o", "link.md", "--force").code == 0
    assert file.read_text().startswith("# /dev:execute")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.is_symlink()


def test_nothing_is_left_where_it_cannot_be_written(shop: Path, run: Run) -> None:
    done = run("show", SESSION, "--format", "md", "-o", "none/a.md")
    assert done.code == 1
    assert "none/a.md: No such file or directory. Check the path" in done.err
    assert run("show", "nosuch", "--format", "md", "-o", "a.md").code == 1
    assert list(shop.iterdir()) == []


def test_a_device_is_written_to(shop: Path, run: Run) -> None:
    assert run("show", SESSION, "--format", "md", "-o", os.devnull) == Done(0, "", f"Wrote {os.devnull}.\n")


def test_pieces_are_put_together_and_what_was_taken_out_is_told(fake: FakeDaemon, run: Run) -> None:
    taken = {"counts": {"email": 2, "home-path": 1}, "files": 1}
    fake.answers["sessions/render"] = pieces("a", "b", "c", redactions=taken)
    done = run("show", "x", "--format", "md", "--redact", "--subagents")
    assert done == Done(
        0,
        "abc",
        "Taken out: 6 email, 3 home-path. What no rule knows is still in it, so read it before you give it away.\n",
    )
    params = fake.params("sessions/render")
    assert params == {"id": "x", "format": "markdown", "subagents": True, "redact": True, "start": 2}
    fake.answers["sessions/render"] = pieces("a", redactions={"counts": {}, "files": 0})
    assert run("show", "x", "--format", "json", "--redact").err.startswith("Nothing was found that had to be taken out;")


def test_a_file_appears_when_it_is_whole(fake: FakeDaemon, run: Run, home: Path) -> None:
    file = home / "a.md"

    def broken(params: dict[str, Any]) -> Any:
        assert not file.exists()
        answer = pieces("a", "b")(params)
        return {**answer, "text": 7} if params["start"] else answer

    fake.answers["sessions/render"] = broken
    assert run("show", "x", "--format", "md", "-o", str(file)).code == 1
    assert [path for path in home.iterdir() if "a.md" in path.name] == []


def test_who_writes_the_file_meanwhile_keeps_it(fake: FakeDaemon, run: Run, home: Path) -> None:
    file = home / "a.md"

    def racing(params: dict[str, Any]) -> Any:
        file.write_text("mine")
        return pieces("a")(params)

    fake.answers["sessions/render"] = racing
    done = run("show", "x", "--format", "md", "-o", str(file))
    assert (done.code, file.read_text()) == (1, "mine")
    assert "a.md: File exists." in done.err


def test_a_terminal_is_given_what_it_can_show(fake: FakeDaemon) -> None:
    fake.answers["sessions/render"] = pieces("# A title\n", "text\n")
    assert run_in_terminal("show", "x", "--format", "md").out == "# A title\ntext\n"
    done = run_in_terminal("show", "x", "--format", "html")
    assert done.code == 2
    assert "name a file with -o FILE" in done.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--redact",), "--redact and --force are for a document: give --format too."),
        (("--force", "--transcript"), "--redact and --force are for a document: give --format too."),
        (("--subagents",), "--subagents says which transcript: give --transcript or --format too."),
        (("-o", "x"), "-o is for what --blob names, and for a document of --format."),
        (("--format", "md", "--json"), "A document has its own format: `--format json` for JSON."),
        (("--format", "pdf"), "there is no 'pdf'"),
        (("--format", "md", "--tools"), "not allowed with argument"),
    ],
)
def test_options_that_make_no_sense_together(arguments: tuple[str, ...], problem: str, fake: FakeDaemon, run: Run) -> None:
    done = run("show", "x", *arguments)
    assert done.code == 2
    assert problem in done.err
