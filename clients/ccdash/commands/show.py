"""``ccdash show``: one session, as overview or as one of its lists."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ccdash.arguments import PAGE, session_id
from ccdash.blobs import references, save
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.overview import overview
from ccdash.parser import Handler
from ccdash.rendered import FORMATS, render
from ccdash.session_tables import draw_branches, draw_calls, draw_files, draw_thread, draw_usage
from ccdash.transcripts import Writer, whole_text


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the session's id, or a start of it that fits no other")
    view = parser.add_mutually_exclusive_group()
    view.add_argument("--transcript", action="store_true", help="everything that was said and done, in order")
    view.add_argument("--tools", action="store_true", help="every tool call with status and time")
    view.add_argument("--files", action="store_true", help="every file that was read or changed")
    view.add_argument("--thread", action="store_true", help="parent, sub-agents, forks and origin")
    view.add_argument("--branches", action="store_true", help="where you went back in it, and compactions")
    view.add_argument("--blob", metavar="REF", help="bytes of an image, by the reference in the transcript")
    view.add_argument(
        "--format", choices=tuple(FORMATS), help="the whole transcript as a document: Markdown, a page of HTML, or JSON"
    )
    parser.add_argument("--branch", metavar="ID", help="of the transcript what leads to the end of this branch, or current")
    parser.add_argument("--subagents", action="store_true", help="with transcripts of sub-agents, behind their calls")
    parser.add_argument(
        "--redact", action="store_true", help="take secrets, mail addresses and home folders out of --format"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write a blob or document; else standard output")
    parser.add_argument("--force", action="store_true", help="replace the document that is there")
    parser.add_argument("--full", action="store_true", help="cut nothing: whole texts, whole lists")


def run(context: Context) -> None:
    args = context.args
    _check(args)
    with context.connect() as client:
        identifier = session_id(client, args.id)
        if args.transcript:
            _transcript(context, client, identifier)
        elif args.tools:
            _tools(context, client, identifier)
        elif args.files:
            _files(context, client, identifier)
        elif args.thread:
            _thread(context, client, identifier)
        elif args.branches:
            _branches(context, client, identifier)
        elif args.format is not None:
            render(context, client, identifier)
        elif args.blob is not None:
            save(context, client, identifier, args.blob, args.output)
        else:
            session = context.call(client, "sessions/get", {"id": identifier})
            if context.out.as_json:
                context.out.result(session)
                return
            identifier = session["id"]
            tools = context.call(client, "sessions/tools", {"id": identifier, "limit": 1})["usage"]
            files = context.call(client, "sessions/files", {"id": identifier})["items"]
            thread = context.call(client, "sessions/thread", {"id": identifier})["nodes"]
            overview(context.out, session, tools, files, thread, full=args.full)


def _check(args: argparse.Namespace) -> None:
    if args.branch is not None and not args.transcript:
        raise UsageError("--branch says which transcript: give --transcript too.")
    if args.subagents and not (args.transcript or args.format):
        raise UsageError("--subagents says which transcript: give --transcript or --format too.")
    if args.output is not None and args.blob is None and args.format is None:
        raise UsageError("-o is for what --blob names, and for a document of --format.")
    if (args.redact or args.force) and args.format is None:
        raise UsageError("--redact and --force are for a document: give --format too.")
    if args.format is not None and args.json:
        raise UsageError("A document has its own format: `--format json` for JSON.")


def _transcript(context: Context, client: Client, identifier: str) -> None:
    out, args = context.out, context.args
    ask = {"id": identifier, "limit": PAGE}
    if args.branch is not None:
        ask["branch"] = args.branch
    if args.subagents:
        ask["subagents"] = True
    first = context.call(client, "sessions/transcript", {**ask, "start": 0})
    items = (item for chunk in _chunks(context, client, ask, first) for item in chunk["items"])
    if args.full:
        items = (whole_text(client, item["sessionId"], item) for item in items)
    if out.as_json:
        shown = [{**item, "blobs": references(client, item)} if item["hasBlobs"] else item for item in items]
        out.result({**first, "items": shown, "next": None})
        return
    writer = Writer(out, full=args.full)
    for entry in items:
        writer.write(entry, references(client, entry))
    if not first["items"]:
        out.note("This session has no entries.")


def _chunks(context: Context, client: Client, ask: dict[str, Any], chunk: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield chunk
    while chunk["next"] is not None and chunk["items"]:
        chunk = context.call(client, "sessions/transcript", {**ask, "id": chunk["sessionId"], "start": chunk["next"]})
        yield chunk


def _branches(context: Context, client: Client, identifier: str) -> None:
    out = context.out
    result = context.call(client, "sessions/branches", {"id": identifier})
    if out.as_json:
        out.result(result)
    elif result["items"]:
        draw_branches(out, result["items"])
        out.note(f"`ccdash show {identifier} --transcript --branch ID` shows what leads to the end of one.")
    else:
        out.note("This session has no entries.")


def _tools(context: Context, client: Client, identifier: str) -> None:
    out = context.out
    result = context.call(client, "sessions/tools", {"id": identifier, "limit": PAGE})
    calls = result["calls"]
    if len(calls["items"]) < calls["total"]:
        items = calls["items"]
        while len(items) < calls["total"]:
            ask = {"id": identifier, "limit": PAGE, "offset": len(items)}
            more = context.call(client, "sessions/tools", ask)["calls"]["items"]
            if not more:
                break
            items += more
        result = {**result, "calls": {**calls, "items": items, "limit": len(items), "nextCursor": None}}
    if out.as_json:
        out.result(result)
        return
    if not result["usage"]:
        out.note("This session called no tool.")
        return
    draw_usage(out, result["usage"])
    out.line()
    draw_calls(out, result["calls"]["items"], full=context.args.full)


def _files(context: Context, client: Client, identifier: str) -> None:
    out = context.out
    result = context.call(client, "sessions/files", {"id": identifier})
    if out.as_json:
        out.result(result)
    elif result["items"]:
        draw_files(out, result["items"])
    else:
        out.note("This session touched no file.")


def _thread(context: Context, client: Client, identifier: str) -> None:
    out = context.out
    result = context.call(client, "sessions/thread", {"id": identifier})
    if out.as_json:
        out.result(result)
        return
    draw_thread(out, result["nodes"])


HANDLERS = {
    "show": Handler(
        configure,
        run,
        (
            "ccdash show 0f3c9d1e                      # figures, tools, files, relatives",
            "ccdash show 0f3c9d1e --transcript         # what was said and done",
            "ccdash show 0f3c9d1e --transcript --full  # the same with nothing cut",
            "ccdash show 0f3c9d1e --transcript --branch current --subagents",
            "ccdash show 0f3c9d1e --format html --subagents --redact -o session.html",
            "ccdash show 0f3c9d1e --blob a1b2c3-4096.0 -o screenshot.png",
            "ccdash show 0f3c9d1e/agent-1a2b --tools   # tool calls of a sub-agent",
            "ccdash show 0f3c9d1e --json | jq .tokens",
        ),
    ),
}
