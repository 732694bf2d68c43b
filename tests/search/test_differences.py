"""What the index lacks, and where it is to stand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.search.differences import Behind, compare, places
from ccdashd.sources import PARSER
from ccdashd.store.text.cache import CachedLog
from ccdashd.store.text.entries import Span
from ccdashd.store.text.writer import LogState

LOG = CachedLog(id=1, path="/a", state="ok", size=100, parsed_to=90, mtime_ns=5, guard=b"g", parser=PARSER)
STATE = LogState("/a", parsed_to=90, mtime_ns=5, guard=b"g", parser=PARSER, entries=7, whole=True)


def cached(**changes: Any) -> dict[str, CachedLog]:
    log = LOG._replace(**changes)
    return {log.path: log}


def indexed(**changes: Any) -> dict[str, LogState]:
    state = STATE._replace(**changes)
    return {state.path: state}


def test_what_is_the_same_stays() -> None:
    found = compare(cached(), indexed())
    assert not found
    assert found.current == 1


def test_what_is_missing_is_read_from_its_first_entry_on() -> None:
    found = compare(cached(), {})
    assert found.behind == [Behind(LOG, None)]
    assert (found.behind[0].start, found.behind[0].size, found.size) == (0, 90, 90)


def test_what_grew_is_read_on() -> None:
    found = compare(cached(), indexed(parsed_to=50, mtime_ns=0, guard=b"h"))
    assert [(one.start, one.size) for one in found.behind] == [(7, 40)]


@pytest.mark.parametrize(
    "changes",
    [
        {"parsed_to": 91},
        {"guard": b"h"},
        {"mtime_ns": 4},
        {"parser": PARSER - 1},
        {"whole": False},
        {"parsed_to": 50, "whole": False},
    ],
)
def test_what_is_another_log_is_read_anew(changes: dict[str, Any]) -> None:
    found = compare(cached(), indexed(**changes))
    assert [one.state for one in found.behind] == [None]
    assert found.forgotten == []


def test_what_the_cache_keeps_of_a_log_is_enough_while_it_is_gone() -> None:
    assert not compare(cached(state="gone"), indexed(whole=False))
    assert not compare(cached(state="unreadable"), indexed(whole=False))
    assert compare(cached(state="ok"), indexed(whole=False))


def test_what_was_renamed_stays_where_it_is() -> None:
    found = compare(cached(path="/b"), indexed())
    assert (found.moved, found.behind, found.forgotten) == ([("/a", "/b")], [], [])


def test_logs_may_exchange_their_places() -> None:
    logs = cached() | cached(path="/b", guard=b"h", parsed_to=80)
    states = indexed(guard=b"h", parsed_to=80) | indexed(path="/b")
    found = compare(logs, states)
    assert (sorted(found.moved), found.behind, found.forgotten) == ([("/a", "/b"), ("/b", "/a")], [], [])


def test_a_copy_is_no_renamed_log() -> None:
    found = compare(cached() | cached(path="/b"), indexed())
    assert found.moved == []
    assert [one.log.path for one in found.behind] == ["/b"]


def test_an_earlier_version_keeps_what_is_indexed_of_it() -> None:
    logs = cached(guard=b"new", parsed_to=10, mtime_ns=9) | cached(path="/a#0123", state="gone")
    found = compare(logs, indexed())
    assert found.moved == [("/a", "/a#0123")]
    assert [(one.log.path, one.state) for one in found.behind] == [("/a", None)]
    assert found.forgotten == []


def test_what_a_renamed_log_took_the_place_of_is_forgotten() -> None:
    found = compare(cached(path="/b"), indexed() | indexed(path="/b", guard=b"h"))
    assert found.moved == [("/a", "/b")]
    assert found.forgotten == ["/b"]


def test_what_the_cache_does_not_know_is_forgotten() -> None:
    assert compare({}, indexed()).forgotten == ["/a"]


def test_sessions_come_first() -> None:
    """What the cache has not read whole, or has to read again, waits for it, and stays in the index as it is."""
    for changes in {"state": "glanced", "guard": b""}, {"guard": b""}, {"parser": 0}:
        for states in {}, indexed():
            found = compare(cached(**changes), states)
            assert not found
            assert [log.path for log in found.waiting] == ["/a"]


def test_logs_that_nothing_is_known_of_are_not_waited_for() -> None:
    found = compare(cached(state="unreadable", guard=b""), {})
    assert not found
    assert not found.waiting


def test_rows_of_an_older_reader_are_taken_where_the_log_is_gone() -> None:
    found = compare(cached(state="gone", parser=PARSER - 1), {})
    assert [one.log.path for one in found.behind] == ["/a"]
    assert not compare(cached(state="gone", parser=PARSER - 1), indexed(parser=PARSER - 1))


sizes = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=12)


@given(sizes, st.none() | st.tuples(st.integers(1, 40), st.integers(0, 40)), st.integers(0, 50))
def test_places_do_not_overlap_and_follow_time(
    given: list[tuple[int, int]], taken: tuple[int, int] | None, oldest: int
) -> None:
    given.sort(reverse=True)
    behind = [Behind(LOG._replace(path=f"/{n}", mtime_ns=time), None) for n, (time, _) in enumerate(given)]
    counts = [count for _, count in given]
    span = None if taken is None else Span(taken[0], taken[0] + taken[1])
    firsts = places(behind, counts, span, oldest)
    used = [set(range(first, first + count)) for first, count in zip(firsts, counts, strict=True)]
    there = set() if span is None else set(range(span.first, span.last + 1))
    assert len(set().union(there, *used)) == len(there) + sum(counts)
    assert all(first >= 1 for first, count in zip(firsts, counts, strict=True) if count)
    for part in (used, [rows for rows in used if not rows or min(rows) > max(there, default=0)]):
        if span is None or part is not used:
            numbers = [number for rows in part for number in sorted(rows, reverse=True)]
            assert numbers == sorted(numbers, reverse=True), "newer logs stand above older ones"
    if span is None:
        assert set().union(*used) == set(range(1, sum(counts) + 1)), "the first index leaves no gaps"
