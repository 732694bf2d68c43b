"""A home of its own for each test, a socket daemon with hand-written answers, and ways to run `ccdash`."""

from __future__ import annotations

import io
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ccdash.__main__ import main
from ccdash.output import Output
from ccdashd.paths import Paths, resolve
from tests.cli.daemon import FakeDaemon
from tests.cli.world import World, serve


class Done(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str


class Window(Output):
    """An output as wide as a test wants; None is a pipe."""

    def __init__(self, cells: int | None, *, color: bool = False) -> None:
        super().__init__()
        self.stream = io.StringIO()
        self.terminal = cells is not None
        self.color = color
        self._cells = cells

    @property
    def columns(self) -> int | None:
        return self._cells

    @property
    def text(self) -> list[str]:
        assert isinstance(self.stream, io.StringIO)
        return self.stream.getvalue().splitlines()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The real daemon with two made-up projects."""
    with serve() as world:
        yield world


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home with a runtime folder whose path is short enough for sockets; nothing may be started in it."""
    folder = Path(tempfile.mkdtemp(prefix="ccd-", dir="/tmp"))
    for name in [name for name in os.environ if name.startswith(("CCDASH_", "XDG_")) and name != "CCDASH_CORPUS"]:
        monkeypatch.delenv(name)
    (folder / "run").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    monkeypatch.setenv("CCDASH_NO_SPAWN", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def paths(home: Path) -> Paths:
    return resolve()


@pytest.fixture
def fake(paths: Paths) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(paths.socket)
    yield daemon
    daemon.close()


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `ccdash` in this process, its output in pipes."""

    def run(*arguments: str) -> Done:
        try:
            code = main(arguments)
        except SystemExit as stopped:  # argparse ends the process for --help and wrong usage
            code = int(stopped.code or 0)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


def run_process(*arguments: str, stdin: str = "") -> Done:
    """Run `ccdash` as a process, its output in pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "ccdash", *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def run_in_terminal(*arguments: str, typed: str = "") -> Done:
    """Run `ccdash` as a process in a terminal, where this is typed; its two outputs come as one."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ccdash", *arguments], stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    os.write(leader, typed.encode())
    said = b""
    while select.select([leader], [], [], 30)[0]:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # EIO: the other end is closed
            break
        said += chunk
    os.close(leader)
    return Done(process.wait(), said.decode().replace("\r\n", "\n"), "")
