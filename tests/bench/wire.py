"""A bare client of the socket: frames in and out and nothing else, so that the daemon is what is measured."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from typing import Any

import msgspec

END = b"\r\n\r\n"


def frame(method: str, params: Any = None, number: int | None = 1) -> bytes:
    """A request as it goes over the wire, or a notification when `number` is None."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if number is not None:
        message["id"] = number
    if params is not None:
        message["params"] = params
    body = msgspec.json.encode(message)
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def cut(buffer: bytearray) -> bytes | None:
    """Take the first whole body out of `buffer`; None when it is not whole yet."""
    end = buffer.find(END)
    if end < 0:
        return None
    length = int(bytes(buffer[:end]).lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    begin = end + len(END)
    if len(buffer) < begin + length:
        return None
    body = bytes(buffer[begin : begin + length])
    del buffer[: begin + length]
    return body


class Wire:
    """One blocking connection."""

    def __init__(self, path: Path, timeout: float = 120.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self.buffer = bytearray()
        self.waiting: list[dict[str, Any]] = []
        """Notifications that came while an answer was awaited."""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def body(self, timeout: float | None = None) -> bytes | None:
        """The next message, or None after `timeout` seconds. Raises `ConnectionError` at the end of the stream."""
        until = None if timeout is None else time.perf_counter() + timeout
        while (whole := cut(self.buffer)) is None:
            if until is not None:
                ready, _, _ = select.select([self.socket], [], [], max(0.0, until - time.perf_counter()))
                if not ready:
                    return None
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the daemon closed the connection")
            self.buffer += data
        return whole

    def call(self, method: str, params: Any = None) -> Any:
        """The result of a request. Raises `RuntimeError` when the daemon answers with an error."""
        self.socket.sendall(frame(method, params))
        while True:
            body = self.body()
            assert body is not None
            answer = msgspec.json.decode(body)
            if "id" in answer:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.waiting.append(answer)

    def roundtrip(self, request: bytes) -> tuple[float, int]:
        """Seconds until the whole answer to a framed request was here, and its size in bytes."""
        began = time.perf_counter()
        self.socket.sendall(request)
        body = self.body()
        assert body is not None
        return time.perf_counter() - began, len(body)

    def notification(self, timeout: float) -> dict[str, Any] | None:
        """The next notification, or None after `timeout` seconds."""
        if self.waiting:
            return self.waiting.pop(0)
        body = self.body(timeout)
        return None if body is None else msgspec.json.decode(body)
