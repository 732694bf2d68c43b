"""Where a page of hits ends, as text that a client gives back."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

import msgspec

from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t


class Newest(NamedTuple):
    """A place among hits by time."""

    time: int
    """Milliseconds since the epoch, -1 for none."""
    entry: int
    """1 for an entry, 0 for an item."""
    number: int


class Ranked(NamedTuple):
    """A place among hits by score."""

    score: float
    entry: int
    number: int
    top: int
    """The highest rowid of the window."""
    first: int
    """1 in the window that items are in."""
    weights: tuple[float, ...]
    """Of the words of the query, when the first page was asked for."""


Cursor = Newest | Ranked

_BOUND = 2**63


def encode(cursor: Cursor, params: t.SearchParams) -> str:
    """The text for a client."""
    return base64.urlsafe_b64encode(msgspec.json.encode((_about(params), *cursor))).decode()


def decode(params: t.SearchParams) -> Cursor | None:
    """The cursor of a request. Raises InvalidParams for what is none, or is one of another query."""
    if params.cursor is None:
        return None
    try:
        about, *parts = msgspec.json.decode(base64.urlsafe_b64decode(params.cursor))
        shape: type[Cursor] = Newest if len(parts) == len(Newest._fields) else Ranked
        cursor = msgspec.convert(parts, shape)
    except (ValueError, TypeError, msgspec.DecodeError):
        raise InvalidParams("cursor", "is not one that a search gave", params.cursor) from None
    weights = cursor.weights if isinstance(cursor, Ranked) else ()
    if not all(-_BOUND < number < _BOUND for number in (*cursor[:5], *weights) if isinstance(number, int | float)):
        raise InvalidParams("cursor", "is not one that a search gave", params.cursor)
    if about != _about(params):
        raise InvalidParams("cursor", "belongs to another query, order or types", params.cursor)
    return cursor


def _about(params: t.SearchParams) -> str:
    """Tells what a cursor is about."""
    asked = msgspec.json.encode((params.query, params.order, sorted(params.types or ()), params.time_zone))
    return hashlib.blake2b(asked, digest_size=6).hexdigest()
