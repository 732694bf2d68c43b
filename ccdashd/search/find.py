"""Runs a plan: hits in order, the newest or the best first, each once however many pages are asked for.

    newest      by time exactly. Rowids are in the order of time but roughly, so blocks of entries are looked at, that with
                the newest entry first, until nothing that is left can be newer than what is given.
    relevance   of the newest matches, in windows of `WINDOW`: those of a window by their scores, then those of the next
                older one. Titles come first.

A page goes on behind the last hit of the one before, which a cursor names by what hits are sorted by. What the index gets
meanwhile comes before it, or is sorted in behind it, and changes nothing else.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import apsw

from ccdashd.errors import InvalidParams
from ccdashd.search.cursor import Cursor, Newest, Ranked
from ccdashd.search.expression import ENTRIES, Expression, expression
from ccdashd.search.plan import PLACE_OF, Plan
from ccdashd.sources.model import KINDS
from ccdashd.store.item_sources import entity_of_note
from ccdashd.store.text import entries, items, matches
from ccdashd.store.text.entries import Span
from ccdashd.store.text.overview import Overview

WINDOW = 2_000
"""Matches that are ranked together."""

COUNTED = 10_000
"""Matches that are counted; of more it is only said that there are."""

_PIECES = 2
"""Blocks of entries that the newest are looked for in at first; then twice as many each time."""

_NEVER = -2
"""Before all times, and before what has none."""

_UNBOUNDED = 2**62
_CHUNK = 64
"""Entries that are looked up at once, whether or not all of them are needed."""

_TIES = 500
"""Entries of one score that copies are looked for among."""

_WEIGHED = 20_000
"""Texts that hold a word, from which on it is as common as can be."""

_WORTH = {"prompt": 2.0, "answer": 1.5, "thinking": 1.2}
"""How much more than others a match is worth, by the value of ``in:``."""

_ITEM_WORTH = 1.5
_TITLE = 100.0
"""Added to the score of what has all words in its title: more than any score."""

_WORTH_OF = [_WORTH.get(PLACE_OF.get(kind, ""), 1.0) for kind in KINDS]

_ENTRY_COLUMNS = ((0, 1.0), (1, 0.5))
_ITEM_COLUMNS = ((0, 2.0), (1, 1.0), (2, 0.5), (3, 0.5))
"""What a word is worth by the column that it stands in, in the order of the tables: see `store.text.matches`."""


class View:
    """The index as one thread reads it, one search after the other."""

    def __init__(self, text: apsw.Connection) -> None:
        self.text = text
        self.overview = Overview(text)
        self.scorer = matches.Scorer(text)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the index, whatever is written meanwhile."""
        self.text.execute("BEGIN")
        try:
            self.overview.refresh()
            yield
        finally:
            self.text.execute("ROLLBACK")


class Hit(NamedTuple):
    """A hit: an entry or an item. Its cursor is that of what comes behind it."""

    cursor: Cursor
    entry: entries.Found | None
    item: items.Found | None
    score: float | None
    copies: int = 0


class Total(NamedTuple):
    """How many hits there are; at least so many where it is not exact."""

    number: int
    exact: bool


