"""What statuses say together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ccdashd.sources.planning.model import STATUSES, Status

ORDER: Final = ("todo", "in_progress", "review", "done")
"""How far a thing is; the other statuses have no place in this order."""

CLOSED: Final = frozenset({"done", "deferred", "archived"})
"""Nothing is left to do."""

OPEN: Final = frozenset({"todo", "in_progress", "review", "blocked"})
"""Something is left to do. An unknown status is neither open nor closed."""

_PLACES = [status in CLOSED for status in STATUSES]


def counts(statuses: Iterable[Status]) -> list[int]:
    """How many of each, in the order of `STATUSES`."""
    numbers = dict.fromkeys(STATUSES, 0)
    for status in statuses:
        numbers[status] += 1
    return list(numbers.values())


def closed(counts: Sequence[int]) -> int:
    """How many of them are closed."""
    return sum(number for number, is_closed in zip(counts, _PLACES, strict=True) if is_closed)


def progress(counts: Sequence[int], status: Status) -> float:
    """The part of the tasks that is closed, from 0 to 1; where there are none, the status tells."""
    total = sum(counts)
    return closed(counts) / total if total else float(status in CLOSED)


def together(statuses: Iterable[Status]) -> Status | None:
    """What parts say of the whole; None where they say nothing.

    The whole is done when nothing is left to do and something was done; under way when something was begun; blocked, or in
    review, when all that is left is.
    """
    known = set(statuses)
    left = known - CLOSED
    if left == {"unknown"} == known or not known:
        return None
    if not left:
        return "done" if "done" in known else "deferred" if "deferred" in known else "archived"
    if left == {"blocked"}:
        return "blocked"
    if left == {"review"}:
        return "review"
    return "in_progress" if left & {"in_progress", "review"} or "done" in known else "todo"


def furthest(declared: Status | None, followed: Status | None) -> Status:
    """The status of a thing that declares one, from whose parts another one follows: the more advanced of both.

    What is declared deferred, archived or blocked is so. A thing that was not begun, but all of whose parts are blocked,
    deferred or archived, is what they are.
    """
    if declared is None or declared == "unknown":
        return followed or declared or "unknown"
    if followed is None or declared not in ORDER:
        return declared
    if followed not in ORDER:
        return followed if declared == "todo" else declared
    return max(declared, followed, key=ORDER.index)
