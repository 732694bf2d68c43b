"""`ccdash export` and `import`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import FakeDaemon
from tests.cli.world import World
from tests.helpers import wait_until

Run = Callable[..., Done]

EXPORTED: dict[str, Any] = {
    "path": "/x.tar.zst",
    "bytes": 2_411_837,
    "sessions": 2,
    "logs": 1,
    "documents": 0,
    "edits": 1,
    "redactions": None,
    "problems": [],
    "revision": 7,
}
IMPORTED: dict[str, Any] = {
    "sessions": [],
    "documents": 0,
    "edits": 0,
    "fromVersion": "0.1.0",
    "exportedAt": "2026-01-02T10:00:00.000Z",
    "redacted": False,
    "revision": 7,
}


def session(action: str, id: str = "0c0ffee0-1111-4222-8333-444455556666", new_id: str | None = None) -> dict[str, Any]:
    return {"id": id, "title": "Find\x1b[31m the leak", "action": action, "newId": new_id}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "x.tar.zst"


# --- beside the real daemon ---


@pytest.fixture
def known(home: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The id of the session in the world, once all is known of it."""
    world.enter(monkeypatch)
    wait_until(lambda: world.ask("ccdash/status")["state"] == "ok", "the first scan")
    yield world.ask("sessions/list")["items"][0]["id"]


@pytest.mark.parametrize("what", [["session", None], ["feature", "checkout"], ["project", "."], ["all"]])
def test_what_is_exported_is_here_when_it_is_imported(known: str, run: Run, target: Path, what: list[str | None]) -> None:
    done = run("export", *(known[:8] if word is None else word for word in what), "-o", str(target))
    assert done.code == 0, done.err
    assert done.out.startswith(f"Wrote {target} (")
    assert "1 session, 1 log" in done.out
    assert target.stat().st_size > 1000
    done = run("import", str(target))
    assert done.code == 0
    assert "1 session: 1 here already." in done.out


def test_a_file_that_is_there_needs_force(known: str, run: Run, target: Path) -> None:
    target.write_text("mine")
    done = run("export", "all", "-o", str(target))
    assert (done.code, done.out) == (1, "")
    assert done.err == f"ccdash: {target} is there already. --force replaces it.\n"
    assert target.read_text() == "mine"
    assert run("export", "all", "-o", str(target), "--force").code == 0


def test_what_is_no_bundle_is_refused(known: str, run: Run, target: Path) -> None:
    target.write_bytes(b"x" * 5000)
    done = run("import", str(target))
    assert (done.code, done.out) == (1, "")
    assert "nothing was imported" in done.err
    assert "Traceback" not in done.err


def test_what_is_not_there_is_told(known: str, run: Run, target: Path) -> None:
    done = run("export", "feature", "checkuot", "-o", str(target))
    assert done.code == 1
    assert "checkout" in done.err
    assert run("export", "session", "nosuch", "-o", str(target)).code == 1
    assert run("export", "project", "nosuch", "-o", str(target)).code == 1
    assert not target.exists()


def test_in_a_terminal(known: str, target: Path) -> None:
    done = run_in_terminal("export", "all", "-o", str(target), "--redact")
    assert done.code == 0
    assert "read it before you give it away" in done.out
    assert run_in_terminal("import", str(target), "--dry-run").code == 0


# --- what is asked for, and what is said ---


def test_what_was_taken_out_is_told(fake: FakeDaemon, run: Run) -> None:
    counts = {"email": 2, "home-path": 1310, "jwt": 2}
    fake.answers["archive/export"] = EXPORTED | {"redactions": {"counts": counts, "files": 3}}
    done = run("export", "all", "-o", "/x.tar.zst", "--redact", "--force")
    assert done.out.splitlines() == [
        "Wrote /x.tar.zst (2.41 MB): 2 sessions, 1 log, 0 planning files, 1 link, tag or note.",
        "",
        "Taken out of 3 files",
        "home-path  1,310",
        "email      2",
        "jwt        2",
    ]
    given = {"what": "all", "path": "/x.tar.zst", "redact": True, "replace": True, "workDoneToken": "archive/export"}
    assert fake.params("archive/export") == given


def test_what_could_not_be_put_in_is_told(fake: FakeDaemon, run: Run) -> None:
    problem = {"part": "/a\x1b.jsonl", "problem": "it is gone", "hint": "x"}
    fake.answers["archive/export"] = EXPORTED | {"problems": [problem]}
    done = run("export", "all", "-o", "/x.tar.zst")
    assert done.code == 1
    assert "Not in it: /a" in done.err
    assert "\x1b" not in done.err


def test_what_became_of_sessions_is_listed(fake: FakeDaemon, run: Run) -> None:
    fake.answers["archive/import"] = IMPORTED | {
        "sessions": [
            session("added"),
            session("skipped"),
            session("keptBoth", new_id="910ff2cd-77b5-5ddc-8fe1-ad6dd1ce7312"),
        ],
        "documents": 3,
        "edits": 2,
        "redacted": True,
    }
    done = run("import", "x.tar.zst", "--conflict", "keep-both", "--dry-run")
    first, *lines = done.out.splitlines()
    assert first.endswith("by ccdash 0.1.0, redacted.")
    assert lines[:2] == [
        "3 sessions: 1 added, 1 skipped, 1 kept beside the one here.",
        "2 links, tags and notes added.",
    ]
    assert lines[3].split() == ["ID", "TITLE", "DONE", "NEW", "ID"]
    assert "skipped" in lines[4] and lines[5].endswith("910ff2cd")
    assert "\x1b" not in done.out
    for said in ("3 planning files stay in the bundle", "--conflict replace", "this was a dry run"):
        assert said in done.err
    asked = fake.params("archive/import")
    assert (asked["conflict"], asked["dryRun"], asked["path"]) == ("keepBoth", True, str(Path("x.tar.zst").absolute()))


def test_an_empty_bundle(fake: FakeDaemon, run: Run) -> None:
    fake.answers["archive/import"] = IMPORTED
    assert "It holds no session." in run("import", "x.tar.zst").out


def test_raw_answers_are_printed(fake: FakeDaemon, run: Run) -> None:
    fake.answers |= {"archive/export": EXPORTED, "archive/import": IMPORTED}
    assert json.loads(run("export", "all", "-o", "/x.tar.zst", "--json").out) == EXPORTED
    assert json.loads(run("import", "x.tar.zst", "--json").out) == IMPORTED


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["export", "session", "-o", "x.tar.zst"], "Name the session to export."),
        (["export", "all", "it", "-o", "x.tar.zst"], "`all` has no ID"),
        (["export", "sessions", "x", "-o", "x"], "did you mean 'session'?"),
        (["export", "all"], "-o/--output"),
        (["import"], "FILE"),
        (["import", "x", "--conflict", "both"], "keep-both"),
    ],
)
def test_what_makes_no_sense_is_told(fake: FakeDaemon, run: Run, arguments: list[str], problem: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err
