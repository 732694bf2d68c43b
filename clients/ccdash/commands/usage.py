"""``ccdash usage``: tokens by kind and what they cost, by day, week, month, session, window and others."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ccdash.amounts import money
from ccdash.analytics import ask, ask_breakdown, limit_arguments, limit_of, note, note_nothing, title
from ccdash.analytics_records import breakdown_records, trend_records, window_records
from ccdash.analytics_tables import draw_usage, draw_windows
from ccdash.analytics_words import is_empty, label_of, models, note_cost, until
from ccdash.arguments import PAGE
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.export import Export, Field, Records, export_arguments
from ccdash.figures import count, parse_time, short_id
from ccdash.parser import Handler
from ccdash.scope import STEPS, Registry, first_day, scope, scope_arguments
from ccdash.text import clean

REPORTS = {"daily": "day", "weekly": "week", "monthly": "month", "session": "session", "blocks": "window"}
BY = ("day", "week", "month", "session", "window", "week-window", "model", "project")
METRICS = ("inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens", "tokens", "cost")
SERIES = 50
"""Models that a step can tell apart."""

Rows = list[tuple[str, str, Mapping[str, Any], int]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", nargs="?", choices=tuple(REPORTS), metavar="REPORT",
                        help=f"{', '.join(REPORTS)}: the same as --by {', '.join(REPORTS.values())}")  # fmt: skip
    parser.add_argument("--by", choices=BY,
                        help="by what it is told (day, of the last 30); window: the five hours in which agents count their "
                        "limits; week-window: the week in which they do")  # fmt: skip
    parser.add_argument("--breakdown", action="store_true", help="under each day, week or month a line a model")
    limit_arguments(parser)
    scope_arguments(parser)
    export_arguments(parser)


def run(context: Context) -> None:
    args, export = context.args, Export(context)
    by = args.by or REPORTS.get(args.report or "", "day")
    if args.by and args.report and REPORTS[args.report] != args.by:
        raise UsageError(f"{args.report} and --by {args.by} contradict each other: give one of them.")
    if args.breakdown and by not in STEPS:
        raise UsageError("--breakdown is for days, weeks and months: `ccdash usage --by model` tells of models.")
    with context.connect() as client:
        if by in ("window", "week-window"):
            _windows(context, client, export, weeks=by == "week-window")
        elif by in STEPS:
            _over_time(context, client, export, by)
        else:
            _by(context, client, export, by)


def _over_time(context: Context, client: Client, export: Export, step: str) -> None:
    metrics = Registry.of(client).by(METRICS)
    params = {**scope(context, client, since=first_day(step)), "step": step}
    asked = {**params, "metrics": [metric["id"] for metric in metrics]}
    trend = ask(context, client, "analytics/trends", asked)
    by_model = ask(context, client, "analytics/trends", {**asked, "compare": False, "split": "model", "series": SERIES})
    points = trend["series"][0]["points"] if trend["series"] else []
    of_points = [_of_step(by_model, at) for at in range(len(points))]
    for point, used in zip(points, of_points, strict=True):
        point["models"] = [key for key, _ in used]
    if export.write(trend, lambda: _with_models(trend_records(trend, metrics, None), points)):
        return
    if is_empty(trend["total"]):
        note_nothing(context, client, params)
        return
    rows: Rows = []
    for point, used in zip(points, of_points, strict=True):
        if is_empty(point):
            continue
        rows.append((point["label"], "" if context.args.breakdown else models(point["models"]), point, 0))
        if context.args.breakdown:
            rows += [(models([key]) or "(unknown model)", "", told, 1) for key, told in used]
    if trend["undated"] is not None:
        rows.append(("undated", "", trend["undated"], 0))
    rows.append(("total", "", trend["total"], 0))
    title(context, trend, f"Usage by {step}")
    draw_usage(context.out, rows, step.upper())
    note(context, client, trend, [metrics[-1]], params)


def _of_step(by_model: Mapping[str, Any], at: int) -> list[tuple[str, Mapping[str, Any]]]:
    """The models that were used in a step, by its number, those of most cost first."""
    told = [(str(series["key"]), series["points"][at]) for series in by_model["series"]]
    return sorted((one for one in told if not is_empty(one[1])), key=lambda one: -(one[1]["values"]["cost"] or 0))


def _with_models(records: Records, points: Sequence[Mapping[str, Any]]) -> Records:
    """The rows of points with a column of their models."""
    names = [" ".join(point["models"]) or None for point in points]
    names += [None] * (len(records.rows) - len(names))
    rows = [[*row[:2], name, *row[2:]] for row, name in zip(records.rows, names, strict=True)]
    return Records([*records.fields[:2], Field("models"), *records.fields[2:]], rows)


def _by(context: Context, client: Client, export: Export, by: str) -> None:
    # The first metric is what is sorted by.
    metrics = Registry.of(client).by(("cost", *METRICS[:-1]), by)
    params = {**scope(context, client), "by": by}
    asked = {**params, "metrics": [metric["id"] for metric in metrics]}
    found = ask_breakdown(context, client, asked, limit_of(context, export))
    if export.write(found, lambda: breakdown_records(found, metrics, compare=bool(params.get("compare")))):
        return
    if not found["items"]:
        note_nothing(context, client, params)
        return
    rows: Rows = [(_name(by, item), "", item, 0) for item in found["items"]]
    if found["rest"] is not None:
        rows.append((f"({found['count'] - len(rows):,} more)", "", found["rest"], 0))
    rows.append(("total", "", found["total"], 0))
    title(context, found, f"Usage by {by}")
    draw_usage(context.out, rows, by.upper())
    if found["rest"] is not None:
        context.out.note("`--all` shows every one.")
    note(context, client, found, metrics, params)


def _name(by: str, item: Mapping[str, Any]) -> str:
    if by == "session" and item["key"]:
        return f"{clean(short_id(item['key']))}  {clean(item['label'])}"
    return label_of(by, item)


def _windows(context: Context, client: Client, export: Export, *, weeks: bool) -> None:
    params = {**scope(context, client), "kind": "week" if weeks else "fiveHours"}
    params.pop("compare", None)
    answer = _ask_windows(context, client, params, limit_of(context, export))
    if export.write(answer, lambda: window_records(answer)):
        return
    found = list(reversed(answer["items"]))
    if not found:
        note_nothing(context, client, {name: value for name, value in params.items() if name != "kind"})
        return
    out = context.out
    out.line(out.paint(f"{'Weeks' if weeks else 'Five hours'} in which limits count, the last {len(found)}", "bold"))
    draw_windows(out, found, context.args.time_zone)
    active = next((window for window in found if window["active"]), None)
    if active is not None and active["burn"] is not None:
        for sentence in told_burn(active, context.args.time_zone):
            out.note(sentence)
    unsure = next((window["cost"] for window in found if window["cost"] and window["cost"]["unpricedModels"]), None)
    note_cost(context, unsure or found[-1]["cost"])
    context.note_indexing(client)


def _ask_windows(context: Context, client: Client, params: Mapping[str, Any], limit: int | None) -> dict[str, Any]:
    """The last so many windows, or all of them, the newest first: page by page, each of those before the last one."""
    answer = ask(context, client, "analytics/windows", {**params, "limit": min(PAGE, limit or PAGE)})
    page = answer["items"]
    while len(page) == PAGE and (limit is None or len(answer["items"]) < limit):
        left = PAGE if limit is None else min(PAGE, limit - len(answer["items"]))
        page = ask(context, client, "analytics/windows", {**params, "until": page[-1]["start"], "limit": left})["items"]
        answer["items"] += page
    return answer


def told_burn(window: Mapping[str, Any], zone: str | None = None) -> list[str]:
    """How fast a window goes and where that leads, in sentences."""
    burn, end = window["burn"], window["end"]
    said = [
        f"{money(burn['usdPerHour'])} an hour, {count(burn['tokensPerMinute'])} tokens a minute: about "
        f"{money(burn['projectedUsd'])} when it ends, {until(end, zone)}."
    ]
    reached = parse_time(burn["exhaustedAt"])
    if reached is not None:
        past = reached <= datetime.now(reached.tzinfo)
        when = "was passed" if past else f"is reached {until(burn['exhaustedAt'], zone)} at this pace"
        said.append(f"The most that one cost before, {money(burn['limitUsd'])}, {when}.")
    return said


HANDLERS = {
    "usage": Handler(
        configure,
        run,
        (
            "ccdash usage                    # by day, the last 30",
            "ccdash usage monthly            # all time",
            "ccdash usage weekly --breakdown # with a line a model",
            "ccdash usage session --since 7d",
            "ccdash usage blocks             # windows of five hours",
            "ccdash usage --by project --all",
            "ccdash usage daily --since all --output usage.parquet",
        ),
    ),
}
