"""The registry of metrics. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from ccdashd.derive.measures import Measures, usd
from ccdashd.derive.metric import Metric, Value, count, sum_of
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _tokens(measures: Measures) -> int:
    return measures.input + measures.output + measures.cache_read + measures.cache_write


def _cache_hits(measures: Measures) -> Value:
    return _ratio(measures.cache_read, measures.input + measures.cache_read + measures.cache_write)


def _session_seconds(measures: Measures) -> Value:
    return _ratio(measures.session_ms / 1000, measures.timed_sessions)


def _success(measures: Measures) -> Value:
    return _ratio(measures.success, measures.success + measures.errors)


def _context(measures: Measures) -> Value:
    return _ratio(measures.context_sum, measures.messages)


def _peak(measures: Measures) -> Value:
    return measures.context_max if measures.messages else None


def _subagents(measures: Measures) -> Value:
    return _ratio(measures.subagent_cost, measures.cost)


def _usd(measures: Measures) -> Value:
    return usd(measures.cost)


def _of_plans(measures: Measures) -> Value:
    return None


COST_NEEDS: Final = ("messages", "lower_bounds", "reported", "unpriced", "cost", "unpriced_models")
"""Measures of a cost with how sure it is."""

_FOUR: Final = ("input", "output", "cache_read", "cache_write")
_ONCE: Final = "Each API message counts once, by its id and request, whichever logs hold it. "
_EDITS: Final[tuple[t.Dimension, ...]] = ("file",)

_ALL: Final = (
    Metric(
        "cost",
        "Cost",
        "usd",
        "usage",
        COST_NEEDS,
        _usd,
        "What API messages cost.",
        _ONCE + "Tokens of each kind times the price of the message's model at its date and size of prompt, or what the "
        "agent reported. Tokens of models without a price cost nothing here, and the cost is then a lower bound.",
        aliases=("session_cost",),
    ),
    Metric(
        "tokens",
        "Tokens",
        "tokens",
        "usage",
        _FOUR,
        _tokens,
        "Tokens of all kinds.",
        _ONCE + "Input, output, read from and written to the cache of prompts.",
        aliases=("session_tokens", "total_tokens"),
    ),
    count(
        "inputTokens",
        "Input",
        "usage",
        "input",
        "Input that was neither read from nor written to the cache of prompts.",
        _ONCE + "Claude Code: `usage.input_tokens`.",
        unit="tokens",
    ),
    count(
        "outputTokens",
        "Output",
        "usage",
        "output",
        "What models wrote.",
        _ONCE + "Claude Code: the largest `usage.output_tokens` of the message's records.",
        unit="tokens",
    ),
    count(
        "cacheReadTokens",
        "Cache read",
        "usage",
        "cache_read",
        "Input read from the cache of prompts.",
        _ONCE + "Claude Code: `usage.cache_read_input_tokens`.",
        unit="tokens",
    ),
    count(
        "cacheWriteTokens",
        "Cache write",
        "usage",
        "cache_write",
        "Input written to the cache of prompts, for whatever time.",
        _ONCE + "Claude Code: `usage.cache_creation_input_tokens`.",
        unit="tokens",
    ),
    Metric(
        "ioTokens",
        "In + out",
        "tokens",
        "usage",
        ("input", "output"),
        lambda measures: measures.input + measures.output,
        "Input and output without the cache of prompts.",
        "inputTokens + outputTokens.",
    ),
    Metric(
        "cacheHitShare",
        "Cache hits",
        "share",
        "usage",
        ("input", "cache_read", "cache_write"),
        _cache_hits,
        "How much of what was sent came from the cache of prompts.",
        "cacheReadTokens / (inputTokens + cacheReadTokens + cacheWriteTokens).",
        "ratio",
        "gauge",
    ),
    count("messages", "Messages", "usage", "messages", "Answers of models.", _ONCE + "Those with usage."),
    count(
        "webSearches",
        "Web searches",
        "usage",
        "web_searches",
        "Searches that the provider made.",
        _ONCE + "Claude Code: `usage.server_tool_use.web_search_requests`.",
    ),
    Metric(
        "contextTokens",
        "Context",
        "tokens",
        "usage",
        ("context_sum", "messages"),
        _context,
        "Tokens of the prompt of a message, in the mean.",
        "Input, cache read and cache write of all messages, divided by their number.",
        "mean",
        "gauge",
    ),
    Metric(
        "contextPeak",
        "Largest context",
        "tokens",
        "usage",
        ("context_max", "messages"),
        _peak,
        "Tokens of the largest prompt.",
        "The most input, cache read and cache write that one message had.",
        "max",
        "gauge",
    ),
    Metric(
        "subagentShare",
        "Sub-agents",
        "share",
        "usage",
        (*COST_NEEDS, "subagent_cost"),
        _subagents,
        "Which share of the cost sub-agents had.",
        "Cost of the messages of sub-agents' logs, or of copies of these, divided by cost.",
        "ratio",
        "gauge",
    ),
    Metric(
        "sessions",
        "Sessions",
        "count",
        "sessions",
        ("sessions",),
        sum_of("sessions"),
        "Sessions that began.",
        "Main sessions, not sub-agents, that said anything, by the time of their first record.",
        aliases=("session_count",),
    ),
    Metric(
        "activeSessions",
        "Active sessions",
        "count",
        "minutes",
        ("active",),
        lambda measures: len(measures.active),
        "Sessions in which something happened.",
        "Main sessions with a minute of activeSeconds, of their own or of a sub-agent. In several steps, each counts in "
        "each, and once in the whole.",
        "distinct",
        "gauge",
    ),
    Metric(
        "sessionSeconds",
        "Session length",
        "seconds",
        "sessions",
        ("timed_sessions", "session_ms"),
        _session_seconds,
        "How long a session took from begin to end, in the mean, with all pauses.",
        "Time from the first to the last record of main sessions that began, divided by their number; without those whose "
        "records have no time.",
        "mean",
        "gauge",
        aliases=("session_duration",),
    ),
    Metric(
        "activeSeconds",
        "Active time",
        "seconds",
        "minutes",
        ("minutes",),
        lambda measures: 60 * measures.minutes,
        "How long sessions were at work, without pauses.",
        "Minutes in which a session or a sub-agent of it wrote a record, and all minutes between two records of one log "
        "that are at most five minutes apart, each once for each main session.",
        aliases=("active_time",),
    ),
    count(
        "prompts",
        "Prompts",
        "activity",
        "prompts",
        "What people, or programs for them, asked.",
        "Prompts of users, without tool results, commands and what the agent adds; those before a fork once.",
        aliases=("turns",),
    ),
    count(
        "steering",
        "Steering",
        "activity",
        "steering",
        "What people said while the agent worked.",
        "Prompts that were queued while the agent worked, unless they were taken back.",
    ),
    count("commands", "Commands", "activity", "commands", "Slash commands.", "Slash commands that were given."),
    count(
        "interrupts",
        "Interrupts",
        "activity",
        "interrupts",
        "How often people stopped the agent.",
        "Records that say that the user interrupted the request.",
    ),
    count(
        "compactions",
        "Compactions",
        "activity",
        "compactions",
        "How often the context was summed up to make room.",
        "Records of the boundary of a compaction.",
    ),
    count(
        "apiErrors",
        "API errors",
        "activity",
        "api_errors",
        "Requests to models that failed.",
        "Records of errors of the API, with each try again.",
    ),
    count(
        "toolCalls",
        "Tool calls",
        "tools",
        "calls",
        "Calls of tools.",
        "Calls in messages that count, also those that have not ended; by the time of the call.",
        aliases=("tool_call_count",),
    ),
    count("toolErrors", "Tool errors", "tools", "errors", "Calls that failed.", "Calls whose result is an error."),
    Metric(
        "toolSuccessRate",
        "Tool success",
        "share",
        "tools",
        ("success", "errors"),
        _success,
        "Which share of calls succeeded.",
        "Calls whose result is no error, divided by all calls that have a result.",
        "ratio",
        "gauge",
        aliases=("tool_success_rate",),
    ),
    Metric(
        "toolSeconds",
        "Tool time",
        "seconds",
        "tools",
        ("tool_ms",),
        lambda measures: measures.tool_ms / 1000,
        "How long tools took.",
        "Time from call to result, of all calls that ended; parallel calls each count.",
    ),
    count(
        "edits",
        "Edits",
        "activity",
        "edits",
        "Calls that changed a file.",
        "Calls of tools that edit or write files and succeeded.",
        more=_EDITS,
    ),
    Metric(
        "filesChanged",
        "Files changed",
        "count",
        "files",
        ("files",),
        lambda measures: len(measures.files),
        "Files that were changed.",
        "Paths of edits, each once however often it was changed.",
        "distinct",
        "gauge",
    ),
    count(
        "additions",
        "Lines added",
        "activity",
        "additions",
        "Lines that edits added.",
        "Lines that are in the text after an edit and not in the text before it.",
        unit="lines",
        more=_EDITS,
    ),
    count(
        "deletions",
        "Lines deleted",
        "activity",
        "deletions",
        "Lines that edits deleted.",
        "Lines that are in the text before an edit and not in the text after it.",
        unit="lines",
        more=_EDITS,
    ),
    Metric(
        "churn",
        "Churn",
        "lines",
        "activity",
        ("additions", "deletions"),
        lambda measures: measures.additions + measures.deletions,
        "Lines that edits added or deleted.",
        "additions + deletions.",
        more=_EDITS,
        aliases=("file_churn",),
    ),
    Metric(
        "tasksDone",
        "Tasks done",
        "count",
        "plans",
        (),
        _of_plans,
        "Tasks of plans that became done.",
        "Done tasks by the date of completion that they have, or their file, which is done; a date counts from midnight "
        "on. Of done tasks without one: how many are more than on any day before, by the day on which that was seen.",
        aliases=("task_velocity",),
    ),
    Metric(
        "taskCompletion",
        "Tasks complete",
        "share",
        "plans",
        (),
        _of_plans,
        "Which share of the tasks of plans is done.",
        "Done tasks, divided by all that are neither deferred nor archived, at the end of the time: in the past, what was "
        "noted last; of a feature, only now.",
        "ratio",
        "gauge",
        aliases=("task_completion_pct",),
    ),
    Metric(
        "featureProgress",
        "Progress",
        "share",
        "plans",
        (),
        _of_plans,
        "How far features are.",
        "Tasks of a feature that are done, deferred or archived, divided by all of its tasks; the mean of all features, at "
        "the end of the time: in the past, what was noted last; of one feature, only now.",
        "mean",
        "gauge",
        aliases=("feature_progress",),
    ),
)

METRICS: Final[dict[str, Metric]] = {metric.id: metric for metric in _ALL}
"""Every metric by its id, in the order in which they are listed."""

_NAMES: Final = {name: metric for metric in _ALL for name in (metric.id, *metric.aliases)}


def find(name: str, field: str = "metric") -> Metric:
    """The metric of that id or alias. Raises InvalidParams of `field`, which lists near names."""
    found = _NAMES.get(name)
    if found is None:
        near = difflib.get_close_matches(name[:100], _NAMES, n=3) or list(METRICS)
        word = "did you mean" if len(near) <= 3 else "there are"
        raise InvalidParams(field, f"is no metric; {word} {', '.join(near)}{'?' if len(near) <= 3 else ''}", name, near[:5])
    return found


def find_all(names: Sequence[str], field: str = "metrics") -> list[Metric]:
    """The metrics of these names, each once. Raises InvalidParams of `field` for a name that is none, and for no name."""
    if not names:
        raise InvalidParams(field, "is empty; analytics/metrics lists what there is", list(names))
    return list({metric.id: metric for metric in (find(name, field) for name in names)}.values())
