"""The registry of metrics: names, values from measures, and what each can be told by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.measures import NONE, SUMS, Measures, add, cost_of
from ccdashd.derive.metric import hold, needs
from ccdashd.derive.metrics import METRICS, find, find_all
from ccdashd.errors import InvalidParams

SEEDED = {
    "session_cost": "cost",
    "session_tokens": "tokens",
    "session_duration": "sessionSeconds",
    "session_count": "sessions",
    "task_velocity": "tasksDone",
    "task_completion_pct": "taskCompletion",
    "feature_progress": "featureProgress",
    "tool_call_count": "toolCalls",
    "tool_success_rate": "toolSuccessRate",
    "file_churn": "churn",
}

NAMES = st.frozensets(st.sampled_from(("a", "b", "c")), max_size=2)
MEASURES = st.builds(
    Measures,
    **{name: st.integers(0, 10**15) for name in (*SUMS, "context_max")},
    unpriced_models=NAMES,
    active=NAMES,
    files=NAMES,
)
USED = Measures(
    messages=4,
    input=100,
    output=50,
    cache_read=600,
    cache_write=300,
    web_searches=2,
    cost=8_000_000_000_000,
    subagent_cost=2_000_000_000_000,
    context_sum=1000,
    context_max=400,
    calls=10,
    success=6,
    errors=2,
    tool_ms=2500,
    prompts=3,
    edits=5,
    additions=20,
    deletions=7,
    minutes=90,
    sessions=3,
    timed_sessions=2,
    session_ms=3000,
    active=frozenset({"s", "t"}),
    files=frozenset({"/a"}),
)


def test_values() -> None:
    values = {id: metric.value(USED) for id, metric in METRICS.items() if metric.value(USED)}
    assert values == {
        "cost": 8.0,
        "tokens": 1050,
        "inputTokens": 100,
        "outputTokens": 50,
        "cacheReadTokens": 600,
        "cacheWriteTokens": 300,
        "ioTokens": 150,
        "cacheHitShare": 0.6,
        "messages": 4,
        "webSearches": 2,
        "contextTokens": 250,
        "contextPeak": 400,
        "subagentShare": 0.25,
        "sessions": 3,
        "activeSessions": 2,
        "sessionSeconds": 1.5,
        "activeSeconds": 5400,
        "prompts": 3,
        "toolCalls": 10,
        "toolErrors": 2,
        "toolSuccessRate": 0.75,
        "toolSeconds": 2.5,
        "edits": 5,
        "filesChanged": 1,
        "additions": 20,
        "deletions": 7,
        "churn": 27,
    }


def test_without_anything_sums_are_nothing_and_shares_are_unknown() -> None:
    for metric in METRICS.values():
        expected = 0 if metric.aggregation in ("sum", "distinct") and metric.source != "plans" else None
        assert metric.value(NONE) == expected, metric.id


@given(MEASURES)
def test_a_value_follows_from_the_measures_that_it_needs(measures: Measures) -> None:
    for metric in METRICS.values():
        some = Measures(**{name: getattr(measures, name) for name in metric.needs})
        assert metric.value(some) == metric.value(measures), metric.id
        assert needs([metric]) == set(metric.needs)


@given(st.lists(MEASURES, max_size=4))
def test_measures_add_up_in_any_order(parts: list[Measures]) -> None:
    whole = add(parts)
    assert whole == add(reversed(parts))
    assert whole == sum(parts, NONE)
    assert whole.input == sum(part.input for part in parts)
    assert whole.context_max == max((part.context_max for part in parts), default=0)
    assert whole.active == frozenset().union(*(part.active for part in parts))


@pytest.mark.parametrize(
    ("measures", "provenance"),
    [
        (Measures(messages=2, cost=5), "computed"),
        (Measures(messages=2, cost=5, reported=2), "reported"),
        (Measures(messages=2, cost=5, reported=1), "computed"),
        (Measures(messages=2, cost=5, reported=2, lower_bounds=1), "lower_bound"),
        (Measures(messages=2, cost=5, unpriced=1), "lower_bound"),
        (Measures(messages=2, unpriced=1), "unpriced"),
        (Measures(messages=2, unpriced=2, lower_bounds=2), "unpriced"),
    ],
)
def test_how_sure_a_cost_is(measures: Measures, provenance: str) -> None:
    cost = cost_of(measures)
    assert cost is not None and cost.provenance == provenance


def test_without_messages_there_is_no_cost() -> None:
    assert cost_of(NONE) is None


@pytest.mark.parametrize(
    ("pico", "usd"), [(0, 0.0), (499_999, 0.0), (500_000, 0.0), (500_001, 1e-06), (1_500_000, 2e-06), (10**24, 10.0**12)]
)
def test_money_is_rounded_half_to_even_to_a_millionth(pico: int, usd: float) -> None:
    assert METRICS["cost"].value(Measures(cost=pico)) == usd


# --- names ---


@pytest.mark.parametrize(("alias", "id"), SEEDED.items())
def test_seeded_names_are_taken(alias: str, id: str) -> None:
    assert find(alias) is METRICS[id]
    assert alias in METRICS[id].wire().aliases


def test_names_are_of_one_metric_each() -> None:
    names = [name for metric in METRICS.values() for name in (metric.id, *metric.aliases)]
    assert len(names) == len(set(names))
    assert all(find(metric.id) is metric for metric in METRICS.values())


def test_each_metric_says_what_it_is() -> None:
    for metric in METRICS.values():
        told = metric.wire()
        assert told.id == metric.id and told.dimensions
        for text in (told.description, told.definition):
            assert text[0].isalnum() and text.endswith("."), told.id


def test_a_name_that_is_none() -> None:
    with pytest.raises(InvalidParams, match=r"metric: is no metric; did you mean .*\btoolCalls\b.*\?") as caught:
        find("toolcalls")
    assert "toolCalls" in caught.value.data["candidates"]
    with pytest.raises(InvalidParams, match="metrics: is no metric; there are cost, tokens, "):
        find_all(["cost", "?" * 1000])
    with pytest.raises(InvalidParams, match="metrics: is empty"):
        find_all([])


def test_a_metric_that_is_named_twice_is_told_once() -> None:
    assert [metric.id for metric in find_all(["tokens", "cost", "session_cost", "tokens"])] == ["tokens", "cost"]


def test_what_a_metric_cannot_be_told_by_is_said() -> None:
    hold([METRICS["cost"]], "model", "by")
    with pytest.raises(InvalidParams, match=r"by: cost cannot be told by tool, only by hour, day, .*model") as caught:
        hold([METRICS["toolCalls"], METRICS["cost"]], "tool", "by")
    assert caught.value.data["got"] == "tool"
