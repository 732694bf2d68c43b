"""Bases and shapes that every namespace uses."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Wire(msgspec.Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=False):
    """Base of everything that crosses the wire."""


class Params(Wire, forbid_unknown_fields=True, frozen=True):
    """Base of parameters: an unknown field is an error that names it, not a silent no-op."""


class WorkParams(Params, frozen=True):
    """For methods that may take long: with a token, ``$/progress`` tells how far they are."""

    work_done_token: str | int | None = None
    """Any value; the notifications repeat it."""


class NoParams(Params, frozen=True):
    """For methods that take nothing."""


class Page(Wire, Generic[T], frozen=True):
    """One page of a list. `nextCursor` is keyset: it stays right while rows are inserted."""

    items: list[T]
    total: int
    """Items in the whole list."""
    offset: int
    limit: int
    revision: int
    """The revision this page was read at."""
    next_cursor: str | None = None
    """Give it as `cursor` to get the next page; null on the last one."""


class Ok(Wire, frozen=True):
    """An acknowledgement, with the revision at which it holds."""

    ok: bool = True
    revision: int = 0


class Tokens(Wire, frozen=True):
    """Tokens by kind. `cacheWrite` is the sum of the 5-minute and 1-hour writes and of those of unknown lifetime."""

    input: int = 0
    """Input that was neither read from nor written to the cache of prompts."""
    output: int = 0
    cache_read: int = 0
    """Input read from the cache of prompts."""
    cache_write: int = 0
    """Input written to the cache of prompts."""
    cache_write5m: int = msgspec.field(default=0, name="cacheWrite5m")
    """Of `cacheWrite`: kept for five minutes."""
    cache_write1h: int = msgspec.field(default=0, name="cacheWrite1h")
    """Of `cacheWrite`: kept for an hour."""
