"""Metrics in Prometheus' text format: what there is, what each is made of, and how it is written.

Names follow https://prometheus.io/docs/practices/naming/. Counters are told by what `Counters` remembers of them; gauges as
they are now. What a project, model or tool is called may be anything, and is a label's value; each has a bounded number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ccdashd.analytics.counters import OTHER, UNKNOWN, Counters, Key
from ccdashd.derive.measures import Measures
from ccdashd.derive.progress_days import Figures, completion
from ccdashd.sources.planning.model import STATUSES
from ccdashd.store import exposition, facts, progress_days
from ccdashd.store.database import get_meta
from ccdashd.store.exposition import ProjectName
from ccdashd.store.filters import Filter

LABEL_CAP: Final = 120
"""Characters of a label's value."""


class Family(NamedTuple):
    """One metric: all series of a name."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    unit: int = 1
    """How many of what a counter is kept in make one of what it tells."""


_ONCE: Final = "each message once, however many logs hold it"

FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        "ccdash_cost_usd_total",
        "counter",
        f"What messages cost in US dollars, at the prices of their day; {_ONCE}.",
        ("project", "model"),
        10**12,
    ),
    Family(
        "ccdash_tokens_total",
        "counter",
        f"Tokens, each of one kind; {_ONCE}. Cache writes of unknown lifetime are among those of five minutes.",
        ("project", "model", "kind"),
    ),
    Family("ccdash_messages_total", "counter", f"Answers of models; {_ONCE}.", ("project", "model")),
    Family("ccdash_web_searches_total", "counter", "Searches that the provider made.", ("project", "model")),
    Family("ccdash_sessions_total", "counter", "Sessions without sub-agents.", ("project",)),
    Family(
        "ccdash_active_seconds_total",
        "counter",
        "How long sessions and their sub-agents were at work, in whole minutes, without pauses of more than five.",
        ("project",),
    ),
    Family("ccdash_prompts_total", "counter", "Prompts of users.", ("project",)),
    Family("ccdash_steering_total", "counter", "Prompts that were queued while the agent worked.", ("project",)),
    Family("ccdash_commands_total", "counter", "Slash commands.", ("project",)),
    Family("ccdash_interrupts_total", "counter", "How often users stopped the agent.", ("project",)),
    Family("ccdash_compactions_total", "counter", "How often the context was summed up.", ("project",)),
    Family("ccdash_api_errors_total", "counter", "Requests to models that failed, with each try again.", ("project",)),
    Family("ccdash_edits_total", "counter", "Calls that changed a file.", ("project",)),
    Family("ccdash_lines_added_total", "counter", "Lines that edits added.", ("project",)),
    Family("ccdash_lines_removed_total", "counter", "Lines that edits removed.", ("project",)),
    Family("ccdash_tool_calls_total", "counter", "Calls of tools that ended.", ("tool", "status")),
    Family(
        "ccdash_tool_seconds_total",
        "counter",
        "Time from call to result of tools; parallel calls each count.",
        ("tool",),
        1000,
    ),
    Family("ccdash_sessions_live", "gauge", "Sessions that are being written."),
    Family("ccdash_messages_unpriced", "gauge", "Messages whose model has no price: the cost lacks them.", ("model",)),
    Family(
        "ccdash_messages_lower_bound",
        "gauge",
        "Messages of which logs tell a part: they cost at least what the cost has of them.",
        ("model",),
    ),
    Family("ccdash_window_cost_usd", "gauge", "Cost of the running five-hour window in US dollars; 0 without one."),
    Family("ccdash_window_tokens", "gauge", "Tokens of the running five-hour window; 0 without one."),
    Family("ccdash_window_end_timestamp_seconds", "gauge", "When the running five-hour window ends; none without one."),
    Family("ccdash_tasks", "gauge", "Tasks of planning files.", ("project", "status")),
    Family(
        "ccdash_task_completion_ratio",
        "gauge",
        "Share of the tasks that are done, of those neither deferred nor archived.",
        ("project",),
    ),
    Family("ccdash_features", "gauge", "Features of plans.", ("project",)),
    Family("ccdash_feature_progress_ratio", "gauge", "Mean of the progress of features.", ("project",)),
    Family("ccdash_alerts_firing", "gauge", "Alerts that are firing."),
    Family("ccdash_up", "gauge", "Whether the daemon runs and can read its cache."),
    Family("ccdash_build_info", "gauge", "The version of the daemon, and its profile; always 1.", ("version", "profile")),
    Family("ccdash_start_time_seconds", "gauge", "When the daemon started, as Unix time."),
    Family("ccdash_process_resident_memory_bytes", "gauge", "Resident memory of the daemon."),
    Family("ccdash_process_open_fds", "gauge", "Open file descriptors of the daemon."),
    Family("ccdash_process_cpu_seconds_total", "counter", "Processor time of the daemon, of all of its lives."),
    Family("ccdash_clients", "gauge", "Open connections."),
    Family("ccdash_problems", "gauge", "What is not well: see ccdash status."),
    Family("ccdash_cache_bytes", "gauge", "Size of cache.db."),
    Family("ccdash_cache_wal_bytes", "gauge", "Size of the write-ahead log of cache.db."),
    Family("ccdash_cache_revision", "gauge", "Number of the last change of the cache."),
    Family("ccdash_cache_rows_written_total", "counter", "Rows that were inserted, changed or deleted."),
    Family("ccdash_journal_bytes", "gauge", "Size of journal.jsonl."),
    Family("ccdash_index_complete", "gauge", "Whether the first index is complete."),
    Family("ccdash_index_progress_ratio", "gauge", "How far the running index run is; 1 while none runs."),
    Family("ccdash_log_files", "gauge", "Log files that are there."),
    Family("ccdash_files_parsed_total", "counter", "Logs that were read from their begin."),
    Family("ccdash_records_parsed_total", "counter", "Records of logs that were read."),
    Family("ccdash_watch_directories", "gauge", "Folders that are watched."),
    Family("ccdash_watch_healthy", "gauge", "Whether changes are noticed as they happen."),
    Family("ccdash_watch_events_total", "counter", "Paths that the watcher reported."),
    Family("ccdash_watch_restarts_total", "counter", "How often the watcher was replaced."),
    Family("ccdash_watch_overflows_total", "counter", "How often the watcher may have missed something."),
)
"""Every metric, in the order in which they are told."""

_BY_NAME: Final = {family.name: family for family in FAMILIES}

_OF_PROJECTS: Final = {
    "ccdash_sessions_total": "sessions",
    "ccdash_prompts_total": "prompts",
    "ccdash_steering_total": "steering",
    "ccdash_commands_total": "commands",
    "ccdash_interrupts_total": "interrupts",
    "ccdash_compactions_total": "compactions",
    "ccdash_api_errors_total": "api_errors",
    "ccdash_edits_total": "edits",
    "ccdash_lines_added_total": "additions",
    "ccdash_lines_removed_total": "deletions",
}
"""The measure of each counter by project."""


@dataclass(frozen=True)
class Work:
    """All that was ever done, and how far plans are; hidden projects included."""

    usage: Mapping[tuple[str, str], Measures] = field(default_factory=dict)
    """By project and model."""
    projects: Mapping[str, Measures] = field(default_factory=dict)
    """Sessions, minutes and events."""
    tools: Mapping[str, Measures] = field(default_factory=dict)
    plans: Mapping[str, Figures] = field(default_factory=dict)
    """By project."""
    names: Mapping[str, ProjectName] = field(default_factory=dict)
    """By id of a project."""
    prices: str = ""
    """Tells prices from others: those of `usage`."""


def read(connection: sa.Connection) -> Work:
    """What the cache holds."""
    everything = Filter(include_hidden=True)
    by_project = frozenset({"minutes", *_OF_PROJECTS.values()})
    return Work(
        usage=exposition.usage(connection),
        projects=facts.measures(connection, everything, by_project, "project"),
        tools=facts.measures(connection, everything, frozenset({"calls", "success", "errors", "tool_ms"}), "tool"),
        plans=progress_days.current(connection),
        names=exposition.names(connection),
        prices=get_meta(connection, "prices") or "",
    )


def sums(work: Work, counters: Counters) -> dict[Key, int]:
    """The sums over rows, by the keys that they are kept under; those without a place get one where there is any left."""
    _admit(work, counters)
    found: dict[Key, int] = {}

    def add(name: str, *labels: str, amount: int) -> None:
        key = (name, *labels)
        found[key] = found.get(key, 0) + amount

    for (project, model), used in work.usage.items():
        labels = (counters.place("project", project), counters.place("model", _value(model)))
        add("ccdash_cost_usd_total", *labels, amount=used.cost)
        add("ccdash_messages_total", *labels, amount=used.messages)
        add("ccdash_web_searches_total", *labels, amount=used.web_searches)
        for kind, tokens in _kinds(used):
            add("ccdash_tokens_total", *labels, kind, amount=tokens)
    for project, done in work.projects.items():
        place = counters.place("project", project)
        add("ccdash_active_seconds_total", place, amount=60 * done.minutes)
        for name, measure in _OF_PROJECTS.items():
            add(name, place, amount=getattr(done, measure))
    for tool, calls in work.tools.items():
        place = counters.place("tool", _value(tool))
        add("ccdash_tool_calls_total", place, "success", amount=calls.success)
        add("ccdash_tool_calls_total", place, "error", amount=calls.errors)
        add("ccdash_tool_seconds_total", place, amount=calls.tool_ms)
    return found


def gauges(work: Work, counters: Counters) -> dict[Key, float]:
    """What is so now, of models and plans."""
    found: dict[Key, float] = {}
    for (_, model), used in work.usage.items():
        place = counters.place("model", _value(model))
        for name, count in (("unpriced", used.unpriced), ("lower_bound", used.lower_bounds)):
            key = (f"ccdash_messages_{name}", place)
            found[key] = found.get(key, 0) + count
    plans: dict[str, list[Figures]] = {}
    for project, figures in work.plans.items():
        plans.setdefault(counters.place("project", project), []).append(figures)
    for place, several in plans.items():
        counts = [sum(column) for column in zip(*(figures.counts for figures in several), strict=True)]
        found |= {("ccdash_tasks", place, status): number for status, number in zip(STATUSES, counts, strict=True)}
        done, of = completion(counts)
        if of:
            found["ccdash_task_completion_ratio", place] = done / of
        features = found["ccdash_features", place] = sum(figures.features for figures in several)
        if features:
            progress = sum(figures.progress * figures.features for figures in several)
            found["ccdash_feature_progress_ratio", place] = progress / features
    return found


def named(samples: Mapping[Key, float], work: Work, counters: Counters) -> dict[Key, float]:
    """The samples with the names of projects in place of their ids. Those of hidden ones are not told."""
    names = {OTHER: OTHER}
    for number, project in enumerate(counters.members("project"), 1):
        known = work.names.get(project)
        wanted = None if known is None else f"hidden-{number}" if known.hidden else _value(known.name)
        names[project] = counters.name(project, wanted)
    return {
        (key[0], names.get(key[1], key[1]), *key[2:]) if _BY_NAME[key[0]].labels[:1] == ("project",) else key: value
        for key, value in samples.items()
    }


def told(values: Mapping[Key, int]) -> Iterator[tuple[Key, float]]:
    """Counters in the units in which they are told."""
    for key, value in values.items():
        unit = _BY_NAME[key[0]].unit
        yield key, value / unit if unit != 1 else value


def text(samples: Mapping[Key, float]) -> bytes:
    """The samples in text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Samples(samples))
    return generate_latest(registry)


