"""``ccdash export`` and ``import``: sessions, with all that hangs together with them, in a file for another machine."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.arguments import absolute, project_id, session_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.entities import within_argument
from ccdash.errors import CONFLICT, Error, RpcError, UsageError
from ccdash.figures import local, short_id, size
from ccdash.lookup import lookup
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import Column, draw, fields, heading
from ccdash.text import clean, sentences

_EDITS = ("link, tag or note", "links, tags and notes")

ACTIONS = {
    "added": "added",
    "same": "here already",
    "skipped": "skipped",
    "replaced": "replaced",
    "keptBoth": "kept beside the one here",
}
"""What became of a session, as people read it."""


def configure_export(parser: argparse.ArgumentParser) -> None:
    kinds = ("session", "feature", "project", "all")
    parser.add_argument("what", metavar="WHAT", choices=kinds, help="session, feature, project or all")
    parser.add_argument("id", metavar="ID", nargs="?", help="which one: its id or name, as `ccdash show` takes it")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the bundle to write, FILE.tar.zst")
    parser.add_argument("--redact", action="store_true", help="take out secrets, mail addresses and home folders")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    within_argument(parser)


def run_export(context: Context) -> int | None:
    args, out = context.args, context.out
    if (args.what == "all") != (args.id is None):
        raise UsageError(f"Name the {args.what} to export." if args.id is None else "`all` has no ID: leave it out.")
    params: dict[str, Any] = {"what": args.what, "path": absolute(args.output), "redact": args.redact}
    with context.connect() as client:
        if args.id is not None:
            params["id"] = _id(context, client)
        try:
            result = context.work_call(client, "archive/export", {**params, "replace": args.force}, label="Exporting")
        except RpcError as error:
            if error.code == CONFLICT:
                raise Error(f"{clean(params['path'])} is there already. --force replaces it.") from error
            raise
    if out.as_json:
        out.result(result)
    else:
        _tell_export(out, result)
    return 1 if result["problems"] else None


def _id(context: Context, client: Client) -> str:
    args = context.args
    if args.what == "session":
        return session_id(client, args.id)
    if args.what == "project":
        return project_id(client, args.id, path_in=True)
    return str(lookup(context, client, "features/get", id=args.id)["id"])


def _tell_export(out: Output, result: Mapping[str, Any]) -> None:
    parts = (
        _some(result["sessions"], "session"),
        _some(result["logs"], "log"),
        _some(result["documents"], "planning file"),
        _some(result["edits"], *_EDITS),
    )
    out.line(f"Wrote {clean(result['path'])} ({size(result['bytes'])}): {', '.join(parts)}.")
    redactions = result["redactions"]
    if redactions is not None:
        _tell_redactions(out, redactions)
    for problem in result["problems"]:
        out.note(f"Not in it: {sentences(clean(problem['part']) + ': ' + clean(problem['problem']))}")


def _tell_redactions(out: Output, redactions: Mapping[str, Any]) -> None:
    counts = redactions["counts"]
    if counts:
        heading(out, f"Taken out of {_some(redactions['files'], 'file')}")
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        fields(out, [(clean(kind), f"{number:,}") for kind, number in most])
    else:
        out.line("Nothing was found that had to be taken out.")
    out.note("What no rule knows is still in it, such as names of people: read it before you give it away.")


def configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a bundle that `ccdash export` wrote")
    parser.add_argument(
        "--conflict",
        choices=("skip", "replace", "keep-both"),
        default="skip",
        help="what to do with sessions that are here and hold something else (skip); logs of agents are never touched",
    )
    parser.add_argument("--dry-run", action="store_true", help="check all of it, and say what would be done")


def run_import(context: Context) -> None:
    args, out = context.args, context.out
    conflict = "keepBoth" if args.conflict == "keep-both" else args.conflict
    params = {"path": absolute(args.file), "conflict": conflict, "dryRun": args.dry_run}
    with context.connect() as client:
        result = context.work_call(client, "archive/import", params, label="Importing")
    if out.as_json:
        out.result(result)
    else:
        _tell_import(out, result, dry_run=args.dry_run)


def _tell_import(out: Output, result: Mapping[str, Any], *, dry_run: bool) -> None:
    redacted = ", redacted" if result["redacted"] else ""
    out.line(f"A bundle of {local(result['exportedAt'])} by ccdash {clean(result['fromVersion'])}{redacted}.")
    found = result["sessions"]
    counts = Counter(session["action"] for session in found)
    parts = [f"{counts[action]:,} {said}" for action, said in ACTIONS.items() if counts[action]]
    out.line(f"{_some(len(found), 'session')}: {', '.join(parts)}." if found else "It holds no session.")
    if result["edits"]:
        out.line(f"{_some(result['edits'], *_EDITS)} added.")
    if result["documents"]:
        stay = "stays" if result["documents"] == 1 else "stay"
        out.note(f"{_some(result['documents'], 'planning file')} {stay} in the bundle: `tar --zstd -xf` unpacks it.")
    _list(out, [session for session in found if session["action"] in ("skipped", "replaced", "keptBoth")])
    if counts["skipped"]:
        out.note("What is skipped is here with other content: --conflict replace, or keep-both, takes it in.")
    if dry_run:
        out.note("Nothing was changed: this was a dry run.")


def _list(out: Output, sessions: Sequence[Mapping[str, Any]]) -> None:
    if not sessions:
        return
    out.line()
    columns = (
        Column("ID", style="cyan"),
        Column("TITLE", flexible=True, least=20),
        Column("DONE"),
        Column("NEW ID", style="cyan"),
    )
    rows = [
        [short_id(s["id"]), clean(s["title"]), ACTIONS[s["action"]], short_id(s["newId"]) if s["newId"] else ""]
        for s in sessions
    ]
    draw(out, columns, rows)


def _some(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


HANDLERS = {
    "export": Handler(
        configure_export,
        run_export,
        (
            "ccdash export session 0f3c9d1e -o session.tar.zst",
            "ccdash export feature checkout -o c.tar.zst       # with its sessions, plans",
            "ccdash export project . -o shop.tar.zst --redact  # without secrets, addresses",
            "ccdash export all -o ~/backup/ccdash.tar.zst --force",
        ),
    ),
    "import": Handler(
        configure_import,
        run_import,
        (
            "ccdash import shop.tar.zst --dry-run  # check it, and say what would be done",
            "ccdash import shop.tar.zst",
            "ccdash import shop.tar.zst --conflict keep-both  # under an id of its own",
        ),
    ),
}
