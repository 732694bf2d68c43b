"""Positions, changes and URIs."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.lsp.text import changed, index, line_range, offset, path_of, units, uri_of
from ccdashd.protocol.lsp import ContentChange, Position, Range

LINES = st.text(alphabet="aé漢😀\t ", max_size=12)
TEXTS = st.text(alphabet="aé漢😀 \n", max_size=40)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/me/a%20b.md", "/home/me/a b.md"),
        ("file://localhost/a.md", "/a.md"),
        ("file:///a/../b.md", "/b.md"),
        ("file:///%FF.md", os.fsdecode(b"/\xff.md")),
        ("file://server/share/a.md", None),
        ("untitled:Untitled-1", None),
        ("git:/a.md?x", None),
        ("vscode-notebook-cell:/a.ipynb#1", None),
        ("file:///a%00.md", None),
        ("file:a.md", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_uris(uri: str, path: str | None) -> None:
    assert path_of(uri) == path


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20))
def test_a_path_is_what_its_uri_names(name: str) -> None:
    path = os.path.normpath("/r/" + name.lstrip("/"))
    assert path_of(uri_of(path)) == path


@given(LINES)
def test_units_are_those_of_utf_16(line: str) -> None:
    assert units(line) == len(line.encode("utf-16-le")) // 2
    for place in range(len(line) + 1):
        assert index(line, units(line, place)) == place
    assert index(line, units(line) + 5) == len(line)


def test_half_a_character_is_its_end() -> None:
    assert index("😀a", 1) == 1


@given(TEXTS, st.integers(0, 6), st.integers(0, 12), st.integers(0, 6), st.integers(0, 12), TEXTS)
def test_a_change_replaces_what_its_range_holds(text: str, a: int, b: int, c: int, d: int, new: str) -> None:
    start, end = sorted([(a, b), (c, d)])
    change = ContentChange(
        text=new,
        range=Range(start=Position(line=start[0], character=start[1]), end=Position(line=end[0], character=end[1])),
    )
    before, after = _oracle(text, *start), _oracle(text, *end)
    assert changed(text, [change]) == text[:before] + new + text[after:]


def _oracle(text: str, line: int, character: int) -> int:
    """Counted on the encoded text, line by line."""
    lines = text.split("\n")
    if line >= len(lines):
        return len(text)
    encoded = lines[line].encode("utf-16-le")
    cut = min(character * 2, len(encoded))
    try:
        part = encoded[:cut].decode("utf-16-le")
    except UnicodeDecodeError:
        part = encoded[: cut + 2].decode("utf-16-le")
    return sum(len(known) + 1 for known in lines[:line]) + len(part)


def test_changes_follow_each_other_and_a_text_may_come_whole() -> None:
    at = Position(line=0, character=0)
    first = ContentChange(text="x\n", range=Range(start=at, end=at))
    assert changed("a\n", [first, first]) == "x\nx\na\n"
    assert changed("a\n", [first, ContentChange(text="b")]) == "b"


def test_the_end_of_a_line_is_before_what_ends_it() -> None:
    assert offset("a\r\nb", Position(line=0, character=9)) == 1
    assert line_range(3, "é😀\r\n") == Range(start=Position(line=3, character=0), end=Position(line=3, character=3))
