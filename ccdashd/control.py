"""Talk to the running daemon from the command line: one request on a blocking socket, with the standard library alone."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any


class Unreachable(Exception):
    """No daemon answers at the socket; the message says why."""


class Refused(Exception):
    """The daemon answered with an error; the message is the daemon's."""


def request(path: Path, method: str, timeout: float) -> Any:
    """The result of `method`, asked at the socket `path`. Raises `Unreachable` or `Refused`."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(os.fspath(path))
            connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            answer = _read(connection)
    except TimeoutError as error:
        raise Unreachable(f"the daemon at {path} does not answer") from error
    except (OSError, ValueError) as error:
        raise Unreachable(f"no daemon answers at {path}: {getattr(error, 'strerror', None) or error}") from error
    if "error" in answer:
        raise Refused(str(answer["error"].get("message", "the daemon refused")))
    return answer.get("result")


def _read(connection: socket.socket) -> dict[str, Any]:
    with connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        body = stream.read(length)
    if not body or len(body) < length:
        raise ValueError("the connection was closed before the answer")
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no JSON-RPC message")
    return answer
