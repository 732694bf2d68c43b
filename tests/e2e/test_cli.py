"""`ccdash` and the real daemon, from an empty home to a live transcript."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccdash.demo import Summary, generate
from ccdashd.paths import resolve
from tests.helpers import PATIENCE

SESSION = "0c0ffee0-1111-4222-8333-444455556666"


class Cli(NamedTuple):
    """`ccdash` in a home of its own."""

    home: Path
    environ: dict[str, str]

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What it writes to standard output; it must end with that exit code, and say something where it failed."""
        done = self.run(*arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "ccdash", *arguments]


@pytest.fixture
def cli(short_folder: Path) -> Iterator[Cli]:
    (short_folder / "r").mkdir(mode=0o700)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(short_folder),
        "XDG_RUNTIME_DIR": str(short_folder / "r"),
        "CCDASH_WORKERS": "1",
    }
    cli = Cli(short_folder, environ)
    yield cli
    for profile in ("default", "demo"):
        cli("--profile", profile, "stop")


@pytest.fixture
def logs(cli: Cli) -> Summary:
    """Seven generated sessions where Claude Code keeps its logs."""
    return generate(cli.home, sessions=7, bytes_target=700_000, seed=5)


def _record(number: int, text: str) -> str:
    return json.dumps(
        {
            "type": "user",
            "uuid": f"u{number}",
            "parentUuid": f"u{number - 1}" if number else None,
            "sessionId": SESSION,
            "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            "cwd": "/work/live",
            "version": "2.1.0",
            "message": {"role": "user", "content": text},
        }
    )


@pytest.fixture
def live(cli: Cli) -> Path:
    """The log of a session with one prompt."""
    log = cli.home / ".claude/projects/-work-live" / f"{SESSION}.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text(_record(0, "Begin the live session") + "\n")
    return log


def test_up_wait_shows_every_session(cli: Cli, logs: Summary) -> None:
    said = cli("up", "--wait")
    assert str(cli.home / ".claude/projects") in said and "Index: complete" in said
    listed = cli.json("sessions", "--all", "--empty")
    assert {row["id"] for row in listed["items"]} == set(logs.sessions)
    assert cli.json("rpc", "cache/status")["tokens"]["output"] == logs.totals["output"]
    for identifier, truth in logs.sessions.items():
        session = cli.json("show", identifier[:13])
        assert session["id"] == identifier
        assert session["counts"]["prompts"] == truth.prompts
        assert session["counts"]["toolCalls"] == sum(session["tools"].values())


def test_every_view_works_on_real_answers(cli: Cli, logs: Summary) -> None:
    cli("up", "--wait")
    rows = cli.json("sessions", "--subagents", "--sort", "tokens")["items"]
    parent = next(row["id"] for row in rows if row["subagents"])
    agent = next(row["id"] for row in rows if row["parentId"] == parent)
    short = f"{parent[:8]}/{agent.split('/')[1][:12]}"
    touched = cli.json("show", parent)["filesEdited"]
    for arguments in (
        ("status",),
        ("sessions", "--project", rows[0]["projectName"]),
        ("show", parent[:8]),
        ("show", short),
        ("show", parent[:8], "--tools"),
        ("show", parent[:8], "--files"),
        ("show", parent[:8], "--thread"),
        ("show", parent[:8], "--transcript"),
        ("show", short, "--transcript", "--full"),
        ("tail", parent[:8]),
        ("tail", "-n", "3"),
        ("projects",),
        ("doctor",),
        ("rescan",),
        ("verify",),
        *((("files", touched[0]),) if touched else ()),
    ):
        assert cli(*arguments).strip(), arguments
    assert "↳" in cli("sessions", "--subagents")
    assert cli.json("show", short)["id"] == agent


def test_a_whole_transcript_holds_each_entry_once_and_uncut(cli: Cli, logs: Summary) -> None:
    cli("up", "--wait")
    row = cli.json("sessions", "--sort", "records", "--limit", "1")["items"][0]
    transcript = cli.json("show", row["id"], "--transcript", "--full")
    assert [entry["index"] for entry in transcript["items"]] == list(range(transcript["total"]))
    assert not any(entry["truncated"] for entry in transcript["items"])
    cut = [entry for entry in cli.json("show", row["id"], "--transcript")["items"] if entry["truncated"]]
    assert cut, "the largest session must have a text that is cut, else this tests nothing"
    for entry in cut:
        assert len(transcript["items"][entry["index"]]["text"]) > len(entry["text"])


