"""Entries of the index: where they stand, told by rowid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.store.text import blocks, entries, matches, tags, writer
from ccdashd.store.text.blocks import Row
from ccdashd.store.text.connection import open_writer
from ccdashd.store.text.entries import Span
from tests.store.text.filled import add, log

rows = st.builds(
    Row,
    offset=st.integers(0, 2**60),
    length=st.integers(0, 2**32 - 1),
    block=st.integers(0, 2**32 - 1),
    kind=st.integers(0, 255),
    time=st.none() | st.integers(-(2**60), 2**60),
    tool=st.integers(0, 2**32 - 1),
    model=st.integers(0, 2**32 - 1),
    key=st.integers(0, 2**32 - 1),
)


@pytest.fixture
def text(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(tmp_path / "text.db", 1000)
    yield connection
    connection.close()


@given(st.lists(rows, min_size=1, max_size=20), st.data())
def test_a_block_gives_back_what_was_put_into_it(given: list[Row], data: st.DataObject) -> None:
    packed = blocks.pack(given)
    assert blocks.unpack(packed) == given
    numbers = data.draw(st.lists(st.integers(0, len(given) - 1)))
    assert blocks.unpack(packed, numbers) == [given[number] for number in numbers]


def test_entries_are_told_in_the_order_of_asking(text: apsw.Connection) -> None:
    add(text, log("/a", 3), first=10)
    add(text, log("/b", 600), first=100)
    wanted = [699, 10, 356, 12, 100, 355]
    found = entries.entries(text, wanted)
    assert [entry.rowid for entry in found] == wanted
    assert [(entry.path, entry.offset) for entry in found] == [
        ("/b", 599),
        ("/a", 0),
        ("/b", 256),
        ("/a", 2),
        ("/b", 0),
        ("/b", 255),
    ]
    assert (found[0].tool, found[0].model, found[0].time, found[0].block) == ("Bash", None, 599_000, 0)


def test_entries_that_are_gone_are_left_out(text: apsw.Connection) -> None:
    add(text, log("/a", 3), first=10)
    assert [entry.rowid for entry in entries.entries(text, [9, 10, 13, 12, 50])] == [10, 12]
    assert entries.entries(text, []) == []


def test_a_path_need_not_be_text(text: apsw.Connection) -> None:
    path = os.fsdecode(b"/b\xff.jsonl")
    add(text, log(path, 2), first=1)
    assert [entry.path for entry in entries.entries(text, [1])] == [path]
    assert entries.spans(text, [path, "/none"]) == [Span(1, 2)]
    assert writer.states(text).keys() == {path}


def test_spans_that_follow_each_other_are_one(text: apsw.Connection) -> None:
    add(text, log("/a", 300), first=1)
    add(text, log("/b", 2), first=301)
    add(text, log("/c", 2), first=400)
    assert entries.ends(text) == Span(1, 401)
    assert entries.spans(text, ["/c", "/a"]) == [Span(1, 300), Span(400, 401)]
    assert entries.spans(text, ["/a", "/b"]) == [Span(1, 302)]


def test_an_empty_index_has_no_ends(text: apsw.Connection) -> None:
    assert entries.ends(text) is None
    assert entries.spans(text, ["/a"]) == []


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda drawn: Span(drawn[0], drawn[0] + drawn[1])))


@given(spans)
def test_merged_spans_hold_the_same_and_do_not_touch(found: list[Span]) -> None:
    merged = entries.merged(found)
    held = {rowid for span in found for rowid in range(span.first, span.last + 1)}
    assert {rowid for span in merged for rowid in range(span.first, span.last + 1)} == held
    assert all(one.last + 1 < other.first for one, other in pairwise(merged))
    assert [rowid for rowid in range(-1, 80) if entries.contains(merged, rowid)] == sorted(held)


def test_entries_are_found_by_what_they_are(text: apsw.Connection) -> None:
    add(text, log("/a", 4), first=1)
    everything = [Span(1, 4)]
    bash = entries.names(text, "tool")["Bash"]
    assert entries.names(text, "model") == {"opus": 2}
    assert matches.newest(text, tags.any_of([tags.tool(bash)]), everything, 10) == [4, 2]
    assert matches.newest(text, tags.any_of([tags.kind(7), tags.kind(0)]), everything, 10) == [4, 3, 2, 1]
    assert matches.newest(text, f"{{text parts}} : word2 AND {tags.any_of([tags.tool(0)])}", everything, 10) == [3]
