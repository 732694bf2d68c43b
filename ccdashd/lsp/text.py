"""Texts that editors have open: changes, and positions in UTF-16 units. Pure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

from ccdashd.protocol import lsp


def path_of(uri: str) -> str | None:
    """The absolute path that a URI names; None where it names no file of this machine (RFC 8089)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        return None
    path = unquote(parts.path, errors="surrogateescape")
    return os.path.normpath(path) if "\0" not in path else None


def uri_of(path: str) -> str:
    """The URI of an absolute path."""
    return "file://" + quote(os.fsencode(path), safe="/!$&'()*+,;=:@-._~")


def changed(text: str, changes: Sequence[lsp.ContentChange]) -> str:
    """The text after changes, one after the other. Positions beyond a line or the text mean its end."""
    for change in changes:
        if change.range is None:
            text = change.text
        else:
            start, end = offset(text, change.range.start), offset(text, change.range.end)
            text = text[:start] + change.text + text[max(start, end) :]
    return text


def offset(text: str, position: lsp.Position) -> int:
    """The index of a position in the text."""
    start = 0
    for _ in range(position.line):
        newline = text.find("\n", start)
        if newline < 0:
            return len(text)
        start = newline + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    return start + index(line, position.character)


def index(line: str, units: int) -> int:
    """The index of a character in a line by UTF-16 units; never within a character."""
    if line.isascii():
        return min(units, len(line.rstrip("\r")))
    taken = 0
    for place, character in enumerate(line):
        if taken >= units:
            return place
        taken += 2 if ord(character) > 0xFFFF else 1
    return len(line.rstrip("\r"))


def units(line: str, place: int | None = None) -> int:
    """UTF-16 units of a line, or of what stands before a place in it."""
    part = line[:place]
    return len(part) if part.isascii() else len(part.encode("utf-16-le", "surrogatepass")) // 2


def line_range(number: int, line: str) -> lsp.Range:
    """A whole line, without what ends it."""
    return lsp.Range(
        start=lsp.Position(line=number, character=0),
        end=lsp.Position(line=number, character=units(line.rstrip("\r\n"))),
    )
