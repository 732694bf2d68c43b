"""A blocking client of the daemon's socket: frames, requests, notifications.

Uses the standard library alone, because the time to import it is felt in every command. Starting a daemon where none
runs is `ccdash.autostart`'s work:

    from ccdash import connect

    with connect() as client:
        page = client.request("sessions/list", {"limit": 10})
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ccdash import __version__
from ccdash.errors import ConnectionLost, NotTheProtocol, RpcError, Timeout

PROTOCOL = 1
"""The protocol this client speaks: the number in ``ccdashd/protocol/methods.py``, which costs too much to import."""

FRAME_MAX = 512 * 1024 * 1024
"""Longest answer in bytes that is taken; more than that is a fault, not an answer."""

HEADER_MAX = 8192
TICK = 0.1
"""Seconds between two calls of `Client.on_wait`."""


class Notification(NamedTuple):
    """A message that the daemon sent on its own."""

    method: str
    params: Any


class Client:
    """One connection. Not for use by several threads at a time.

    `on_wait`, when set, is called about every 0.1 s while an answer is awaited, with the seconds waited so far; and
    `on_notification` with each notification that arrives meanwhile, which then is not kept for `notifications`.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = bytearray()
        self._kept: deque[Notification] = deque()
        self._last_id = 0
        self.hello: dict[str, Any] = {}
        self.on_wait: Callable[[float], None] | None = None
        self.on_notification: Callable[[Notification], None] | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what still runs for it in the daemon is cancelled there."""
        self._socket.close()

    def detach(self) -> socket.socket:
        """The socket, for a caller who speaks on it from now on; the client is of no more use."""
        return self._socket

    def request(self, method: str, params: Any = None, *, timeout: float | None = 60.0) -> Any:
        """Send a request and return its result.

        `timeout` is in seconds, None waits for ever. Raises `RpcError`, `Timeout`, `ConnectionLost`.
        """
        self._last_id += 1
        number = self._last_id
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": method}
        if params is not None:
            message["params"] = params
        self._send(message)
        started = time.monotonic()
        while True:
            try:
                answer = self._receive(started, timeout)
            except Timeout:
                self.notify("$/cancelRequest", {"id": number})
                raise Timeout(
                    f"The daemon did not answer {method} within {timeout:g} s. Try again, or see `ccdash status`."
                ) from None
            if "method" in answer:
                self._take(answer)
            elif answer.get("id") in (number, None):
                # A frame that the daemon could not read is answered with id null. Any other id is an answer that came
                # too late.
                return _result(answer)

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification, which has no answer. Raises `ConnectionLost`."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        self._send(message)

    def notifications(self, timeout: float | None = None) -> Iterator[Notification]:
        """Yield notifications as they come; end when none came for `timeout` seconds. Raises `ConnectionLost`."""
        while True:
            while self._kept:
                yield self._kept.popleft()
            try:
                message = self._receive(time.monotonic(), timeout)
            except Timeout:
                return
            if "method" in message:
                yield Notification(message["method"], message.get("params"))

    def wait_closed(self, timeout: float) -> bool:
        """Read until the daemon closes the connection; False when it did not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with suppress(ConnectionLost):
            for _ in self.notifications(timeout):
                if time.monotonic() > deadline:
                    return False
            return False
        return True

    def say_hello(self, cwd: str | None, timeout: float) -> dict[str, Any]:
        """Introduce this client and keep what the daemon says of itself in `hello`."""
        who = {"client": "ccdash", "version": __version__, "protocol": PROTOCOL, "cwd": cwd}
        answer = self.request("ccdash/hello", who, timeout=timeout)
        if not isinstance(answer, dict):
            raise NotTheProtocol("What answers on the socket is no ccdash daemon.")
        self.hello = answer
        return answer

    def _take(self, message: dict[str, Any]) -> None:
        notification = Notification(message["method"], message.get("params"))
        if self.on_notification is not None:
            self.on_notification(notification)
        else:
            self._kept.append(notification)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message, separators=(",", ":")).encode()
        try:
            self._socket.settimeout(None)
            self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        except OSError as error:
            raise _lost(error) from error

    def _receive(self, started: float, timeout: float | None) -> dict[str, Any]:
        """The next message. A frame that is cut by a time-out stays in the buffer and is finished by the next call."""
        while (message := self._parse()) is None:
            waited = time.monotonic() - started
            left = TICK if timeout is None else min(TICK, timeout - waited)
            if left <= 0:
                raise Timeout("No message came in time.")
            self._socket.settimeout(left)
            try:
                chunk = self._socket.recv(1 << 20)
            except TimeoutError:
                if self.on_wait is not None:
                    self.on_wait(time.monotonic() - started)
                continue
            except OSError as error:
                raise _lost(error) from error
            if not chunk:
                raise ConnectionLost("The daemon closed the connection. Run the command again; it starts a new one.")
            self._buffer += chunk
        return message

    def _parse(self) -> dict[str, Any] | None:
        """Take one whole frame off the buffer; None when there is none yet."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEADER_MAX:
                raise NotTheProtocol("What answers on the socket is no ccdash daemon: its header has no end.")
            return None
        length = _content_length(bytes(self._buffer[:end]))
        stop = end + 4 + length
        if len(self._buffer) < stop:
            return None
        body = bytes(self._buffer[end + 4 : stop])
        del self._buffer[:stop]
        try:
            message = json.loads(body)
        except ValueError as error:
            raise NotTheProtocol("The daemon sent a frame that is not JSON.") from error
        if not isinstance(message, dict):
            raise NotTheProtocol("The daemon sent a frame that is not a JSON-RPC message.")
        return message


def dial(path: Path, timeout: float) -> Client:
    """Connect to the socket at `path`. Raises OSError when nobody listens there."""
    connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connecting.settimeout(timeout)
        connecting.connect(str(path))
    except BaseException:
        connecting.close()
        raise
    return Client(connecting)


def _content_length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
            if length > FRAME_MAX:
                raise NotTheProtocol(f"The daemon announced a frame of {length} bytes; at most {FRAME_MAX} are taken.")
            return length
    raise NotTheProtocol("What answers on the socket is no ccdash daemon: a header lacks Content-Length.")


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        error = {"message": str(error)}
    raise RpcError(int(error.get("code", -32603)), str(error.get("message", "unknown error")), error.get("data"))


def _lost(error: OSError) -> ConnectionLost:
    reason = error.strerror or str(error)
    return ConnectionLost(f"The connection to the daemon broke ({reason}). Run the command again.")
