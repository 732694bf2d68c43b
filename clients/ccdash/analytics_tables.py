"""Answers of ``analytics/*`` as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ccdash import amounts
from ccdash.amounts import amount, change, percent
from ccdash.analytics_words import cell, cost, is_empty, label_of, lasted, left, models, moment, seconds, series_name
from ccdash.charts import bar, glyphs
from ccdash.figures import NOTHING, ago, count, duration, short_id, short_model
from ccdash.output import Output
from ccdash.table import FLEX_MIN, GAP, Column, draw
from ccdash.text import clean, width

Answer = Mapping[str, Any]
Metrics = Sequence[Mapping[str, Any]]

Filled = tuple[Column, Sequence[str]]
"""A column with its cells, the last of which is that of the total."""

BAR_CELLS, BAR_LEAST = 24, 6
LONG_NAMES = 28
"""Cells of names that are titles or paths, for which columns are left out."""

TOKENS = ("inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens")
TOTAL = "total"


def draw_trend(out: Output, trend: Answer, metrics: Metrics, *, empty: bool = True) -> None:
    """Write one series as a table: a row a step, a column a metric, bars of the first; then what has no time; the total.

    Steps without anything are left out unless `empty`.
    """
    points = trend["series"][0]["points"] if trend["series"] else []
    rows = [(_day(trend["step"], point), point) for point in points if empty or not is_empty(point)]
    if trend["undated"] is not None:
        rows.append(("undated", trend["undated"]))
    names = Column(trend["step"].upper(), style="cyan")
    told = [*(said for _, said in rows), trend["total"]]
    _draw_filled(out, [(names, [*(name for name, _ in rows), TOTAL]), *_values(out, metrics, told)],
                 _numbers(metrics, rows))  # fmt: skip


def draw_series(out: Output, trend: Answer, metric: Mapping[str, Any], split: str) -> None:
    """Write several series of a metric as a table: a row a step, a column a series."""
    series = trend["series"]
    columns = [Column(trend["step"].upper(), style="cyan")]
    columns += [Column(series_name(split, one), right=True, drop=at) for at, one in enumerate(series)]
    points = [[one["points"][at] for one in series] for at in range(len(series[0]["points"]))]
    rows = [(_day(trend["step"], row[0]), *(cell(out, metric, point) for point in row)) for row in points]
    rows.append((TOTAL, *(cell(out, metric, one["total"]) for one in series)))
    draw(out, columns, rows, above={len(rows) - 1: ""})


def draw_breakdown(out: Output, found: Answer, metrics: Metrics, *, compare: bool = False) -> None:
    """Write a row an item with bars and share of the first metric, then the rest and the total."""
    by, items = found["by"], found["items"]
    rows = [(label_of(by, item), item) for item in items]
    if found["rest"] is not None:
        rows.append((f"({found['count'] - len(rows):,} more)", found["rest"]))
    title = "SUB-AGENT" if by == "subagentType" else by.upper()
    least = LONG_NAMES if by in ("session", "feature", "task", "file") else FLEX_MIN
    names = Column(title, style="" if by == "session" else "cyan", flexible=True, path=by == "file", least=least)
    first, *others = _values(out, metrics, [*(said for _, said in rows), found["total"]])
    filled: list[Filled] = [(names, [*(name for name, _ in rows), TOTAL]), first]
    if by == "session":
        filled.insert(0, (Column("ID", style="cyan"), [*(clean(short_id(said.get("key", ""))) for _, said in rows), ""]))
    if any(item["share"] is not None for item in items):
        shares = [NOTHING if said.get("share") is None else percent(said["share"]) for _, said in rows]
        filled.append((Column("SHARE", right=True, drop=3), [*shares, ""]))
    if compare:
        filled.append((Column("CHANGE", right=True), _changes(found, rows, metrics[0]["id"])))
    if by in ("feature", "task"):
        for name, drop in (("sessions", 5), ("shared", 4)):
            numbers = [NOTHING if said.get(name) is None else f"{said[name]:,}" for _, said in rows]
            filled.append((Column("LINKED" if name == "sessions" else "SHARED", right=True, drop=drop), [*numbers, ""]))
    # What stands for many rows is no rival of those that stand alone.
    _draw_filled(out, [*filled, *others], _numbers(metrics, [("", {"values": {}}) if said is found["rest"] else (name, said)
                                                             for name, said in rows]))  # fmt: skip


def _changes(found: Answer, rows: Sequence[tuple[str, Mapping[str, Any]]], metric: str) -> list[str]:
    """By how much a metric is other than in the time before: of each row, and of the total."""
    before = [said.get("previous") or {} for _, said in rows]
    before.append((found["previous"] or {"values": {}})["values"])
    now = [*(said for _, said in rows), found["total"]]
    return [change(one["values"].get(metric), other.get(metric)) for one, other in zip(now, before, strict=True)]


def _values(out: Output, metrics: Metrics, told: Sequence[Mapping[str, Any]]) -> list[Filled]:
    """A column a metric; where there is no room, the first one stays."""
    return [
        (Column(_title(metric), right=True, drop=10 + at if at else 0), [cell(out, metric, said) for said in told])
        for at, metric in enumerate(metrics)
    ]


def _numbers(metrics: Metrics, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> list[float]:
    """What bars are drawn of: the first metric of each row."""
    return [said["values"].get(metrics[0]["id"]) or 0.0 for _, said in rows]


def _draw_filled(out: Output, filled: list[Filled], numbers: Sequence[float]) -> None:
    """Write columns with bars of `numbers`, and the total after a blank line; a single row needs neither."""
    single = len(numbers) == 1
    if not single:
        filled = with_bars(out, filled, [*numbers, 0.0])
    lines = list(zip(*(cells for _, cells in filled), strict=True))
    draw(out, [column for column, _ in filled], lines[:1] if single else lines, above={} if single else {len(numbers): ""})


def with_bars(out: Output, filled: list[Filled], numbers: Sequence[float]) -> list[Filled]:
    """The columns, and one of bars where a terminal has room for it beside all others."""
    if out.columns is None:
        return filled
    room = out.columns - sum(max(width(column.title), *map(width, cells)) + len(GAP) for column, cells in filled)
    if room < BAR_LEAST:
        return filled
    marks, most = glyphs(out.shows), max(numbers)
    bars = [bar(number, most, min(BAR_CELLS, room), marks) for number in numbers]
    return [*filled, (Column("", style="blue", drop=99), bars)]


def draw_usage(out: Output, rows: Sequence[tuple[str, str, Mapping[str, Any], int]], title: str) -> None:
    """Write tokens by kind and what they cost. A row has a name, the models, a ``Values`` of the wire, and how deep it
    stands below the one before; the last is the total."""
    with_models = any(models for _, models, _, _ in rows)
    columns = [
        Column(title, style="cyan", flexible=True, least=12),
        *([Column("MODELS", flexible=True, drop=1, least=19)] if with_models else []),
        Column("INPUT", right=True, drop=3),
        Column("OUTPUT", right=True, drop=2),
        Column("CACHE WRITE", right=True, drop=5),
        Column("CACHE READ", right=True, drop=4),
        Column("TOKENS", right=True),
        Column("COST", right=True),
    ]
    lines = [
        (
            "  " * depth + name,
            *([models] if with_models else []),
            *(amount("tokens", told["values"].get(kind)) for kind in (*TOKENS, "tokens")),
            cost(out, told["cost"]),
        )
        for name, models, told, depth in rows
    ]
    draw(out, columns, lines, above={len(lines) - 1: ""} if len(lines) > 1 else None)


def draw_windows(out: Output, windows: Sequence[Mapping[str, Any]], zone: str | None = None) -> None:
    """Write windows: when they began, how long they were used, and what was."""
    columns = (
        Column("BEGAN", style="cyan"),
        Column("USED", right=True),
        Column("MODELS", flexible=True, drop=1, least=10),
        Column("INPUT", right=True, drop=4),
        Column("OUTPUT", right=True, drop=3),
        Column("CACHE WRITE", right=True, drop=6),
        Column("CACHE READ", right=True, drop=5),
        Column("TOKENS", right=True),
        Column("COST", right=True),
    )
    rows = []
    for window in windows:
        tokens = window["tokens"]
        rows.append(
            (
                moment(window["start"], zone),
                f"{left(window['end'])} left" if window["active"] else lasted(window),
                models(window["models"]),
                *(count(tokens[kind]) for kind in ("input", "output", "cacheWrite", "cacheRead")),
                count(sum(tokens[kind] for kind in ("input", "output", "cacheWrite", "cacheRead"))),
                cost(out, window["cost"]),
            )
        )
    draw(out, columns, rows)


def draw_tools(out: Output, answer: Answer) -> None:
    """Write how often tools were called, how it went and how long it took."""
    columns = (
        Column("TOOL", style="cyan", flexible=True),
        Column("CALLS", right=True),
        Column("SUCCESS", right=True),
        Column("ERRORS", right=True, drop=2),
        Column("MEDIAN", right=True, drop=3),
        Column("MEAN", right=True, drop=6),
        Column("P95", right=True, drop=4),
        Column("SLOWEST", right=True, drop=5),
        Column("TIME", right=True, drop=1),
        Column("SESSIONS", right=True, drop=7),
    )
    found = answer["items"]
    rows = [_tool(clean(tool["name"]), tool) for tool in found]
    if len(found) > 1:
        rows.append(_tool(TOTAL, answer["total"]))
    draw(out, columns, rows, above={len(found): ""} if len(found) > 1 else None)


def _tool(name: str, tool: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{tool['calls']:,}",
        NOTHING if tool["successRate"] is None else percent(tool["successRate"]),
        f"{tool['errors']:,}",
        *(seconds(tool[name]) for name in ("median", "mean", "p95", "slowest")),
        duration(tool["seconds"]),
        f"{tool['sessions']:,}",
    )


def draw_top(out: Output, items: Sequence[Mapping[str, Any]], metrics: Metrics) -> None:
    """Write sessions with their figures."""
    columns = [
        Column("ID", style="cyan"),
        *(Column(_title(metric), right=True, drop=at * 3) for at, metric in enumerate(metrics)),
        Column("LAST", right=True, drop=1),
        Column("PROJECT", flexible=True, drop=4, least=10),
        Column("MODEL", style="dim", drop=7),
        Column("TITLE", flexible=True, least=20),
    ]
    rows = []
    for item in items:
        session = item["session"]
        rows.append(
            (
                clean(short_id(session["id"])),
                *(cell(out, metric, item) for metric in metrics),
                ago(session["endedAt"]),
                clean(session["projectName"]),
                clean(short_model(session["model"])),
                clean(session["title"]) or "(no title)",
            )
        )
    draw(out, columns, rows)


def draw_session_cost(out: Output, answer: Answer) -> None:
    """Write the bill of a session: what each model used of each kind, at which price."""
    columns = (
        Column("MODEL", style="cyan", flexible=True),
        Column("KIND"),
        Column("AMOUNT", right=True),
        Column("PRICE", right=True, drop=1),
        Column("COST", right=True),
    )
    rows = [
        (
            clean(short_model(line["model"])),
            _LINES[line["kind"]],
            f"{line['amount']:,}",
            " or ".join(_price(price) for price in line["prices"])
            + (_PER.get(line["kind"], "/M") if line["prices"] else ""),
            amounts.UNPRICED if line["usd"] is None else amounts.money(line["usd"]),
        )
        for line in answer["lines"]
    ]
    total = (TOTAL, "", "", "", cost(out, answer["cost"]))
    draw(out, columns, [*rows, total], above={len(rows): ""})


_LINES = {
    "input": "input",
    "output": "output",
    "cacheRead": "cache read",
    "cacheWrite5m": "cache write, 5 min",
    "cacheWrite1h": "cache write, 1 h",
    "webSearch": "web searches",
    "reported": "messages, as the agent told",
}
_PER = {"webSearch": " a thousand"}


def _title(metric: Mapping[str, Any]) -> str:
    return str(metric["name"]).upper()


def _day(step: str, point: Mapping[str, Any]) -> str:
    """The label of a point; days with their name."""
    label = str(point["label"])
    if step != "day":
        return label
    try:
        return f"{label} {_WEEKDAYS[datetime.fromisoformat(label).weekday()]}"
    except ValueError:
        return label


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _price(usd: float) -> str:
    return f"${usd:.4f}".rstrip("0").rstrip(".") if usd else "$0"
