"""``ccdash cost``: what it cost, by day or by anything else; the bill of a session; what a feature cost."""

from __future__ import annotations

import argparse
from typing import Any

from ccdash.amounts import money
from ccdash.analytics import ask, ask_breakdown, broken_down, limit_arguments, limit_of, over_time, title
from ccdash.analytics_records import breakdown_records, session_cost_records
from ccdash.analytics_tables import draw_breakdown, draw_session_cost
from ccdash.analytics_words import cost, note_cost
from ccdash.arguments import session_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import NOT_FOUND, NotThere, RpcError, UsageError
from ccdash.export import Export, export_arguments
from ccdash.figures import count, short_id, total_tokens
from ccdash.lookup import explained, near_features, places, project
from ccdash.parser import Handler
from ccdash.scope import STEPS, Registry, first_day, scope, scope_arguments
from ccdash.table import fields, heading
from ccdash.text import clean

BY = (*STEPS, "project", "model", "agent", "branch", "feature", "task", "session", "subagentType")
METRICS = ("cost", "tokens", "sessions", "activeSeconds")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("of", nargs="?", metavar="SESSION|FEATURE", help="the bill of a session, or what a feature cost")
    parser.add_argument("--by", choices=BY, help="by what it is told (day, of the last 30)")
    limit_arguments(parser)
    scope_arguments(parser)
    export_arguments(parser)


def run(context: Context) -> None:
    args, export = context.args, Export(context)
    if args.of and (args.by or args.compare):
        raise UsageError(f"--{'by' if args.by else 'compare'} is for costs of all: leave it out, or {clean(args.of)}.")
    with context.connect() as client:
        if args.of:
            _of(context, client, export)
            return
        registry, by = Registry.of(client), args.by or "day"
        if by in STEPS:
            params = {**scope(context, client, since=first_day(by)), "step": by}
            over_time(context, client, export, registry.by(METRICS, by), params)
        else:
            params = {**scope(context, client), "by": by}
            broken_down(context, client, export, registry.beside(METRICS, by), params, limit_of(context, export))


def _of(context: Context, client: Client, export: Export) -> None:
    """The bill of the session, or else the cost of the feature, of that name."""
    name = context.args.of
    try:
        bill = context.call(client, "analytics/sessionCost", {"id": session_id(client, name)})
    except RpcError as error:
        if error.code != NOT_FOUND:
            raise explained(client, error, None) from error
        _feature(context, client, export, name)
        return
    if given := [name for name in ("since", "until", "model", "agent", "branch") if getattr(context.args, name)]:
        raise UsageError(f"A bill is of the whole session: leave out --{given[0]}.")
    if not export.write(bill, lambda: session_cost_records(bill)):
        _bill(context, client, bill)


def _bill(context: Context, client: Client, bill: dict[str, Any]) -> None:
    out = context.out
    if not bill["lines"]:
        out.note(f"The logs of session {clean(short_id(bill['id']))} tell of no usage, so nothing is known of its cost.")
        return
    session = client.request("sessions/get", {"id": bill["id"]})
    out.line(out.paint(clean(session["title"]) or "(no title)", "bold"))
    others = bill["own"] is not None and bill["own"] != bill["cost"]
    fields(
        out,
        [
            ("session", clean(bill["id"])),
            (
                "cost",
                cost(out, bill["cost"]) + (f", of which {cost(out, bill['own'])} without sub-agents" if others else ""),
            ),
            ("tokens", f"{count(total_tokens(bill['tokens']))} in {bill['messages']:,} messages"),
        ],
    )
    heading(out, "By model and kind")
    draw_session_cost(out, bill)
    if bill["bySubagentType"]:
        heading(out, "By kind of sub-agent")
        for row in bill["bySubagentType"]:
            out.line(f"{money(row['values'].get('cost') or 0):>10}  {clean(row['label']) or '(main session)'}")
    note_cost(context, bill["cost"])


def _feature(context: Context, client: Client, export: Export, name: str) -> None:
    feature = _feature_called(context, client, name)
    registry = Registry.of(client)
    metrics = registry.beside(METRICS, "session")
    params = {**scope(context, client), "feature": feature["id"], "by": "session"}
    asked = {**params, "metrics": [metric["id"] for metric in metrics]}
    found = ask_breakdown(context, client, asked, limit_of(context, export))
    if export.write(found, lambda: breakdown_records(found, metrics)):
        return
    out = context.out
    if not found["items"]:
        out.note(
            f"No session with usage is linked with {clean(feature['slug'])} in this time, so nothing is known of its cost. "
            "`ccdash link` links one."
        )
        return
    divided = ask(context, client, "analytics/breakdown", {**asked, "by": "feature", "metrics": ["cost"], "limit": 500})
    share = next((row for row in divided["items"] if row["key"] == feature["id"]), None)
    title(context, found, f"{clean(feature['name']) or clean(feature['slug'])}: cost by session")
    draw_breakdown(out, found, metrics)
    if share is not None and share["shared"]:
        out.note(
            f"{share['shared']:,} of these sessions worked on other features, too. Divided by how sure their links are, "
            f"{clean(feature['slug'])} cost {cost(out, share['cost'])}."
        )
    note_cost(context, found["total"]["cost"])


def _feature_called(context: Context, client: Client, name: str) -> dict[str, Any]:
    """The feature of that slug or id, that of the current folder first. Raises `NotThere`."""
    within = project(context, client)
    for place in places(name, within, there_only=bool(context.args.project)):
        try:
            feature: dict[str, Any] = context.call(client, "features/get", place)
        except RpcError as error:
            if error.code != NOT_FOUND:
                raise explained(client, error, within) from error
        else:
            return feature
    near = near_features(client, name, None)
    meant = f"; did you mean the feature {near}?" if near else "."
    raise NotThere(
        f"There is no session and no feature {clean(name)!r}{meant} `ccdash sessions --all` and "
        "`ccdash features --everywhere --all` list them."
    )


HANDLERS = {
    "cost": Handler(
        configure,
        run,
        (
            "ccdash cost                       # by day, the last 30",
            "ccdash cost --by month            # all time",
            "ccdash cost --by model --since month --compare",
            "ccdash cost --by feature --project .",
            "ccdash cost 0f3c9d1e              # the bill of a session",
            "ccdash cost checkout              # what a feature cost, by session",
            "ccdash cost --by session --output sessions.csv",
        ),
    ),
}
