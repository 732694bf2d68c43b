"""``ccdash rpc``: any method of the wire, for scripts and for those who look how it works."""

from __future__ import annotations

import argparse
import json
import sys

from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.parser import Handler


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", metavar="METHOD", help="such as sessions/list; docs/protocol.md lists all")
    parser.add_argument("params", metavar="JSON", nargs="?", help="parameters as a JSON object; `-` reads standard input")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds to wait; by default as long as it takes")


def run(context: Context) -> None:
    args = context.args
    text = sys.stdin.read() if args.params == "-" else args.params
    params = None
    if text is not None and text.strip():
        try:
            params = json.loads(text)
        except ValueError as error:
            raise UsageError(f"The parameters are not JSON: {error}.") from error
    with context.connect() as client:
        context.out.result(context.call(client, args.method, params, timeout=args.timeout))


HANDLERS = {
    "rpc": Handler(
        configure,
        run,
        (
            "ccdash rpc ccdash/status",
            """ccdash rpc sessions/list '{"limit": 5, "sort": "tokens"}'""",
            """echo '{"id": "0f3c9d1e"}' | ccdash rpc sessions/get - | jq .tokens""",
        ),
    ),
}
