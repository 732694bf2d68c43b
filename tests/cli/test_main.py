"""The command as a whole: exit codes, errors in sentences, terminals, and what it costs to start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ccdash import __version__, cli
from ccdash.parser import COMMANDS, build, find
from tests.cli.conftest import Done, run_in_terminal, run_process
from tests.cli.daemon import Failure, FakeDaemon, Silence
from tests.protocol.samples import SESSION

Run = Callable[..., Done]
ROOT = Path(__file__).parents[2]


def test_version(run: Run) -> None:
    assert run("--version") == Done(0, f"ccdash {__version__}\n", "")


def test_without_a_command_help_is_shown(run: Run) -> None:
    done = run()
    assert done.code == 0
    for command in COMMANDS:
        assert re.search(rf"^    {command.name}\b", done.out, re.MULTILINE)


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help_with_examples(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.code == 0
    assert re.search(rf"^examples:\n(  .*\n)*  .*ccdash( --profile \w+)? {command}\b", done.out, re.MULTILINE)
    assert "--json" in done.out


@pytest.mark.parametrize(
    "arguments",
    [("nope",), ("sessions", "--nope"), ("sessions", "--limit", "0"), ("sessions", "--sort", "x"), ("show",),
     ("sessions", "--since", "soon"), ("active", "--within", "x"), ("--profile", "a/b", "sessions"),
     ("sessions", "--lim", "3"), ("demo", "--size", "huge"), ("service",), ("show", "x", "--tools", "--files")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_told_and_starts_nothing(run: Run, fake: FakeDaemon, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "ccdash" in done.err and "Traceback" not in done.err
    assert "sessions/list" not in fake.methods()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("sesions",), "ccdash: COMMAND: there is no 'sesions'; did you mean 'sessions'? `ccdash --help` explains.\n"),
        (("completion", "x"), "ccdash completion: shell: there is no 'x'; there are bash, zsh, tcsh, fish. "
                              "`ccdash completion --help` explains.\n"),
        (("sessions", "-n", "3"), "ccdash sessions: unknown: -n. `ccdash sessions --help` explains.\n"),
        (("projects", "add", "/", "--nme", "x"),
         "ccdash projects add: unknown: --nme x. `ccdash projects add --help` explains.\n"),
        (("show",), "ccdash show: the following arguments are required: ID. `ccdash show --help` explains.\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_wrong_usage_is_one_line_that_names_the_right_help(run: Run, arguments: tuple[str, ...], text: str) -> None:
    assert run(*arguments) == Done(2, "", text)


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_examples_fit_a_terminal(command: str) -> None:
    for example in find(command).load().examples:
        assert len(f"  {example}") <= 80, example


def test_what_is_not_found_may_come_while_the_first_index_runs(run: Run, fake: FakeDaemon) -> None:
    def fail(params: object) -> None:
        raise Failure(-32001, "no session 'x'; see sessions/list", {"type": "session"})

    fake.answers["sessions/get"] = fail
    fake.answers["ccdash/status"]["indexing"]["complete"] = False
    assert "no session 'x'. The first index is not complete: it may come." in run("show", "x").err


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Failure(-32001, "no session 'x'", {"type": "session"}), "no session 'x'. `ccdash sessions --all` lists them."),
        (
            Failure(-32001, "no session 'x'; see sessions/list", {"type": "session"}),
            "no session 'x'. `ccdash sessions --all` lists them.",
        ),
        (
            Failure(-32004, "the disk is full", {"retryAfter": 5}),
            "the disk is full. Try again in 5 s; `ccdash status` tells more.",
        ),
        (Failure(-32602, "limit: must be 1 or more", {"got": "\x1b[0m0"}), "limit: must be 1 or more (got 0)."),
        (Failure(-32603, "an internal error", {"id": "ab"}), "an internal error. The daemon's log tells more under ab."),
        (Failure(-32601, "no method 'x'"), "no method 'x'. `ccdash rpc` lists the methods."),
        (Failure(-32003, "The log is gone."), "The log is gone."),
    ],
)
def test_errors_of_the_daemon_are_sentences_with_a_next_step(run: Run, fake: FakeDaemon, error: Failure, text: str) -> None:
    def fail(params: object) -> None:
        raise error

    fake.answers["sessions/get"] = fail
    fake.answers["ccdash/status"]["indexing"]["complete"] = True
    assert run("show", "x") == Done(1, "", f"ccdash: {text}\n")


def test_a_fault_of_ours_shows_no_traceback(run: Run, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.answers["sessions/get"] = {"id": "but nothing else"}
    done = run("show", "x")
    assert done.code == 1
    assert "fault of ccdash itself" in done.err and "Traceback" not in done.err
    monkeypatch.setenv("CCDASH_DEBUG", "1")
    with pytest.raises(KeyError):
        run("show", "x")


def test_a_file_that_cannot_be_written_is_named(run: Run, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**arguments: object) -> None:
        raise OSError(28, "No space left on device", "/full/file")

    monkeypatch.setattr("ccdash.context.connect", full)
    assert run("sessions").err == "ccdash: /full/file: No space left on device. Check the path and its permissions.\n"


def test_nobody_reads_the_output(fake: FakeDaemon) -> None:
    fake.answers["sessions/list"]["items"] *= 20_000
    process = subprocess.Popen([sys.executable, "-m", "ccdash", "sessions"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == cli.BROKEN_PIPE


def test_ctrl_c_ends_without_a_word(fake: FakeDaemon) -> None:
    asked = []

    def silent(params: object) -> None:
        asked.append(1)
        process.send_signal(signal.SIGINT)
        raise Silence

    fake.answers["cache/verify"] = silent
    process = subprocess.Popen(
        [sys.executable, "-m", "ccdash", "verify"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (cli.INTERRUPTED, "", "")
    assert asked


def test_a_poor_encoding_loses_characters_not_the_answer(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.answers["sessions/list"]["items"][0]["title"] = "Ümläut 日本"
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run_process("sessions")
    assert done.code == 0 and "?ml?ut ??" in done.out


def test_a_terminal_gets_colour_that_fits(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.answers["sessions/list"]["items"][0]["title"] = "A very long title " * 20
    monkeypatch.setenv("COLUMNS", "70")
    done = run_in_terminal("sessions")
    assert done.code == 0
    assert "\x1b[36m5f3c1d9e\x1b[0m" in done.out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 70


@pytest.mark.parametrize("how", ["option", "variable", "dumb"])
def test_colour_can_be_turned_off(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("NO_COLOR", "1")
    if how == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    done = run_in_terminal("sessions", *(["--no-color"] if how == "option" else []))
    assert "Fix the till" in done.out and "\x1b" not in done.out


def test_a_long_wait_shows_progress_in_a_terminal(fake: FakeDaemon) -> None:
    state = {"phase": "parse", "done": 10, "total": 40, "filesDone": 1, "filesTotal": 4, "rate": 5e6, "eta": 6.0}
    fake.before["cache/rebuild"] = [("ccdash/indexing", {"indexing": state})]
    done = run_in_terminal("rebuild")
    assert done.code == 0
    assert "Reading logs" in done.out and "1 of 4 files, 5.00 MB/s, 6s left" in done.out
    assert "Compared with the cache in 0.25 s" in done.out


def test_planning_files_are_counted_while_they_are_read(fake: FakeDaemon) -> None:
    state = {"phase": "plans", "done": 0, "total": 0, "filesDone": 3, "filesTotal": 4, "rate": 0.0, "eta": None}
    fake.before["cache/rescan"] = [("ccdash/indexing", {"indexing": state})]
    assert re.search(r"Reading planning files .* 3 of 4 files", run_in_terminal("rescan").out)


PROBE = """
import sys
from ccdash.__main__ import main
code = main(sys.argv[1:])
sys.stderr.write(" ".join(sorted(sys.modules)))
sys.exit(code)
"""


@pytest.mark.parametrize(
    "arguments",
    [("sessions",), ("show", SESSION), ("files", "x"), ("projects",), ("status",), ("active",), ("doctor",)],
    ids=" ".join,
)
def test_the_fast_path_imports_nothing_heavy(fake: FakeDaemon, arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    modules = set(done.stderr.split())
    assert {name for name in modules if name.split(".")[0] == "ccdashd"} == {"ccdashd", "ccdashd.paths"}
    tops = {name.split(".")[0] for name in modules}
    assert not tops & {"rich", "asyncio", "msgspec", "sqlalchemy", "alembic", "shtab", "platformdirs", "pygls"}
    assert not modules & {"subprocess", "tempfile", "ccdash.demo"}


def test_a_table_in_a_terminal_needs_no_rich(fake: FakeDaemon) -> None:
    code = "import sys; from ccdash.__main__ import main; main(['sessions']); sys.exit('rich' in sys.modules)"
    import pty

    leader, follower = pty.openpty()
    try:
        assert subprocess.run([sys.executable, "-c", code], stdout=follower, stderr=follower, check=False).returncode == 0
    finally:
        os.close(leader)
        os.close(follower)


def test_only_the_called_command_is_loaded() -> None:
    code = "import sys; from ccdash.parser import build; build().parse_args(['sessions']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if name.startswith("ccdash.commands.")} == {"ccdash.commands.sessions"}


def test_options_hold_before_and_after_the_command() -> None:
    for arguments in (["--profile", "w", "--json", "sessions"], ["sessions", "--json", "--profile", "w"]):
        args = build().parse_args(arguments)
        assert (args.profile, args.json, args.no_color) == ("w", True, False)
    assert build().parse_args(["--profile", "a", "projects", "list", "--profile", "b"]).profile == "b"


def test_hints_name_the_profile_that_the_user_named(run: Run, fake: FakeDaemon) -> None:
    def fail(params: object) -> None:
        raise Failure(-32001, "no session 'x'", {"type": "session"})

    fake.answers["sessions/get"] = fail
    fake.answers["ccdash/status"]["indexing"]["complete"] = True
    assert run("show", "x").err.endswith("`ccdash sessions --all` lists them.\n")
    assert run("show", "x", "--profile", "default").err.endswith("`ccdash --profile default sessions --all` lists them.\n")