class _Samples(Collector):
    """Gives samples to the library, by family."""

    def __init__(self, samples: Mapping[Key, float]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for family in FAMILIES:
            kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            families[family.name] = kind(family.name, family.help, labels=family.labels)
        for (name, *labels), value in sorted(self._samples.items()):
            families[name].add_metric(labels, value)
        return families.values()


def _kinds(used: Measures) -> Iterator[tuple[str, int]]:
    """Tokens by kind; each is of one."""
    yield "input", used.input
    yield "output", used.output
    yield "cache_read", used.cache_read
    yield "cache_write_5m", used.cache_write - used.cache_write_1h
    yield "cache_write_1h", used.cache_write_1h


def _admit(work: Work, counters: Counters) -> None:
    projects: dict[str, tuple[int, int]] = {}
    models: dict[str, tuple[int, int]] = {}
    for (project, model), used in work.usage.items():
        for totals, value in ((projects, project), (models, _value(model))):
            cost, messages = totals.get(value, (0, 0))
            totals[value] = cost + used.cost, messages + used.messages
    for project in (*work.projects, *work.plans):
        projects.setdefault(project, (0, 0))
    calls: dict[str, int] = {}
    for tool, used in work.tools.items():
        calls[_value(tool)] = calls.get(_value(tool), 0) + used.calls
    for label, ranked in (("project", projects), ("model", models), ("tool", calls)):
        counters.admit(label, sorted(ranked, key=lambda value: (ranked[value], value), reverse=True))


def _value(text: str) -> str:
    """A label's value: never empty, which is as if it were not there, of bounded length, and without what acts when it is
    printed."""
    text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    if len(text) > LABEL_CAP:
        digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        text = f"{text[: LABEL_CAP - 9]}-{digest}"
    return text or UNKNOWN
