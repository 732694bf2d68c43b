"""What fits an FTS5 expression: rowids in order, how many, and how well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import apsw

from ccdashd.store.text.entries import Span

ENTRIES = "entries_text"
"""The FTS5 table of entries; its columns are ``text``, ``parts``, ``path`` and ``tags``."""

ITEMS = "items_text"
"""That of titles and texts of entities: ``title``, ``text``, ``parts``, ``path`` and ``tags``."""

SATURATION = 1.2
"""``k1`` of BM25 (https://www.sqlite.org/fts5.html#the_bm25_function): how soon more of the same word adds little."""

LENGTHS = 0.75
"""``b`` of BM25: how much a long text needs more of a word than a short one."""

USUAL_LENGTH = 150.0
"""Words of a text that is neither long nor short. FTS5's own function takes the average, so that its scores change with
every text that is added, and looks all rows of each word up for it."""

_GAP = 50
"""Matches in a row that are in no span, from which on the next span is looked for: about what a new query costs."""

_SCORE = "ccdash_score"

Weights = Sequence[tuple[int, float]]
"""Numbers of phrases, or columns, from 0 on, each with a weight."""


def newest(text: apsw.Connection, expression: str, allowed: Sequence[Span], limit: int) -> list[int]:
    """The highest rowids of entries that fit and are in one of these spans (see `entries.merged`), the highest first."""
    return [rowid for (rowid,) in islice(_walk(text, "rowid", expression, allowed), limit)]


def _walk(text: apsw.Connection, columns: str, expression: str, allowed: Sequence[Span]) -> Iterator[tuple[Any, ...]]:
    """Rows of entries that fit and are in a span, from above; `columns` begin with the rowid.

    As far as matches are in spans, or nearly so, one query goes through many spans; over a large gap it begins anew.
    """
    query = f"SELECT {columns} FROM {ENTRIES} WHERE {ENTRIES} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC"
    left = len(allowed)
    while left:
        outside = 0
        for row in text.execute(query, (expression, allowed[0].first, allowed[left - 1].last)):
            while left and row[0] < allowed[left - 1].first:
                left -= 1
            if not left:
                return
            if row[0] <= allowed[left - 1].last:
                outside = 0
                yield row
            else:
                outside += 1
                if outside == _GAP:
                    break
        else:
            return


class Scorer:
    """BM25 of rows, with weights of phrases that do not depend on what else is in the index."""

    def __init__(self, text: apsw.Connection) -> None:
        self._text = text
        self._phrases: Weights = ()
        self._columns: Weights = ()
        text.register_fts5_function(_SCORE, self._score)

    def newest(
        self, expression: str, allowed: Sequence[Span], limit: int, phrases: Weights, columns: Weights
    ) -> dict[int, float]:
        """What `matches.newest` gives, in its order, with scores: higher is better.

        `phrases` are those of the expression that count, `columns` the columns of the table that do.
        """
        self._phrases, self._columns = phrases, columns
        return dict(islice(_walk(self._text, f"rowid, {_SCORE}({ENTRIES})", expression, allowed), limit))

    def items(self, expression: str, phrases: Weights, columns: Weights) -> dict[int, float]:
        """The numbers of all items that fit, with scores."""
        self._phrases, self._columns = phrases, columns
        return dict(
            self._text.execute(f"SELECT rowid, {_SCORE}({ITEMS}) FROM {ITEMS} WHERE {ITEMS} MATCH ?", (expression,))
        )

    def _score(self, row: apsw.FTS5ExtensionApi, *_: object) -> float:
        # Called for each row, so what can be is done before.
        least = SATURATION * (1 - LENGTHS + LENGTHS / USUAL_LENGTH * row.column_size(-1))
        score = 0.0
        for phrase, weight in self._phrases:
            places = row.phrase_locations(phrase)
            found = 0.0
            for column, worth in self._columns:
                found += worth * len(places[column])
            score += weight * found / (found + least)
        return score * (SATURATION + 1)


def count(text: apsw.Connection, expression: str, most: int) -> int:
    """How many entries fit, `most` where there are more."""
    query = f"SELECT COUNT(*) FROM (SELECT 1 FROM {ENTRIES} WHERE {ENTRIES} MATCH ? LIMIT ?)"
    ((number,),) = text.execute(query, (expression, most))
    return int(number)
