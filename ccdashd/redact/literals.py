"""Strings of JSON, found and changed without touching what stands around them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator


def literals(line: str) -> Iterator[tuple[int, int]]:
    """Where strings of JSON begin and end, without their quotes; the last one may be torn."""
    start = line.find('"') + 1
    while start:
        stop = line.find('"', start)
        while stop > start and line[stop - 1] == "\\" and _is_escaped(line, stop, start):
            stop = line.find('"', stop + 1)
        if stop < 0:
            stop = len(line)
        yield start, stop
        start = line.find('"', stop + 1) + 1


def _is_escaped(line: str, at: int, start: int) -> bool:
    """Whether the quote there has an odd number of backslashes before it."""
    slashes = at
    while slashes > start and line[slashes - 1] == "\\":
        slashes -= 1
    return (at - slashes) % 2 == 1


def plain(inner: str) -> tuple[str, bool]:
    """The text that a string of JSON stands for; as it is where it is none (false), such as one torn within an escape."""
    if "\\" not in inner:
        return inner, True
    try:
        return json.loads(f'"{inner}"', strict=False), True
    except ValueError:
        return inner, False


def escaped(text: str) -> str:
    """The text as it stands in a string of JSON, between its quotes."""
    lone = any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False
    return json.dumps(text, ensure_ascii=lone)[1:-1]
