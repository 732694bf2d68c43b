"""Whether the index of texts is whole, and how its space is given back: all of it a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import apsw

from ccdashd.store.text.connection import is_corrupt, rows

TABLES: Final = ("entries_text", "items_text")

MERGED: Final = 64
"""Pages of words that one step merges."""

GIVEN_BACK: Final = 128
"""Free pages that one step gives back."""

_ENTRIES = (
    "SELECT l.path, l.entries, COALESCE(SUM(b.count), 0) FROM logs l LEFT JOIN entry_blocks b ON b.log = l.id GROUP BY l.id"
)
_BLOCKS = "SELECT COUNT(*) FROM entry_blocks b WHERE NOT EXISTS (SELECT 1 FROM logs l WHERE l.id = b.log)"
_SIZES = "SELECT (SELECT COUNT(*) FROM entries_text_docsize), (SELECT COALESCE(SUM(count), 0) FROM entry_blocks)"
_ITEMS = "SELECT (SELECT COUNT(*) FROM items_text_docsize), (SELECT COUNT(*) FROM items)"


def problems(connection: apsw.Connection) -> Iterator[str]:
    """What is wrong with the file, in words: pages, words, and whether its tables speak of the same entries. Reads all of
    it. Raises `apsw.Error` where it cannot be had."""
    connection.execute("BEGIN")  # all of it as it is at one moment
    try:
        yield from _problems(connection)
    except apsw.Error as error:
        if not is_corrupt(error):
            raise
        yield "a page is not what was written"


def _problems(connection: apsw.Connection) -> Iterator[str]:
    # Of FTS5's own tables, too.
    for (line,) in rows(connection, "PRAGMA integrity_check(5)"):
        if line != "ok":
            yield str(line)
    for path, expected, found in rows(connection, _ENTRIES):
        if expected != found:
            shown = path.decode("utf-8", "replace") if isinstance(path, bytes) else path
            yield f"of {shown} it has {found} entries, not {expected}"
    for query, what in ((_SIZES, "entries"), (_ITEMS, "titles")):
        ((words, known),) = rows(connection, query)
        if words != known:
            yield f"it has words of {words} {what}, and knows {known}"
    if rows(connection, _BLOCKS) != [(0,)]:
        yield "it has entries of logs that it does not know"


def merge(connection: apsw.Connection) -> bool:
    """Join some of the pieces that words were written in, which makes them smaller; tells whether there is more to do."""
    before = connection.total_changes()
    for table in TABLES:
        connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', {MERGED})")
    # A step that had nothing to do changes one row each (https://www.sqlite.org/fts5.html#the_merge_command).
    return connection.total_changes() - before >= 2 * len(TABLES)


def give_back(connection: apsw.Connection) -> int:
    """Give some free pages back to the file system; returns how many are left."""
    connection.execute(f"PRAGMA incremental_vacuum({GIVEN_BACK})").fetchall()
    return int(connection.pragma("freelist_count"))


def free_pages(connection: apsw.Connection) -> int:
    """Pages that hold nothing."""
    return int(connection.pragma("freelist_count"))
