"""What commands of analytics share: asking for trends and breakdowns, the time they are about, what is said of nothing."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.analytics_records import breakdown_records, trend_records
from ccdash.analytics_tables import draw_breakdown, draw_trend
from ccdash.analytics_words import is_empty, moment, note_comparison, note_cost
from ccdash.arguments import PAGE, positive
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import RpcError
from ccdash.export import Export
from ccdash.lookup import explained
from ccdash.scope import ALL
from ccdash.text import clean

Metrics = Sequence[Mapping[str, Any]]
ROWS = 20
"""Rows of a breakdown that are shown; exported are all."""


def limit_arguments(parser: argparse.ArgumentParser | argparse._ArgumentGroup, most: int = ROWS) -> None:
    """Add the options for how many rows are shown."""
    parser.add_argument(
        "--limit", type=positive, metavar="N", help=f"at most N ({most}; in CSV and Parquet all; of times always all)"
    )
    parser.add_argument("--all", action="store_true", help="no limit")


def limit_of(context: Context, export: Export, most: int = ROWS) -> int | None:
    """How many rows are wanted; None for all."""
    args = context.args
    if args.all:
        return None
    if args.limit:
        return int(args.limit)
    return None if export.form in ("csv", "parquet") else most


def ask(context: Context, client: Client, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """An answer; errors that name an id propose what may be meant."""
    try:
        answer: dict[str, Any] = context.call(client, method, params)
    except RpcError as error:
        raise explained(client, error, params.get("project")) from error
    return answer


def ask_breakdown(context: Context, client: Client, params: Mapping[str, Any], limit: int | None) -> dict[str, Any]:
    """A breakdown with so many rows, or all of them, of however many pages."""
    found = ask(context, client, "analytics/breakdown", {**params, "limit": min(PAGE, limit or PAGE)})
    wanted = found["count"] if limit is None else min(limit, found["count"])
    while len(found["items"]) < wanted:
        more = {**params, "offset": len(found["items"]), "limit": min(PAGE, wanted - len(found["items"]))}
        page = ask(context, client, "analytics/breakdown", more)
        if not page["items"]:
            break
        found = {**page, "items": [*found["items"], *page["items"]]}
    return found


def over_time(context: Context, client: Client, export: Export, metrics: Metrics, params: Mapping[str, Any]) -> None:
    """Ask for metrics by step, and write them as a table or in the form that is wanted."""
    asked = {**params, "metrics": [metric["id"] for metric in metrics]}
    trend = ask(context, client, "analytics/trends", asked)
    if export.write(trend, lambda: trend_records(trend, metrics, None)):
        return
    if is_empty(trend["total"]):
        note_nothing(context, client, params)
        return
    title(context, trend, f"{metrics[0]['name']} by {trend['step']}")
    draw_trend(context.out, trend, metrics, empty=trend["step"] != "hour")
    note(context, client, trend, metrics, params)


def broken_down(
    context: Context, client: Client, export: Export, metrics: Metrics, params: Mapping[str, Any], limit: int | None
) -> None:
    """Ask for metrics by a dimension, and write them as a table or in the form that is wanted."""
    asked = {**params, "metrics": [metric["id"] for metric in metrics]}
    found = ask_breakdown(context, client, asked, limit)
    compare = bool(params.get("compare"))
    if export.write(found, lambda: breakdown_records(found, metrics, compare=compare)):
        return
    if not found["items"]:
        note_nothing(context, client, params)
        return
    title(context, found, f"{metrics[0]['name']} by {_NAMES.get(found['by'], found['by'])}")
    draw_breakdown(context.out, found, metrics, compare=compare)
    if any(item["shared"] for item in found["items"]):
        context.out.note(
            f"What several {found['by']}s share is divided by how sure its links are, so that parts add up to the whole."
        )
    if found["rest"] is not None:
        context.out.note("`--all` shows every one.")
    note(context, client, found, metrics, params)


_NAMES = {"subagentType": "kind of sub-agent"}


def note(context: Context, client: Client, answer: Mapping[str, Any], metrics: Metrics, params: Mapping[str, Any]) -> None:
    """Tell what the figures need to be understood: comparison, prices, an index that is not complete."""
    if params.get("compare"):
        note_comparison(context.out, answer, metrics[0])
    note_cost(context, answer["total"]["cost"])
    context.note_indexing(client)


def title(context: Context, answer: Mapping[str, Any], text: str) -> None:
    """Write what follows: what it is, of which time."""
    out = context.out
    out.line(out.paint(f"{text}, {told_period(answer)}", "bold"))


def told_period(answer: Mapping[str, Any]) -> str:
    """The time that an answer is about, in words."""
    start, end, zone = answer["period"]["start"], answer["period"]["end"], answer.get("timeZone")
    of_zone = f" ({clean(zone)})" if zone else ""
    if start is None and end is None:
        return f"all time{of_zone}"
    since = "until" if start is None else f"{_border(start, zone)} to"
    return f"{since} {'now' if end is None else _border(end, zone)}{of_zone}"


def _border(stamp: str, zone: str | None) -> str:
    """A border of a period: the date alone where it is midnight there."""
    return moment(stamp, zone).removesuffix(" 00:00")


def note_nothing(context: Context, client: Client, params: Mapping[str, Any]) -> None:
    """Tell that there is nothing to show, and what to do."""
    given = [name for name in params if name not in ("compare", "timeZone", "by", "step", "metrics", "split", "series")]
    if not given:
        context.out.note("No usage is known yet. `ccdash doctor` tells where logs are looked for, and what was found.")
    elif given == ["since"] and context.args.since != ALL:
        context.out.note("Nothing was used in this time. `--since all` tells of all time.")
    else:
        context.out.note("Nothing fits. Leave out a filter, or take a longer time: `--since all`.")
    context.note_indexing(client)
