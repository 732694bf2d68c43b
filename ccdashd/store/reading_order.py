"""The order in which entries are shown: all of a session, or what leads to the end of a branch, with the transcripts of
sub-agents between them where that is asked for. Indexes of chunks are places in this order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.errors import NotFound
from ccdashd.store.outlines import Outline, outline
from ccdashd.store.subagents import Family, family

CURRENT = "current"
"""Names the branch of what was said last."""


class Stretch(NamedTuple):
    """Entries `start` to `stop` of one session, that stand behind one another."""

    session_id: str
    outline: Outline
    start: int
    stop: int
    depth: int


class Order:
    """Stretches behind one another, and the entries in them, counted from 0."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches
        self._ends = list(accumulate(stretch.stop - stretch.start for stretch in stretches))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def between(self, start: int, stop: int) -> Iterator[Stretch]:
        """The entries from `start` to `stop`."""
        for number in range(bisect_right(self._ends, start), len(self._ends)):
            stretch = self._stretches[number]
            begin = self._ends[number] - (stretch.stop - stretch.start)
            if begin >= stop:
                return
            skipped, kept = max(start - begin, 0), min(stop - begin, stretch.stop - stretch.start)
            yield stretch._replace(start=stretch.start + skipped, stop=stretch.start + kept)

    def find(self, connection: sa.Connection, wanted: str) -> int | None:
        """The place of the entry with that id or uuid; None where it is not among them."""
        places: dict[str, int | None] = {}
        for stretch, end in zip(self._stretches, self._ends, strict=True):
            if stretch.session_id not in places:
                places[stretch.session_id] = stretch.outline.find(connection, wanted)
            place = places[stretch.session_id]
            if place is not None and stretch.start <= place < stretch.stop:
                return end - stretch.stop + place
        return None


def order(connection: sa.Connection, session_id: str, branch: str | None, *, with_subagents: bool) -> Order:
    """The order that a request asks for. Raises NotFound for an unknown branch."""
    own = outline(connection, session_id)
    parts = [range(len(own))] if branch is None else _path(own, session_id, branch)
    if not with_subagents:
        return Order([Stretch(session_id, own, part.start, part.stop, 0) for part in parts])
    return Order(list(_unfolded(family(connection, session_id), session_id, parts, 0)))


def _path(own: Outline, session_id: str, branch: str) -> list[range]:
    number = own.branches.current if branch == CURRENT else own.branch_number(branch)
    if number is None:
        if branch == CURRENT:
            return []
        raise NotFound("branch", branch, f"see sessions/branches of {session_id}")
    return own.path(number)


def _unfolded(family: Family, session_id: str, parts: Iterable[range], depth: int) -> Iterator[Stretch]:
    """Parts of a session, with its sub-agents behind the entries that they belong to."""
    own = family.outlines[session_id]
    guests = family.guests.get(session_id, [])

    def inline(agent: str) -> Iterator[Stretch]:
        return _unfolded(family, agent, [range(len(family.outlines[agent]))], depth + 1)

    for index, agent in guests:
        if index < 0:
            yield from inline(agent)
    for part in parts:
        start = part.start
        for index, agent in guests:
            if index not in part:
                continue
            if start <= index:
                yield Stretch(session_id, own, start, index + 1, depth)
                start = index + 1
            yield from inline(agent)
        if start < part.stop:
            yield Stretch(session_id, own, start, part.stop, depth)
