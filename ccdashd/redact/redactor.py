"""Redacts texts and records of logs. Pure."""

from __future__ import annotations

import re

import msgspec

from ccdashd.redact.finders import Find, Finder, finders, mark
from ccdashd.redact.literals import escaped, literals, plain
from ccdashd.redact.patterns import NEEDLES, SECRET_NAME, assigned, named

_COLON = re.compile(r"\s*+:")

_SHORTEST_VALUE = 6
_LONGEST = 4096
"""Characters of names and values of JSON that are looked at."""

_BETWEEN = "\n\0\n"
"""Nothing that is looked for goes on beyond it."""


class Redactor:
    """Redacts for the user whose home folder is `home`, and counts by kind what it took out."""

    def __init__(self, home: str) -> None:
        self.counts: dict[str, int] = {}
        self._finders = finders(home)

    def text(self, text: str) -> str:
        """The text without what it should not show. Linear in its length."""
        return self._put_all(text, self._useful(text))

    def bytes(self, record: bytes) -> bytes:
        """A record of a log, as `text`, string by string: what was JSON is JSON, and other bytes stay as they are.

        What is no JSON is taken as text; bytes that are no UTF-8 become U+FFFD where something else is taken out.
        """
        line = record.decode("utf-8", "replace")
        # What they look for may be written in escapes.
        hidden = "\\u00" in line or "\\/" in line
        useful = [finder for _, finder in self._finders] if hidden else self._useful(line)
        if not useful:
            return record
        if line.lstrip()[:1] in ("{", "[", '"'):
            redacted = self._strings(line, useful, between=not _is_json(line))
        else:
            redacted = self._put_all(line, useful)
        return record if redacted == line else redacted.encode("utf-8", "replace")

    def _useful(self, text: str) -> list[Finder]:
        small = text.lower()
        return [finder for needles, finder in self._finders if any(map(small.__contains__, needles))]

    def _strings(self, line: str, useful: list[Finder], *, between: bool) -> str:
        """The line with its strings redacted, with `between` also what stands between them."""
        strings = [(start, stop, *plain(line[start:stop])) for start, stop in literals(line)]
        # All strings at once: most hold nothing, and to look into each would take most of the time.
        finds = _finds(_BETWEEN.join([text for _, _, text, _ in strings]), useful)
        parts: list[str] = []
        end = begin = number = 0
        key = ""
        for start, stop, text, sound in strings:
            first = number
            while number < len(finds) and finds[number].start < begin + len(text):
                number += 1
            clean = text
            if number > first:
                clean = self._put(text, finds[first:number], begin)
            if _COLON.match(line, stop + 1):
                key = text
            elif number == first and key:
                clean = self._value(key, text)
            if between:
                parts += (self._put_all(line[end : start - 1], useful), '"')
                end = start
            if clean != text:
                parts += (line[end:start], escaped(clean) if sound else clean)
                end = stop
            begin += len(text) + len(_BETWEEN)
        rest = line[end:]
        return "".join([*parts, self._put_all(rest, useful) if between else rest])

    def _value(self, key: str, value: str) -> str:
        """The value of a key of JSON, redacted where the key is that of a secret."""
        if len(value) < _SHORTEST_VALUE or max(len(key), len(value)) > _LONGEST:
            return value
        found = SECRET_NAME.search(key) if any(map(key.lower().__contains__, NEEDLES)) else None
        if found is None or not named(key, found.start(), found["name"]) or any(map(str.isspace, value)):
            return value
        kind = assigned(found["name"], value, quoted=True)
        if kind is None:
            return value
        self._count(kind)
        return mark(kind)

    def _put_all(self, text: str, useful: list[Finder]) -> str:
        return self._put(text, _finds(text, useful))

    def _put(self, text: str, finds: list[Find], begin: int = 0) -> str:
        """The text with what was found in it replaced; places of finds are counted from `begin` before it."""
        parts: list[str] = []
        end = 0
        for find in finds:
            self._count(find.kind)
            parts += (text[end : find.start - begin], find.place)
            end = find.end - begin
        return "".join([*parts, text[end:]])

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1


def _finds(text: str, useful: list[Finder]) -> list[Find]:
    """What is found, in order; of what overlaps, the first."""
    small = _small(text)
    kept: list[Find] = []
    end = 0
    for find in sorted([find for finder in useful for find in finder(text, small)], key=lambda find: find.start):
        if find.start >= end:
            kept.append(find)
            end = find.end
    return kept


def _small(text: str) -> str:
    small = text.lower()
    # One letter in small letters is two characters (U+0130), and places would not be those of the text any more.
    return small if len(small) == len(text) else text.replace("\u0130", "i").lower()


def _is_json(line: str) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
