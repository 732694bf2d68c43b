"""Words of texts: as SQLite's tokenizer has them, as a naive reading has them, and as the table in the module says."""

from __future__ import annotations

import random

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.search import tokens
from ccdashd.store.text.schema import TOKENIZE
from tests.search import naive
from tests.search.oracle import FORMS, Form

CAP = 4096

_tokenizer = apsw.Connection(":memory:").fts5_tokenizer("unicode61", TOKENIZE.split()[1:])


def by_sqlite(text: str) -> list[str]:
    """The words that FTS5 makes of a prepared text."""
    found = _tokenizer(text.encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False)
    return [str(word) for words in found for word in words]


def part_rows(text: str) -> list[list[str]]:
    """The parts of identifiers as the index has them, identifier by identifier."""
    words = " ".join(by_sqlite(tokens.prepare(text, CAP)[1])).split(tokens.BETWEEN)
    return sorted(row.split() for row in words if row)


characters = st.characters(codec="utf-8") | st.sampled_from("aAbB0é\u0301日한ア_-./ →")
texts = st.text(characters, max_size=60)
pieces = st.lists(
    st.sampled_from([*(form.text for form in FORMS), "XMLIdOf", "aB", "Ünder", "e\u0301X", "→", "_", "-"]), max_size=4
)
naive_texts = st.tuples(pieces, st.sampled_from([" ", "", "_", "→"])).map(lambda drawn: drawn[1].join(drawn[0]))


@given(texts)
@settings(max_examples=300)
def test_words_are_those_of_sqlite(text: str) -> None:
    prepared, _ = tokens.prepare(text, CAP)
    assert tokens.words(text) == [word for word in by_sqlite(prepared) if word != tokens.BETWEEN] or "\x00" in text


@given(naive_texts)
@settings(max_examples=200)
def test_words_and_parts_are_those_of_a_naive_reading(text: str) -> None:
    row, *identifiers = naive.rows(text)
    assert tokens.words(text) == row
    assert part_rows(text) == sorted({tuple(parts): parts for parts in identifiers}.values())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text)
def test_words_and_parts_of_what_people_write(form: Form) -> None:
    assert tuple(tokens.words(form.text)) == form.words
    assert part_rows(form.text) == ([list(form.parts)] if form.parts else [])
    assert tuple(tokens.parts(form.text)) == (form.parts or form.words)


@given(texts)
@settings(max_examples=200)
def test_spans_tell_where_words_and_parts_stand(text: str) -> None:
    spans = tokens.spans(text)
    assert [span.word for span in spans if span.word != tokens.BETWEEN] == tokens.words(text)
    end = 0
    for span in spans:
        assert end <= span.start < span.end <= len(text)
        end = span.end
        assert tokens.fold(text[span.start : span.end]).replace(tokens.MARK, "") == span.word
        if span.parts:
            assert "".join(part.word for part in span.parts) == span.word
            assert [span.start, *(part.end for part in span.parts)] == [*(part.start for part in span.parts), span.end]


def test_a_long_run_of_letters_is_no_identifier() -> None:
    at_most = "aB" * (tokens.LONGEST // 2)
    assert part_rows(at_most) == [["a", *["ba"] * (tokens.LONGEST // 2 - 1), "b"]]
    assert part_rows(f"{at_most}c") == []
    assert part_rows(f"{at_most}c getName 日本getName語") == [["get", "name"]]
    assert tokens.spans(f"{at_most}c")[0].parts == ()


def test_each_identifier_is_indexed_once() -> None:
    assert part_rows("getName setName getName HTTPServer getName") == [["get", "name"], ["http", "server"], ["set", "name"]]


def test_parts_of_different_identifiers_are_no_neighbours() -> None:
    words = by_sqlite(tokens.prepare("getUser nameOf", CAP)[1])
    assert words == ["get", "user", tokens.BETWEEN, "name", "of"]


def test_of_a_long_text_head_and_tail_are_taken() -> None:
    text = " ".join(f"w{n}" for n in range(10_000))
    taken, _ = tokens.prepare(text, CAP)
    words = tokens.words(taken)
    assert len(taken.encode()) <= CAP + 1
    assert words[0] == "w0"
    assert words[-1] == "w9999"
    assert "w5000" not in words
    assert tokens.prepare(text, len(text)) == (text, "")


def test_characters_that_the_cut_falls_into_are_left_out() -> None:
    for first in "", "a", "ab":
        taken, _ = tokens.prepare(f"{first}{'€' * CAP}", CAP)
        assert set(taken) <= {"€", "a", "b", "\n"}


def test_encoded_content_is_left_out_and_what_stands_around_it_is_not() -> None:
    source = random.Random(1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    image = "".join(source.choices(letters, k=tokens.ENCODED)) + "=="
    assert tokens.words(tokens.prepare(f'before "{image}" after', CAP)[0]) == ["before", "after"]
    assert tokens.prepare(image, CAP)[1] == ""
    short = "x" * (tokens.ENCODED - 1)
    assert tokens.words(tokens.prepare(f"before {short} after", CAP)[0]) == ["before", short, "after"]


def test_binary_content_is_left_out() -> None:
    assert tokens.prepare("ELF\x00 words", CAP) == ("", "")
