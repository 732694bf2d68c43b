"""Where in a text the words of a query stand, told by the index' own tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from ccdashd.search.expression import Reading, Term
from ccdashd.search.snippets import Match

SHORT = 1_000
"""Characters of a text that is looked at whole; of a longer one, first the surroundings of what looks like a match."""

_AROUND = 100
"""Characters before and after such a place: more than the words of a program are long."""

_PLACES = 12
"""Such places that are looked at for each term, before the whole text is."""

_BETWEEN = r"[\W_]*"
"""What may stand between two words that are next to each other, or two parts of an identifier."""


class Span(NamedTuple):
    """A word of a text, with its place in it in characters."""

    start: int
    end: int
    word: str
    parts: tuple[Span, ...] = ()
    """Of an identifier, what it is put together of."""


Spans = Callable[[str], Sequence[Span]]
"""Words of a text in order; see `ccdashd.search.tokens`."""


def find(text: str, terms: Sequence[Term], spans: Spans, fold: Callable[[str], str]) -> list[Match]:
    """Where these terms stand in `text`, each by its place in `terms`, in order; of a long text, some of the places.

    `spans` and `fold` are those of `ccdashd.search.tokens`.
    """
    if len(text) > SHORT:
        found: list[Match] = []
        for start, end in _likely(text if text.isascii() else fold(text), terms):
            # The first and the last word may be cut.
            words = spans(text[start:end])[start > 0 : -1 if end < len(text) else None]
            found += _matches(words, start, terms)
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


def _likely(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Stretches of a long text that hold what looks like a term, whatever the case; ascending."""
    around: list[tuple[int, int]] = []
    for term in terms:
        phrases = (_BETWEEN.join(map(re.escape, reading.words)) for reading in term)
        places = re.compile("|".join(phrases), re.IGNORECASE).finditer(text)
        around += [(max(at.start() - _AROUND, 0), min(at.end() + _AROUND, len(text))) for at in islice(places, _PLACES)]
    stretches: list[tuple[int, int]] = []
    for start, end in sorted(around):
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
        else:
            stretches.append((start, end))
    return stretches
