"""``analytics/*``: what it cost, where the time went, how it develops.

All figures are sums, at the moment of asking, over the rows of the cache. Days, weeks and months are those of a time zone;
a quarter of an hour is the finest step. Values are null where there is nothing to divide by, and not 0.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ccdashd.protocol.types.base import Params, Tokens, Wire
from ccdashd.protocol.types.entities import Cost, EntityRef
from ccdashd.protocol.types.sessions import SessionRow

MetricUnit = Literal["usd", "tokens", "count", "seconds", "share", "lines", "perDay"]
MetricKind = Literal["counter", "gauge"]
Aggregation = Literal["sum", "mean", "max", "last", "ratio", "distinct"]
Step = Literal["hour", "day", "week", "month"]
Dimension = Literal[
    "hour",
    "day",
    "week",
    "month",
    "project",
    "model",
    "agent",
    "branch",
    "session",
    "subagentType",
    "tool",
    "skill",
    "feature",
    "task",
    "file",
]
Subagents = Literal["include", "exclude", "only"]


class Metric(Wire, frozen=True):
    """One metric of the registry."""

    id: str
    name: str
    """As tables show it."""
    unit: MetricUnit
    """``share`` is from 0 to 1."""
    kind: MetricKind
    """``counter``: adds up over time; ``gauge``: is so at a time."""
    aggregation: Aggregation
    """How values of parts make that of the whole; ``ratio``: of the sums above and below the line."""
    description: str
    definition: str
    """So exact that a person can check it with the logs in hand."""
    dimensions: list[Dimension]
    """What it can be broken down by, and a trend of it split by."""
    aliases: list[str]
    """Other names that are taken for it."""


class Metrics(Wire, frozen=True):
    items: list[Metric]


class Scope(Params, frozen=True):
    """Which part of the work is meant. Filters are joined by *and*."""

    since: str | None = None
    """ISO 8601 time or date, or ``today``, ``yesterday``, ``week``, ``month``, ``year`` (the running ones), ``24h``,
    ``7d``, ``4w``: from then on. By default all time. What has no time counts in all time only."""
    until: str | None = None
    """As `since`: before then; a date is meant with that day. By default now."""
    time_zone: str | None = None
    """IANA name, such as ``Europe/Berlin``; by default that of the daemon's machine."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    model: str | None = None
    agent: str | None = None
    branch: str | None = None
    feature: str | None = None
    """A feature's id or slug: sessions that are linked with it, each whole."""
    session: str | None = None
    """A session's id, or the beginning of one, with its sub-agents."""
    subagents: Subagents = "include"
    include_hidden: bool = False
    """Also count hidden projects."""


class Period(Wire, frozen=True):
    """A time from `start` until before `end`, both in UTC; null where it is open or unknown."""

    start: str | None
    end: str | None


class Values(Wire, frozen=True):
    """Values of the metrics that were asked for, by id. Money is in US dollars, exact to a millionth."""

    values: dict[str, float | int | None]
    cost: Cost | None
    """How sure the metric `cost` is; null where it was not asked for, or there is no usage."""


class TrendParams(Scope, frozen=True):
    """Metrics over time."""

    metrics: list[str] = msgspec.field(default_factory=lambda: ["cost"])
    step: Step = "day"
    split: Dimension | None = None
    """One series for each of the largest of them, and one for all others."""
    series: int = 5
    """With `split`: at most so many series beside that of all others; at most 50."""
    compare: bool = False
    """Also tell the totals of the same time before."""


class Point(Values, frozen=True):
    """Values in one step. Steps without anything are there too."""

    start: str
    """UTC."""
    label: str
    """Local: ``2026-03-29``, ``2026-03-29 02:00+02:00``, ``2026-W13``, ``2026-03``."""


class Series(Wire, frozen=True):
    key: str
    label: str
    points: list[Point]
    total: Values


class Trend(Wire, frozen=True):
    period: Period
    time_zone: str
    step: Step
    series: list[Series]
    """One without `split`. The last is that of all others, where there are any; its key is ``…``."""
    total: Values
    """Of all series, and of what has no time where all time is meant."""
    undated: Values | None
    """What of `total` has no time; null where there is none of it."""
    previous: Values | None
    """Of the time of equal length before; null unless asked for, or where the period is open."""
    previous_period: Period | None
    revision: int


class BreakdownParams(Scope, frozen=True, kw_only=True):
    """Metrics by what they belong to, the largest first."""

    by: Dimension
    metrics: list[str] = msgspec.field(default_factory=lambda: ["cost"])
    """Sorted by the first."""
    limit: int = 20
    """At most 500."""
    offset: int = 0
    compare: bool = False


class BreakdownRow(Values, frozen=True):
    key: str
    """Id, name or path; empty where there is none, such as sessions without a feature."""
    label: str
    entity: EntityRef | None
    """Where the key is that of an entity."""
    share: float | None
    """Of the total of the first metric; null where it cannot be added up."""
    sessions: int | None = None
    """By feature and task: the sessions that take part in it."""
    shared: int | None = None
    """By feature and task: of these, those that others take part in too. What a shared session used is split in proportion
    to how sure its links are, so that the parts add up to it."""
    previous: dict[str, float | int | None] | None = None


class Breakdown(Wire, frozen=True):
    by: Dimension
    period: Period
    time_zone: str
    items: list[BreakdownRow]
    count: int
    """Rows in all."""
    total: Values
    rest: Values | None
    """What is not in `items`; null where they are all."""
    previous: Values | None
    previous_period: Period | None
    revision: int


class SessionCostParams(Params, frozen=True):
    id: str
    """A session's id, or the beginning of one."""
    with_subagents: bool = True


