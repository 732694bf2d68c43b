"""Keeps titles, planning files, tasks, features and notes in the index of texts, by comparing it with the cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import apsw
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.search import tokens
from ccdashd.store import item_sources
from ccdashd.store.item_sources import TYPES, Item, ItemType
from ccdashd.store.text import items as stored
from ccdashd.store.text.items import Known, Words

BATCH = 100
"""Items that are read and written at once: planning files take milliseconds each."""


class Behind(NamedTuple):
    """What of one type the index has to be compared with: entities with these ids, or all."""

    type: ItemType
    ids: Sequence[str] | None


def everything() -> list[Behind]:
    """All that there is."""
    return [Behind(type, None) for type in TYPES]


def changed(changes: Iterable[t.Change]) -> list[Behind]:
    """What may be behind after these changes; notes, which are few, always."""
    ids: dict[str, dict[str, None]] = {}
    for change in changes:
        ids.setdefault(change.type, {})[change.id] = None
    return [Behind(type, None if type == "note" else list(ids.get(type, ()))) for type in TYPES]


class Difference(NamedTuple):
    """What there is to write: items that are new or other, each with what is known of it; numbers of those that went."""

    items: list[tuple[Item, Known | None]]
    gone: list[int]


def compare(cache: sa.Connection, text: apsw.Connection, behind: Sequence[Behind]) -> Difference:
    """How the index differs from the cache. Both are only read."""
    differing: list[tuple[Item, Known | None]] = []
    gone: list[int] = []
    for type, ids in behind:
        if type == "task" and ids is not None:
            # A task is as old as its file, which may change without the task.
            documents = next((one.ids or () for one in behind if one.type == "document"), ())
            ids = [*{*ids, *item_sources.tasks_of(cache, documents)}]
        known = stored.known(text, type, ids)
        for item in item_sources.items(cache, type, ids):
            there = known.pop(item.id, None)
            if there is None or (there.stamp, there.project_id, there.time) != (item.stamp, item.project_id, item.time):
                differing.append((item, there))
        gone += [there.n for there in known.values()]
    return Difference(differing, gone)


def write(text: apsw.Connection, difference: Difference, cap: int) -> Iterator[int]:
    """Make the index agree, in several transactions; yields after each how many items it was. Reads planning files, of
    which `cap` bytes are indexed."""
    if difference.gone:
        with text:
            stored.delete(text, difference.gone)
        yield len(difference.gone)
    left = iter(difference.items)
    while batch := list(islice(left, BATCH)):
        words = [_words(item, cap) if there is None or there.stamp != item.stamp else None for item, there in batch]
        with text:
            for (item, there), found in zip(batch, words, strict=True):
                stored.put(text, there, item, found)
        yield len(batch)


def _words(item: Item, cap: int) -> Words:
    # What a note is on is found by its own title.
    title, parts = tokens.prepare("" if item.type == "note" else item.title, cap)
    text, more = tokens.prepare(item_sources.text_of(item), cap)
    # One column, so that a title is found alone, by parts of its identifiers too.
    return Words(f"{title} {tokens.BETWEEN} {parts}" if parts else title, text, more, item.path)
