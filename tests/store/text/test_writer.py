"""Transactions of the index of texts: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.store.text import entries, tags, words, writer
from ccdashd.store.text.connection import open_reader, open_writer
from ccdashd.store.text.entries import Span
from ccdashd.store.text.writer import Batch, Names
from tests.store.text.filled import add, found, log, put


@pytest.fixture
def text(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(tmp_path / "text.db", 1000)
    yield connection
    connection.close()


def check(text: apsw.Connection) -> None:
    """Fails where the index is not right in itself."""
    text.execute("INSERT INTO entries_text (entries_text) VALUES ('integrity-check')")
    documents = {rowid for (rowid,) in text.execute("SELECT id FROM entries_text_docsize")}
    spans = entries.spans(text, writer.states(text))
    assert documents == {rowid for span in spans for rowid in range(span.first, span.last + 1)}


def test_a_log_that_is_written_anew_leaves_nothing_behind(text: apsw.Connection) -> None:
    add(text, log("/a", 300), first=1)
    add(text, log("/b", 2), first=301)
    add(text, log("/a", 2), first=303)
    assert found(text, "word1") == [302, 304]
    assert found(text, "word299") == []
    assert writer.states(text) == {"/a": log("/a", 2), "/b": log("/b", 2)}
    check(text)


def test_a_log_that_grows_at_the_end_of_the_index_fills_its_block(text: apsw.Connection) -> None:
    for count in range(1, 301):
        add(text, log("/a", count), first=count, count=1, anew=False)
    blocks = text.execute("SELECT first, count, earliest, latest FROM entry_blocks").fetchall()
    assert blocks == [(1, 256, 0, 255_000), (257, 44, 256_000, 299_000)]
    assert [entry.offset for entry in entries.entries(text, range(1, 301))] == list(range(300))
    check(text)


def test_logs_that_grow_by_turns(text: apsw.Connection) -> None:
    for turn in range(1, 4):
        add(text, log("/a", 2 * turn), first=10 * turn, count=2, anew=False)
        add(text, log("/b", turn), first=10 * turn + 2, count=1, anew=False)
    assert entries.spans(text, ["/a"]) == [Span(10, 11), Span(20, 21), Span(30, 31)]
    assert [entry.offset for entry in entries.entries(text, [10, 20, 31, 32])] == [0, 2, 5, 2]
    check(text)


def test_logs_may_exchange_their_paths(text: apsw.Connection) -> None:
    for number, path in enumerate(("/a", "/b", "/c")):
        add(text, log(path, 1 + number), first=1 + 10 * number)
    writer.write(text, Batch(forgotten=["/c"], moved=[("/a", "/b"), ("/b", "/c")]))
    assert {path: state.entries for path, state in writer.states(text).items()} == {"/b": 1, "/c": 2}
    assert [entry.path for entry in entries.entries(text, [1, 11, 21])] == ["/b", "/c"]
    check(text)


def test_a_transaction_that_fails_changes_nothing(text: apsw.Connection) -> None:
    add(text, log("/a", 3), first=1)
    before = writer.states(text), found(text, "word1")
    batch = Batch(forgotten=["/a"])
    put(batch, Names(text), log("/b", 3), first=10)
    batch.names["tool", "Bash"] = 9  # is there with another id
    with pytest.raises(apsw.ConstraintError):
        writer.write(text, batch)
    assert (writer.states(text), found(text, "word1")) == before
    check(text)


def test_names_keep_their_ids(text: apsw.Connection) -> None:
    add(text, log("/a", 2), first=1)
    names = Names(text)
    new: dict[tuple[str, str], int] = {}
    assert names.id("tool", None, new) == 0
    assert names.id("tool", "Bash", new) == 1
    assert new == {}
    assert names.id("tool", "opus", new) == 3
    assert names.id("tool", "opus", new) == 3
    assert new == {("tool", "opus"): 3}


def test_what_is_written_at_once_is_one_segment(tmp_path: Path, text: apsw.Connection) -> None:
    writer.set_bulk(text, True)
    for number in range(20):
        add(text, log(f"/{number}", 5), first=1000 - 10 * number)
        writer.checkpoint(text)
    reader = open_reader(tmp_path / "text.db")
    assert reader.execute("SELECT COUNT(DISTINCT segid) FROM entries_text_idx").get == 20
    assert len(found(reader, "word3")) == 20
    reader.close()
    writer.set_bulk(text, False)
    writer.checkpoint(text, empty=True)
    assert (tmp_path / "text.db-wal").stat().st_size == 0
    for number in range(20, 60):
        add(text, log(f"/{number}", 5), first=1000 + 10 * number)
    assert text.execute("SELECT COUNT(DISTINCT segid) FROM entries_text_idx").get < 30
    check(text)


def test_logs_of_one_transaction_are_one_segment_in_any_order(text: apsw.Connection) -> None:
    batch, names = Batch(), Names(text)
    for number in (3, 1, 2, 0):
        put(batch, names, log(f"/{number}", 5), first=10 * number)
    writer.write(text, batch)
    assert text.execute("SELECT COUNT(DISTINCT segid) FROM entries_text_idx").get == 1
    assert found(text, "word3") == [3, 13, 23, 33]
    check(text)


said = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(st.tuples(said, said, said), st.integers(1, 2**40))
def test_what_is_packed_is_what_is_written(columns: tuple[str, str, str], rowid: int) -> None:
    most = 2**32 - 1
    widest = tags.of(255, most, most)
    stored = apsw.Connection(":memory:")
    stored.execute("CREATE TABLE entries_text (text, parts, path, tags)")
    words.write(stored, [])
    words.write(stored, [words.pack(rowid, *(column.encode() for column in columns), widest.encode())])
    ((found, *rest, tagged),) = stored.execute("SELECT rowid, text, parts, path, tags FROM entries_text")
    assert (found, *rest, tagged.rstrip()) == (rowid, *columns, widest)