class CostLine(Wire, frozen=True):
    """What one model used of one kind, and what that cost."""

    model: str
    kind: Literal["input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h", "webSearch", "reported"]
    """``reported``: the agent told the cost of these messages, which is not divided by kind."""
    amount: int
    """Tokens; of ``webSearch``: searches; of ``reported``: messages."""
    usd: float | None
    """Null where it has no price."""
    prices: list[float]
    """US dollars for a million tokens, or for a thousand searches: those that held, more than one where they changed or
    depend on the length of the prompt."""


class SessionCost(Wire, frozen=True):
    id: str
    cost: Cost | None
    """Null where its logs tell no usage."""
    own: Cost | None
    """Without its sub-agents."""
    tokens: Tokens
    messages: int
    lines: list[CostLine]
    """They add up to `cost`."""
    by_subagent_type: list[BreakdownRow]
    revision: int


class ToolFigures(Wire, frozen=True):
    name: str
    calls: int
    success: int
    errors: int
    success_rate: float | None
    """Of calls that ended."""
    seconds: float
    """Of all calls, from call to result; parallel calls each count."""
    mean: float | None
    """Seconds."""
    median: float | None
    p95: float | None
    slowest: float | None
    """Seconds."""
    sessions: int


class ToolsUsed(Wire, frozen=True):
    period: Period
    items: list[ToolFigures]
    """The most called first."""
    total: ToolFigures
    revision: int


class ToolsUsedParams(Scope, frozen=True):
    limit: int = 50


class WindowsParams(Scope, frozen=True):
    """Windows in which agents count limits. They begin with the first use after the last one ended."""

    kind: Literal["fiveHours", "week"] = "fiveHours"
    limit: int = 20
    """The last so many windows."""


class Window(Values, frozen=True):
    """A five-hour window begins at the full hour (UTC) of its first message, as Claude counts it; a week at the day and
    hour of the setting `week_start`."""

    start: str
    end: str
    first: str | None
    """The quarter of an hour of its first use."""
    last: str | None
    active: bool
    tokens: Tokens
    sessions: int
    models: list[str]
    burn: Burn | None
    """Only of the active one."""


class Burn(Wire, frozen=True):
    """How fast it goes, from the first use until now, and where that leads."""

    usd_per_hour: float
    tokens_per_minute: float
    projected_usd: float
    """At the end of the window, at this pace."""
    projected_tokens: int
    limit_usd: float | None
    """The most that any window before cost; null where there is none."""
    exhausted_at: str | None
    """When that is reached at this pace; null where it is not within the window."""


class Windows(Wire, frozen=True):
    kind: Literal["fiveHours", "week"]
    items: list[Window]
    """The newest first."""
    revision: int


class HeatmapParams(Scope, frozen=True):
    metric: str = "activeSeconds"


class Heatmap(Wire, frozen=True):
    metric: str
    unit: MetricUnit
    period: Period
    time_zone: str
    cells: list[list[float]]
    """Seven rows from Monday on, each of 24 local hours."""
    total: float
    undated: float
    revision: int


class DistributionParams(Scope, frozen=True):
    """How a metric is spread over sessions, each with its sub-agents."""

    metric: str = "cost"
    bins: int = 12
    """At most 100."""


class Bin(Wire, frozen=True):
    start: float
    end: float
    count: int


class Distribution(Wire, frozen=True):
    metric: str
    unit: MetricUnit
    count: int
    """Sessions that have a value."""
    mean: float | None
    minimum: float | None
    p10: float | None
    p25: float | None
    median: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    maximum: float | None
    bins: list[Bin]
    revision: int


class TopParams(Scope, frozen=True):
    """The sessions with most of a metric, each with its sub-agents."""

    metric: str = "cost"
    limit: int = 10


class TopSession(Values, frozen=True):
    session: SessionRow


class Top(Wire, frozen=True):
    metric: str
    items: list[TopSession]
    revision: int


class Forecast(Wire, frozen=True):
    """Where the running month leads, at the mean of the last `days` days."""

    month: str
    """``2026-11``."""
    so_far: float
    """US dollars."""
    per_day: float
    days: int
    projected: float


class OverviewParams(Scope, frozen=True):
    """`since` and `until` bound the lists and `total`; today, week and month are the running ones."""


class Overview(Wire, frozen=True):
    """All at a glance."""

    time_zone: str
    today: Values
    week: Values
    month: Values
    total: Values
    previous_day: Values
    """Yesterday until this time of day."""
    previous_week: Values
    previous_month: Values
    daily: list[Point]
    """The last 30 days."""
    forecast: Forecast
    window: Window | None
    """The active five-hour window."""
    projects: list[BreakdownRow]
    models: list[BreakdownRow]
    tools: list[BreakdownRow]
    top: list[TopSession]
    active: int
    """Sessions that are being written."""
    alerts: int
    """Alerts that are firing."""
    unpriced_models: list[str]
    undated: Values | None
    revision: int


class Prometheus(Wire, frozen=True):
    content_type: str
    text: str


class StatuslineParams(Params, frozen=True):
    cwd: str | None = None
    """Where the user stands: the project and its live session are told."""
    session: str | None = None
    time_zone: str | None = None


class Statusline(Wire, frozen=True):
    """What fits on one line. Null where nothing is known."""

    project: str | None
    feature: str | None
    session: str | None
    """The session asked for, or else the live one in `cwd`."""
    model: str | None
    context_tokens: int | None
    """What the last prompt of the session held."""
    context_limit: int | None
    """Of the model's context window, where the price table tells it."""
    session_cost: Cost | None
    today: Cost | None
    window: Cost | None
    window_ends_at: str | None
    usd_per_hour: float | None
    active: int
    alerts: int
    revision: int
