"""What fits an FTS5 expression: rowids in order, how many, and how well."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

SATURATION = 1.2
"""``k1`` of BM25 (https://www.sqlite.org/fts5.html#the_bm25_function): how soon more of the same word adds little."""

LENGTHS = 0.75
"""``b`` of BM25: how much a long text needs more of a word than a short one."""

USUAL_LENGTH = 150.0
"""Words of a text that is neither long nor short. FTS5's own function takes the average, so that its scores change with
every text that is added, and looks all rows of each word up for it."""


def newest(text: apsw.Connection, table: str, expression: str, low: int, high: int, limit: int) -> list[int]:
    """The highest rowids of `table` from `low` to `high` that fit, the highest first."""
    query = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
    return [rowid for (rowid,) in text.execute(query, (expression, low, high, limit))]


def count(text: apsw.Connection, table: str, expression: str, most: int) -> int:
    """How many rows fit, `most` where there are more."""
    query = f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {table} MATCH ? LIMIT ?)"
    (number,) = next(text.execute(query, (expression, most)))
    return int(number)


class Scorer:
    """BM25 of rows, with weights of phrases that do not depend on what else is in the index."""

    def __init__(self, text: apsw.Connection) -> None:
        self._text = text
        self._phrases: Sequence[float] = ()
        self._columns: Sequence[float] = ()
        text.register_fts5_function("ccdash_score", self._score)

    def scores(
        self,
        table: str,
        expression: str,
        low: int,
        high: int,
        phrases: Sequence[float],
        columns: Sequence[float],
    ) -> dict[int, float]:
        """Rows from `low` to `high` that fit, with their scores: higher is better.

        `phrases` has a weight for each phrase of the expression, `columns` one for each column of the table.
        """
        self._phrases, self._columns = phrases, columns
        score = f"SELECT rowid, ccdash_score({table}) FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ?"
        # From above, where the rows are: FTS5 would else begin with the lowest row of all.
        return dict(self._text.execute(f"{score} ORDER BY rowid DESC", (expression, low, high)))

    def _score(self, row: apsw.FTS5ExtensionApi, *_: object) -> float:
        # Called for each row: what is not needed is not looked up.
        length = row.column_size(-1)
        least = SATURATION * (1 - LENGTHS + LENGTHS * length / USUAL_LENGTH)
        score = 0.0
        for phrase, weight in enumerate(self._phrases):
            if weight:
                places = row.phrase_locations(phrase)
                found = sum(len(at) * worth for at, worth in zip(places, self._columns, strict=True) if at)
                score += weight * found * (SATURATION + 1) / (found + least)
        return score
