"""Entries for an index of texts, written as the builder writes them."""

from __future__ import annotations

import apsw

from ccdashd.store.text import tags, writer
from ccdashd.store.text.blocks import Row
from ccdashd.store.text.words import pack
from ccdashd.store.text.writer import Batch, LogState, Names, Piece


def log(path: str, count: int, **changes: object) -> LogState:
    """A log with so many entries."""
    state = LogState(path, parsed_to=count, mtime_ns=count, guard=b"g", parser=1, entries=count, whole=True)
    return state._replace(**changes)  # type: ignore[arg-type]


def add(text: apsw.Connection, state: LogState, first: int, *, count: int | None = None, anew: bool = True) -> None:
    """Write a log, or with `count` its last entries, in one transaction: entry n stands at byte n and says ``word<n>``."""
    batch = Batch()
    put(batch, Names(text), state, first, count=count, anew=anew)
    writer.write(text, batch)


def put(batch: Batch, names: Names, state: LogState, first: int, *, count: int | None = None, anew: bool = True) -> None:
    """The same in a batch with others."""
    numbers = range(state.entries if count is None else count)
    start = state.entries - len(numbers)
    bash, opus = names.id("tool", "Bash", batch.names), names.id("model", "opus", batch.names)
    rows, words = [], []
    for n in numbers:
        number = start + n
        tool, model = (bash, 0) if number % 2 else (0, opus)
        rows.append(Row(number, 1, 0, 7, number * 1000, tool, model, number))
        words.append(pack(first + n, b"word%d" % number, b"", b"", tags.of(7, tool, model).encode()))
    batch.pieces.append(Piece(state, first, rows, words, anew))


def found(text: apsw.Connection, word: str) -> list[int]:
    """Rowids of entries that hold a word."""
    return [rowid for (rowid,) in text.execute("SELECT rowid FROM entries_text WHERE entries_text MATCH ?", (word,))]
