"""When alerts begin and end: once for each crossing, whatever values and clocks do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.alert_words import amount, default_name, sentence
from ccdashd.derive.alerts import FRESH_MS, SEEDED, Event, Reading, Rule, State, Subject, step, subject_of
from ccdashd.derive.metrics import METRICS, find
from ccdashd.protocol.types.alerts import AlertOperator

HOUR = 3_600_000
NOW = 1_800_000_000_000


def rule(**fields: object) -> Rule:
    known = {"name": "r", "metric": "cost", "scope": "session", "threshold": 10.0, "resolve": 8.0, **fields}
    return Rule(**known)  # type: ignore[arg-type]


def run(rule: Rule, readings: list[tuple[int, Reading | None]]) -> list[tuple[int, Event]]:
    """What is noted of a subject whose readings are these, each at a time."""
    state: State | None = None
    noted = []
    for now, reading in readings:
        state, event = step(rule, state, reading, now)
        if event is not None:
            noted.append((now, event))
    return noted


def values(*values: float | None, every: int = 1000, fresh: bool = True) -> list[tuple[int, Reading | None]]:
    return [(NOW + n * every, Reading(value, fresh)) for n, value in enumerate(values)]


def events(rule: Rule, *given: float | None, **options: object) -> list[str]:
    return [event for _, event in run(rule, values(*given, **options))]  # type: ignore[arg-type]


# --- by example ---


def test_an_alert_fires_once_until_its_value_came_back() -> None:
    assert events(rule(), 9, 11, 12, 9, 11, 8.1, 10.5, 8, 10, 10.1) == ["fired", "resolved", "fired"]


@pytest.mark.parametrize(
    ("operator", "resolve", "ok", "crossing", "between", "back"),
    [
        (">", 8.0, 10.0, 10.1, 8.1, 8.0),
        (">=", 8.0, 9.9, 10.0, 8.1, 8.0),
        ("<", 12.0, 10.0, 9.9, 11.9, 12.0),
        ("<=", 12.0, 10.1, 10.0, 11.9, 12.0),
    ],
)
def test_operators(
    operator: AlertOperator, resolve: float, ok: float, crossing: float, between: float, back: float
) -> None:
    wanted = rule(operator=operator, resolve=resolve)
    assert events(wanted, ok, between) == []
    assert events(wanted, ok, crossing, between, crossing, back, crossing) == ["fired", "resolved", "fired"]


def test_without_hysteresis_every_crossing_counts() -> None:
    assert events(rule(resolve=10.0), 11, 10, 11, 10) == ["fired", "resolved"] * 2
    assert events(rule(operator="<", resolve=10.0), 9, 10, 9, 10) == ["fired", "resolved"] * 2


def test_what_has_no_value_crosses_nothing_and_brings_nothing_back() -> None:
    assert events(rule(), None, 11, None, None, 12, 3) == ["fired", "resolved"]
    assert events(rule(operator="<", resolve=12.0), None, 9, None, 13) == ["fired", "resolved"]
    assert events(rule(for_seconds=3), 11, 11, None, 11, 11, 11) == []


def test_it_must_hold_for_its_time() -> None:
    wanted = rule(for_seconds=3)
    assert run(wanted, values(11, 11, 11, 11, 11)) == [(NOW + 3000, "fired")]
    assert run(wanted, values(11, 11, 9, 11, 11, 11, 11)) == [(NOW + 6000, "fired")]


def test_a_clock_that_is_set_back_begins_the_wait_anew() -> None:
    times = [0, 2000, -100_000, -98_000, -97_000]
    readings: list[tuple[int, Reading | None]] = [(NOW + time, Reading(11, True)) for time in times]
    assert run(rule(for_seconds=3), readings) == [(NOW - 97_000, "fired")]


def test_what_is_long_over_does_not_fire() -> None:
    assert events(rule(), 11, 12, fresh=False) == []
    assert run(rule(for_seconds=3), [*values(11, 11), (NOW + 4000, Reading(11, False))]) == []


def test_who_goes_silent_is_quiet_and_fires_again_only_after_it_came_back() -> None:
    silence = [(NOW + HOUR, Reading(11, False)), (NOW + 2 * HOUR, Reading(11, False))]
    again = [(NOW + 3 * HOUR, Reading(12, True))]
    assert [event for _, event in run(rule(), [*values(11), *silence, *again])] == ["fired", "quieted"]
    back = [(NOW + 3 * HOUR, Reading(7, True)), (NOW + 4 * HOUR, Reading(11, True))]
    noted = ["fired", "quieted", "resolved", "fired"]
    assert [event for _, event in run(rule(), [*values(11), *silence, *back])] == noted


def test_a_day_does_not_go_quiet_but_ends() -> None:
    day = rule(scope="all", period="day")
    later: list[tuple[int, Reading | None]] = [(NOW + HOUR, Reading(11, False)), (NOW + 20 * HOUR, None)]
    assert run(day, [*values(11), *later]) == [(NOW, "fired"), (NOW + 20 * HOUR, "resolved")]


def test_a_session_that_is_deleted_is_over() -> None:
    assert [event for _, event in run(rule(), [*values(11), (NOW + 1, None), (NOW + 2, None)])] == ["fired", "resolved"]
    assert run(rule(for_seconds=3), [*values(11), (NOW + 5000, None)]) == []
    assert step(rule(), State("quiet", NOW), None, NOW + 1) == (State("quiet", NOW), None)


# --- in general ---


_NONE: State | None = None

readings = st.builds(Reading, st.one_of(st.none(), st.floats(0, 20).map(lambda value: round(value, 1))), st.booleans())
moves = st.lists(st.tuples(st.integers(-5_000, 5_000), st.one_of(st.none(), readings)), max_size=60)
rules = st.builds(
    lambda upper, wide, strict, lasting, timed: rule(
        operator=(">" if strict else ">=") if upper else ("<" if strict else "<="),
        resolve=10.0 + (-wide if upper else wide),
        for_seconds=lasting,
        scope="all" if timed else "session",
        period="day" if timed else "total",
    ),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.booleans(),
    st.sampled_from([0.0, 2.0, 7.5]),
    st.booleans(),
)


@given(rules, moves)
def test_it_fires_once_for_each_crossing(wanted: Rule, moves: list[tuple[int, Reading | None]]) -> None:
    now, state = NOW, _NONE
    armed, held_since = True, None
    for passed, reading in moves:
        now += passed
        before = state
        state, event = step(wanted, state, reading, now)
        crossing = reading is not None and reading.fresh and reading.value is not None and wanted.crossed(reading.value)
        held_since = min(held_since if held_since is not None else now, now) if crossing and armed else None
        if event == "fired":
            assert armed and crossing and held_since is not None
            assert now - held_since >= wanted.for_seconds * 1000
            armed = False
        elif crossing and armed and held_since is not None:
            assert now - held_since < wanted.for_seconds * 1000
        # Within the band nothing happens that depends on the value.
        if reading is not None and reading.value is not None and not wanted.crossed(reading.value):
            inside = not wanted.is_back(reading.value)
            assert not (inside and event in ("fired", "resolved"))
        if event == "resolved":
            assert not armed and (reading is None or (reading.value is not None and wanted.is_back(reading.value)))
            armed = True
        if event == "quieted":
            assert not wanted.timed and reading is not None and not reading.fresh
            assert before is not None and before.phase == "firing"
        assert armed == (state is None or state.phase == "pending")


@given(rules, moves)
def test_a_reading_that_comes_twice_changes_nothing(wanted: Rule, moves: list[tuple[int, Reading | None]]) -> None:
    now, state = NOW, _NONE
    for passed, reading in moves:
        now += passed
        state, _ = step(wanted, state, reading, now)
        assert step(wanted, state, reading, now) == (state, None)


# --- names and words ---


def test_seeded_rules_are_sound() -> None:
    for id, seeded in SEEDED.items():
        assert seeded.metric in METRICS and seeded.name
        assert not seeded.crossed(seeded.resolve) and seeded.is_back(seeded.resolve)
        assert not (seeded.desktop or seeded.command), f"{id} would disturb who never asked"
    for one, other in pairwise(sorted(SEEDED)):
        assert not other.startswith(one)
    assert FRESH_MS == HOUR


@given(st.text(), st.text(st.characters(exclude_characters="@"), min_size=1))
def test_subjects_are_found_again_by_their_key(id: str, part: str) -> None:
    assert subject_of(rule(), Subject(id).key) == Subject(id)
    timed = rule(scope="project", period="day")
    assert subject_of(timed, Subject(id, part).key) == Subject(id, part)


def test_words() -> None:
    said = sentence(find("cost"), "Fix the till", 5.251, ">", 5.0)
    assert said == "Fix the till: cost is $5.25, more than $5.00"
    assert sentence(None, "All", 3, "<=", 4) == "All: value is 3, at most 4"
    assert default_name(find("cost"), rule()) == "Cost of a session > $10.00"
    day = rule(scope="project", period="day", metric="toolCalls", operator=">=")
    assert default_name(find("toolCalls"), day) == "Tool calls of a project per day >= 10"


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [
        ("usd", 1234.5, "$1,234.50"),
        ("share", 0.7, "70 %"),
        ("share", 0.98765, "98.77 %"),
        ("tokens", 160000, "160,000 tokens"),
        ("lines", 12, "12 lines"),
        ("seconds", 42, "42 s"),
        ("seconds", 600, "10 min"),
        ("seconds", 7500, "2 h 05 min"),
        ("count", 25, "25"),
        ("count", 2.5, "2.50"),
    ],
)
def test_amounts(unit: str, value: float, shown: str) -> None:
    assert amount(value, unit) == shown  # type: ignore[arg-type]
