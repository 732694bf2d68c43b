"""Sums over a part of the work, by what it belongs to and by time: the one door to the roll-ups.

The sums are those of `ccdashd.derive.measures`, so they can be added up further.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from ccdashd.derive.measures import NONE, SUMS, Measures, add
from ccdashd.derive.shares import split
from ccdashd.protocol import types as t
from ccdashd.store import file_facts, session_facts, sums
from ccdashd.store.filters import Filter
from ccdashd.store.link_weights import Weights, link_weights
from ccdashd.store.times import Times

Facts = dict[tuple[str, int | None], Measures]
"""Measures by key and by time, as `Times` tells it; None: what has no time, or one beyond what was asked for."""

EVERY: Final = frozenset((*SUMS, "context_max", "unpriced_models")) - {"minutes"}
"""What roll-ups hold that is cheap to ask for: all but active time and names of files."""

_BEGAN: Final = frozenset({"sessions", "timed_sessions", "session_ms"})
_ACTIVE: Final = frozenset({"minutes", "active"})


def total(connection: sa.Connection, filter: Filter, needs: frozenset[str] = EVERY) -> Measures:
    """The measures `needs` of all that the filter takes."""
    return measures(connection, filter, needs).get("", NONE)


def measures(
    connection: sa.Connection, filter: Filter, needs: frozenset[str] = EVERY, by: t.Dimension | None = None
) -> dict[str, Measures]:
    """The measures `needs` by what they belong to: ids of projects, main sessions, features and tasks, else names. The key
    is empty where there is none. Not by time, nor by file."""
    return {key: found for (key, _), found in over_time(connection, filter, needs, None, by).items()}


def over_time(
    connection: sa.Connection,
    filter: Filter,
    needs: frozenset[str],
    times: Times | None,
    by: t.Dimension | None = None,
) -> Facts:
    """The same, also by time."""
    if by == "feature" or by == "task":
        return shared(over_time(connection, filter, needs, times, "session"), link_weights(connection, by))
    found: dict[tuple[str, int | None], dict[str, Any]] = defaultdict(dict)
    for key, at, some in _parts(connection, filter, needs, by, times):
        found[key, at].update(some)
    return {place: Measures(**some) for place, some in found.items()}


def _parts(
    connection: sa.Connection, filter: Filter, needs: frozenset[str], by: t.Dimension | None, times: Times | None
) -> Iterator[tuple[str, int | None, Mapping[str, Any]]]:
    yield from sums.sums(connection, filter, needs, by, times)
    if needs & _BEGAN:
        yield from session_facts.began(connection, filter, by, times)
    if needs & _ACTIVE:
        yield from session_facts.active(connection, filter, by, times)
    if "files" in needs:
        yield from file_facts.changed(connection, filter, by, times)


def shared(by_session: Facts, weights: Weights) -> Facts:
    """What sessions used, divided among what they are linked with; the rest has no key."""
    found: dict[tuple[str, int | None], list[Measures]] = defaultdict(list)
    for (session, at), used in by_session.items():
        for key, part in split(used, weights.get(session) or {"": 1.0}).items():
            found[key, at].append(part)
    return {place: add(parts) for place, parts in found.items()}
