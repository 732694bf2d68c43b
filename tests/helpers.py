"""What tests of the running daemon share: a blocking client, the daemon as a process, waiting for a condition."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ccdashd.paths import Paths, resolve

PATIENCE = 20.0
"""Seconds after which something that should happen counts as not happening."""


def wait_until(condition: Callable[[], Any], what: str = "the condition", timeout: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {timeout:g} s")
        time.sleep(0.005)
    return value


class RpcError(Exception):
    """An error response."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class Closed(Exception):
    """The daemon closed the connection."""


def framed(message: Any) -> bytes:
    """A message as it goes over the wire."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Client:
    """A blocking client that keeps what it is sent: answers by id, notifications in order."""

    def __init__(self, path: Path, timeout: float = PATIENCE) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(os.fspath(path))
        except OSError:
            self.socket.close()
            raise
        self.notifications: list[dict[str, Any]] = []
        self.answers: dict[Any, dict[str, Any]] = {}
        self._buffer = bytearray()
        self._next = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def request(self, method: str, params: Any = None) -> Any:
        """The result of a request. Raises `RpcError` or `Closed`."""
        return self.result(self.send(method, params))

    def send(self, method: str, params: Any = None, id: Any = None) -> Any:
        """Send a request; returns its id."""
        if id is None:
            self._next += 1
            id = self._next
        message = {"jsonrpc": "2.0", "id": id, "method": method}
        if params is not None:
            message["params"] = params
        self.raw(framed(message))
        return id

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self.raw(framed({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params})))

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def result(self, id: Any) -> Any:
        """Wait for the answer to `id`."""
        while id not in self.answers:
            self._take()
        answer = self.answers.pop(id)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def notification(self, method: str) -> Any:
        """Wait for the next notification of that method; returns its parameters."""
        while True:
            for index, message in enumerate(self.notifications):
                if message["method"] == method:
                    return self.notifications.pop(index)["params"]
            self._take()

    def message(self) -> dict[str, Any]:
        """The next message, whatever it is. Raises `Closed`."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._fill()
        length = int(self._buffer[:end].decode().lower().split("content-length:")[1])
        while len(self._buffer) < end + 4 + length:
            self._fill()
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        message: dict[str, Any] = json.loads(body)
        return message

    def _take(self) -> None:
        message = self.message()
        if "method" in message:
            self.notifications.append(message)
        else:
            self.answers[message["id"]] = message

    def _fill(self) -> None:
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        self._buffer += data


class Daemon:
    """``ccdashd serve`` as a process, with folders of its own below `folder`, which must be short for the socket."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.home = folder / "h"
        self.home.mkdir(exist_ok=True)
        runtime = folder / "r"
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(runtime),
            **(environ or {}),
        }
        self.paths: Paths = resolve(environ=self.environ)
        self.processes: list[subprocess.Popen[str]] = []

    @property
    def process(self) -> subprocess.Popen[str]:
        """The process that was started last."""
        return self.processes[-1]

    @property
    def log(self) -> str:
        """What is in the log file."""
        return self.paths.log_file.read_text() if self.paths.log_file.exists() else ""

    def spawn(self, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start ``ccdashd`` with these arguments; returns at once."""
        process = subprocess.Popen(
            [sys.executable, "-m", "ccdashd", *arguments],
            env={**self.environ, **(environ or {})},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Daemon:
        """Start it and wait until it answers."""
        self.spawn("serve", *arguments, environ=environ)
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until hello is answered."""
        with wait_until(self._connected, "the daemon's socket") as client:
            client.request("ccdash/hello", {"client": "test"})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``ccdashd`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "ccdashd", *arguments],
            env=self.environ,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def client(self, timeout: float = PATIENCE) -> Client:
        """A new connection."""
        return Client(self.paths.socket, timeout)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send the last process a signal and wait for its end; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End every process that was started here."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    def _connected(self) -> Client | None:
        if self.process.poll() is not None:
            _, errors = self.process.communicate()
            raise AssertionError(f"the daemon ended with {self.process.returncode}: {errors}{self.log}")
        try:
            return self.client()
        except (FileNotFoundError, ConnectionRefusedError):
            return None


@contextmanager
def file_system(point: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of its own at `point`, of that size; gives a function that mounts it anew with other options.

    Skips the test where this user may not mount one.
    """
    point.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", point], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("file systems can only be mounted by root")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", point], check=True)

    try:
        yield remount
    finally:
        subprocess.run(["umount", "-l", point], check=True)
