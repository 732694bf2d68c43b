"""``ccdash prune`` and ``retention``: which of ccdash's own copies of sessions go, and what went."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash import policies
from ccdash.arguments import session_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.figures import NOTHING, ago, local, short_id, size
from ccdash.lists import number_told, page_arguments, wanted_page
from ccdash.output import Output
from ccdash.parser import Handler, shared
from ccdash.table import Column, draw
from ccdash.text import clean, sentences

KEPT = {
    "keep": ("it is tagged keep", "they are tagged keep"),
    "active": ("it is being written", "they are being written"),
    "linked": ("it is linked, so that others go in its place", "they are linked, so that others go in their place"),
    "uncopied": ("there is no copy of it that could go", "there are no copies of them that could go"),
}
"""Why sessions over a limit stay: what is said of one, and of many."""


def configure(parser: argparse.ArgumentParser) -> None:
    policies.arguments(parser)
    parser.add_argument("--session", metavar="ID", nargs="+", help="these sessions and no others, whatever the limits")
    how = parser.add_argument_group("what to do")
    how.add_argument("--apply", action="store_true", help="delete what is listed; asks before")
    how.add_argument("--yes", action="store_true", help="delete without asking")
    how.add_argument("--history", action="store_true", help="list what went, the newest first")
    page_arguments(parser)


def run(context: Context) -> int | None:
    args = context.args
    limited = policies.is_given(args)
    if args.session and limited:
        raise UsageError("Give sessions or limits, not both.")
    if args.history and (args.session or limited or args.apply or args.yes):
        raise UsageError("--history only lists; `ccdash prune --history --limit 10`.")
    with context.connect() as client:
        if args.history:
            _history(context, client)
            return None
        params: dict[str, Any] = {}
        if args.session:
            params["sessions"] = [session_id(client, id) for id in args.session]
        elif limited:
            params["policy"] = policies.read(args, client)
        elif not client.request("retention/get")["items"]:
            raise UsageError(
                "No policy is set. Give a limit: `ccdash prune --older-than 90d`; or set one with `ccdash retention`."
            )
        return _prune(context, client, params)


def _prune(context: Context, client: Client, params: dict[str, Any]) -> int | None:
    args, out = context.args, context.out
    if args.apply and not args.yes and not context.asks:
        raise UsageError("Nobody can be asked here. Say --yes to delete, or neither to see what would go.")
    if not args.yes:
        planned = context.long_call(client, "archive/prune", params, label="Looking")
        if out.as_json:
            out.result(planned)
            return None
        _list(out, planned)
        if not planned["items"]:
            return None
        if not args.apply:
            out.note(f"Nothing was deleted. `{_again(args)}` does it.")
            return None
        question = f"Delete the copies of {_sessions(len(planned['items']))}?"
        if not context.confirmed(question):
            out.note("Nothing was deleted.")
            return 1
    done = context.long_call(client, "archive/prune", {**params, "apply": True}, label="Deleting")
    if out.as_json:
        out.result(done)
    else:
        if args.yes:
            _list(out, done)
        if done["items"]:
            out.line(f"Deleted the copies of {_sessions(len(done['items']))}: {size(done['freedBytes'])} are free again.")
        for problem in done["problems"]:
            out.note(sentences(clean(problem["problem"]), clean(problem["hint"])))
    return 1 if done["problems"] else None


def _list(out: Output, result: Mapping[str, Any]) -> None:
    """Write what goes, and why what is over a limit stays."""
    if result["items"]:
        columns = (
            Column("ID", style="cyan"),
            Column("PROJECT", flexible=True, least=8, drop=5),
            Column("TITLE", flexible=True, least=20, drop=2),
            Column("LAST", right=True, style="dim", drop=3),
            Column("LINKED", drop=4),
            Column("LEFT", drop=1, style=lambda cell: "red" if cell == "nothing" else ""),
            Column("SIZE", right=True),
            Column("REASON", flexible=True, least=24),
        )
        draw(out, columns, [_cells(session) for session in result["items"]])
        if not result["applied"]:
            lost = sum(session["gone"] for session in result["items"])
            told = f"{_sessions(len(result['items']))}, about {size(result['freedBytes'])}"
            out.line(f"{told}; of {lost:,} nothing would be left, for the agent's log is gone." if lost else f"{told}.")
    else:
        out.note("Nothing is over a limit that could go.")
    for reason, number in result["kept"].items():
        one, many = KEPT[reason]
        out.note(f"{_sessions(number)} {'stays' if number == 1 else 'stay'}: {one if number == 1 else many}.")


def _cells(session: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        clean(short_id(session["id"])),
        clean(session["project"] or NOTHING),
        clean(session["title"] or NOTHING),
        ago(session["endedAt"]),
        "yes" if session["linked"] else NOTHING,
        "nothing" if session["gone"] else "the log",
        size(session["bytes"]),
        clean(session["reason"]),
    )


def _again(args: argparse.Namespace) -> str:
    """The command that carries out what was listed."""
    words = ["ccdash", "prune"]
    for name in ("older_than", "max_size", "max_sessions", "project", "status"):
        if (value := getattr(args, name)) is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return clean(shlex.join([*words, *(["--session", *args.session] if args.session else []), "--apply"]))


def _sessions(number: int) -> str:
    return f"{number:,} {'session' if number == 1 else 'sessions'}"


def _history(context: Context, client: Client) -> None:
    out, page = context.out, wanted_page(context, client, "archive/prunes", {})
    if out.as_json:
        out.result(page)
        return
    columns = (
        Column("AT", style="dim"),
        Column("ID", style="cyan"),
        Column("TITLE", flexible=True, drop=1),
        Column("SIZE", right=True),
        Column("REASON", flexible=True, least=24),
    )
    rows = [
        (
            local(item["at"])[: -len(":00")],
            clean(short_id(item["id"])),
            clean(item["title"] or NOTHING),
            size(item["bytes"]),
            clean(item["reason"]),
        )
        for item in page["items"]
    ]
    if rows:
        draw(out, columns, rows)
    if said := number_told(page, ("prune", "prunes"), filtered=False):
        out.note(f"{said}.")


def configure_retention(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", description="by default: list")
    actions.add_parser("list", help="list all policies, and when automatic ones are carried out")
    change = actions.add_parser("set", help="add a policy, or put another in its place")
    _identifier(change)
    policies.arguments(change)
    change.add_argument("--automatic", action="store_true", help="carry it out once a day; else only `ccdash prune` does")
    delete = actions.add_parser("delete", help="remove a policy; nothing is deleted but that")
    _identifier(delete)
    for below in actions.choices.values():
        shared(below)


def _identifier(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="what to call it: lower-case letters, digits and -")


def run_retention(context: Context) -> None:
    args, out = context.args, context.out
    action = args.action or "list"
    with context.connect() as client:
        if action == "set":
            policy = {"id": args.id, "automatic": args.automatic, **policies.read(args, client)}
            result = context.call(client, "retention/set", {"policy": policy})
        elif action == "delete":
            result = context.call(client, "retention/delete", {"id": args.id})
        else:
            result = context.call(client, "retention/get")
    if out.as_json:
        out.result(result)
        return
    if result["items"]:
        _draw(out, result["items"])
    else:
        out.note("No policy is set: nothing goes by itself. `ccdash retention set old --older-than 180d` sets one.")
    if result["nextRunAt"] is not None:
        out.note(f"Automatic policies are carried out next at {local(result['nextRunAt'])[: -len(':00')]}.")
    elif result["items"]:
        out.note("None is automatic: `ccdash prune` says what they let go, and carries them out.")


def _draw(out: Output, items: Sequence[Mapping[str, Any]]) -> None:
    columns = (
        Column("ID", style="cyan"),
        Column("SESSIONS", flexible=True, least=12, drop=1),
        Column("LET GO", flexible=True, least=24),
        Column("WHEN"),
    )
    rows = [
        (
            clean(policy["id"]),
            policies.scope_told(policy),
            policies.limits_told(policy),
            "once a day" if policy["automatic"] else "when asked",
        )
        for policy in items
    ]
    draw(out, columns, rows)


HANDLERS = {
    "prune": Handler(
        configure,
        run,
        (
            "ccdash prune                       # what the policies that are set let go",
            "ccdash prune --older-than 180d     # what a limit lets go; nothing is deleted",
            "ccdash prune --max-size 2GB --status done --apply",
            "ccdash prune --max-sessions 500 --project shop --yes",
            "ccdash prune --session 0f3c 1a2b --apply",
            "ccdash prune --history --limit 10  # what went",
        ),
    ),
    "retention": Handler(
        configure_retention,
        run_retention,
        (
            "ccdash retention                         # all policies",
            "ccdash retention set old --older-than 180d --automatic",
            "ccdash retention set shop --max-size 2GB --project shop",
            "ccdash retention set done --older-than 30d --status done",
            "ccdash retention delete old",
        ),
    ),
}
