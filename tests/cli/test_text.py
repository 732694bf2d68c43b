"""Text of others is harmless when printed, and fits its cells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdash.text import clean, clean_lines, clip, clip_start, pad, sentences, width, wrap


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Fix the till", "Fix the till"),
        ("  two  spaces\tand\nlines ", "two spaces and lines"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;your terminal\x07title", "title"),
        ("\x1b]52;c;ZXZpbA==\x1b\\clip", "clip"),
        ("\x1bPq payload \x1b\\after", "after"),
        ("\x1b]0;never closed", ""),
        ("\x9b2Jgone", "gone"),
        ("back\x08\x08\x7fspace", "backspace"),
        ("\u202eturned\u202c \u2066x\u2069", "turned x"),
        ("lone \ud800 half", "lone half"),
        ("\x1b", ""),
        (None, "None"),
    ],
)
def test_clean(given_text: object, expected: str) -> None:
    assert clean(given_text).replace("  ", " ") == expected


def test_clean_lines_keeps_lines_and_widens_tabs() -> None:
    assert clean_lines("a\tb\r\n\x1b[1mc\x1b[0m\rd\x00") == "a   b\nc\nd"


@given(st.text())
def test_nothing_that_acts_is_left(text: str) -> None:
    for safe in (clean(text), clean_lines(text)):
        assert not set(safe) & {"\x1b", "\x9b", "\x07", "\x08", "\r", "\x7f", "\u202e"}
        safe.encode()
    assert "\n" not in clean(text)


@pytest.mark.parametrize(
    ("text", "cells"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("a\u200db", 2), ("🙂", 2), ("é", 1)]
)
def test_width(text: str, cells: int) -> None:
    assert width(text) == cells


@given(st.text(), st.integers(0, 20))
def test_clip_fits(text: str, cells: int) -> None:
    assert width(clip(text, cells)) <= cells


def test_clip_marks_what_it_cut() -> None:
    assert clip("session", 7) == "session"
    assert clip("sessions", 7) == "sessio…"
    assert clip("日本語", 4) == "日…"


@given(st.text(), st.integers(0, 20))
def test_clip_start_fits(text: str, cells: int) -> None:
    assert width(clip_start(text, cells)) <= cells


def test_clip_start_keeps_the_end() -> None:
    assert clip_start("/home/me/till.py", 8) == "…till.py"
    assert clip_start("till.py", 7) == "till.py"
    assert clip_start("日本語", 4) == "…語"


@given(st.text(st.characters(exclude_characters="\n")), st.integers(2, 20))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, cells: int) -> None:
    lines = wrap(text, cells)
    assert lines and all(width(line) <= cells for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("as it is", ["as it is"]),
        ("one word more than fits", ["one word", "more than", "fits"]),
        ("aaaaaaaaaaaaaaa b", ["aaaaaaaaaa", "aaaaa b"]),
        ("    indented code", ["    indent", "ed code"]),
        ("ten cells: and", ["ten cells:", "and"]),
        ("日本語のタイトル", ["日本語のタ", "イトル"]),
    ],
)
def test_wrap(text: str, lines: list[str]) -> None:
    assert wrap(text, 10) == lines


def test_sentences() -> None:
    assert sentences("the disk is full", "", "make room!") == "The disk is full. Make room!"


def test_pad_counts_cells() -> None:
    assert pad("日", 4) == "日  "
    assert pad("日", 4, right=True) == "  日"


def test_the_type_of_an_entity_stays_where_its_path_is_cut() -> None:
    assert clip_start("doc:docs/plan.md", 11) == "doc:…lan.md"
    assert clip_start("doc:docs/plan.md", 5) == "…n.md"
    assert clip_start("doc:docs/plan.md", 16) == "doc:docs/plan.md"
    assert clip_start("file:/home/me/shop/till.py", 12) == "file:…ill.py"
