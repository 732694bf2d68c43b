"""Answers of ``analytics/*`` as tables for people, and what is told below them."""

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

BAR_CELLS, BAR_LEAST = 24, 6
LONG_NAMES = 28
"""Cells of names that are titles or paths, for which columns are left out."""

TOKENS = ("inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens")
TOTAL = "total"
_PATHS = ("file",)


def draw_trend(out: Output, trend: Answer, metrics: Metrics, *, empty: bool = True) -> None:
    """Write one series as a table: a row a step, a column a metric, bars of the first; then what has no time; the total.

    Steps without anything are left out unless `empty`.
    """
    points = trend["series"][0]["points"] if trend["series"] else []
    told = [(_day(trend["step"], point), point) for point in points if empty or not is_empty(point)]
    if trend["undated"] is not None:
        told.append(("undated", trend["undated"]))
    _draw_values(out, trend["step"].upper(), told, metrics, trend["total"])


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
    by = found["by"]
    rows = [(label_of(by, item), item) for item in found["items"]]
    if found["rest"] is not None:
        rows.append((f"({found['count'] - len(rows):,} more)", found["rest"]))
    title = "SUB-AGENT" if by == "subagentType" else by.upper()
    extra = []
    if by == "session":
        extra.append(Column("ID", style="cyan"))
    shares = [percent(item["share"]) if item.get("share") is not None else NOTHING for _, item in rows]
    adds_up = any(item["share"] is not None for item in found["items"])
    more: list[tuple[Column, list[str]]] = []
    if adds_up:
        more.append((Column("SHARE", right=True, drop=3), [*shares, ""]))
    if compare:
        first = metrics[0]["id"]
        before = [item.get("previous") for _, item in rows]
        now = [item["values"].get(first) for _, item in rows]
        cells = [change(one, other.get(first)) if other else NOTHING for one, other in zip(now, before, strict=True)]
        total = change(found["total"]["values"].get(first), (found["previous"] or {"values": {}})["values"].get(first))
        more.append((Column("CHANGE", right=True), [*cells, total]))
    if by in ("feature", "task"):
        linked = [f"{item['sessions']:,}" if item.get("sessions") is not None else NOTHING for _, item in rows]
        shared = [f"{item['shared']:,}" if item.get("shared") is not None else NOTHING for _, item in rows]
        more += [
            (Column("LINKED", right=True, drop=5), [*linked, ""]),
            (Column("SHARED", right=True, drop=4), [*shared, ""]),
        ]
    ids = [clean(short_id(item.get("key", ""))) for _, item in rows] if extra else []
    least = LONG_NAMES if by in ("session", "feature", "task", "file") else FLEX_MIN
    _draw_values(out, title, rows, metrics, found["total"], more, ids, path=by in _PATHS, least=least, rest=found["rest"])


def _draw_values(
    out: Output,
    title: str,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    metrics: Metrics,
    total: Mapping[str, Any],
    more: Sequence[tuple[Column, Sequence[str]]] = (),
    ids: Sequence[str] = (),
    *,
    path: bool = False,
    least: int = FLEX_MIN,
    rest: Mapping[str, Any] | None = None,
) -> None:
    """Write rows of values, bars of the first metric, and a total. `more` has columns with a cell a row and one for the
    total; `ids` a cell a row, which come first. Names keep `least` cells; `rest` is of the row that stands for many."""
    first, *others = metrics
    columns = [Column("ID", style="cyan")] if ids else []
    columns += [Column(title, style="" if ids else "cyan", flexible=True, path=path, least=least)]
    columns.append(Column(_title(first), right=True))
    cells: list[Sequence[str]] = [[*ids, ""]] if ids else []
    told = [*(said for _, said in rows), total]
    cells += [[*(name for name, _ in rows), TOTAL], [cell(out, first, said) for said in told]]
    for column, texts in more:
        columns.append(column)
        cells.append(texts)
    for at, metric in enumerate(others):
        columns.append(Column(_title(metric), right=True, drop=10 + at))
        cells.append([cell(out, metric, said) for said in told])
    if len(rows) > 1:
        # What stands for many rows is no rival of those that stand alone.
        numbers = [0 if said is rest else said["values"].get(first["id"]) or 0 for _, said in rows]
        add_bars(out, columns, cells, [*numbers, 0])
    lines = list(zip(*cells, strict=True))
    if len(rows) == 1:
        lines = lines[:1]
    draw(out, columns, lines, above={len(rows): ""} if len(lines) > 1 else None)


def add_bars(out: Output, columns: list[Column], cells: list[Sequence[str]], numbers: Sequence[float]) -> None:
    """Add a column of bars, where there is room for it beside all others in a terminal."""
    if out.columns is None:
        return
    used = sum(
        max(width(column.title), *map(width, texts)) + len(GAP) for column, texts in zip(columns, cells, strict=True)
    )
    room = min(BAR_CELLS, out.columns - used)
    if room >= BAR_LEAST:
        columns.append(Column("", style="blue", drop=99))
        marks, most = glyphs(out.shows), max(numbers)
        cells.append([bar(number, most, room, marks) for number in numbers])


def draw_usage(out: Output, rows: Sequence[tuple[str, str, Mapping[str, Any], int]], title: str) -> None:
    """Write tokens by kind and what they cost. A row has a name, the models, a ``Values`` of the wire, and how deep it
    stands below the one before; the last is the total."""
    with_models = any(models for _, models, _, _ in rows)
    columns = [
        Column(title, style="cyan", flexible=True, least=12),
        *([Column("MODELS", flexible=True, drop=1, least=10)] if with_models else []),
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
