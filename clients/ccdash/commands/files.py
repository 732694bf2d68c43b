"""``ccdash files``: who touched a path, and which plans speak of it."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ccdash.arguments import PAGE, absolute, positive
from ccdash.context import Context
from ccdash.figures import ago, short_id
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.plan_figures import status_style
from ccdash.plan_tables import draw_documents, draw_features, draw_tasks
from ccdash.table import Column, draw
from ccdash.text import clean


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a file, absolute or from here; it need not exist any more")
    parser.add_argument(
        "--limit",
        type=positive,
        default=50,
        metavar="N",
        help=f"at most N sessions, planning files and tasks each (50; {PAGE} is the most)",
    )


def run(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        params = {"path": absolute(args.path), "cwd": os.path.dirname(absolute(args.path)), "limit": min(args.limit, PAGE)}
        found = context.call(client, "files/context", params)
        if out.as_json:
            out.result(found)
            return
        if not _write(out, found):
            out.note(f"No session touched {clean(found['path'])}, and no plan speaks of it.")
        elif len(found["sessions"]) < found["total"]:
            more = "; `--limit` shows more" if args.limit < PAGE else ""
            out.note(f"{len(found['sessions']):,} of {found['total']:,} sessions{more}.")
        context.note_indexing(client)


def _write(out: Output, found: dict[str, Any]) -> bool:
    """Write what is known of a path, below headings where that is of several kinds; False where it is nothing."""
    own = found["document"]
    if own is not None:
        status = f", {out.paint(own['status'], status_style(own['status']))}" if own["status"] else ""
        out.line(
            f"A planning file of {clean(own['projectName'])}: {clean(own['title'])} ({clean(own['docType'])}{status})."
        )
    tables = (
        ("Sessions", found["sessions"], draw_touches),
        ("Features", found["features"], draw_features),
        ("Planning files that name it", found["documents"], draw_documents),
        ("Tasks" if own is not None else "Tasks that name it", found["tasks"], draw_tasks),
    )
    written = [(title, rows, draw_rows) for title, rows, draw_rows in tables if rows]
    for number, (title, rows, draw_rows) in enumerate(written):
        if number or own is not None:
            out.line()
        if [shown for shown, _, _ in written] != ["Sessions"]:
            out.line(out.paint(title, "bold"))
        draw_rows(out, rows)
    return bool(written or own)


def draw_touches(out: Output, touches: list[dict[str, Any]]) -> None:
    """Write sessions with what each did to one path."""
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


HANDLERS = {
    "files": Handler(
        configure,
        run,
        (
            "ccdash files src/app.py    # sessions that touched it, plans that name it",
            "ccdash files src/app.py --json | jq '.sessions[].session.id'",
        ),
    ),
}
