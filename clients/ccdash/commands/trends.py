"""``ccdash trends``: any metric over time, by weekday and hour, or how it is spread over sessions; as chart or table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ccdash.amounts import amount
from ccdash.analytics import Metrics, ask, note, note_nothing, told_period
from ccdash.analytics_records import distribution_records, heatmap_records, trend_records
from ccdash.analytics_tables import draw_series, draw_trend
from ccdash.analytics_words import cell, is_empty, note_undated, series_name
from ccdash.arguments import positive
from ccdash.charts import axis, columns, glyphs, heat, histogram, merged, shade_steps, short_labels, sparkline
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.export import Export, export_arguments
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.scope import STEPS, Registry, first_day, scope, scope_arguments
from ccdash.table import Column, draw, fields
from ccdash.text import clip, pad, width

SPLITS = ("project", "model", "agent", "branch", "feature", "task", "session", "subagentType", "tool", "skill", "file")
HEIGHT, LOW = 10, 5
"""Lines of a chart that stands alone, and of one among several."""

CHART_CELLS = 100
"""Cells of a chart in a pipe."""

NAME_CELLS, WIDEST = 28, 4
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PERCENTILES = (
    ("least", "minimum"), ("10 %", "p10"), ("25 %", "p25"), ("half", "median"), ("75 %", "p75"), ("90 %", "p90"),
    ("95 %", "p95"), ("99 %", "p99"), ("most", "maximum"), ("mean", "mean"),
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("metrics", nargs="*", metavar="METRIC", help="what is drawn (cost)")
    parser.add_argument("--list", action="store_true", help="list the metrics that there are")
    how = parser.add_argument_group("how")
    how.add_argument("--step", choices=STEPS, help="by what (day, of the last 30)")
    how.add_argument("--split", choices=SPLITS, metavar="BY", help=f"a series for each of the largest: {', '.join(SPLITS)}")
    how.add_argument("--series", type=positive, metavar="N", help="with --split: at most N beside all others (5)")
    form = how.add_mutually_exclusive_group()
    form.add_argument("--chart", action="store_true", help="draw it, in a pipe as well")
    form.add_argument("--table", action="store_true", help="numbers, in a terminal as well")
    form.add_argument("--heatmap", action="store_true", help="by weekday and hour: when it happens")
    form.add_argument("--distribution", action="store_true", help="percentiles, and a histogram over sessions")
    how.add_argument("--bins", type=positive, metavar="N", help="with --distribution: bars of the histogram (12)")
    scope_arguments(parser)
    export_arguments(parser)


def run(context: Context) -> None:
    args, out, export = context.args, context.out, Export(context)
    for option, other in (("series", "split"), ("bins", "distribution")):
        if getattr(args, option) and not getattr(args, other):
            raise UsageError(f"--{option} is for --{other}.")
    if args.heatmap or args.distribution:
        form = "heatmap" if args.heatmap else "distribution"
        given = [f"--{name}" for name in ("step", "split", "compare") if getattr(args, name)]
        if given or len(args.metrics) > 1:
            raise UsageError(
                f"--{form} is of one metric and all of the time: leave out {given[0] if given else 'the others'}."
            )
    with context.connect() as client:
        registry = Registry.of(client)
        if args.list:
            _list(out, registry)
            return
        names = args.metrics or ["activeSeconds" if args.heatmap else "cost"]
        metrics = list({metric["id"]: metric for metric in map(registry.find, names)}.values())
        if args.heatmap:
            _heatmap(context, client, export, metrics[0])
        elif args.distribution:
            _distribution(context, client, export, metrics[0])
        else:
            for metric in metrics:
                registry.hold(metric, args.split or args.step or "day")
            _trend(context, client, export, metrics)


def _trend(context: Context, client: Client, export: Export, metrics: Metrics) -> None:
    args, out = context.args, context.out
    step = args.step or "day"
    params = {**scope(context, client, since=first_day(step)), "step": step}
    more = {"split": args.split, "series": args.series}
    params |= {name: value for name, value in more.items() if value}
    trend = ask(context, client, "analytics/trends", {**params, "metrics": [metric["id"] for metric in metrics]})
    if export.write(trend, lambda: trend_records(trend, metrics, args.split)):
        return
    if is_empty(trend["total"]):
        note_nothing(context, client, params)
        return
    charts = args.chart or (out.terminal and not args.table)
    if not args.split and not charts:
        draw_trend(out, trend, metrics)
    for at, metric in enumerate(metrics):
        if charts or args.split:
            if at:
                out.line()
            out.line(out.paint(f"{metric['name']} by {step}, {told_period(trend)}", "bold"))
        if charts and args.split:
            for line in series_chart(out, trend, metric, args.split):
                out.line(line)
        elif charts:
            for line in chart(out, trend, metric, HEIGHT if len(metrics) == 1 else LOW):
                out.line(line)
        elif args.split:
            draw_series(out, trend, metric, args.split)
    if charts and trend["undated"] is not None:
        note_undated(out, trend, metrics[0])
    note(context, client, trend, metrics, params)


def chart(out: Output, trend: Mapping[str, Any], metric: Mapping[str, Any], height: int) -> list[str]:
    """One series of a metric as columns, with its total; several steps are one column where there is no room."""
    points = trend["series"][0]["points"]
    told = [point["values"].get(metric["id"]) for point in points]
    room = out.columns or CHART_CELLS
    unit, adds_up = metric["unit"], metric["aggregation"] == "sum"
    # Beside a column stand the numbers of the vertical axis, of at most nine cells, and the axis.
    values, each = merged(told, room - 11, mean=not adds_up)
    labels = short_labels([point["label"] for point in points], trend["step"])[::each]
    lines = columns(
        values, labels, room, height, lambda value: amount(unit, value), glyphs(out.shows), seconds=unit == "seconds"
    )
    lines = [_painted(out, line, at < height) for at, line in enumerate(lines)]
    told_total = f"total {cell(out, metric, trend['total'])}"
    there = [value for value in told if value]
    if there:
        peak = max(range(len(told)), key=lambda at: told[at] or 0)
        told_total += f", most {amount(unit, told[peak])} ({points[peak]['label']})"
    if each > 1:
        told_total += f"; a column is {each} {trend['step']}s{'' if adds_up else ', in the mean'}"
    return [*lines, out.paint(told_total, "dim")]


def _painted(out: Output, line: str, body: bool) -> str:
    """A line of a chart with its columns in colour: what stands after the axis."""
    for edge in ("│", "┤", "|", "+"):
        name, found, rest = line.partition(f" {edge}")
        if body and found:
            return name + found + out.paint(rest, "cyan")
    return line


def series_chart(out: Output, trend: Mapping[str, Any], metric: Mapping[str, Any], split: str) -> list[str]:
    """A line a series, all to the same scale: name, course, total."""
    marks, room = glyphs(out.shows), out.columns or CHART_CELLS
    series = trend["series"]
    told = [[point["values"].get(metric["id"]) for point in one["points"]] for one in series]
    names = [clip(series_name(split, one), NAME_CELLS) for one in series]
    totals = [cell(out, metric, one["total"]) for one in series]
    edge, tail = max(map(width, names)), max(map(width, totals))
    adds_up = metric["aggregation"] == "sum"
    room -= edge + tail + 4
    together = [merged(values, room, mean=not adds_up) for values in told]
    top = max((value for values, _ in together for value in values if value), default=0.0)
    each, number = together[0][1], len(together[0][0])
    wide = max(1, min(room // number, WIDEST))
    courses = ["".join(sign * wide for sign in sparkline(values, marks, top)) for values, _ in together]
    lines = [
        f"{pad(name, edge)}  {out.paint(course, 'cyan')}  {pad(total, tail, right=True)}"
        for name, total, course in zip(names, totals, courses, strict=True)
    ]
    labels = short_labels([point["label"] for point in series[0]["points"]], trend["step"])[::each]
    lines.append(f"{' ' * (edge + 2)}{axis(labels, wide)}".rstrip())
    said = f"total {cell(out, metric, trend['total'])}; a full block is {amount(metric['unit'], top)}"
    if each > 1:
        said += f", a sign {each} {trend['step']}s{'' if adds_up else ', in the mean'}"
    return [*lines, out.paint(said, "dim")]


def _heatmap(context: Context, client: Client, export: Export, metric: Mapping[str, Any]) -> None:
    out = context.out
    params = scope(context, client)
    answer = ask(context, client, "analytics/heatmap", {**params, "metric": metric["id"]})
    if export.write(answer, lambda: heatmap_records(answer)):
        return
    if not answer["total"]:
        note_nothing(context, client, params)
        return
    marks, unit = glyphs(out.shows), answer["unit"]
    out.line(out.paint(f"{metric['name']} by weekday and hour, {told_period(answer)}", "bold"))
    for line in heat(answer["cells"], _WEEKDAYS, marks):
        out.line(line)
    most, day, hour = max((value, day, hour) for day, row in enumerate(answer["cells"]) for hour, value in enumerate(row))
    steps = "  ".join(f"{shade} {amount(unit, value)}" for shade, value in shade_steps(most, marks))
    said = f"{steps}  most: {_WEEKDAYS[day]} {hour:02}:00; total {amount(unit, answer['total'])}"
    out.line(out.paint(said, "dim"))
    if answer["undated"]:
        out.note(f"Of this, {amount(unit, answer['undated'])} has no time.")
    context.note_indexing(client)


def _distribution(context: Context, client: Client, export: Export, metric: Mapping[str, Any]) -> None:
    out, args = context.out, context.args
    params = scope(context, client)
    bins = {"bins": args.bins} if args.bins else {}
    answer = ask(context, client, "analytics/distribution", {**params, **bins, "metric": metric["id"]})
    if export.write(answer, lambda: distribution_records(answer)):
        return
    if not answer["count"]:
        note_nothing(context, client, params)
        return
    unit = answer["unit"]
    number = f"{answer['count']:,} session{'' if answer['count'] == 1 else 's'}"
    out.line(out.paint(f"{metric['name']} of {number}", "bold"))
    fields(out, [(name, amount(unit, answer[key])) for name, key in _PERCENTILES if answer[key] is not None])
    out.line()
    found = [(one["start"], one["end"], one["count"]) for one in answer["bins"]]
    for line in histogram(found, out.columns or CHART_CELLS, lambda value: amount(unit, value), glyphs(out.shows)):
        out.line(line)
    context.note_indexing(client)


def _list(out: Output, registry: Registry) -> None:
    """The metrics in a table; as JSON with their definitions."""
    if out.as_json:
        out.result({"items": registry.items})
        return
    table = (Column("METRIC", style="cyan"), Column("UNIT", drop=1), Column("WHAT IT IS", flexible=True, least=30))
    draw(out, table, [(metric["id"], metric["unit"], metric["description"]) for metric in registry.items])
    out.note("`ccdash metrics --list` says exactly how each is counted.")


HANDLERS = {
    "trends": Handler(
        configure,
        run,
        (
            "ccdash trends                            # cost by day, the last 30",
            "ccdash trends tokens sessions --step week",
            "ccdash trends cost --split model --since 90d --compare",
            "ccdash trends toolSuccessRate --split tool --table",
            "ccdash trends --heatmap                  # when you work",
            "ccdash trends cost --distribution        # what sessions cost",
            "ccdash trends --list                     # which metrics there are",
            "ccdash trends cost --step hour --since today --csv",
        ),
    ),
}
