"""Titles and texts of entities in the index of texts: what is known, what changes, what is found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import apsw

from ccdashd.store.item_sources import Item, ItemType

EVERYTHING = "tags : all"
"""The expression that all items fit."""

_KEYS = 500
"""Keys that one statement asks for."""


class Known(NamedTuple):
    """An item of the index."""

    n: int
    type: ItemType
    id: str
    project_id: str | None
    time: int | None
    stamp: bytes


class Words(NamedTuple):
    """What an item is found by, ready for the tokenizer."""

    title: str
    text: str
    parts: str
    path: str


class Found(NamedTuple):
    """An item that fits."""

    n: int
    type: ItemType
    id: str
    project_id: str | None
    time: int | None


_KNOWN = "SELECT n, type, id, project_id, time, stamp FROM items WHERE type = ?"
_ADD = "INSERT INTO items (type, id, project_id, time, stamp) VALUES (?, ?, ?, ?, ?)"
_CHANGE = "UPDATE items SET project_id = ?, time = ?, stamp = ? WHERE n = ?"
_ADD_WORDS = "INSERT INTO items_text (rowid, title, text, parts, path, tags) VALUES (?, ?, ?, ?, ?, 'all')"


def known(text: apsw.Connection, type: ItemType, ids: Sequence[str] | None = None) -> dict[str, Known]:
    """What is known of the items of a type by id: of these, or of all."""
    if ids is None:
        return {row[2]: Known(*row) for row in text.execute(_KNOWN, (type,))}
    found: dict[str, Known] = {}
    for begin in range(0, len(ids), _KEYS):
        part = ids[begin : begin + _KEYS]
        query = f"{_KNOWN} AND id IN ({', '.join('?' * len(part))})"
        found |= {row[2]: Known(*row) for row in text.execute(query, (type, *part))}
    return found


def put(text: apsw.Connection, known: Known | None, item: Item, words: Words | None) -> None:
    """Add an item, or change the one that is known, its words where they are given; within a transaction."""
    if known is None:
        text.execute(_ADD, (item.type, item.id, item.project_id, item.time, item.stamp))
        n = text.last_insert_rowid()
    else:
        n = known.n
        text.execute(_CHANGE, (item.project_id, item.time, item.stamp, n))
        if words is not None:
            text.execute("DELETE FROM items_text WHERE rowid = ?", (n,))
    if words is not None:
        text.execute(_ADD_WORDS, (n, *words))


def delete(text: apsw.Connection, numbers: Iterable[int]) -> None:
    """Delete items; within a transaction."""
    for n in numbers:
        text.execute("DELETE FROM items WHERE n = ?", (n,))
        text.execute("DELETE FROM items_text WHERE rowid = ?", (n,))


_FIND = """
SELECT n, type, id, project_id, time FROM items
WHERE type IN ({}) AND n IN (SELECT rowid FROM items_text WHERE items_text MATCH ?)
"""
_ALL = "SELECT n, type, id, project_id, time FROM items WHERE type IN ({})"


def find(text: apsw.Connection, types: Collection[ItemType], expression: str | None) -> Iterator[Found]:
    """Items of these types that fit an FTS5 expression, or all, in no order."""
    marks = ", ".join("?" * len(types))
    if expression is None:
        rows = text.execute(_ALL.format(marks), tuple(types))
    else:
        rows = text.execute(_FIND.format(marks), (*types, expression))
    for row in rows:
        yield Found(*row)


def numbers(text: apsw.Connection, expression: str) -> set[int]:
    """The numbers of all items that fit an FTS5 expression."""
    return {n for (n,) in text.execute("SELECT rowid FROM items_text WHERE items_text MATCH ?", (expression,))}
