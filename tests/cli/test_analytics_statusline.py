"""The status line: what it shows, and that it is there at once, whatever is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdash import autostart
from ccdash.figures import count
from ccdash.statusline import DEFAULT, FIELDS, START_PAUSE, parse, render, values
from ccdashd.paths import Paths, resolve, socket_path
from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import Failure, FakeDaemon, Raw, Silence
from tests.helpers import wait_until
from tests.protocol.samples import RESULTS

Run = Callable[..., Done]
AGENT = {
    "session_id": "0f3c9d1e-1111-4222-8333-444455556666",
    "cwd": "/elsewhere",
    "model": {"id": "claude-opus-4-1", "display_name": "Opus 4.1"},
    "workspace": {"current_dir": "/home/me/shop", "project_dir": "/home/me/shop"},
    "cost": {"total_cost_usd": 0.42},
    "context_window": {
        "context_window_size": 200_000,
        "used_percentage": 22.6,
        "current_usage": {
            "input_tokens": 8500,
            "output_tokens": 1200,
            "cache_creation_input_tokens": 5000,
            "cache_read_input_tokens": 32_000,
        },
    },
}
"""What Claude Code gives its status line."""

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
COST = {"usd": 3.12, "provenance": "computed", "unpricedModels": []}
TOLD: dict[str, Any] = {
    "project": "shop",
    "feature": "checkout",
    "session": AGENT["session_id"],
    "model": "claude-sonnet-4-20250514",
    "contextTokens": 90_000,
    "contextLimit": 200_000,
    "sessionCost": {**COST, "usd": 0.51, "provenance": "lower_bound"},
    "today": COST,
    "window": {**COST, "usd": 4.2},
    "windowEndsAt": (NOW + timedelta(minutes=72)).isoformat(),
    "usdPerHour": 2.1,
    "active": 2,
    "alerts": 1,
    "revision": 9,
}


def line(template: str, said: Any = None, told: Any = None, *, color: bool = False) -> str:
    return render(parse(template), values(said or {}, told or {}, NOW.timestamp()), color)


def as_process(*arguments: str, stdin: int | str | None = None) -> Done:
    """Run it as a process; `stdin` is text, or a file descriptor."""
    given: dict[str, Any] = {"input": stdin} if isinstance(stdin, str) else {"stdin": stdin or subprocess.DEVNULL}
    command = [sys.executable, "-m", "ccdash", "statusline", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, **given)
    return Done(done.returncode, done.stdout, done.stderr)


def test_all_that_is_known() -> None:
    assert line(DEFAULT, AGENT, TOLD) == (
        "Opus 4.1 | shop | 45.5k (23 %) | ≥ $0.51 | $3.12 today | $4.20 block, 1h 12m left | $2.10/h | 1 alert"
    )
    assert line("{id} {feature} {percent} {active}", AGENT, TOLD) == "0f3c9d1e checkout 23 % 2 live"


def test_the_daemon_alone_is_enough() -> None:
    assert line("{model} | {context} | {session}", {}, TOLD) == "sonnet-4 | 90.0k (45 %) | ≥ $0.51"
    assert line("{context}", {}, {**TOLD, "contextLimit": None}) == "90.0k"


def test_the_agent_alone_is_enough() -> None:
    assert line(DEFAULT, AGENT) == "Opus 4.1 | 45.5k (23 %) | $0.42"
    assert line("{context}", {"context_window": {"used_percentage": 8}}) == "8 %"


def test_a_part_is_left_out_where_one_of_its_fields_is_not_known() -> None:
    assert line("{window} of {today} | {project}", {}, {**TOLD, "window": None}) == "shop"
    assert line("today: {today} |  | {feature}", {}, {**TOLD, "feature": None}) == "today: $3.12"
    assert line("{left}", {}, {**TOLD, "windowEndsAt": NOW.isoformat()}) == ""
    assert line("{alerts} | {active} | {burn}", {}, {**TOLD, "alerts": 0, "active": 0, "usdPerHour": 0.0}) == ""


def test_nothing_is_known() -> None:
    assert line(DEFAULT) == ""
    assert line("a shell") == "a shell"


def test_a_nearly_full_context_warns() -> None:
    for share, code in ((50, None), (75, "33"), (95, "31")):
        told = {**TOLD, "contextTokens": share * 2000}
        drawn = f"{count(share * 2000)} ({share} %)"
        assert line("{context}", {}, told, color=True) == (f"\x1b[{code}m{drawn}\x1b[0m" if code else drawn)


def test_names_of_others_do_not_act() -> None:
    said = {"model": {"display_name": "\x1b]0;gotcha\x07Opus\x1b[2J"}}
    assert line("{model} {project}", said, {"project": "sh\nop\x9b2J"}) == "Opus sh op"


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from([*AGENT, *AGENT["context_window"], "display_name", "current_dir", "total_cost_usd", "input_tokens"])


@given(st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)))
def test_whatever_the_agent_says_makes_a_line(said: Any) -> None:
    found = values(said if isinstance(said, dict) else {}, {}, 0.0)
    assert set(found) == set(FIELDS)
    assert all(isinstance(text, str) for text in found.values())


def test_a_field_that_there_is_not_is_told(run: Run) -> None:
    done = run("statusline", "--format", "{nope}")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("ccdash: There is no field {nope}. There are model, project,")
    assert run("statusline", "--format", "{model").code == 2


def test_wrong_options_are_told(run: Run, home: Path) -> None:
    assert run("statusline", "--nope").code == 2
    assert "use letters, digits" in run("statusline", "--profile", "a/b").err


def test_help_names_every_field(run: Run) -> None:
    done = run("statusline", "--help")
    assert done.code == 0
    assert all(f"{{{name}}}" in done.out for name in FIELDS)


def test_the_daemon_is_asked_for_what_the_agent_names(fake: FakeDaemon) -> None:
    done = as_process("--format", "{model} | {today}", stdin=json.dumps(AGENT))
    assert done == Done(0, "Opus 4.1 | ≥ $1.25\n", "")
    assert fake.params("analytics/statusline") == {"session": AGENT["session_id"], "cwd": "/home/me/shop"}


def test_without_an_agent_it_is_the_current_folder(fake: FakeDaemon) -> None:
    assert as_process("--format={project}", "--no-start") == Done(0, "shop\n", "")
    assert fake.params("analytics/statusline") == {"cwd": os.getcwd()}


def test_json_is_what_the_daemon_says(run: Run, fake: FakeDaemon) -> None:
    done = run("statusline", "--json")
    assert json.loads(done.out) == json.loads(msgspec.json.encode(RESULTS["analytics/statusline"]))


def test_colour_is_for_terminals_and_on_request(fake: FakeDaemon) -> None:
    fake.answers["analytics/statusline"] = TOLD
    assert as_process("--format", "{session}", "--color").out == "\x1b[32m≥ $0.51\x1b[0m\n"
    assert as_process("--format", "{session}").out == "≥ $0.51\n"
    assert "\x1b[32m" in run_in_terminal("statusline", "--format", "{session}").out
    assert "\x1b[32m" not in run_in_terminal("statusline", "--format", "{session}", "--no-color").out


def test_what_a_terminal_cannot_show_is_replaced(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.answers["analytics/statusline"] = {**TOLD, "project": "日本"}
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert as_process("--format", "{project} {session}").out == "?? >= $0.51\n"


@pytest.mark.parametrize(
    "answer",
    [
        Failure(-32601, "no method"),
        Raw(b""),
        Raw(b"HTTP/1.1 400\r\n\r\n"),
        Raw(b"Content-Length: 4\r\n\r\n}}}}"),
        Silence(),
    ],
    ids=repr,
)
def test_a_daemon_that_says_nothing_useful_costs_a_moment(fake: FakeDaemon, answer: Exception) -> None:
    def fail(params: object) -> None:
        raise answer

    fake.answers["analytics/statusline"] = fail
    assert as_process(stdin=json.dumps(AGENT)) == Done(0, "Opus 4.1 | 45.5k (23 %) | $0.42\n", "")


@pytest.mark.parametrize(
    "stdin", ["", "not JSON", "[]", '{"model": 3, "context_window": [], "cost": {"total_cost_usd": true}}']
)
def test_standard_input_that_makes_no_sense_is_nothing(fake: FakeDaemon, stdin: str) -> None:
    assert as_process("--format", "{today}", stdin=stdin) == Done(0, "≥ $1.25\n", "")


def test_a_pipe_that_stays_open_is_not_waited_for(fake: FakeDaemon) -> None:
    reading, writing = os.pipe()
    try:
        assert as_process("--format", "{today}", stdin=reading) == Done(0, "≥ $1.25\n", "")
        os.write(writing, json.dumps(AGENT).encode())
        assert as_process("--format", "{model}", stdin=reading).out == "Opus 4.1\n"
    finally:
        os.close(reading)
        os.close(writing)


def test_closed_streams_are_no_trouble(fake: FakeDaemon) -> None:
    command = f"{sys.executable} -m ccdash statusline <&- >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_daemon_nothing_fails(home: Path) -> None:
    assert as_process() == Done(0, "", "")
    assert as_process(stdin=json.dumps(AGENT)).out == "Opus 4.1 | 45.5k (23 %) | $0.42\n"


def test_a_daemon_is_started_in_the_background_once(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCDASH_NO_SPAWN")
    assert as_process("--no-start") == Done(0, "", "")
    assert not paths.runtime_dir.exists()
    for _ in range(3):
        assert as_process() == Done(0, "", "")
    client = wait_until(lambda: autostart.probe(paths, 10.0), "the daemon")
    with client:
        assert client.hello["profile"] == "default"
        client.request("ccdash/shutdown")
        assert autostart.wait_stopped(client, paths)


def test_a_start_in_vain_is_not_tried_at_every_prompt(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCDASH_NO_SPAWN")
    paths.runtime_dir.mkdir(parents=True)
    paths.startup_lock.write_text(f"{time.time():.0f}")
    assert as_process() == Done(0, "", "")
    assert not autostart.is_locked(paths.daemon_lock)
    before = f"{time.time() - START_PAUSE - 1:.0f}"
    paths.startup_lock.write_text(before)
    paths.log_file.parent.mkdir(parents=True)
    monkeypatch.setenv("CCDASH_PRICES", "nonsense")  # a setting that the daemon refuses to start with
    assert as_process() == Done(0, "", "")
    assert paths.startup_lock.read_text() != before


def test_little_is_imported(fake: FakeDaemon) -> None:
    code = "import sys; from ccdash.__main__ import main; main(['statusline']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    ours = {name for name in modules if name.startswith("ccdash")}
    allowed = {"ccdash", "ccdash.__main__", "ccdash.amounts", "ccdash.errors", "ccdash.figures", "ccdash.statusline"}
    assert ours == {*allowed, "ccdashd", "ccdashd.paths"}
    assert not modules & {"argparse", "pathlib", "dataclasses", "inspect", "subprocess", "shutil", "rich", "hashlib"}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(["/run/user/1", "/x//y/", "relative", "", "/" + "long/" * 30])
            for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "CCDASH_RUNTIME_DIR", "CCDASH_CACHE_DIR", "CCDASH_SOCKET")
        },
    ),
    st.sampled_from([None, "default", "work"]),
)
def test_the_socket_is_where_it_is_for_all_others(environ: dict[str, str], profile: str | None) -> None:
    environ = {**environ, "HOME": "/home/me"}
    assert Path(socket_path(profile, environ)) == resolve(profile, environ).socket
