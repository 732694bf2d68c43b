"""``ccdash sessions`` and ``ccdash active``: lists of sessions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ccdash.arguments import project_id, session_id
from ccdash.context import Context
from ccdash.errors import RpcError
from ccdash.figures import ago, count, duration, read_seconds, read_time, short_id, short_model, total_tokens
from ccdash.lists import ALL_HINT, number_told, page_arguments, wanted_page
from ccdash.lookup import explained
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import Column, draw
from ccdash.text import clean

SORTS = ("endedAt", "startedAt", "title", "tokens", "records", "duration")
STATUSES = ("active", "completed", "empty")

_COLUMNS = (
    Column("ID", style="cyan"),
    Column("PROJECT", flexible=True, drop=1, least=10),
    Column("TITLE", flexible=True, least=24),
    Column("LAST", right=True),
    Column("DURATION", right=True, drop=5),
    Column("PROMPTS", right=True, drop=4),
    Column("TOOLS", right=True, drop=3),
    Column("TOKENS", right=True, drop=2),
    Column("MODEL", style="dim", drop=6),
)
SUBAGENT = "↳ "
GONE = "[log gone] "
ACTIVE = "● "


def configure_sessions(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("which sessions")
    which.add_argument("text", nargs="?", metavar="TEXT", help="with each of these words in title or first prompt")
    which.add_argument("--project", metavar="P", help="of a project: its name, id, or a path inside it (`.` for here)")
    which.add_argument("--model", metavar="NAME", help="with this in the name of its model, such as opus")
    which.add_argument("--agent", metavar="NAME", help="of this agent, such as claude-code")
    which.add_argument("--branch", metavar="NAME", help="on this git branch")
    which.add_argument("--since", metavar="TIME", help="active at or after a date, a time, today, or an age such as 3d")
    which.add_argument("--until", metavar="TIME", help="active before that; a date is included to its end")
    which.add_argument("--feature", metavar="SLUG", help="linked with this feature: its slug or id")
    which.add_argument("--tag", metavar="TAG", help="with this tag of yours")
    which.add_argument("--status", choices=STATUSES, help="in this state; empty: no prompt and no answer")
    which.add_argument("--parent", metavar="ID", help="sub-agents of this session")
    which.add_argument("--subagents", action="store_true", help="also sub-agents")
    which.add_argument("--hidden", action="store_true", help="also those of hidden projects")
    which.add_argument("--empty", action="store_true", help="also those without prompt and answer")
    order = parser.add_argument_group("order and number")
    order.add_argument(
        "--sort", choices=SORTS, default="endedAt", help="by this: the newest, the largest, or A first (endedAt)"
    )
    order.add_argument("--reverse", action="store_true", help="the other way round")
    page_arguments(order)


def run_sessions(context: Context) -> None:
    args, out = context.args, context.out
    params = _params(args)
    with context.connect() as client:
        if args.project:
            params["project"] = project_id(client, args.project, path_in=True)
        if args.parent:
            parent = context.call(client, "sessions/get", {"id": session_id(client, args.parent)})
            params |= {"parent": parent["id"], "includeSubagents": True}
        try:
            page = wanted_page(context, client, "sessions/list", params)
        except RpcError as error:
            raise explained(client, error, params.get("project")) from error
        if out.as_json:
            out.result(page)
            return
        if page["items"]:
            draw_sessions(out, page["items"])
        if said := number_told(page, ("session", "sessions"), filtered=bool(params)):
            out.note(f"{said}; {ALL_HINT}." if page["items"] else f"{said}.")
        context.note_indexing(client)


def configure_active(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--within", metavar="TIME", default="10m", help="with a sign of life within this time (10m)")


def run_active(context: Context) -> None:
    out = context.out
    given = clean(context.args.within)
    within = read_seconds(given)
    with context.connect() as client:
        found = context.call(client, "sessions/active", {"within": within})
        if out.as_json:
            out.result(found)
        elif found["items"]:
            draw_sessions(out, found["items"])
        else:
            out.note(f"No session was written to in the last {given if given[-1:].isalpha() else f'{given}s'}.")


def draw_sessions(out: Output, rows: Sequence[dict[str, Any]]) -> None:
    """Write sessions as a table, with marks for sub-agents, live sessions and those whose log is gone."""
    now = datetime.now(UTC)
    draw(out, _COLUMNS, [_row(row, now) for row in rows])


def _row(row: dict[str, Any], now: datetime) -> tuple[str, ...]:
    marks = SUBAGENT if row["parentId"] else ""
    if row["status"] == "active":
        marks += ACTIVE
    if row["sourceGone"]:
        marks += GONE
    # Figures of a log of which only head and tail were read would be too low.
    known = row["indexed"]
    return (
        clean(short_id(row["id"])),
        clean(row["projectName"]),
        marks + (clean(row["title"]) or "(no title)"),
        ago(row["endedAt"], now),
        duration(row["duration"]),
        count(row["prompts"]) if known else "…",
        count(row["toolCalls"]) if known else "…",
        count(total_tokens(row["tokens"])) if known else "…",
        clean(short_model(row["model"])),
    )


def _params(args: argparse.Namespace) -> dict[str, Any]:
    """The filters that were given. Those that were not are left out, so that the daemon's defaults hold."""
    params: dict[str, Any] = {
        name: getattr(args, name)
        for name in ("model", "agent", "branch", "feature", "tag", "text", "status")
        if getattr(args, name) is not None
    }
    if args.since:
        params["since"] = read_time(args.since)
    if args.until:
        params["until"] = read_time(args.until, end=True)
    if args.subagents:
        params["includeSubagents"] = True
    if args.hidden:
        params["includeHidden"] = True
    if args.empty or args.status == "empty":
        params["includeEmpty"] = True
    if args.sort != SORTS[0]:
        params["sort"] = args.sort
    if args.reverse != (args.sort == "title"):
        params["order"] = "asc"
    return params


HANDLERS = {
    "sessions": Handler(
        configure_sessions,
        run_sessions,
        (
            "ccdash sessions                           # the 50 that were active last",
            "ccdash sessions --project . --since 1w    # of this project, in this week",
            "ccdash sessions migration --all           # with that word, every one",
            "ccdash sessions --feature checkout        # that worked on it",
            "ccdash sessions --sort tokens --limit 10  # the ten largest",
            "ccdash sessions --json | jq '.items[].id'",
        ),
    ),
    "active": Handler(
        configure_active,
        run_active,
        ("ccdash active", "ccdash active --within 2h"),
    ),
}
