"""A daemon for tests: a real socket, hand-written answers; for what a healthy daemon never says."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ccdash.client import PROTOCOL
from tests.protocol.samples import RESULTS

Answer = Callable[[dict[str, Any]], Any]


class Failure(Exception):
    """Answer with this error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


class Raw(Exception):
    """Send these bytes in place of an answer, then close."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data


class Silence(Exception):
    """Do not answer."""


def frame(message: Any) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class FakeDaemon:
    """Answers each method with its sample, or with what `answers` has for it; keeps what was asked.

    A value in `answers` is a result, or a function of the parameters that returns one or raises `Failure`, `Raw`,
    `Silence`. `before` holds notifications that are sent before the answer of a method, `after` those that follow it.
    """

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, Any] = {name: json.loads(msgspec.json.encode(result)) for name, result in RESULTS.items()}
        self.answers["ccdash/hello"] |= {"protocol": PROTOCOL, "indexing": {"phase": "idle", "complete": True}}
        self.asked: list[tuple[str, Any]] = []
        self.before: dict[str, list[tuple[str, Any]]] = {}
        self.after: dict[str, list[tuple[str, Any]]] = {}
        self.unlink_at_shutdown = False
        self.close_after = "ccdash/shutdown"
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def params(self, method: str) -> Any:
        """The parameters of the last request of that method."""
        return next(params for name, params in reversed(self.asked) if name == method)

    def methods(self) -> list[str]:
        return [name for name, _ in self.asked]

    def close(self) -> None:
        # Closing alone does not wake an accept() that waits.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join()

    def _accept(self) -> None:
        workers = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self._open.append(connection)
            workers.append(threading.Thread(target=self._serve, args=(connection,)))
            workers[-1].start()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            try:
                while header := stream.readline():
                    length = int(header.split(b":")[1])
                    stream.readline()
                    self._answer(stream, json.loads(stream.read(length)))
            except (OSError, ValueError, Raw):
                return

    def _answer(self, stream: Any, message: dict[str, Any]) -> None:
        method, params = message["method"], message.get("params")
        self.asked.append((method, params))
        if "id" not in message:
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        for name, said in self.before.get(method, []):
            stream.write(frame({"jsonrpc": "2.0", "method": name, "params": said}))
        try:
            result = self.answers[method]
            answer["result"] = result(params or {}) if callable(result) else result
        except KeyError:
            answer["error"] = {"code": -32601, "message": f"no method {method!r}"}
        except Failure as failure:
            answer["error"] = failure.error
        except Silence:
            return
        except Raw as raw:
            stream.write(raw.data)
            stream.flush()
            raise
        stream.write(frame(answer))
        for name, said in self.after.get(method, []):
            stream.write(frame({"jsonrpc": "2.0", "method": name, "params": said}))
        stream.flush()
        if method == "ccdash/shutdown" and self.unlink_at_shutdown:
            self._path.unlink()
        if method == self.close_after:
            raise Raw(b"")
