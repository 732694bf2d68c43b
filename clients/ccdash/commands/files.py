"""``ccdash files``: who touched a path."""

from __future__ import annotations

import argparse
import os

from ccdash.arguments import PAGE, absolute, positive
from ccdash.context import Context
from ccdash.figures import ago, short_id
from ccdash.parser import Handler
from ccdash.table import Column, draw
from ccdash.text import clean


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a file, absolute or from here; it need not exist any more")
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="at most N sessions (50)")


def run(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        params = {"path": absolute(args.path), "cwd": os.path.dirname(absolute(args.path)), "limit": min(args.limit, PAGE)}
        found = context.call(client, "files/context", params)
        if out.as_json:
            out.result(found)
            return
        touches = found["sessions"]
        if not touches:
            out.note(f"No session touched {clean(found['path'])}.")
            context.note_indexing(client)
            return
        columns = (
            Column("ID", style="cyan"),
            Column("PROJECT", flexible=True, drop=2, least=10),
            Column("TITLE", flexible=True, least=24),
            Column("READS", right=True, drop=1),
            Column("EDITS", right=True),
            Column("+", right=True, style="green"),
            Column("-", right=True, style="red"),
            Column("LAST", right=True),
        )
        rows = [
            (
                clean(short_id(touch["session"]["id"])),
                clean(touch["session"]["projectName"]),
                clean(touch["session"]["title"]) or "(no title)",
                str(touch["change"]["reads"]),
                str(touch["change"]["edits"]),
                str(touch["change"]["additions"]),
                str(touch["change"]["deletions"]),
                ago(touch["change"]["lastAt"] or touch["session"]["endedAt"]),
            )
            for touch in touches
        ]
        draw(out, columns, rows)
        if len(touches) < found["total"]:
            out.note(f"{len(touches):,} of {found['total']:,} sessions; `--limit` shows more.")
        context.note_indexing(client)


HANDLERS = {
    "files": Handler(
        configure,
        run,
        (
            "ccdash files src/app.py    # sessions that read or changed it, newest first",
            "ccdash files src/app.py --json | jq '.sessions[].session.id'",
        ),
    ),
}
