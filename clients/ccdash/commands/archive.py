"""``ccdash archive``: copies of logs, which stay when an agent deletes its own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ccdash.arguments import project_id, session_id
from ccdash.context import Context
from ccdash.figures import NOTHING, ago, duration, short_id, size
from ccdash.lists import number_told, page_arguments, wanted_page
from ccdash.output import Output
from ccdash.parser import Handler, shared
from ccdash.table import Column, draw, fields
from ccdash.text import clean, sentences


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", description="by default: status")
    actions.add_parser("status", help="what the archive holds, and what waits to be copied")
    now = actions.add_parser("run", help="copy what has been quiet for a while now")
    now.add_argument("--all", action="store_true", help="also what is being written")
    now.add_argument("--session", metavar="ID", nargs="+", help="only these sessions, also when they are being written")
    listed = actions.add_parser("list", help="list logs that there are copies of, the newest first")
    listed.add_argument("--project", metavar="P", help="of a project: its name, id, or a path in it")
    gone = listed.add_mutually_exclusive_group()
    gone.add_argument("--gone", action="store_true", help="only logs that the agent deleted")
    gone.add_argument("--there", action="store_true", help="only logs that are still there")
    page_arguments(listed)
    restore = actions.add_parser("restore", help="write the logs of a session, and of its sub-agents, into a folder")
    restore.add_argument("session", metavar="ID", help="id of the session, or a start of it that fits no other")
    restore.add_argument("folder", metavar="FOLDER", help="where to; no file in it is replaced")
    for below in actions.choices.values():
        shared(below)


def run(context: Context) -> int | None:
    actions = {None: _status, "status": _status, "run": _run, "list": _list, "restore": _restore}
    return actions[context.args.action](context)


def _status(context: Context) -> None:
    out = context.out
    with context.connect() as client:
        status = context.call(client, "archive/status")
    if out.as_json:
        out.result(status)
        return
    held = f"{_logs(status['logs'])}, {size(status['sourceBytes'])}"
    if status["sourceBytes"]:
        held += f", in {size(status['storedBytes'])} ({status['storedBytes'] / status['sourceBytes']:.1%})"
    pairs = [
        ("folder", clean(status["folder"])),
        ("holds", held),
        ("only copy", f"of {_logs(status['onlyCopies'])}: deleted by the agent, or rewritten since"),
        ("waits", f"{_logs(status['waitingLogs'])}, {size(status['waitingBytes'])}"),
    ]
    if status["excludedLogs"]:
        pairs.append(("kept out", f"{_logs(status['excludedLogs'])}, by the settings or since they were pruned"))
    pairs.append(("last run", f"{ago(status['lastRunAt'])}" if status["lastRunAt"] else "none since the daemon started"))
    fields(out, pairs)
    if status["running"]:
        out.note("Logs are being copied now.")
    if status["problem"]:
        out.note(sentences("It does not go well", clean(status["problem"])))
    if not status["enabled"]:
        out.note("Nothing is copied by itself: the setting `archive` is off.")


def _run(context: Context) -> int | None:
    args, out = context.args, context.out
    with context.connect() as client:
        params: dict[str, Any] = {"all": args.all}
        if args.session:
            params["sessions"] = [session_id(client, id) for id in args.session]
        result = context.work_call(client, "archive/run", params, label="Copying logs")
    if out.as_json:
        out.result(result)
    else:
        if result["logs"]:
            told = f"{size(result['sourceBytes'])} in {size(result['storedBytes'])}, in {duration(result['seconds'])}"
            out.line(f"Copied {_logs(result['logs'])}: {told}.")
        else:
            out.line("Nothing was to be copied.")
        _problems(out, result)
    return 1 if result["problems"] else None


def _problems(out: Output, result: Mapping[str, Any]) -> None:
    for problem in result["problems"]:
        said = f"{clean(problem['part'])}: {clean(problem['problem'])}"
        out.note(sentences(said, clean(problem["hint"])))


def _list(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        params: dict[str, Any] = {}
        if args.project:
            params["project"] = project_id(client, args.project, path_in=True)
        if args.gone or args.there:
            params["gone"] = args.gone
        page = wanted_page(context, client, "archive/list", params)
    if out.as_json:
        out.result(page)
        return
    columns = (
        Column("SESSION", style="cyan"),
        Column("PROJECT", flexible=True, least=8, drop=4),
        Column("TITLE", flexible=True, least=20, drop=5),
        Column("CHANGED", right=True, style="dim", drop=3),
        Column("LOG", style=lambda cell: "" if cell == "there" else "yellow"),
        Column("VERSIONS", right=True, drop=1),
        Column("SIZE", right=True),
        Column("ON DISK", right=True, drop=2),
    )
    rows = [
        (
            clean(short_id(log["sessionId"])) if log["sessionId"] else NOTHING,
            clean(log["project"] or NOTHING),
            clean(log["title"] or os.path.basename(log["path"])),
            ago(log["modifiedAt"]),
            "gone" if log["gone"] else "there",
            f"{log['versions']:,}",
            size(log["size"]),
            size(log["storedBytes"]),
        )
        for log in page["items"]
    ]
    if rows:
        draw(out, columns, rows)
    if said := number_told(page, ("copy of a log", "copies of logs"), filtered=bool(params)):
        out.note(f"{said}.")


def _restore(context: Context) -> None:
    args, out = context.args, context.out
    folder = os.path.abspath(os.path.expanduser(args.folder))
    with context.connect() as client:
        params = {"session": session_id(client, args.session), "folder": folder}
        result = context.work_call(client, "archive/restore", params, label="Writing logs")
    if out.as_json:
        out.result(result)
        return
    for path in result["paths"]:
        out.line(clean(path))
    out.note(f"{size(result['bytes'])} were written.")


def _logs(number: int) -> str:
    return f"{number:,} {'log' if number == 1 else 'logs'}"


HANDLERS = {
    "archive": Handler(
        configure,
        run,
        (
            "ccdash archive                           # what it holds, and what waits",
            "ccdash archive run                       # copy what is quiet, now",
            "ccdash archive run --session 0f3c        # one, also while it is written",
            "ccdash archive list --gone               # where the copy is all there is",
            "ccdash archive list --project shop --json | jq '.items[].path'",
            "ccdash archive restore 0f3c ~/restored   # its logs, as they were",
        ),
    ),
}
