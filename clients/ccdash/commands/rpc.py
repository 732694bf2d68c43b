"""``ccdash rpc``: any method of the wire, for scripts and for those who look how it works."""

from __future__ import annotations

import argparse
import json
import sys

from ccdash.arguments import seconds
from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.figures import NOTHING
from ccdash.parser import Handler
from ccdash.table import Column, draw


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", metavar="METHOD", nargs="?", help="such as sessions/list; without it, all are listed")
    parser.add_argument("params", metavar="JSON", nargs="?", help="parameters as a JSON object; `-` reads standard input")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="seconds to wait; by default as long as it takes")


def run(context: Context) -> None:
    args = context.args
    if args.method is None:
        _list(context)
        return
    text = sys.stdin.read() if args.params == "-" else args.params
    params = None
    if text is not None and text.strip():
        try:
            params = json.loads(text)
        except ValueError as error:
            raise UsageError(f"The parameters are not JSON: {error}.") from error
    with context.connect() as client:
        context.out.result(context.call(client, args.method, params, timeout=args.timeout))


def _list(context: Context) -> None:
    """The methods of the daemon that is installed with this command; their table is loaded for nothing else."""
    from msgspec.structs import fields

    from ccdashd.protocol.methods import METHODS

    takes = {
        name: [field.encode_name if field.required else f"[{field.encode_name}]" for field in fields(method.params)]
        for name, method in METHODS.items()
    }
    if context.out.as_json:
        listed = [{"name": method.name, "takes": takes[method.name], "doc": method.doc} for method in METHODS.values()]
        context.out.result(listed)
        return
    columns = (
        Column("METHOD", style="cyan"),
        Column("TAKES", flexible=True, drop=1),
        Column("WHAT IT DOES", flexible=True, least=44),
    )
    draw(context.out, columns, [(name, ", ".join(takes[name]) or NOTHING, METHODS[name].doc) for name in METHODS])
    context.out.note("In [ ] is what may be left out. The page docs/protocol.md of the sources tells all.")


HANDLERS = {
    "rpc": Handler(
        configure,
        run,
        (
            "ccdash rpc    # the methods that there are",
            "ccdash rpc ccdash/status",
            """ccdash rpc sessions/list '{"limit": 5, "sort": "tokens"}'""",
            """echo '{"id": "0f3c9d1e"}' | ccdash rpc sessions/get - | jq .tokens""",
        ),
    ),
}
