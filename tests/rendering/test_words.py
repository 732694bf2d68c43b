"""Text of others that stays text where Markdown is read, and what of it can be seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.rendering import words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- one", "\\- one"),
        ("---", "\\---"),
        ("===", "\\==="),
        ("1. one", "1\\. one"),
        ("12) one", "12\\) one"),
        ("12 of 3.5", "12 of 3.5"),
        ("a - b", "a - b"),
        ("# [x](command:y)", "\\# \\[x\\](command:y)"),
    ],
)
def test_a_line_stays_a_line(text: str, shown: str) -> None:
    assert words.escaped(text) == shown


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\r\nb\rc\n", ["a", "b", "c", ""]),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07bell\x9b2J", ["red bell"]),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        ("\u202eevil\u2066 \ud800\x00\tkept", ["evil \tkept"]),
        ("a\u2028b\x0bc", ["a b c"]),
    ],
)
def test_lines_hold_what_can_be_seen(text: str, lines: list[str]) -> None:
    assert words.lines(text) == lines


@given(st.text(st.sampled_from("ab\x1b[]31;m\x07\\\r\n\x9b\u202e")))
def test_nothing_that_acts_is_left(text: str) -> None:
    assert not set("".join(words.lines(text))) & set("\x1b\x07\x9b\r\n\u202e")
