"""``ccdash metrics``: all metrics in Prometheus' text format, for a look or for node exporter; or what metrics mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import Error, UsageError
from ccdash.export import replace
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import fields
from ccdash.text import clean, clean_lines

MODE = 0o644
"""Of the file: node exporter runs as a user of its own."""


def configure(parser: argparse.ArgumentParser) -> None:
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--output",
        metavar="FILE.prom",
        help="write to FILE.prom, whole or not at all, for the textfile collector of node exporter; every user of this "
        "machine may read it, as the collector is another user",
    )
    forms.add_argument("--list", action="store_true", help="say what each metric of the other commands means, exactly")


def run(context: Context) -> None:
    args, out = context.args, context.out
    if args.output is not None and not args.output.endswith(".prom"):
        raise UsageError(
            f"{clean(args.output)} does not end in .prom, so that no textfile collector would read it. "
            "`ccdash metrics > FILE` writes to any file."
        )
    with context.connect() as client:
        if args.list:
            _list(context, client)
            return
        told = context.call(client, "analytics/prometheus")
    if args.output is not None:
        _write(out, Path(args.output).expanduser(), told["text"])
    elif out.as_json:
        out.result(told)
    else:
        out.stream.write(clean_lines(told["text"]))


def _list(context: Context, client: Client) -> None:
    out, registry = context.out, context.call(client, "analytics/metrics")
    if out.as_json:
        out.result(registry)
        return
    for number, metric in enumerate(registry["items"]):
        if number:
            out.line()
        _describe(out, metric)


def _describe(out: Output, metric: dict[str, Any]) -> None:
    """Write what a metric is."""
    out.line(f"{out.paint(clean(metric['id']), 'bold')}  {clean(metric['description'])}")
    fields(
        out,
        [
            ("  unit", f"{clean(metric['unit'])}, {clean(metric['kind'])}, {clean(metric['aggregation'])}"),
            ("  exactly", clean(metric["definition"])),
            ("  by", ", ".join(map(clean, metric["dimensions"]))),
            ("  also called", ", ".join(map(clean, metric["aliases"]))),
        ],
    )


def _write(out: Output, path: Path, text: str) -> None:
    try:
        replace(path, text.encode())
        path.chmod(MODE)
    except OSError as error:
        raise Error(f"{clean(path)} cannot be written: {error.strerror or error}.") from error
    if out.as_json:
        out.result({"path": str(path), "bytes": len(text.encode())})
    else:
        out.note(f"Wrote {text.count(chr(10)):,} lines to {clean(path)}.")


HANDLERS = {
    "metrics": Handler(
        configure,
        run,
        (
            "ccdash metrics | grep cost",
            "ccdash metrics --output ~/node-exporter/ccdash.prom   # for a timer",
            "ccdash metrics --list    # what each metric of `ccdash trends` means",
        ),
    ),
}