class Finder:
    """The hits of one plan, within one transaction of the index."""

    def __init__(self, view: View, plan: Plan) -> None:
        self._view = view
        self._plan = plan
        self._text = view.text
        scope = plan.scope
        self._has_log = None if scope.everything else scope.has_log
        self._first_window: dict[int, float] | None = None
        """Scores of the window that the first page begins with, when that was made."""
        self.items = list(self._items())
        """All items that fit."""

    @cached_property
    def allowed(self) -> list[Span]:
        """Rowids of the entries that are meant."""
        return [] if self._plan.entries is None else self._view.overview.allowed(self._has_log, self._plan.times)

    def total(self) -> Total:
        """How many hits there are."""
        window = self._first_window
        if window is None:
            found = len(self.counted)
        else:
            # These need not be looked for again.
            found = len(window) + len(self._newest(_below(self.allowed, min(window, default=0)), COUNTED + 1 - WINDOW))
        return Total(min(found, COUNTED) + len(self.items), found <= COUNTED)

    @cached_property
    def counted(self) -> list[int]:
        """The highest rowids of entries that fit, the highest first: all, or one more than are counted."""
        return self._newest(self.allowed, COUNTED + 1)

    def places(self, rowids: Sequence[int]) -> list[entries.Found]:
        """What is known of these entries; those that are gone meanwhile are left out."""
        return entries.entries(self._text, rowids)

    def _newest(self, allowed: Sequence[Span], limit: int) -> list[int]:
        asked = self._plan.entries
        return [] if asked is None else matches.newest(self._text, asked.text, allowed, limit)

    def _items(self) -> Iterator[items.Found]:
        scope, times = self._plan.scope, self._plan.times
        for asked in self._plan.items:
            wanted = None if asked.expression is None else asked.expression.text
            for item in items.find(self._text, asked.types, wanted):
                type, id = entity_of_note(item.id) if item.type == "note" else (item.type, item.id)
                meant = scope.has_session(id) if type == "session" else scope.has_project(item.project_id)
                if meant and times.holds(item.time):
                    yield item

    # --- the newest first ---

    def newest(self, after: Newest | None) -> Iterator[Hit]:
        """Hits by time, the newest first; what has no time comes last."""
        found = heapq.merge(self._entries_by_time(after), self._items_by_time(), key=lambda hit: hit.cursor, reverse=True)
        for hit in found:
            if after is None or hit.cursor < after:
                yield hit

    def _items_by_time(self) -> list[Hit]:
        hits = [Hit(Newest(_time(item.time), 0, item.n), None, item, None) for item in self.items]
        return sorted(hits, key=lambda hit: hit.cursor, reverse=True)

    def _entries_by_time(self, after: Newest | None) -> Iterator[Hit]:
        if self._plan.entries is None:
            return
        pending: list[entries.Found] = []
        for rowids, bound in self._groups_by_time(None if after is None else after.time):
            pending += self.places(rowids)
            pending.sort(key=lambda entry: (_time(entry.time), entry.rowid), reverse=True)
            ready = next((n for n, entry in enumerate(pending) if _time(entry.time) <= bound), len(pending))
            for time, same in groupby(pending[:ready], key=lambda entry: _time(entry.time)):
                for entry, copies in _without_copies(same):
                    yield Hit(Newest(time, 1, entry.rowid), entry, None, None, copies)
            del pending[:ready]

    def _groups_by_time(self, until: int | None) -> Iterator[tuple[list[int], int]]:
        """Entries that fit, roughly the newest first, each time with the time that none of those to come is newer than."""
        overview = self._view.overview
        if len(self.counted) <= _CHUNK:
            yield self.counted, _NEVER
        elif len(self.counted) <= COUNTED:
            blocks = overview.by_block(self.counted, until)
            for begin, end in _growing(len(blocks)):
                rowids = [rowid for _, inside in blocks[begin:end] for rowid in inside]
                yield rowids, blocks[end][0] if end < len(blocks) else _NEVER
        else:
            pieces = overview.newest_first(self._has_log, self._plan.times, until)
            for begin, end in _growing(len(pieces)):
                spans = entries.merged(span for piece in pieces[begin:end] for span in piece.spans)
                yield self._newest(spans, _UNBOUNDED), pieces[end].latest if end < len(pieces) else _NEVER

    # --- the best first ---

    def ranked(self, after: Ranked | None) -> Iterator[Hit]:
        """Hits by score, the best first, window by window."""
        weights = self._weights() if after is None else after.weights
        if len(weights) != len(self._plan.wanted):
            raise InvalidParams("cursor", "is not one that a search gave")
        first, top = (1, None) if after is None else (after.first, after.top)
        while True:
            allowed = self.allowed if top is None else _below(self.allowed, top + 1)
            scores = self._scores(allowed, weights)
            if top is None:
                self._first_window = scores
            place = Ranked(0.0, 0, 0, max(scores, default=top or 0) if top is None else top, first, weights)
            hits = self._entries_by_score(scores, place)
            if first:
                hits = heapq.merge(hits, self._items_by_score(place), key=lambda hit: hit.cursor, reverse=True)
            for hit in hits:
                if after is None or hit.cursor < after:
                    yield hit
            if len(scores) < WINDOW:
                return
            first, top, after = 0, min(scores) - 1, None

    def _weights(self) -> tuple[float, ...]:
        """Of the words that are looked for: the rarer, the more. Their sum is 1."""
        wanted = self._plan.wanted
        if len(wanted) < 2:
            return (1.0,) * len(wanted)
        logarithms = []
        for words in wanted:
            asked = expression(words, self._plan.terms, ENTRIES, _NOTHING)
            assert asked is not None
            logarithms.append(math.log(1 + _WEIGHED / (1 + matches.count(self._text, asked.text, _WEIGHED))))
        return tuple(round(one / sum(logarithms), 4) for one in logarithms)

    def _scores(self, allowed: Sequence[Span], weights: Sequence[float]) -> dict[int, float]:
        """The entries of a window with their scores."""
        asked = self._plan.entries
        if asked is None or not allowed:
            return {}
        scores = self._view.scorer.newest(asked.text, allowed, WINDOW, self._phrases(asked, weights), _ENTRY_COLUMNS)
        if len(scores) <= _CHUNK:
            return {entry.rowid: scores[entry.rowid] * _WORTH_OF[entry.kind] for entry in self.places(list(scores))}
        kind = self._view.overview.kind
        return {rowid: score * _WORTH_OF[kind(rowid)] for rowid, score in scores.items()}

    def _phrases(self, asked: Expression, weights: Sequence[float]) -> list[tuple[int, float]]:
        """The phrases of an expression that count, each with its weight."""
        known = dict(zip(self._plan.wanted, weights, strict=True))
        return [(number, known[words]) for number, words in enumerate(asked.phrases) if words in known]

    def _entries_by_score(self, scores: dict[int, float], place: Ranked) -> Iterator[Hit]:
        ordered = sorted(scores, key=lambda rowid: (scores[rowid], rowid), reverse=True)
        begin = 0
        while begin < len(ordered):
            end = min(begin + _CHUNK, len(ordered)) if self._plan.steady else len(ordered)
            # Copies have the same score: those are looked at together.
            while end < min(len(ordered), begin + _TIES) and scores[ordered[end]] == scores[ordered[end - 1]]:
                end += 1
            for entry, copies in _without_copies(self.places(ordered[begin:end])):
                score = scores[entry.rowid]
                yield Hit(place._replace(score=score, entry=1, number=entry.rowid), entry, None, score, copies)
            begin = end

    def _items_by_score(self, place: Ranked) -> list[Hit]:
        titles: set[int] = set()
        scores: dict[int, float] = {}
        if self._plan.titles is not None:
            titles = items.numbers(self._text, self._plan.titles.text)
        for asked in self._plan.items:
            if asked.expression is not None:
                phrases = self._phrases(asked.expression, place.weights)
                scores |= self._view.scorer.items(asked.expression.text, phrases, _ITEM_COLUMNS)
        hits = []
        for item in self.items:
            score = scores.get(item.n, 0.0) * _ITEM_WORTH + _TITLE * (item.n in titles)
            hits.append(Hit(place._replace(score=score, entry=0, number=item.n), None, item, score))
        return sorted(hits, key=lambda hit: hit.cursor, reverse=True)


_NOTHING = Expression("", ())


def _growing(length: int) -> Iterator[tuple[int, int]]:
    """Where parts of a list begin and end, each twice as long as the one before."""
    begin, number = 0, _PIECES
    while begin < length:
        yield begin, min(begin + number, length)
        begin, number = begin + number, 2 * number


def _time(time: int | None) -> int:
    return -1 if time is None else time


def _below(allowed: Sequence[Span], rowid: int) -> list[Span]:
    """The part of spans that is below a rowid."""
    return [Span(span.first, min(span.last, rowid - 1)) for span in allowed if span.first < rowid]


def _without_copies(same: Iterable[entries.Found]) -> Iterator[tuple[entries.Found, int]]:
    """Of entries that are copies of each other the first, with the number of the others."""
    copies: dict[tuple[int, int, int | None] | int, list[entries.Found]] = {}
    for entry in same:
        # What has no uuid, or no time, is never taken for a copy.
        key = (entry.key, entry.block, entry.time) if entry.key and entry.time is not None else entry.rowid
        copies.setdefault(key, []).append(entry)
    for first, *others in copies.values():
        yield first, len(others)
