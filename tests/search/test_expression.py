"""What the index finds is what a naive reading of the texts finds."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.search import matching, tokens
from ccdashd.search.expression import ENTRIES, Expression, expression, leaves, term
from ccdashd.search.query import DEEPEST, MOST_WORDS, parse
from tests.search.oracle import Asked, Form, Text, queries, texts

EVERYTHING = Expression('tags : "all"', (None,))


def index(found: list[Text]) -> apsw.Connection:
    """An index of these texts, numbered from 0."""
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts5 (text, parts, path, tags, tokenize = '{tokens.TOKENIZE}')")
    for n, text in enumerate(found):
        connection.execute(
            "INSERT INTO t (rowid, text, parts, tags) VALUES (?, ?, ?, 'all')", (n, *tokens.prepare(text.text, 10_000))
        )
    return connection


def compiled(typed: str) -> Expression | None:
    node = parse(typed).node
    terms = {words: term(words, tokens.words, tokens.parts) for words in leaves(node)}
    return expression(node, terms, ENTRIES, EVERYTHING)


def found(connection: apsw.Connection, asked: str) -> set[int]:
    return {n for (n,) in connection.execute("SELECT rowid FROM t WHERE t MATCH ?", (asked,))}


@given(st.lists(texts, max_size=5), queries)
def test_the_index_finds_what_a_naive_reading_finds(given_texts: list[Text], asked: Asked) -> None:
    made = compiled(asked.typed)
    assert (made is not None) == asked.says
    if made is not None:
        assert found(index(given_texts), made.text) == {n for n, text in enumerate(given_texts) if asked.fits(text)}
        assert made.text.count(' : "') == len(made.phrases)


@given(texts, queries)
def test_a_text_shows_the_words_that_it_was_found_by(text: Text, asked: Asked) -> None:
    node = parse(asked.typed).node
    for words in leaves(node):
        readings = term(words, tokens.words, tokens.parts)
        if readings:
            made = expression(words, {words: readings}, ENTRIES, EVERYTHING)
            assert made is not None
            matches = matching.find(text.text, [readings], tokens.spans, tokens.fold)
            assert bool(matches) == (found(index([text]), made.text) == {0})


@given(st.text(max_size=60))
def test_nothing_that_is_typed_is_syntax_of_the_index(typed: str) -> None:
    words = '"' + typed.replace('"', " ") + '"'
    made = compiled(words)
    if made is not None:
        found(index([]), made.text)


@pytest.mark.parametrize(
    "typed",
    [
        '"NEAR(a b, 2)"',
        "text:x",
        '"a" + b',
        "a ^ b",
        "tags : all",
        "{text}:a",
        "a\0b",
        "* a",
        "AND NOT",
        "%",
        "\ue000",
        "a\ue000b",
    ],
)
def test_syntax_of_the_index_is_text(typed: str) -> None:
    made = compiled(typed)
    if made is not None:
        assert found(index([Text(())]), made.text) == set()


def test_the_deepest_and_longest_query_is_one_that_the_index_takes() -> None:
    deep = "a"
    for n in range(DEEPEST):
        deep = f"(-{deep} b OR {'-' * (n % 2)}c d)" if n % 2 else f"({deep} OR -e f)"
    made = compiled(deep)
    assert made is not None
    found(index([]), made.text)
    wide = compiled(" ".join(f"getUser{n}*" for n in range(MOST_WORDS)))
    assert wide is not None
    found(index([]), wide.text)


def _examples() -> list[tuple[str, str, bool]]:
    """The names in code on the page about search: a text, a query, and whether the one is found by the other."""
    page = (Path(__file__).parents[2] / "docs/search.md").read_text()
    table = page.split("| in the text | found by | not by |")[1].split("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`", cell) for line in table.splitlines()[2:] for cell in line.split("|")[1:4]]
    return [
        (text, query, finds)
        for (text,), *queries in zip(rows[::3], rows[1::3], rows[2::3], strict=True)
        for finds, some in zip((True, False), queries, strict=True)
        for query in some
    ]


@pytest.mark.parametrize(("text", "query", "finds"), _examples())
def test_what_the_page_says_of_names_in_code(text: str, query: str, finds: bool) -> None:
    made = compiled(query)
    assert made is not None
    assert bool(found(index([Text((Form(text, ()),))]), made.text)) == finds


def test_phrases_are_told_with_the_words_that_they_stand_for() -> None:
    made = compiled('getUser -old OR "exact words"')
    assert made is not None
    shown = [None if words is None else words.text for words in made.phrases]
    assert shown == ["getUser", "getUser", None, "exact words"]
