"""Answers of ``analytics/*`` as rows for programs. Pure. The names of columns stay what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ccdash.export import Field, Kind, Records, Value

Answer = Mapping[str, Any]
Metrics = Sequence[Mapping[str, Any]]

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WHOLE = ("tokens", "count", "lines")
_ADDED = ("sum", "max", "last", "distinct")
_KINDS: Mapping[str, Kind] = {"usd": "money"}
UNDATED = "undated"

TOKEN_FIELDS = (
    Field("input_tokens", "integer"),
    Field("output_tokens", "integer"),
    Field("cache_write_tokens", "integer"),
    Field("cache_read_tokens", "integer"),
)
_TOKEN_KINDS = ("input", "output", "cacheWrite", "cacheRead")
COST_FIELDS = (Field("cost_usd", "money"), Field("cost_provenance"), Field("unpriced_models"))


def column(metric: Mapping[str, Any]) -> str:
    """The column of a metric: its id in lower case, and the unit where the id does not tell it: ``cost_usd``."""
    name = _CAPITAL.sub("_", metric["id"]).lower()
    return f"{name}_usd" if metric["unit"] == "usd" else name


def metric_fields(metrics: Metrics, *, divided: bool = False, prefix: str = "") -> list[Field]:
    """The columns of metrics; with that of cost, how sure it is. Where sessions are `divided` among features, counts need
    not be whole."""
    fields = [Field(f"{prefix}{column(metric)}", _kind(metric, divided)) for metric in metrics]
    if not prefix and any(metric["id"] == "cost" for metric in metrics):
        fields += COST_FIELDS[1:]
    return fields


def metric_values(metrics: Metrics, told: Mapping[str, Any] | None) -> list[Value]:
    """The values for `metric_fields`, of a ``Values`` of the wire."""
    values: list[Value] = [None if told is None else told["values"].get(metric["id"]) for metric in metrics]
    if any(metric["id"] == "cost" for metric in metrics):
        values += cost_values(told and told["cost"])[1:]
    return values


def cost_values(cost: Mapping[str, Any] | None) -> list[Value]:
    """The values for `COST_FIELDS`, of a ``Cost`` of the wire."""
    if cost is None:
        return [None, None, None]
    return [cost["usd"], cost["provenance"], " ".join(cost["unpricedModels"]) or None]


def trend_records(trend: Answer, metrics: Metrics, split: str | None) -> Records:
    """A row a point of each series; and one for what has no time, where there is such."""
    fields = [Field("start", "time"), Field("label")]
    if split:
        fields += [Field(split), Field(f"{split}_label")]
    rows: list[Sequence[Value]] = []
    for series in trend["series"]:
        of = [series["key"], series["label"]] if split else []
        rows += [[point["start"], point["label"], *of, *metric_values(metrics, point)] for point in series["points"]]
    if trend["undated"] is not None:
        rows.append([None, UNDATED, *([None, None] if split else []), *metric_values(metrics, trend["undated"])])
    return Records([*fields, *metric_fields(metrics, divided=split in ("feature", "task"))], rows)


def breakdown_records(breakdown: Answer, metrics: Metrics, *, compare: bool = False) -> Records:
    """A row an item."""
    divided = breakdown["by"] in ("feature", "task")
    fields = [Field("key"), Field("label"), *metric_fields(metrics, divided=divided), Field("share", "number")]
    if divided:
        fields += [Field("sessions_linked", "integer"), Field("sessions_shared", "integer")]
    if compare:
        fields += metric_fields(metrics, divided=divided, prefix="previous_")
    rows = []
    for item in breakdown["items"]:
        row: list[Value] = [item["key"], item["label"], *metric_values(metrics, item), item["share"]]
        if divided:
            row += [item["sessions"], item["shared"]]
        if compare:
            before = item["previous"] or {}
            row += [before.get(metric["id"]) for metric in metrics]
        rows.append(row)
    return Records(fields, rows)


def window_records(windows: Answer) -> Records:
    """A row a window."""
    fields = (
        Field("start", "time"), Field("end", "time"), Field("first", "time"), Field("last", "time"),
        Field("active", "boolean"), Field("sessions", "integer"), Field("models"), *TOKEN_FIELDS, *COST_FIELDS,
        Field("usd_per_hour", "money"), Field("projected_usd", "money"), Field("exhausted_at", "time"),
    )  # fmt: skip
    rows = []
    for window in windows["items"]:
        burn = window["burn"] or {}
        head = [window[name] for name in ("start", "end", "first", "last", "active", "sessions")]
        tail = [burn.get(name) for name in ("usdPerHour", "projectedUsd", "exhaustedAt")]
        rows.append(
            [*head, " ".join(window["models"]), *token_values(window["tokens"]), *cost_values(window["cost"]), *tail]
        )
    return Records(fields, rows)


def tool_records(tools: Answer) -> Records:
    """A row a tool."""
    wire = ("name", "calls", "success", "errors", "successRate", "seconds", "mean", "median", "p95", "slowest", "sessions")
    fields = (
        Field("tool"), Field("calls", "integer"), Field("success", "integer"), Field("errors", "integer"),
        Field("success_rate", "number"), Field("seconds", "number"), Field("mean_seconds", "number"),
        Field("median_seconds", "number"), Field("p95_seconds", "number"), Field("slowest_seconds", "number"),
        Field("sessions", "integer"),
    )  # fmt: skip
    return Records(fields, [[item[name] for name in wire] for item in tools["items"]])


def top_records(top: Answer, metrics: Metrics) -> Records:
    """A row a session."""
    fields = (Field("session"), Field("project"), Field("title"), Field("model"), Field("started_at", "time"),
              Field("ended_at", "time"))  # fmt: skip
    rows = [
        [
            *(item["session"][name] for name in ("id", "projectName", "title", "model", "startedAt", "endedAt")),
            *metric_values(metrics, item),
        ]
        for item in top["items"]
    ]
    return Records([*fields, *metric_fields(metrics)], rows)


def session_cost_records(answer: Answer) -> Records:
    """A row a model and kind."""
    fields = (Field("session"), Field("model"), Field("kind"), Field("amount", "integer"), Field("cost_usd", "money"),
              Field("prices"))  # fmt: skip
    rows = [
        [
            answer["id"],
            line["model"],
            line["kind"],
            line["amount"],
            line["usd"],
            " ".join(map(_price, line["prices"])) or None,
        ]
        for line in answer["lines"]
    ]
    return Records(fields, rows)


def heatmap_records(heatmap: Answer) -> Records:
    """A row an hour of the week: weekday 1 is Monday."""
    fields = (Field("weekday", "integer"), Field("hour", "integer"), Field("value", _KINDS.get(heatmap["unit"], "number")))
    rows = [(day, hour, value) for day, row in enumerate(heatmap["cells"], 1) for hour, value in enumerate(row)]
    return Records(fields, rows)


def distribution_records(answer: Answer) -> Records:
    """A row a bin, each with its borders and how many sessions are in it."""
    kind = _KINDS.get(answer["unit"], "number")
    fields = (Field("start", kind), Field("end", kind), Field("sessions", "integer"))
    return Records(fields, [(found["start"], found["end"], found["count"]) for found in answer["bins"]])


def overview_records(overview: Answer, periods: Iterable[tuple[str, str]], metrics: Metrics) -> Records:
    """A row a period: its name, and where it stands in the answer, are given by `periods`."""
    rows = [[name, *metric_values(metrics, overview[key])] for name, key in periods]
    return Records([Field("period"), *metric_fields(metrics)], rows)


def token_values(tokens: Mapping[str, int]) -> list[Value]:
    """The values for `TOKEN_FIELDS`."""
    return [tokens[kind] for kind in _TOKEN_KINDS]


def _kind(metric: Mapping[str, Any], divided: bool) -> Kind:
    if metric["unit"] == "usd":
        return "money"
    whole = metric["unit"] in _WHOLE and metric["aggregation"] in _ADDED and not divided
    return "integer" if whole else "number"


def _price(usd: float) -> str:
    return f"{usd:.6f}".rstrip("0").rstrip(".")
