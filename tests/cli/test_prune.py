"""`ccdash prune`, `retention` and `storage`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdash import policies
from ccdash.commands.storage import SHOWN
from ccdash.errors import UsageError
from ccdashd.archive.archive import Archive
from ccdashd.archive.copy import Copier
from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import FakeDaemon
from tests.helpers import Daemon, wait_until
from tests.store.edited import Clock, Session

Run = Callable[..., Done]


# --- limits as text ---


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("2GB", 2 * 10**9), ("500 mb", 5 * 10**8), ("1.5GiB", 3 * 2**29), ("3k", 3000),
     ("7b", 7), ("1 TB", 10**12)],
)  # fmt: skip
def test_sizes_are_read(text: str, size: int) -> None:
    assert policies.read_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "2XB", "1iB", "2 G B", "1e9"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        policies.read_size(text)


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("12w", 84), ("48h", 2), (" 1D ", 1)])
def test_ages_are_read(text: str, days: int) -> None:
    assert policies.read_days(text) == days


@pytest.mark.parametrize("text", ["90", "12h", "0d", "1.5d"])
def test_what_are_no_days_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="are no whole days"):
        policies.read_days(text)


def test_policies_are_told_in_words() -> None:
    policy: dict[str, Any] = {"maxAgeDays": 1, "maxBytes": 2 * 10**9, "maxSessions": 1500, "project": None, "status": None}
    assert policies.limits_told(policy) == "older than 1 day, more than 2.00 GB, more than 1,500 sessions"
    assert policies.scope_told(policy) == "all"
    policy |= {"project": "/work/shop", "status": "unlinked"}
    assert policies.scope_told(policy) == "of shop, linked with nothing"


# --- prune ---


def test_what_would_go_is_listed_and_nothing_is_deleted(fake: FakeDaemon, run: Run) -> None:
    done = run("prune", "--older-than", "52w", "--status", "done")
    head, row, summary = done.out.splitlines()
    assert head.split() == ["ID", "PROJECT", "TITLE", "LAST", "LINKED", "LEFT", "SIZE", "REASON"]
    assert "Search takes 900 ms" in row and "nothing" in row and row.endswith("older than 365 days")
    assert summary == "1 session, about 20 B; of 1 nothing would be left, for the agent's log is gone."
    assert "1 session stays: it is tagged keep." in done.err
    assert "Nothing was deleted. `ccdash prune --older-than 52w --status done --apply` does it." in done.err
    assert done.code == 0
    assert fake.params("archive/prune") == {"policy": {"maxAgeDays": 364, "status": "done"}}


def test_limits_and_sessions_are_asked_for_as_given(fake: FakeDaemon, run: Run) -> None:
    run("prune", "--max-size", "2GB", "--max-sessions", "0")
    assert fake.params("archive/prune") == {"policy": {"maxBytes": 2 * 10**9, "maxSessions": 0}}
    done = run("prune", "--session", "0f3c", "1a2b", "--yes")
    assert fake.params("archive/prune") == {"sessions": ["0f3c", "1a2b"], "apply": True}
    assert "Deleted the copies of 1 session: 20 B are free again." in done.out
    assert done.code == 1, "there was a problem"
    run("prune", "--yes", "--json")
    assert fake.params("archive/prune") == {"apply": True}


def test_raw_answers_are_printed(fake: FakeDaemon, run: Run) -> None:
    done = run("prune", "--json")
    assert json.loads(done.out) == fake.answers["archive/prune"] and done.err == ""
    assert json.loads(run("prune", "--history", "--json").out)["items"] == fake.answers["archive/prunes"]["items"]
    assert json.loads(run("retention", "--json").out) == fake.answers["retention/get"]
    assert json.loads(run("storage", "--json").out) == fake.answers["cache/storage"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--apply", "--max-sessions", "1"], "Nobody can be asked here. Say --yes to delete, or neither"),
        (["--apply", "--json"], "Nobody can be asked here."),
        (["--session", "a", "--max-sessions", "1"], "Give sessions or limits, not both."),
        (["--history", "--yes"], "--history only lists"),
        (["--status", "done"], "Which limit? Give --older-than, --max-size or --max-sessions."),
        (["--older-than", "90"], "'90' are no whole days."),
        (["--max-sessions", "-1"], "is not a whole number from 0 on"),
        (["--status", "new"], "there is no 'new'"),
    ],
)
def test_what_makes_no_sense_is_told(fake: FakeDaemon, run: Run, arguments: list[str], problem: str) -> None:
    done = run("prune", *arguments)
    assert (done.code, done.out) == (2, "") and problem in done.err


def test_without_any_policy_a_limit_is_asked_for(fake: FakeDaemon, run: Run) -> None:
    fake.answers["retention/get"] = {"items": [], "nextRunAt": None, "revision": 1}
    done = run("prune")
    assert done.code == 2 and "No policy is set. Give a limit: `ccdash prune --older-than 90d`" in done.err


def test_why_sessions_stay_is_told(fake: FakeDaemon, run: Run) -> None:
    kept = {"keep": 2, "active": 1, "linked": 3, "uncopied": 1}
    fake.answers["archive/prune"] |= {"items": [], "kept": kept, "freedBytes": 0}
    done = run("prune", "--max-sessions", "3")
    assert done.out == "" and done.err.splitlines() == [
        "Nothing is over a limit that could go.",
        "2 sessions stay: they are tagged keep.",
        "1 session stays: it is being written.",
        "3 sessions stay: they are linked, so that others go in their place.",
        "1 session stays: there is no copy of it that could go.",
    ]


def test_what_went_is_listed(fake: FakeDaemon, run: Run) -> None:
    head, row = run("prune", "--history", "--limit", "7").out.splitlines()
    assert head.split() == ["AT", "ID", "TITLE", "SIZE", "REASON"] and "Search takes 900 ms" in row
    assert fake.params("archive/prunes") == {"offset": 0, "limit": 7}
    fake.answers["archive/prunes"] = {"items": [], "total": 0, "offset": 0, "limit": 50, "revision": 1}
    assert run("prune", "--history").err == "There is no prune yet.\n"


def test_titles_and_reasons_cannot_act(fake: FakeDaemon, run: Run) -> None:
    item = fake.answers["archive/prune"]["items"][0] | {"title": "a\x1b[31mb\nc", "reason": "x\x07y"}
    fake.answers["archive/prune"]["items"] = [item]
    done = run("prune", "--max-sessions", "1")
    assert len(done.out.splitlines()) == 3 and not set(done.out) & set("\x1b\x07")


# --- retention ---


def test_policies_are_listed(fake: FakeDaemon, run: Run) -> None:
    policy = fake.answers["retention/get"]["items"][0] | {
        "id": "old", "maxAgeDays": 365, "maxBytes": None, "maxSessions": None, "project": None, "status": None,
        "automatic": True,
    }  # fmt: skip
    other = policy | {"id": "big", "maxAgeDays": None, "maxBytes": 10**9, "project": "/w/shop", "automatic": False}
    fake.answers["retention/get"]["items"] = [other, policy]
    done = run("retention")
    assert [line.split("  ")[0] for line in done.out.splitlines()] == ["ID", "big", "old"]
    assert "of shop" in done.out and "more than 1.00 GB" in done.out and "when asked" in done.out
    assert "older than 365 days" in done.out and "once a day" in done.out
    assert "Automatic policies are carried out next at " in done.err
    fake.answers["retention/get"] |= {"nextRunAt": None}
    assert "None is automatic: `ccdash prune` says what they let go" in run("retention", "list").err
    fake.answers["retention/get"] |= {"items": []}
    assert "No policy is set: nothing goes by itself." in run("retention").err


def test_policies_are_set_and_deleted(fake: FakeDaemon, run: Run) -> None:
    run("retention", "set", "old", "--older-than", "90d", "--automatic")
    assert fake.params("retention/set") == {"policy": {"id": "old", "automatic": True, "maxAgeDays": 90}}
    run("retention", "set", "big", "--max-size", "1GB", "--status", "linked")
    expected = {"id": "big", "automatic": False, "maxBytes": 10**9, "status": "linked"}
    assert fake.params("retention/set") == {"policy": expected}
    assert run("retention", "set", "x").code == 2
    run("retention", "delete", "old")
    assert fake.params("retention/delete") == {"id": "old"}


# --- storage ---


def test_what_is_on_disk_is_told(fake: FakeDaemon, run: Run) -> None:
    part = fake.answers["cache/storage"]["parts"][0]
    tables = [part | {"name": f"t{n}", "bytes": n, "rows": n} for n in range(SHOWN + 3)]
    fake.answers["cache/storage"] |= {"tables": tables, "projects": []}
    done = run("storage")
    assert "cache of sessions and plans" in done.out and "Copies by project" not in done.out
    assert "t14" in done.out and "t3" in done.out and "t2 " not in done.out
    assert "3 more; `ccdash storage --all` shows them." in done.err
    assert "10 B; `ccdash vacuum` gives it back" in done.out
    assert "t2 " in run("storage", "--all").out


# --- the real daemon ---


@pytest.fixture
def shop(home: Path, idle_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon with the copies of two sessions that agents deleted."""
    clock, logs = Clock(), idle_daemon.home / ".claude/projects"
    archive = Archive(idle_daemon.paths.archive)
    with archive.writing() as staging:
        copier = Copier(archive, staging, lambda: "2026-01-01T00:00:00.000Z")
        for words in ("First", "Second"):
            session = Session(clock, str(idle_daemon.folder / "shop"))
            session.prompt(words)
            copier.copy(str(session.save(logs)))
        copier.settle()
    for path in logs.rglob("*.jsonl"):
        path.unlink()
    idle_daemon.start()
    for name, value in {**idle_daemon.environ, "CCDASH_NO_SPAWN": "1", "COLUMNS": "120", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        assert client.request("sessions/list")["total"] == 2
    yield idle_daemon


def held(daemon: Daemon) -> int:
    return len(list(Archive(daemon.paths.archive).manifest_files()))


def test_a_prune_asks_in_a_terminal_and_deletes(shop: Daemon) -> None:
    done = run_in_terminal("prune", "--max-sessions", "1", "--apply", typed="n\n")
    assert (done.code, held(shop)) == (1, 2) and "Delete the copies of 1 session?" in done.out
    assert "Nothing was deleted." in done.out
    done = run_in_terminal("prune", "--max-sessions", "1", "--apply", typed="y\n")
    assert (done.code, held(shop)) == (0, 1) and "Deleted the copies of 1 session: " in done.out
    history = run_in_terminal("prune", "--history")
    assert "First" in history.out and "there are more than 1" in history.out


def test_policies_of_the_command_line_are_carried_out(shop: Daemon, run: Run) -> None:
    assert run("retention", "set", "few", "--max-sessions", "1").code == 0
    assert run("tag", "session:" + json.loads(run("sessions", "--json").out)["items"][0]["id"], "keep").code == 0
    done = run("prune", "--yes")
    assert "few: there are more than 1" in done.out and held(shop) == 1
    done = run("prune", "--max-sessions", "0")
    assert "1 session stays: it is tagged keep." in done.err
    assert run("retention", "delete", "gone").err == "ccdash: no policy 'gone'. `ccdash retention` lists them.\n"
    assert "Copies by project" in run("storage").out
