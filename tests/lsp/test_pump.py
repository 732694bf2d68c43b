"""``ccdash lsp`` as a process, between an editor's pipes and the daemon."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from ccdash.commands.lsp import pump as pump_bytes
from ccdash.commands.lsp import write_all
from tests.helpers import PATIENCE, Daemon, framed, wait_until
from tests.lsp.clients import initialize, structured
from tests.lsp.editors import FULL

MB = 1024 * 1024


class Pump:
    """The process, and what an editor does with its pipes."""

    def __init__(self, daemon: Daemon, *arguments: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ccdash", "lsp", *arguments],
            env={**daemon.environ, **environ},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout
        self.stderr: IO[bytes] = self.process.stderr

    def say(self, method: str, params: Any, id: int | str | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if id is None else {"id": id})
        self.stdin.write(framed(message))
        self.stdin.flush()

    def answer(self, id: int | str) -> Any:
        """The answer to a request, past whatever comes before it."""
        while True:
            header = self.stdout.readline()
            assert header, "the pump closed its output"
            assert self.stdout.readline() == b"\r\n"
            message = json.loads(self.stdout.read(int(header.split(b":")[1])))
            if message.get("id") == id and "method" not in message:
                return message

    def end(self) -> tuple[int, bytes]:
        """Wait for the end; the exit code, and what it said of it."""
        code = self.process.wait(PATIENCE)
        return code, self.stderr.read()


@contextmanager
def pumping(daemon: Daemon, *arguments: str, **environ: str) -> Iterator[Pump]:
    pump = Pump(daemon, *arguments, **environ)
    try:
        yield pump
    finally:
        pump.process.kill()
        pump.process.wait()
        for stream in (pump.stdin, pump.stdout, pump.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                assert stream is pump.stdin


@pytest.fixture(scope="module")
def shared() -> Iterator[Daemon]:
    """A daemon for all tests that leave it as it is."""
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        daemon = Daemon(Path(folder))
        try:
            yield daemon.start()
        finally:
            daemon.close()


@pytest.fixture
def pump(shared: Daemon) -> Iterator[Pump]:
    with initialized(shared) as pump:
        yield pump


@contextmanager
def initialized(daemon: Daemon) -> Iterator[Pump]:
    with pumping(daemon, "--stdio") as pump:
        pump.say("initialize", initialize(FULL), 1)
        assert structured("initialize", pump.answer(1)["result"]).server_info.name == "ccdashd"
        pump.say("initialized", {})
        yield pump


def test_a_life_ends_with_exit(pump: Pump) -> None:
    pump.say("textDocument/codeLens", {"textDocument": {"uri": "file:///a.py"}}, 2)
    assert pump.answer(2)["result"] == []
    pump.say("shutdown", None, 3)
    assert pump.answer(3)["result"] is None
    pump.say("exit", None)
    assert pump.end() == (0, b"")
    assert pump.stdout.read() == b""


def test_an_editor_that_closes_its_end(pump: Pump) -> None:
    pump.stdin.close()
    assert pump.end() == (0, b"")


def test_an_editor_that_is_gone(pump: Pump, shared: Daemon) -> None:
    pump.stdout.close()
    pump.say("textDocument/codeLens", {"textDocument": {"uri": "file:///a.py"}}, 2)
    assert pump.end() == (0, b"")
    with shared.client() as client:
        wait_until(lambda: client.request("ccdash/status")["clients"] == 1, "the end of the connection")


def test_long_messages_go_both_ways(pump: Pump) -> None:
    for letter in "abc":
        id = letter * MB  # which the answer repeats
        pump.say("textDocument/codeLens", {"textDocument": {"uri": "file:///a.py"}}, id)
        assert pump.answer(id)["result"] == []


def test_a_daemon_that_hangs_or_is_killed(daemon: Daemon) -> None:
    with initialized(daemon) as one, initialized(daemon) as other:
        daemon.process.send_signal(signal.SIGSTOP)
        one.stdin.close()
        assert one.end() == (0, b"")
        daemon.kill()
        assert other.end() == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_pump_that_is_killed_leaves_nothing(pump: Pump, shared: Daemon, number: signal.Signals) -> None:
    pump.process.send_signal(number)
    code, said = pump.end()
    assert code in (-number, 130)
    assert said == b""
    with shared.client() as client:
        wait_until(lambda: client.request("ccdash/status")["clients"] == 1, "the end of the connection")


def test_it_starts_the_daemon(idle_daemon: Daemon) -> None:
    with pumping(idle_daemon) as pump:
        pump.say("initialize", initialize(FULL), 1)
        assert pump.answer(1)["result"]["capabilities"]["hoverProvider"] is True
        with idle_daemon.client() as client:
            pid = client.request("ccdash/status")["pid"]
            client.request("ccdash/shutdown")
        assert pump.end() == (0, b"")
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the daemon")


def test_no_daemon_is_to_be_had(idle_daemon: Daemon) -> None:
    with pumping(idle_daemon, CCDASH_NO_SPAWN="1") as pump:
        code, said = pump.end()
    assert code == 1
    assert said.startswith(b"ccdash: No daemon answers at ") and said.count(b"\n") == 1


def test_unknown_words_are_refused(shared: Daemon) -> None:
    with pumping(shared, "--port=1") as pump:
        code, said = pump.end()
    assert (code, said) == (2, b"ccdash lsp: unknown: --port=1. `ccdash lsp --help` explains.\n")


def test_files_and_pipes_that_do_not_wait_do_as_well(shared: Daemon, tmp_path: Path) -> None:
    id = "x" * MB  # which the answer repeats
    source = tmp_path / "said"
    source.write_bytes(framed({"jsonrpc": "2.0", "id": id, "method": "shutdown"}))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with source.open("rb") as said, os.fdopen(reader, "rb") as heard:
        process = subprocess.Popen([sys.executable, "-m", "ccdash", "lsp"], env=shared.environ, stdin=said, stdout=writer)
        os.close(writer)
        header, _, body = heard.read().partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body)
        assert json.loads(body) == {"jsonrpc": "2.0", "id": id, "result": None}
        assert process.wait(PATIENCE) == 0


def test_all_is_written_to_a_pipe_that_takes_little() -> None:
    reader, writer = os.pipe()
    data = os.urandom(3 * MB)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"],
        stdin=reader,
        stdout=subprocess.PIPE,
    ) as process:
        os.close(reader)
        write_all(writer, data)
        os.close(writer)
        assert process.stdout is not None
        assert process.stdout.read() == data


def test_the_daemon_has_the_last_word() -> None:
    ours, theirs = socket.socketpair()
    (source, said), (heard, target) = os.pipe(), os.pipe()
    pumping = threading.Thread(target=pump_bytes, args=(ours, source, target))
    pumping.start()
    with ours, theirs, os.fdopen(heard, "rb") as answer:
        theirs.settimeout(PATIENCE)
        os.write(said, b"ask")
        os.close(said)
        assert b"".join(iter(lambda: theirs.recv(100), b"")) == b"ask"
        theirs.sendall(b"answer")
        theirs.close()
        pumping.join(PATIENCE)
        os.close(target)
        os.close(source)
        assert answer.read() == b"answer"
