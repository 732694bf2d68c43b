"""`ccdash archive`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import FakeDaemon
from tests.helpers import Daemon, wait_until
from tests.store.edited import Clock, Session

Run = Callable[..., Done]

STATUS: dict[str, Any] = {
    "enabled": True,
    "folder": "/home/me/.local/share/ccdash/archive",
    "logs": 3366,
    "onlyCopies": 1,
    "sourceBytes": 2_801_000_000,
    "storedBytes": 544_600_000,
    "waitingLogs": 2,
    "waitingBytes": 1_000_000,
    "excludedLogs": 0,
    "running": False,
    "lastRunAt": None,
    "problem": None,
    "revision": 7,
}


def test_what_the_archive_holds_is_told(fake: FakeDaemon, run: Run) -> None:
    fake.answers["archive/status"] = STATUS
    done = run("archive")
    lines = dict(line.split(None, 1) for line in done.out.splitlines())
    assert lines["holds"] == "3,366 logs, 2.80 GB, in 545 MB (19.4%)"
    assert lines["waits"] == "2 logs, 1.00 MB"
    assert "of 1 log: deleted by the agent" in done.out and "none since the daemon started" in done.out
    assert done.err == "" and "kept out" not in done.out
    assert json.loads(run("archive", "status", "--json").out) == STATUS


def test_what_does_not_go_well_is_told(fake: FakeDaemon, run: Run) -> None:
    problem = "the archive cannot be written: No space left on device"
    fake.answers["archive/status"] = STATUS | {
        "enabled": False, "problem": problem, "running": True, "excludedLogs": 9, "logs": 0, "sourceBytes": 0,
    }  # fmt: skip
    done = run("archive")
    assert "9 logs, by the settings or since they were pruned" in done.out and "%" not in done.out
    assert done.err.splitlines() == [
        "Logs are being copied now.",
        "It does not go well. The archive cannot be written: No space left on device.",
        "Nothing is copied by itself: the setting `archive` is off.",
    ]


def test_a_run_is_asked_for_and_told(fake: FakeDaemon, run: Run) -> None:
    result = {"logs": 1, "sourceBytes": 10_000, "storedBytes": 2_000, "seconds": 1.5, "problems": [], "revision": 7}
    fake.answers["archive/run"] = result
    done = run("archive", "run", "--all")
    assert (done.code, done.out) == (0, "Copied 1 log: 10.0 kB in 2.00 kB, in 2s.\n")
    assert fake.params("archive/run") == {"all": True, "workDoneToken": "archive/run"}
    run("archive", "run", "--session", "0f3c", "1a2b")
    assert fake.params("archive/run")["sessions"] == ["0f3c", "1a2b"]
    problem = {"part": "/x/a\x1b.jsonl", "problem": "no permission", "hint": "Make it readable.", "since": ""}
    fake.answers["archive/run"] = result | {"logs": 0, "problems": [problem]}
    done = run("archive", "run")
    assert (done.code, done.out) == (1, "Nothing was to be copied.\n")
    assert "no permission" in done.err and "\x1b" not in done.err


def test_copies_are_listed(fake: FakeDaemon, run: Run) -> None:
    log = {
        "path": "/x/a.jsonl", "sessionId": "0f3c0000-1", "title": "Try\x07it", "projectId": "p", "project": "shop",
        "size": 10_000, "storedBytes": 2_000, "versions": 2, "gone": True,
        "modifiedAt": "2026-01-01T00:00:00.000Z", "archivedAt": "2026-01-02T00:00:00.000Z",
    }  # fmt: skip
    page = {"items": [log], "total": 3, "offset": 0, "limit": 1, "revision": 7, "nextCursor": None}
    fake.answers["archive/list"] = page
    done = run("archive", "list", "--gone", "--limit", "1")
    head, row = done.out.splitlines()
    assert head.split() == ["SESSION", "PROJECT", "TITLE", "CHANGED", "LOG", "VERSIONS", "SIZE", "ON", "DISK"]
    assert "gone" in row and "shop" in row and "\x07" not in row
    assert done.err == "1 of 3 copies of logs.\n"
    assert fake.params("archive/list") == {"gone": True, "offset": 0, "limit": 1}
    run("archive", "list", "--there")
    assert fake.params("archive/list")["gone"] is False
    unknown = log | {"sessionId": None, "title": "", "project": None}
    fake.answers["archive/list"] = page | {"items": [unknown], "total": 1}
    assert "a.jsonl" in run("archive", "list").out
    fake.answers["archive/list"] = page | {"items": [], "total": 0}
    assert run("archive", "list").err == "There is no copy of a log yet.\n"


# --- the real daemon ---


@pytest.fixture
def log(home: Path, idle_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a session that has been quiet, and that the daemon knows."""
    session = Session(Clock(), str(idle_daemon.home))
    session.prompt("Count to three")
    session.say("One, two, three.")
    path = session.save(idle_daemon.home / ".claude" / "projects")
    os.utime(path, (time.time() - 3600,) * 2)
    idle_daemon.start()
    for name, value in {**idle_daemon.environ, "CCDASH_NO_SPAWN": "1", "COLUMNS": "120", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
    return path


def test_a_log_is_copied_deleted_and_written_back(log: Path, tmp_path: Path, run: Run) -> None:
    data = log.read_bytes()
    assert run("archive", "run").out.startswith("Copied 1 log: ")
    assert run("archive", "run").out == "Nothing was to be copied.\n"
    log.unlink()
    run("rescan")
    assert "gone" in run("archive", "list", "--gone").out
    target = tmp_path / "back"
    done = run("archive", "restore", log.stem[:8], str(target))
    (path,) = done.out.splitlines()
    assert Path(path).read_bytes() == data and path.startswith(str(target))
    again = run("archive", "restore", log.stem[:8], str(target))
    assert again.code == 1 and "is there already; no file is replaced" in again.err
    assert "LOG" in run_in_terminal("archive", "list").out
