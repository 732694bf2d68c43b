"""Rows that fit: within spans, the highest first, with scores that do not depend on what else is there."""

from __future__ import annotations

import apsw
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.store.text import entries, matches
from ccdashd.store.text.entries import Span
from ccdashd.store.text.items_schema import ITEMS
from ccdashd.store.text.matches import Scorer
from ccdashd.store.text.schema import ENTRIES

COLUMNS = ((0, 1.0), (1, 0.5))


def index(texts: dict[int, str], parts: str = "") -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    for statement in (*ENTRIES, *ITEMS):
        connection.execute(statement)
    rows = [(rowid, text, parts) for rowid, text in sorted(texts.items())]
    connection.executemany("INSERT INTO entries_text (rowid, text, parts, path, tags) VALUES (?, ?, ?, '', '')", rows)
    return connection


spans = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=8).map(
    lambda given: entries.merged(Span(first, first + length) for first, length in given)
)


@given(st.sets(st.integers(0, 450)), spans, st.integers(1, 500))
def test_the_highest_rows_within_spans(rowids: set[int], allowed: list[Span], limit: int) -> None:
    connection = index(dict.fromkeys(rowids, "a b"))
    expected = sorted((n for n in rowids if any(span.first <= n <= span.last for span in allowed)), reverse=True)
    assert matches.newest(connection, "text : a", allowed, limit) == expected[:limit]
    scores = Scorer(connection).newest("text : a", allowed, limit, [(0, 1.0)], COLUMNS)
    assert list(scores) == expected[:limit]


def test_rows_that_are_far_apart_are_reached_over_many_others() -> None:
    connection = index(dict.fromkeys(range(2_000), "a"))
    allowed = [Span(3, 5), Span(900, 900), Span(1_990, 1_991)]
    assert matches.newest(connection, "text : a", allowed, 100) == [1_991, 1_990, 900, 5, 4, 3]


def test_counting_ends_where_nobody_wants_to_know_more() -> None:
    connection = index(dict.fromkeys(range(50), "a"))
    assert matches.count(connection, "text : a", 100) == 50
    assert matches.count(connection, "text : a", 20) == 20


def score(scorer: Scorer, expression: str, *phrases: float) -> dict[int, float]:
    weights = [(number, weight) for number, weight in enumerate(phrases) if weight]
    return scorer.newest(expression, [Span(0, 10**6)], 10**6, weights, COLUMNS)


def test_a_text_that_says_more_of_it_in_fewer_words_is_better() -> None:
    scores = score(Scorer(index({1: "a", 2: "a a a", 3: "a a a" + " b" * 500, 4: "a" + " b" * 500})), "text : a", 1.0)
    assert scores[2] > scores[1] > scores[3] > scores[4] > 0


def test_weights_tell_what_counts() -> None:
    scorer = Scorer(index({1: "a b b b", 2: "a a a b"}))
    both = "(text : a AND text : b)"
    first, second = score(scorer, both, 1.0, 0.1), score(scorer, both, 0.1, 1.0)
    assert first[2] > first[1]
    assert second[1] > second[2]
    assert score(scorer, both, 0.0, 0.0) == {1: 0.0, 2: 0.0}


def test_a_score_is_the_same_whatever_is_added() -> None:
    connection = index({1: "a b c"})
    scorer = Scorer(connection)
    before = score(scorer, "text : a", 1.0)[1]
    connection.execute("INSERT INTO entries_text (rowid, text, parts, path, tags) VALUES (7, 'a a x y z', '', '', '')")
    assert score(scorer, "text : a", 1.0)[1] == before


def test_parts_count_less_than_words() -> None:
    whole, part = Scorer(index({1: "user x"}, parts="z")), Scorer(index({1: "getUser x"}, parts="user"))
    assert score(whole, "{text parts} : user", 1.0)[1] > score(part, "{text parts} : user", 1.0)[1] > 0
