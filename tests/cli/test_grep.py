"""``ccdash grep`` beside the real daemon: what it writes in a pipe and in a terminal, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ccdash.commands.grep import Writer
from tests.cli.conftest import Done, Window, run_in_terminal
from tests.cli.daemon import FakeDaemon
from tests.cli.world import World
from tests.helpers import wait_until

Run = Callable[..., Done]

MATCH: dict[str, Any] = {
    "sessionId": "0c0ffee0-1111-4222-8333-444455556666",
    "path": "/logs/a.jsonl",
    "archived": False,
    "line": 12,
    "before": "  \n before ",
    "match": "the\tmatch",
    "after": " af\x1b[31mter\n",
    "matches": 1,
    "timestamp": "2026-01-02T10:00:00.000Z",
}


@pytest.fixture
def log(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = world.enter(monkeypatch)
    (log,) = home.glob(".claude/projects/*/*.jsonl")
    return log


def test_in_a_pipe_each_match_is_a_line(log: Path, run: Run) -> None:
    done = run("grep", "execute-phase", "--context", "8")
    assert done == Done(0, f"{log}:1:me>/dev:execute-phase</comman\n", done.err)
    assert re.fullmatch(r"1 record; looked at 1 log \(\S+ k?B\) in \d+\.\d s\.\n", done.err)


def test_nothing_found_is_exit_code_1(log: Path, run: Run) -> None:
    done = run("grep", "no such thing")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Nothing was found; looked at 1 log")


def test_options_are_those_of_grep(log: Path, run: Run) -> None:
    assert run("grep", "-i", "EXECUTE-PHASE").code == 0
    assert run("grep", "EXECUTE-PHASE").code == 1
    assert run("grep", "-E", "execute.p[gh]ase").code == 0
    assert run("grep", "execute.p[gh]ase").code == 1
    assert run("grep", "--project", ".", "execute-phase").code == 0
    assert run("grep", "--project", str(log.parent.parent.parent.parent.parent / "depot"), "execute-phase").code == 1
    assert run("grep", "--session", "0c0ffee0", "execute-phase").code == 0
    assert run("grep", "--after", "2026-01-03", "execute-phase").code == 1
    assert run("grep", "--before", "2026-01-02", "execute-phase").code == 1
    assert run("grep", "--limit", "1", "timestamp").err == "Stopped at 1 record; `--limit` shows more.\n"


def test_a_wrong_expression_is_told_with_its_place(log: Path, run: Run) -> None:
    done = run("grep", "-E", "a(b")
    assert done == Done(
        2,
        "",
        "ccdash: pattern: is no regular expression: missing ), unterminated subpattern at character 2 (got a(b).\n",
    )


def test_json_is_the_answer(log: Path, run: Run) -> None:
    result = json.loads(run("grep", "execute-phase", "--json").out)
    assert (result["found"], len(result["matches"]), result["matches"][0]["path"]) == (1, 1, str(log))


def test_in_a_terminal_matches_stand_below_their_log(log: Path) -> None:
    done = run_in_terminal("grep", "0c0ffee0", "--context", "5")
    assert done.code == 0
    assert "\x1b[36m0c0ffee0\x1b[0m" in done.out
    assert [line for line in done.out.splitlines() if "\x1b[31m" in line or "\x1b[1;31m" in line] == [
        '\x1b[32m     1  \x1b[0md": "\x1b[1;31m0c0ffee0\x1b[0m-1111',
        '\x1b[32m     2  \x1b[0md": "\x1b[1;31m0c0ffee0\x1b[0m-1111',
    ]


def test_what_logs_hold_cannot_act_on_the_terminal() -> None:
    for window in (Window(None), Window(100)):
        Writer(window).write([MATCH])
        assert window.text[-1].endswith("before the match after")
        assert "\x1b" not in "".join(window.text)


def test_the_match_is_shown_however_narrow_it_is() -> None:
    window = Window(60)
    long = {**MATCH, "before": "b" * 300, "match": "needle", "after": "a" * 300, "matches": 1200}
    Writer(window).write([long, {**long, "before": "", "line": 13}, {**long, "after": "", "archived": True, "path": "/b"}])
    assert [line for line in window.text if "needle" in line] == [
        "    12  …" + "b" * 9 + "needle" + "a" * 20 + "…  (1,200 times)",
        "    13  needle" + "a" * 30 + "…  (1,200 times)",
        "    12  …" + "b" * 30 + "needle  (1,200 times)",
    ]
    assert window.text[3] == ""
    assert "from the archive" in window.text[4]


def test_what_could_not_be_read_is_told(fake: FakeDaemon, run: Run) -> None:
    problems = [
        {"part": f"/logs/{number}.jsonl", "problem": "Permission denied", "hint": "", "since": ""} for number in range(7)
    ]
    fake.answers["search/deep"] |= {"found": 0, "stopped": False, "problems": problems}
    done = run("grep", "x")
    assert done.code == 2
    assert done.err.splitlines()[1:] == [
        *(f"/logs/{number}.jsonl: Permission denied." for number in range(5)),
        "2 more could not be read; `--json` lists them.",
    ]


def test_progress_makes_way_for_matches(fake: FakeDaemon) -> None:
    report = {"kind": "report", "message": "3 of 9 logs", "percentage": 33}
    matches = ("search/matches", {"token": "grep", "matches": [MATCH]})
    fake.before["search/deep"] = [
        ("$/progress", {"token": "grep", "value": {"kind": "begin", "title": "search/deep"}}),
        ("$/progress", {"token": "grep", "value": report}),
        matches,
        ("$/progress", {"token": "grep", "value": {"kind": "end"}}),
    ]
    done = run_in_terminal("grep", "x")
    assert done.code == 0
    shown = done.out.index("3 of 9 logs")
    assert "\x1b[2K" in done.out[shown : done.out.index("the match")]
    assert "Searching" not in done.out[done.out.index("the match") :]


def test_ctrl_c_ends_it_at_once(log: Path, world: World) -> None:
    with log.open("a") as more:
        more.write("a" * 60 + "\n")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ccdash", "grep", "-E", "(a+)+b|execute-phase"], stdout=follower, stderr=follower
    )
    os.close(follower)

    def workers() -> list[str]:
        found = Path(f"/proc/{world.daemon.process.pid}/task").glob("*/children")
        pids = [pid for path in found for pid in path.read_text().split()]
        return [pid for pid in pids if b"deep_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    try:
        wait_until(workers, "the search")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        wait_until(lambda: not workers(), "the end of the search")
        said = b""
        with suppress(OSError):  # where nothing was said, as the other end is closed
            said = os.read(leader, 65536)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    assert b"Traceback" not in said
