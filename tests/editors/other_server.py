"""A language server with nothing but hovers, to see how others get along with it: ``python other_server.py``."""

from __future__ import annotations

import json
import sys
from typing import Any

HOVER = "What the other server knows."


def main() -> None:
    while header := sys.stdin.buffer.readline():
        length = int(header.split(b":")[1])
        sys.stdin.buffer.readline()
        message = json.loads(sys.stdin.buffer.read(length))
        if message.get("method") == "exit":
            return
        if "id" in message and "method" in message:
            answer(message["id"], message["method"])


def answer(id: Any, method: str) -> None:
    results = {
        "initialize": {"capabilities": {"hoverProvider": True}},
        "textDocument/hover": {"contents": {"kind": "plaintext", "value": HOVER}},
    }
    body = json.dumps({"jsonrpc": "2.0", "id": id, "result": results.get(method)}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
