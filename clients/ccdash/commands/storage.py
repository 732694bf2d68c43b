"""``ccdash storage``: what all that is ccdash's takes on disk."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.analytics_tables import Filled, with_bars
from ccdash.context import Context
from ccdash.figures import NOTHING, size
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import Column, draw, fields, heading
from ccdash.text import clean

SHOWN = 12
"""Tables and projects that are shown unless all are wanted."""

PARTS = {
    "cache": "cache of sessions and plans",
    "text": "index of texts",
    "archive": "copies of logs",
    "journal": "journal of what you said",
    "backups": "backups",
    "logs": "logs of the daemon",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help=f"all tables and projects, not the largest {SHOWN} only")


def run(context: Context) -> None:
    out = context.out
    with context.connect() as client:
        result = context.long_call(client, "cache/storage", label="Measuring")
    if out.as_json:
        out.result(result)
        return
    named = [{**part, "name": PARTS.get(part["name"], part["name"])} for part in result["parts"]]
    _draw(out, "PART", named, "files")
    for title, name, count in (("Tables", "tables", "rows"), ("Copies by project", "projects", "files")):
        items = sorted(result[name], key=lambda part: -part["bytes"])
        if not items:
            continue
        heading(out, title)
        shown = items if context.args.all else items[:SHOWN]
        _draw(out, title.partition(" ")[0].upper().rstrip("S"), shown, count)
        if len(shown) < len(items):
            out.note(f"{len(items) - len(shown):,} more; `ccdash storage --all` shows them.")
    out.line()
    fields(
        out,
        [
            ("in all", size(result["total"])),
            ("agents' logs", size(result["sources"])),
            ("free inside", f"{size(result['reclaimable'])}; `ccdash vacuum` gives it back"),
        ],
    )


def _draw(out: Output, title: str, items: Sequence[Mapping[str, Any]], counted: str) -> None:
    numbers = [part["bytes"] for part in items]
    filled: list[Filled] = [
        (Column(title, flexible=True, least=12), [clean(part["name"]) for part in items]),
        (Column("SIZE", right=True), [size(number) for number in numbers]),
        (
            Column(counted.upper(), right=True, drop=1),
            [f"{part[counted]:,}" if part[counted] else NOTHING for part in items],
        ),
    ]
    filled = with_bars(out, filled, numbers)
    draw(out, [column for column, _ in filled], list(zip(*(cells for _, cells in filled), strict=True)))


HANDLERS = {
    "storage": Handler(
        configure,
        run,
        (
            "ccdash storage",
            "ccdash storage --all                     # every table and project",
            "ccdash storage --json | jq .reclaimable",
        ),
    ),
}
