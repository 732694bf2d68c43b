"""Words and cells of analytics: what a row is called, values, costs, times, and what is told below a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ccdash import amounts
from ccdash.amounts import amount, change
from ccdash.context import Context
from ccdash.figures import NOTHING, duration, parse_time, short_model
from ccdash.output import Output
from ccdash.text import clean

Answer = Mapping[str, Any]

QUARTER = timedelta(minutes=15)
OTHERS = "…"
"""The key of the series of all others."""

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


def series_name(split: str, series: Mapping[str, Any]) -> str:
    """What a series of a trend that is split is called."""
    return clean(series["label"]) if series["key"] == OTHERS else label_of(split, series)


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


def until(stamp: str | None, zone: str | None = None, now: datetime | None = None) -> str:
    """When a time of the wire that lies ahead comes: the time of day, the day where it is another, and how long that is."""
    found = parse_time(stamp)
    if found is None:
        return NOTHING
    here, today = (moment.astimezone(_zone(zone)) for moment in (found, now or datetime.now(found.tzinfo)))
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
        sign = amounts.AT_LEAST if out.shows(amounts.AT_LEAST) else amounts.AT_LEAST_ASCII
        out.note(f"{sign.strip()} is a lower bound: of some messages the logs do not hold all that was used.")


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
