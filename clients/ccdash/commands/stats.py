"""``ccdash stats``: everything at a glance."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.amounts import change, money
from ccdash.analytics import ask, note_nothing
from ccdash.analytics_records import overview_records
from ccdash.analytics_tables import Filled, draw_top, with_bars
from ccdash.analytics_words import cell, cost, is_empty, label_of, note_cost
from ccdash.charts import glyphs, sparkline
from ccdash.commands.usage import told_burn
from ccdash.context import Context
from ccdash.export import Export, export_arguments
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.scope import Registry, scope, scope_arguments
from ccdash.table import Column, draw, fields, heading

PERIODS = (
    ("today", "today", "previousDay"),
    ("week", "week", "previousWeek"),
    ("month", "month", "previousMonth"),
    ("total", "total", None),
)
"""The name of a period, where it stands in the answer, and what it is compared with."""

RECORDS = (
    *((name, key) for name, key, _ in PERIODS),
    ("previous_day", "previousDay"),
    ("previous_week", "previousWeek"),
    ("previous_month", "previousMonth"),
)
SHORT = 5
"""Rows of each list."""


def configure(parser: argparse.ArgumentParser) -> None:
    scope_arguments(parser, compare=False)
    export_arguments(parser)


def run(context: Context) -> None:
    export = Export(context)
    with context.connect() as client:
        registry = Registry.of(client)
        params = scope(context, client)
        overview = ask(context, client, "analytics/overview", params)
        metrics = registry.by(list(overview["total"]["values"]))
        if export.write(overview, lambda: overview_records(overview, RECORDS, metrics)):
            return
        if is_empty(overview["total"]):
            note_nothing(context, client, params)
            return
        draw_overview(context.out, overview, registry)
        note_cost(context, overview["total"]["cost"])
        if overview["alerts"]:
            number = overview["alerts"]
            context.out.note(f"{number} alert{' is' if number == 1 else 's are'} firing: `ccdash alerts`.")
        context.note_indexing(client)


def draw_overview(out: Output, overview: Mapping[str, Any], registry: Registry) -> None:
    """Write figures of today, this week and this month, their course and where they lead; then what had most of them."""
    metrics = registry.by(list(overview["total"]["values"]))
    _periods(out, overview, metrics)
    out.line()
    fields(out, _facts(out, overview))
    for name, by, rows in (("Projects", "project", overview["projects"]), ("Models", "model", overview["models"]),
                           ("Tools", "tool", overview["tools"])):  # fmt: skip
        _list(out, name, by, rows[:SHORT], registry)
    if overview["top"]:
        heading(out, "Sessions")
        known = list(overview["top"][0]["values"])
        draw_top(out, overview["top"][:SHORT], registry.by(known)[:2])


def _periods(out: Output, overview: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> None:
    columns = [Column("", style="bold"), *(Column(str(metric["name"]).upper(), right=True, drop=at)
                                           for at, metric in enumerate(metrics))]  # fmt: skip
    columns.insert(2, Column("CHANGE", right=True, style=_direction))
    rows = []
    for name, key, before in PERIODS:
        cells = [name, *(cell(out, metric, overview[key]) for metric in metrics)]
        first = metrics[0]["id"]
        then = overview[before]["values"].get(first) if before else None
        cells.insert(2, change(overview[key]["values"].get(first), then) if before else "")
        rows.append(cells)
    draw(out, columns, rows)


def _direction(text: str) -> str:
    return "yellow" if text.startswith("+") or text.endswith("times") else "green" if text.startswith("-") else "dim"


def _facts(out: Output, overview: Mapping[str, Any]) -> list[tuple[str, str]]:
    daily = [point["values"].get("cost") for point in overview["daily"]]
    course = sparkline(daily, glyphs(out.shows))
    most = max((value for value in daily if value), default=0.0)
    forecast, window = overview["forecast"], overview["window"]
    live = overview["active"]
    return [
        (f"last {len(daily)} days", f"{out.paint(course, 'cyan')}  at most {money(most)} a day" if most else "nothing"),
        (
            "month ahead",
            f"about {money(forecast['projected'])} at the end of {forecast['month']}, at {money(forecast['perDay'])} a day "
            f"as in the last {forecast['days']} days",
        ),
        ("window", _window(out, window, overview["timeZone"]) if window else ""),
        ("live", f"{live:,} session{'' if live == 1 else 's'}: `ccdash active`" if live else ""),
    ]


def _window(out: Output, window: Mapping[str, Any], zone: str) -> str:
    said = f"{cost(out, window['cost'])} in these five hours"
    return "\n".join([said, *told_burn(window, zone)]) if window["burn"] else said


def _list(out: Output, name: str, by: str, rows: Sequence[Mapping[str, Any]], registry: Registry) -> None:
    """A short breakdown: names, values, bars."""
    if not rows:
        return
    heading(out, name)
    metrics = registry.by(list(rows[0]["values"]))
    filled: list[Filled] = [(Column(by.upper(), style="cyan", flexible=True), [label_of(by, row) for row in rows])]
    for at, metric in enumerate(metrics):
        column = Column(str(metric["name"]).upper(), right=True, drop=at * 2)
        filled.append((column, [cell(out, metric, row) for row in rows]))
    filled = with_bars(out, filled, [row["values"].get(metrics[0]["id"]) or 0.0 for row in rows])
    draw(out, [column for column, _ in filled], list(zip(*(cells for _, cells in filled), strict=True)))


HANDLERS = {
    "stats": Handler(
        configure,
        run,
        (
            "ccdash stats",
            "ccdash stats --project .",
            "ccdash stats --since month --time-zone Europe/Berlin",
            "ccdash stats --json | jq .forecast",
        ),
    ),
}
