"""Metrics in Prometheus' text format: what each is made of, and how it is written.

Counters are told by what `Counters` remembers of them; gauges as they are now. What a project, model or tool is called may
be anything, and is a label's value; each has a bounded number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ccdashd.analytics.counters import OTHER, UNKNOWN, Counters, Key
from ccdashd.analytics.families import BY_NAME, FAMILIES
from ccdashd.derive.measures import Measures
from ccdashd.derive.progress_days import Figures, completion
from ccdashd.sources.planning.model import STATUSES
from ccdashd.store import exposition, facts, progress_days
from ccdashd.store.database import get_meta
from ccdashd.store.exposition import ProjectName
from ccdashd.store.filters import Filter

LABEL_CAP: Final = 120
"""Characters of a label's value."""


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
        (key[0], names.get(key[1], key[1]), *key[2:]) if BY_NAME[key[0]].labels[:1] == ("project",) else key: value
        for key, value in samples.items()
    }


def told(values: Mapping[Key, int]) -> Iterator[tuple[Key, float]]:
    """Counters in the units in which they are told; without those that only another version knows."""
    for key, value in values.items():
        family = BY_NAME.get(key[0])
        if family is not None and len(key) == 1 + len(family.labels):
            yield key, value / family.unit if family.unit != 1 else value


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
