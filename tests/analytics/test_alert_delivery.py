"""Programs that are run for alerts: they get what they should, and no failure of theirs harms the daemon."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from ccdashd.analytics import alert_delivery
from ccdashd.analytics.alert_delivery import AT_ONCE, Delivery, desktop_argv
from ccdashd.events import Problems
from ccdashd.protocol import types as t
from tests.helpers import PATIENCE

ALERT = t.AlertFired(
    id="a1",
    rule="session-cost",
    name="Costly session",
    metric="cost",
    scope="session",
    subject=t.EntityRef(type="session", id="s1"),
    subject_label='$(touch x) "quoted" `y` ☂',
    operator=">",
    threshold=5.0,
    value=5.25,
    text='-x <b>$(touch x)</b> "quoted" & `y` ☂\nmore',
    fired_at="2026-03-04T12:00:00.000Z",
    resolved_at=None,
)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], list[str]]:
    """Make a program of Python lines, which finds the folder of the test as `here`."""

    def make(text: str) -> list[str]:
        path = tmp_path / f"hook {len(list(tmp_path.iterdir()))}"
        path.write_text(f"#!{sys.executable} -S\nimport os, sys, time\nhere = {str(tmp_path)!r}\n{text}\n")
        path.chmod(0o755)
        return [str(path), "first argument", "$HOME"]

    return make


def deliver(command: list[str], act: Callable[[Delivery, Problems], Awaitable[None]], time_limit: float = 10.0) -> None:
    async def run() -> None:
        problems = Problems()
        delivery = Delivery(problems, command, time_limit=time_limit)
        try:
            await act(delivery, problems)
        finally:
            await delivery.stop()

    asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


def test_the_command_gets_the_alert_as_json(script: Callable[[str], list[str]], tmp_path: Path) -> None:
    command = script(
        "open(here + '/got', 'w').write(sys.stdin.read() + repr(sys.argv[1:])); os.rename(here + '/got', here + '/in')"
    )

    async def act(delivery: Delivery, problems: Problems) -> None:
        delivery.run_command(ALERT)
        await until((tmp_path / "in").exists)
        await until(lambda: not delivery._command._tasks)
        assert problems.all() == []

    deliver(command, act)
    line, _, argv = (tmp_path / "in").read_text().partition("\n")
    assert msgspec.json.decode(line, type=t.AlertFired) == ALERT
    assert json.loads(line)["subject"] == {"type": "session", "id": "s1"}
    assert argv == "['first argument', '$HOME']"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sys.exit(3)", "ended with 3"),
        ("os.kill(os.getpid(), 9)", "ended with -9"),
        ("sys.stdout.write('x' * 10_000_000); sys.exit(1)", "ended with 1"),
    ],
)
def test_a_command_that_fails_is_a_problem_until_one_succeeds(
    script: Callable[[str], list[str]], tmp_path: Path, text: str, problem: str
) -> None:
    command = script(f"if not os.path.exists(here + '/well'): {text}")

    async def act(delivery: Delivery, problems: Problems) -> None:
        delivery.run_command(ALERT)
        await until(problems.all)
        (told,) = problems.all()
        assert (told.part, told.problem) == ("alert command", f"{command[0]}: {problem}")
        (tmp_path / "well").touch()
        delivery.run_command(ALERT)
        await until(lambda: not problems.all())

    deliver(command, act)


@pytest.mark.parametrize(
    ("name", "problem"), [("no-such-program-anywhere", "No such file or directory"), ("/etc", "Permission denied")]
)
def test_a_command_that_cannot_be_run_is_a_problem(name: str, problem: str) -> None:
    async def act(delivery: Delivery, problems: Problems) -> None:
        delivery.run_command(ALERT)
        await until(problems.all)
        assert problems.all()[0].problem == f"{name}: {problem}"

    deliver([name], act)


def test_without_a_command_nothing_is_run() -> None:
    async def act(delivery: Delivery, problems: Problems) -> None:
        delivery.run_command(ALERT)
        assert not delivery._command._tasks

    deliver([], act)


def test_commands_that_hang_are_ended_with_all_that_they_started(
    script: Callable[[str], list[str]], tmp_path: Path
) -> None:
    command = script("pid = os.fork() or os.getpid(); open(f'{here}/pid{os.getpid()}', 'w').write('.'); time.sleep(60)")

    def pids() -> list[int]:
        return [int(path.name[3:]) for path in tmp_path.glob("pid*")]

    async def act(delivery: Delivery, problems: Problems) -> None:
        for _ in range(2 * AT_ONCE):
            delivery.run_command(ALERT)
        await until(lambda: len(pids()) >= 2 * AT_ONCE)
        assert len(pids()) == 2 * AT_ONCE, "more ran at the same time"
        await until(lambda: problems.all() and not delivery._command._tasks)
        assert problems.all()[0].problem.endswith("did not end within 0.5 s, and was ended")
        await until(lambda: not any(map(alive, pids())))

    deliver(command, act, time_limit=0.5)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_runs_ends_with_the_daemon(script: Callable[[str], list[str]], tmp_path: Path) -> None:
    command = script("open(f'{here}/pid{os.getpid()}', 'w').write('.'); time.sleep(60)")

    async def act(delivery: Delivery, problems: Problems) -> None:
        delivery.run_command(ALERT)
        await until(lambda: list(tmp_path.glob("pid*")))

    deliver(command, act)
    assert not any(alive(int(path.name[3:])) for path in tmp_path.glob("pid*"))


def test_too_many_alerts_are_left_out(script: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_delivery, "WAITING", 3)
    command = script("time.sleep(60)")

    async def act(delivery: Delivery, problems: Problems) -> None:
        for _ in range(5):
            delivery.run_command(ALERT)
        assert len(delivery._command._tasks) == 3

    deliver(command, act)


# --- the desktop ---


def test_a_text_on_the_desktop_is_text() -> None:
    assert desktop_argv(ALERT.name, ALERT.text, "linux") == [
        "notify-send",
        "--app-name=ccdash",
        "--",
        "Costly session",
        '-x &lt;b&gt;$(touch x)&lt;/b&gt; "quoted" &amp; `y` ☂ more',
    ]
    argv = desktop_argv("a\x1b]0;\x07b", ALERT.text, "darwin")
    assert argv[0] == "osascript" and argv[1::2][:3] == ["-e"] * 3
    assert argv[-2:] == ["a ]0; b", ALERT.text.replace("\n", " ")]


def test_a_missing_tool_of_the_desktop_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    async def act(delivery: Delivery, problems: Problems) -> None:
        told = []
        problems.on_change = lambda: told.append(problems.all())
        for _ in range(3):
            delivery.show(ALERT)
        await until(lambda: not delivery._desktop._tasks)
        ((problem,),) = told
        assert problem.part == "desktop alerts" and problem.problem.endswith(": No such file or directory")
        assert "notify-send" in problem.hint
        fake = tmp_path / "notify-send"
        fake.write_text(f"#!{sys.executable} -S\nimport sys\nopen({str(tmp_path / 'shown')!r}, 'w').write(sys.argv[-1])\n")
        fake.chmod(0o755)
        delivery.show(ALERT)
        await until(lambda: not problems.all())
        assert "&lt;b&gt;" in (tmp_path / "shown").read_text()

    deliver([], act)


def test_no_descriptor_is_left_open(script: Callable[[str], list[str]]) -> None:
    command = script("")

    async def act(delivery: Delivery, problems: Problems) -> None:
        delivery.run_command(ALERT)
        await until(lambda: not delivery._command._tasks)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            delivery.run_command(ALERT)
        await until(lambda: not delivery._command._tasks)
        assert len(os.listdir("/proc/self/fd")) <= before

    deliver(command, act)