def test_without_logs_up_says_where_it_looked_and_shows_demo_data(cli: Cli) -> None:
    done = cli.run("up")
    assert done.returncode == 0
    assert f"{cli.home}/.claude/projects" in done.stderr
    assert "DEMO DATA" in done.stdout and "Index: complete" in done.stdout
    demo = cli.json("--profile", "demo", "sessions", "--all")
    assert demo["total"] > 20
    assert cli.json("sessions")["total"] == 0, "demo data must not reach the user's own profile"

    # A demo daemon that any command starts finds the demo's logs as well, and nothing is made twice.
    cli("--profile", "demo", "stop")
    assert cli.json("--profile", "demo", "sessions", "--all")["total"] == demo["total"]
    made = resolve("demo", cli.environ).data_dir / "demo.json"
    before = made.stat().st_mtime_ns
    work = made.parent / "work"
    said = cli("demo")
    assert made.stat().st_mtime_ns == before
    assert "ccdash --profile demo features" in said and work.is_dir()
    features = cli.json("--profile", "demo", "rpc", "features/list")
    assert {feature["projectName"] for feature in features["items"]} == {folder.name for folder in work.iterdir()}

    told = json.loads(made.read_text())
    made.write_text(json.dumps({**told, "edition": 1}))
    cli("demo")
    assert json.loads(made.read_text()) == told, "what an older version made must be made anew"

    said = cli("demo", "--size", "3")
    assert "features" not in said and not work.exists()
    assert cli.json("--profile", "demo", "projects", "list")["items"]
    assert cli.json("--profile", "demo", "sessions", "--all")["total"] < demo["total"]
    cli("demo", "--remove")
    assert not made.parent.exists()
    assert "No daemon runs" in cli.run("--profile", "demo", "status").stderr


def test_clients_that_start_at_once_get_one_daemon(cli: Cli, logs: Summary) -> None:
    runs = [cli.start("rpc", "ccdash/status") for _ in range(12)]
    pids = set()
    for process in runs:
        out, err = process.communicate(timeout=2 * PATIENCE)
        assert process.returncode == 0, err
        pids.add(json.loads(out)["pid"])
    assert len(pids) == 1


def test_a_killed_daemon_is_started_again(cli: Cli, logs: Summary) -> None:
    cli("up", "--wait")
    before = cli.json("status")
    os.kill(before["pid"], signal.SIGKILL)
    listed = cli.json("sessions", "--all", "--empty")
    assert listed["total"] == len(logs.sessions)
    assert cli.json("status")["pid"] != before["pid"]


def test_stop_leaves_nothing_running(cli: Cli) -> None:
    pid = int(cli.json("rpc", "ccdash/status")["pid"])
    assert f"process {pid}" in cli("stop")
    assert not resolve(environ=cli.environ).socket.exists()
    assert "No daemon runs" in cli("stop")
    cli("status", code=1)


def test_tail_follows_a_live_session_over_a_restart(cli: Cli, live: Path) -> None:
    cli("up", "--wait")
    process = cli.start("tail", "-f", "--json", SESSION[:8])
    assert process.stdout is not None and process.stderr is not None
    seen: list[str] = []
    try:
        seen.append(json.loads(process.stdout.readline())["text"])
        for number in (1, 2):
            with live.open("a") as log:
                log.write(_record(number, f"Prompt {number}") + "\n")
            seen.append(json.loads(process.stdout.readline())["text"])
        os.kill(cli.json("status")["pid"], signal.SIGKILL)
        with live.open("a") as log:
            log.write(_record(3, "Prompt 3") + "\n")
        seen.append(json.loads(process.stdout.readline())["text"])
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert seen == ["Begin the live session", "Prompt 1", "Prompt 2", "Prompt 3"]
    assert (process.returncode, errors) == (130, "")


def test_a_live_session_is_active(cli: Cli, live: Path) -> None:
    cli("up", "--wait")
    assert [row["id"] for row in cli.json("active")["items"]] == [SESSION]
    assert "Begin the live session" in cli("active")


def test_projects_can_be_named_hidden_and_undone(cli: Cli, live: Path) -> None:
    cli("up", "--wait")
    assert "Lively (/work/live): 1 session\n" in cli("projects", "rename", "live", "Lively")
    cli("projects", "hide", "Lively")
    assert cli.json("sessions")["total"] == 0
    assert cli.json("sessions", "--hidden")["total"] == 1
    assert cli.json("projects")["items"] == []
    assert cli.json("projects", "--hidden")["items"][0]["name"] == "Lively"
    cli("projects", "unhide", "Lively")
    cli("projects", "remove", "Lively")
    assert [project["name"] for project in cli.json("projects")["items"]] == ["live"]


def test_errors_of_the_daemon_reach_the_user_as_sentences(cli: Cli, live: Path) -> None:
    cli("up", "--wait")
    done = cli.run("show", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ccdash: no session 'nothing'")
    done = cli.run("rpc", "sessions/list", '{"limi": 1}')
    assert done.returncode == 1 and "limi" in done.stderr and "limit" in done.stderr
    done = cli.run("rpc", "no/such")
    assert done.returncode == 1 and "no/such" in done.stderr


def test_a_daemon_that_cannot_start_tells_why(cli: Cli) -> None:
    config = cli.home / ".config/ccdash/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("watch = 'sometimes'\n")
    done = cli.run("sessions")
    assert done.returncode == 1
    assert str(config) in done.stderr and "sometimes" in done.stderr


def test_a_home_without_anything_is_no_error(cli: Cli) -> None:
    done = cli.run("sessions")
    assert (done.returncode, done.stdout) == (0, "")
    assert "There is no session yet." in done.stderr
