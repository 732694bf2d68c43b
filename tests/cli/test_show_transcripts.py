"""``ccdash show`` of branches, sub-agents and images, beside the real daemon."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import Failure, FakeDaemon
from tests.cli.world import World
from tests.helpers import wait_until
from tests.store.edited import Clock, Session

Run = Callable[..., Done]

PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(3_000_000)
"""More than comes in one piece."""


@pytest.fixture(scope="module")
def session(world: World) -> str:
    """A session with a prompt that was taken back, a sub-agent, and an image in it. Returns its id."""
    clock = Clock()
    main = Session(clock, str(world.shop))
    first = main.prompt("Begin")
    main.say("Begun one way")
    main._last = first["uuid"]
    main.say("Begun another way")
    main.call("Task", {"agentId": "a1", "status": "completed"}, description="Look at it")
    agent = Session(clock, str(world.shop), id=main.id, agent_id="a1")
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    words: list[dict[str, Any]] = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]
    agent.record("user", message={"role": "user", "content": words})
    for log in (main, agent):
        log.save(world.daemon.home / ".claude/projects")
    wait_until(lambda: world.ask("sessions/list", project=str(world.shop))["total"] == 2, "the session")
    wait_until(lambda: world.ask("sessions/transcript", id=main.id, subagents=True)["total"] == 6, "its sub-agent")
    return main.id


@pytest.fixture(autouse=True)
def _entered(home: Path, world: World, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "fake" not in request.fixturenames:
        world.enter(monkeypatch)


def said(done: Done) -> list[str]:
    """What stands behind time and date of each line."""
    assert done.code == 0
    return [line.split(maxsplit=1)[1] if line[:1].isdigit() else line.strip() for line in done.out.splitlines()[1:]]


def test_branches_are_a_table(run: Run, session: str) -> None:
    done = run("show", session[:8], "--branches")
    main, rewind = done.out.splitlines()[1:]
    assert main.split()[1:4] == ["main", "-", "2"]
    assert rewind.split()[0] == "*" and rewind.split()[2:5] == ["rewind", main.split()[0], "3"]
    assert f"`ccdash show {session[:8]} --transcript --branch ID`" in done.err
    result = json.loads(run("show", session, "--branches", "--json").out)
    assert [branch["kind"] for branch in result["items"]] == ["main", "rewind"]


def test_a_transcript_of_one_branch(run: Run, session: str) -> None:
    main, rewind = (branch["id"] for branch in json.loads(run("show", session, "--branches", "--json").out)["items"])
    assert said(run("show", session, "--transcript", "--branch", main)) == ["you        Begin", "agent      Begun one way"]
    whole = said(run("show", session, "--transcript", "--branch", rewind))
    assert whole == said(run("show", session, "--transcript", "--branch", "current"))
    assert whole == ["you        Begin", "agent      Begun another way", "calls      Task  Look at it", "result     done"]
    wrong = run("show", session, "--transcript", "--branch", "nonsense")
    assert (wrong.code, wrong.out) == (1, "") and "no branch 'nonsense'" in wrong.err


def test_a_transcript_with_sub_agents_and_references(run: Run, session: str, tmp_path: Path) -> None:
    lines = said(run("show", session, "--transcript", "--subagents"))
    assert lines[3:] == ["calls      Task  Look at it", *lines[4:7], "result     done"]
    prompt, mark, reference = lines[4:7]
    assert (prompt, mark) == ("you        ↳ What is this?", "[image]")
    told, _, command = reference.partition(": ")
    assert told == "image/png, 3.00 MB"
    ccdash, *arguments = command.split()
    assert ccdash == "ccdash"
    done = run(*arguments, "-o", str(tmp_path / "it.png"))
    assert (done.code, done.out) == (0, "")
    assert done.err == f"Wrote image/png, 3.00 MB, to {tmp_path / 'it.png'}.\n"
    assert (tmp_path / "it.png").read_bytes() == PNG
    assert [path.name for path in tmp_path.iterdir()] == ["it.png"]
    piped = subprocess.run([sys.executable, "-m", "ccdash", *arguments], capture_output=True, check=True)
    assert piped.stdout == PNG


def test_json_has_the_references(run: Run, session: str) -> None:
    items = json.loads(run("show", session, "--transcript", "--subagents", "--json").out)["items"]
    assert [item["depth"] for item in items] == [0, 0, 0, 0, 1, 0]
    assert [[blob["mediaType"] for blob in item.get("blobs", [])] for item in items] == [[], [], [], [], ["image/png"], []]


def test_what_cannot_be_written_is_told(run: Run, session: str, tmp_path: Path) -> None:
    items = json.loads(run("show", session, "--transcript", "--subagents", "--json").out)["items"]
    arguments = ("show", f"{session}/agent-a1", "--blob", items[4]["blobs"][0]["id"])
    done = run(*arguments, "-o", str(tmp_path / "no" / "it.png"))
    assert done.code == 1 and "No such file or directory" in done.err and "Traceback" not in done.err
    assert not list(tmp_path.iterdir())
    done = run_in_terminal(*arguments)
    assert done.code == 2 and "name a file with -o FILE" in done.out and len(done.out) < 300
    done = run("show", session, "--blob", "000000-0.0", "-o", str(tmp_path / "x"))
    assert done.code == 1 and "no blob '000000-0.0'" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--branch", "x"], "give --transcript"),
        (["--subagents", "--tools"], "give --transcript"),
        (["-o", "x"], "--blob"),
        (["--blob", "x", "--transcript"], "not allowed with"),
    ],
)
def test_options_that_make_no_sense_are_told(run: Run, session: str, arguments: list[str], message: str) -> None:
    done = run("show", session, *arguments)
    assert done.code == 2 and message in done.err


def test_bytes_that_are_not_those_announced_are_not_written(run: Run, fake: FakeDaemon, tmp_path: Path) -> None:
    done = run("show", "5f3c1d9e", "--blob", "e1.0", "-o", str(tmp_path / "x"))
    assert done.code == 1 and "not what was announced" in done.err
    assert not list(tmp_path.iterdir())


def test_a_transcript_whose_log_is_gone_has_no_references(run: Run, fake: FakeDaemon) -> None:
    fake.answers["sessions/transcript"] |= {"next": None}
    fake.answers["sessions/transcript"]["items"][0] |= {"hasBlobs": True}
    assert "image/png" in run("show", "5f3c1d9e", "--transcript").out

    def gone(params: dict[str, Any]) -> None:
        raise Failure(-32003, "the log of this entry is gone")

    fake.answers["sessions/entry"] = gone
    done = run("show", "5f3c1d9e", "--transcript")
    assert done.code == 0 and "image/png" not in done.out
