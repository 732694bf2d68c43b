"""Answers of ``analytics/*`` as tables for people, and what is told below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ccdash import amounts
from ccdash.amounts import amount, change, percent
from ccdash.charts import bar, glyphs
from ccdash.context import Context
from ccdash.figures import NOTHING, ago, count, duration, parse_time, short_id, short_model
from ccdash.output import Output
from ccdash.table import Column, draw
from ccdash.text import clean

Answer = Mapping[str, Any]
Metrics = Sequence[Mapping[str, Any]]

BAR_CELLS = 24
QUARTER = timedelta(minutes=15)
TOKENS = ("inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens")
TOTAL = "total"
NO_KEY = {
    "feature": "(no feature)",
    "task": "(no task)",
    "branch": "(no branch)",
    "skill": "(no skill)",
    "subagentType": "(main sessions)",
    "project": "(no project)",
    "model": "(unknown model)",
}
"""What stands for rows without a key."""

_PATHS = ("file",)


def cost(out: Output, told: Mapping[str, Any] | None) -> str:
    """A cost as a cell: a sign where nothing is known of it."""
    return amounts.cost(told, ascii_only=not out.shows(amounts.AT_LEAST)) or NOTHING


def cell(out: Output, metric: Mapping[str, Any], told: Mapping[str, Any] | None) -> str:
    """The value of a metric as a cell; of cost with how sure it is."""
    if told is None:
        return NOTHING
    if metric["id"] == "cost":
        return cost(out, told["cost"])
    return amount(metric["unit"], told["values"].get(metric["id"]))


def is_empty(told: Mapping[str, Any]) -> bool:
    """Whether nothing happened: every value is null or 0."""
    return not any(told["values"].values())


def label_of(by: str, item: Mapping[str, Any]) -> str:
    """What a row of a breakdown is called."""
    if not item["key"]:
        return NO_KEY.get(by, f"(no {by})")
    if by == "model":
        return clean(short_model(item["label"] or item["key"]))
    return clean(item["label"]) or clean(item["key"])


def draw_trend(out: Output, trend: Answer, metrics: Metrics, *, empty: bool = True) -> None:
    """Write one series as a table: a row a step, a column a metric, bars of the first; then what has no time; the total.

    Steps without anything are left out unless `empty`.
    """
    points = trend["series"][0]["points"] if trend["series"] else []
    told = [(_day(trend["step"], point), point) for point in points if empty or not is_empty(point)]
    if trend["undated"] is not None:
        told.append(("undated", trend["undated"]))
    _draw_values(out, trend["step"].upper(), told, metrics, trend["total"])


def draw_series(out: Output, trend: Answer, metric: Mapping[str, Any]) -> None:
    """Write several series of a metric as a table: a row a step, a column a series."""
    series = trend["series"]
    columns = [Column(trend["step"].upper(), style="cyan")]
    columns += [Column(clean(one["label"]) or "(none)", right=True, drop=at) for at, one in enumerate(series)]
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
    _draw_values(out, title, rows, metrics, found["total"], more, ids, path=by in _PATHS)


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
) -> None:
    """Write rows of values, bars of the first metric, and a total. `more` has columns with a cell a row and one for the
    total; `ids` a cell a row, which come first."""
    first, *others = metrics
    columns = [Column("ID", style="cyan")] if ids else []
    columns += [Column(title, style="" if ids else "cyan", flexible=True, path=path), Column(_title(first), right=True)]
    cells: list[Sequence[str]] = [[*ids, ""]] if ids else []
    told = [*(said for _, said in rows), total]
    cells += [[*(name for name, _ in rows), TOTAL], [cell(out, first, said) for said in told]]
    for column, texts in more:
        columns.append(column)
        cells.append(texts)
    for at, metric in enumerate(others):
        columns.append(Column(_title(metric), right=True, drop=10 + at))
        cells.append([cell(out, metric, said) for said in told])
    if out.terminal and len(rows) > 1:
        marks = glyphs(out.shows)
        numbers = [said["values"].get(first["id"]) or 0 for _, said in rows]
        most = max(numbers)
        columns.append(Column("", style="blue", drop=99))
        cells.append([*(bar(number, most, BAR_CELLS, marks) for number in numbers), ""])
    lines = list(zip(*cells, strict=True))
    if len(rows) == 1:
        lines = lines[:1]
    draw(out, columns, lines, above={len(rows): ""} if len(lines) > 1 else None)


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


def draw_windows(out: Output, windows: Sequence[Mapping[str, Any]], *, weeks: bool) -> None:
    """Write windows, oldest first, with what is going on in the active one below."""
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
                moment(window["start"]),
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


def moment(stamp: str | None, zone: str | None = None) -> str:
    """A time of the wire as date and time of a zone (by default this machine's), to the minute."""
    found = parse_time(stamp)
    return f"{found.astimezone(_zone(zone)):%Y-%m-%d %H:%M}" if found else NOTHING


def _zone(name: str | None) -> tzinfo | None:
    """The time zone of that name; None, for this machine's, where it does not know such a zone."""
    if not name:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def left(stamp: str | None, now: datetime | None = None) -> str:
    """How long until a time of the wire."""
    found = parse_time(stamp)
    if found is None:
        return NOTHING
    return duration(max(timedelta(), found - (now or datetime.now(found.tzinfo))).total_seconds())


def until(stamp: str | None, now: datetime | None = None) -> str:
    """When a time of the wire that lies ahead comes: the time of day, the day where it is another, and how long that is."""
    found = parse_time(stamp)
    if found is None:
        return NOTHING
    here, today = found.astimezone(), (now or datetime.now(found.tzinfo)).astimezone()
    day = "" if here.date() == today.date() else f"on {here:%a} "
    return f"{day}at {here:%H:%M}, in {left(stamp, now)}"


def lasted(window: Mapping[str, Any]) -> str:
    """How long a window was used, to the quarter of an hour, which is all that is known of it."""
    first, last = parse_time(window["first"]), parse_time(window["last"])
    return duration((last - first + QUARTER).total_seconds()).removesuffix(" 00s") if first and last else NOTHING


def models(names: Iterable[str]) -> str:
    """Models in short, each once."""
    return ", ".join(dict.fromkeys(clean(short_model(name)) for name in names))


def seconds(number: float | None) -> str:
    """Seconds of a tool call, exact where they are few: 0.12s, 3.4s, 1m 20s."""
    if number is None:
        return NOTHING
    if number < 10:
        return f"{number:.2f}s"
    return f"{number:.1f}s" if number < 60 else duration(number)


def note_cost(context: Context, told: Mapping[str, Any] | None) -> None:
    """Tell beside figures which models have no price, and what a lower bound is."""
    out = context.out
    if told is None or out.as_json:
        return
    if names := told["unpricedModels"]:
        shown = ", ".join(map(clean, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        out.note(
            f"No price is known of {shown}: what they used is not in the cost. Give prices in {context.paths.config_file} "
            f'under [prices."{clean(names[0])}"].'
        )
    elif told["provenance"] == "lower_bound":
        out.note("At least so much: of some messages the logs do not hold all that was used.")


def note_comparison(out: Output, answer: Answer, metric: Mapping[str, Any]) -> None:
    """Tell how the total compares with the time before."""
    before = answer["previous"]
    if before is None:
        out.note("There is no time before to compare with: give a time with --since.")
        return
    now, then = answer["total"]["values"].get(metric["id"]), before["values"].get(metric["id"])
    out.note(f"{metric['name']} in the same time before: {cell(out, metric, before)} ({change(now, then)} since).")


def note_undated(out: Output, trend: Answer, metric: Mapping[str, Any]) -> None:
    """Tell what of the total is in no step."""
    out.note(f"Of the total, {cell(out, metric, trend['undated'])} has no time, and is in no step.")


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
