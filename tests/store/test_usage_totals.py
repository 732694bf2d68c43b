"""Use of models in few queries: the same as sums over all that it can be told by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, starmap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.derive.measures import Measures, add
from ccdashd.derive.periods import Range
from ccdashd.derive.slots import SLOT_MS
from ccdashd.derive.windows import Span
from ccdashd.store import facts, usage_series
from ccdashd.store.filters import Filter
from ccdashd.store.usage_totals import Totals
from tests.store.ledger import APP, DAYS, MAIN, OPUS, SECOND, SLOTS, SONNET, Day, Ledger, ledger, write
from tests.store.plans import cache

COST = frozenset({"messages", "lower_bounds", "reported", "unpriced", "cost", "unpriced_models"})
TOKENS = COST | {"input", "output", "cache_read", "cache_write"}
KINDS = TOKENS | {"cache_write_5m", "cache_write_1h"}

whatever = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
filters = st.sampled_from(
    (
        Filter(),
        Filter(include_hidden=True),
        Filter(project_id=APP, include_hidden=True),
        Filter(subagents="only"),
        Filter(first=0, end=1_971_960),
        Filter(models=(OPUS, "own")),
    )
)


@pytest.fixture(scope="module")
def book() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


@whatever
@given(day=DAYS, filter=filters)
def test_totals_are_those_of_each_breakdown(book: Ledger, day: Day, filter: Filter) -> None:
    write(book, day)
    totals = Totals(book.connection, filter)

    def broken_down(needs: frozenset[str], by: str) -> dict[str, Measures]:
        found = facts.measures(book.connection, filter, needs, by)  # type: ignore[arg-type]
        return {key: measures for key, measures in found.items() if measures.messages or measures.cost}

    assert totals.whole == facts.total(book.connection, filter, TOKENS)
    assert {key: used for key, used in totals.models().items() if used.messages or used.cost} == broken_down(
        TOKENS, "model"
    )
    projects = {key: used for key, used in totals.projects().items() if used.messages or used.cost}
    assert projects == broken_down(COST, "project")
    sessions = broken_down(COST, "session")
    sessions.pop("", None)
    top = totals.top_sessions(10)
    assert {key: used for key, used in top.items() if used.messages or used.cost} == sessions
    costs = [used.cost for used in top.values()]
    assert costs == sorted(costs, reverse=True)
    assert list(totals.top_sessions(1)) == list(top)[:1]


@whatever
@given(day=DAYS, cuts=st.lists(SLOTS.filter(lambda slot: slot >= 0), max_size=5, unique=True), filter=filters)
def test_series_and_spans_are_sums_of_the_time(book: Ledger, day: Day, cuts: list[int], filter: Filter) -> None:
    write(book, day)
    always = replace(filter, first=None, end=None)
    spans = list(starmap(Span, pairwise([0, *sorted({*cuts} - {0}), 2**40])))
    ranges = [Range(first * SLOT_MS, end * SLOT_MS) for first, end in spans]
    series = usage_series.series(book.connection, always, [*ranges, Range(0, ranges[-1].end)])
    held = usage_series.held(book.connection, always, spans)
    assert series.during(Range(0, ranges[-1].end)) == facts.total(book.connection, always.during(Range(0, None)), KINDS)
    for span, range in zip(spans, ranges, strict=True):
        expected = facts.total(book.connection, always.during(range), KINDS)
        assert series.during(range) == expected
        assert (held[span].measures if span in held else Measures()) == expected
    undated = usage_series.undated(book.connection, always)
    parts = [found.measures for found in held.values()]
    assert add([*parts, *([undated] if undated else [])]) == facts.total(book.connection, always, KINDS)
    assert usage_series.spent(book.connection, always, spans) == {span: found.measures.cost for span, found in held.items()}
    assert usage_series.first(book.connection, always) == min((found.first for found in held.values()), default=None)


def test_who_used_a_span(book: Ledger) -> None:
    book.clear()
    book.usage(2, 100, SONNET)
    book.usage(1, 103)
    book.usage(4, 105, SONNET)
    book.usage(4, 110, unpriced=1)
    book.usage(8, 101, "hidden")
    found = usage_series.held(book.connection, Filter(), [Span(100, 110), Span(110, 120), Span(120, 130)])
    told = {span: (held.first, held.last, held.sessions, held.models) for span, held in found.items()}
    assert told == {(100, 110): (100, 105, 2, [OPUS, SONNET]), (110, 120): (110, 110, 1, [OPUS])}
    assert found[Span(110, 120)].measures.unpriced_models == {OPUS}
    assert usage_series.used(book.connection) == [100, 101, 103, 105, 110]
    assert usage_series.used(book.connection, 105) == [105, 110]


def test_what_belongs_to_no_session_is_part_of_the_whole(book: Ledger) -> None:
    book.clear()
    book.usage(7, 100, pico=5, input=1)
    book.usage(1, 100, pico=7)
    totals = Totals(book.connection, Filter())
    assert (totals.whole.cost, totals.projects()[""].cost, totals.projects()[APP].cost) == (12, 5, 7)
    assert list(totals.top_sessions(10)) == [MAIN]
    assert SECOND not in totals.top_sessions(10)
