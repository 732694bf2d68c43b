"""What a deep search looks for, as bytes: text in the forms in which logs may hold it, and regular expressions. Pure.

A log holds text as JSON encodes it, and writers differ in how: ``é`` stands there as it is or as ``\\u00e9``, a quotation
mark as ``\\"``. Text is looked for in each of these forms, and as it was typed, so that a piece of a record is found too.
"""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from ccdashd.errors import InvalidParams

MOST_CHARACTERS: Final = 10_000
"""Of a pattern."""

_MOST_SPELLINGS: Final = 8
"""In upper and lower case, that are looked for one by one: up to there that is faster than an expression."""

_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Found(NamedTuple):
    """A record with a match, by places in the bytes that were searched."""

    begin: int
    end: int
    """Of the record, without its newline."""
    start: int
    stop: int
    """Of the first match in it."""
    matches: int
    """Matches in it that do not overlap."""


class Pattern(Protocol):
    """Something to look for."""

    def records(self, data: bytes) -> Iterator[Found]:
        """The records with a match, in order. `data` are whole lines and not empty."""


def pattern(text: str, *, regex: bool, ignore_case: bool) -> Pattern:
    """What is to be looked for. Raises InvalidParams of ``pattern``, for a regular expression with the place."""
    if not text:
        raise InvalidParams("pattern", "must not be empty")
    if len(text) > MOST_CHARACTERS:
        raise InvalidParams("pattern", f"must have at most {MOST_CHARACTERS:,} characters", len(text))
    if regex:
        return _Expression(_compiled(text, ignore_case))
    if not ignore_case:
        return _Text(forms(text), lower=False)
    # Bytes have cases only in ASCII.
    cases = [(one.lower(),) if one.isascii() else _cases(one) for one in text]
    if math.prod(map(len, cases)) > _MOST_SPELLINGS:
        return _Expression(re.compile(_any_case(text)))
    needles = {form.lower() for spelling in itertools.product(*cases) for form in forms("".join(spelling))}
    return _Text(_longest_first(needles), lower=True)


def forms(text: str) -> list[bytes]:
    """The bytes that say `text` in a record: as it is, and as JSON may encode it, the longest first.

    None of them holds a newline, which ends a record.
    """
    found = {encoding(text).encode("utf-8", "replace") for encoding in _ENCODINGS}
    return _longest_first(form for form in found if b"\n" not in form)


def _longest_first(needles: Iterable[bytes]) -> list[bytes]:
    return sorted(needles, key=lambda form: (-len(form), form))


def _encoded(text: str, other: Callable[[str], str]) -> str:
    """As in a JSON string; `other` says how characters are written that are not ASCII, or controls."""
    return "".join(_SHORT.get(one) or (one if " " <= one < "\x80" else other(one)) for one in text)


def _control(character: str) -> str:
    return character if character >= "\x80" else _escape(character)


def _escape(character: str, digits: str = "x") -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2]):04{digits}}" for at in range(0, len(units), 2))


def _cases(character: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((character, character.lower(), character.upper())))


def _any_case(text: str) -> bytes:
    """An expression for `forms` of the text in any case."""
    ways = [[{encoding(case): None for case in _cases(one)} for one in text] for encoding in _ENCODINGS]
    # The longest first, as with text whose case counts.
    ways.sort(key=lambda way: -sum(len(next(iter(cases))) for cases in way))
    every = (b"".join(map(_any_of, way)) for way in ways if not any("\n" in cases for cases in way))
    return b"|".join(dict.fromkeys(every))


def _any_of(texts: Iterable[str]) -> bytes:
    return b"(?:" + b"|".join(re.escape(text.encode("utf-8", "replace")) for text in texts) + b")"


_ENCODINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: text,
    lambda text: _encoded(text, _control),
    lambda text: _encoded(text, _escape),
    lambda text: _encoded(text, lambda one: _escape(one, "X")),
)
"""How a log may write a text."""


class _Text:
    """Bytes to be found in any of several forms. With `lower`, these are in lower case, and what is searched is made so."""

    def __init__(self, needles: Sequence[bytes], *, lower: bool) -> None:
        self._needles = needles
        self._lower = lower

    def records(self, data: bytes) -> Iterator[Found]:
        searched = data.lower() if self._lower else data
        places = [searched.find(needle) for needle in self._needles]
        position = 0
        while (hit := self._next(searched, places, position)) is not None:
            start, stop = hit
            begin = data.rfind(b"\n", 0, start) + 1
            end = data.find(b"\n", stop)
            end = len(data) if end < 0 else end
            yield Found(begin, end, start, stop, 1 + self._more(searched, stop, end))
            position = end + 1

    def _next(self, data: bytes, places: list[int], position: int) -> tuple[int, int] | None:
        """The first match from `position` on. `places` has that of each needle that was found last, -1 for none."""
        first = None
        for number, needle in enumerate(self._needles):
            if 0 <= places[number] < position:
                places[number] = data.find(needle, position)
            if places[number] >= 0 and (first is None or places[number] < first[0]):
                first = places[number], places[number] + len(needle)
        return first

    def _more(self, data: bytes, begin: int, end: int) -> int:
        if len(self._needles) == 1:
            return data.count(self._needles[0], begin, end)
        record = data[begin:end]
        places, number, position = [record.find(needle) for needle in self._needles], 0, 0
        while (hit := self._next(record, places, position)) is not None:
            number, position = number + 1, hit[1]
        return number


class _Expression:
    """A regular expression over the bytes of each record."""

    def __init__(self, expression: re.Pattern[bytes]) -> None:
        self._expression = expression

    def records(self, data: bytes) -> Iterator[Found]:
        search, more = self._expression.search, self._expression.finditer
        begin = 0
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()  # what follows the last newline is no record
        for line in lines:
            hit = search(line)
            if hit is not None:
                found = sum(1 for _ in more(line))
                yield Found(begin, begin + len(line), begin + hit.start(), begin + hit.end(), found)
            begin += len(line) + 1


def _compiled(text: str, ignore_case: bool) -> re.Pattern[bytes]:
    source = text.encode("utf-8", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(source, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        place = ""
        if error.pos is not None:
            place = f" at character {len(source[: error.pos].decode('utf-8', 'ignore')) + 1}"
        problem = f"is no regular expression: {error.msg}{place}"
    except OverflowError as error:
        problem = f"is no regular expression: {error}"
    except RecursionError:
        problem = "is no regular expression: it is nested too deeply"
    raise InvalidParams("pattern", problem, text)
