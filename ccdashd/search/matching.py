"""Where in a text the words of a query stand, told by the index' own tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from ccdashd.search.expression import Reading, Term
from ccdashd.search.snippets import Match

WHOLE = 24 * 1024
"""Characters of a text that is looked at whole; of a longer one, first the surroundings of what looks like a match."""

_AROUND = 2 * 1024
"""Characters before and after such a place."""

_PLACES = 8
"""Such places that are looked at, before the whole text is."""

MOST = 200
"""Matches that are found at most: more than a snippet has room for."""


class Span(NamedTuple):
    """A word of a text, with its place in it in characters."""

    start: int
    end: int
    word: str
    parts: tuple[Span, ...] = ()
    """Of an identifier, what it is put together of."""


Spans = Callable[[str], Sequence[Span]]
"""Words of a text in order; see `ccdashd.search.tokens`."""


def find(text: str, terms: Sequence[Term], spans: Spans) -> list[Match]:
    """Where these terms stand in `text`, each by its place in `terms`, in order; of a long text, some of the places."""
    if len(text) > WHOLE:
        for start, end in _likely(text, terms):
            # The first and the last word may be cut.
            words = spans(text[start:end])[start > 0 : -1 if end < len(text) else None]
            found = _matches(words, start, terms)
            if found:
                return found
    return _matches(spans(text), 0, terms)


def _matches(words: Sequence[Span], offset: int, terms: Sequence[Term]) -> list[Match]:
    found: list[Match] = []
    starts = _Starts(terms)
    for row, within in [(words, False), *((span.parts, True) for span in words if span.parts)]:
        for at, span in enumerate(row):
            for number, reading in starts.of(span.word):
                if (reading.parts or not within) and _stands(row, at, reading):
                    end = row[at + len(reading.words) - 1].end
                    found.append(Match(offset + span.start, offset + end, number))
        if len(found) >= MOST:
            break
    return sorted(found)


def _stands(row: Sequence[Span], at: int, reading: Reading) -> bool:
    """Whether the words of a reading stand in a row from `at` on."""
    *firsts, last = reading.words
    if at + len(firsts) >= len(row):
        return False
    final = row[at + len(firsts)].word
    fits = final.startswith(last) if reading.prefix else final == last
    return fits and all(row[at + n].word == word for n, word in enumerate(firsts))


class _Starts:
    """Readings by the word that they begin with, so that one look tells that none begins with a word."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._words: dict[str, list[tuple[int, Reading]]] = {}
        self._prefixes: list[tuple[int, Reading]] = []
        for number, term in enumerate(terms):
            for reading in term:
                if reading.prefix and len(reading.words) == 1:
                    self._prefixes.append((number, reading))
                else:
                    self._words.setdefault(reading.words[0], []).append((number, reading))

    def of(self, word: str) -> Sequence[tuple[int, Reading]]:
        """The terms that may begin with `word`, each by its number, with the reading."""
        found = self._words.get(word, ())
        return [*found, *self._prefixes] if self._prefixes else found


def _likely(text: str, terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Stretches of a long text that hold the first word of a term as it is typed, whatever its case."""
    words = {reading.words[0] for term in terms for reading in term}
    pattern = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))), re.IGNORECASE)
    end = 0
    for place in islice(pattern.finditer(text), _PLACES):
        if place.start() >= end:
            end = place.end() + _AROUND
            yield max(place.start() - _AROUND, 0), min(end, len(text))
