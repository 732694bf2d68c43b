"""From the journal to the cache: what the user decides now, and what the journal holds that the cache has not heard of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from ccdashd.clock import now
from ccdashd.edits.decisions import AlertEdit, AlertFiredEdit, AnyEdit, DayEdit, ProjectEdit, PruneEdit, RetentionEdit
from ccdashd.edits.journal import Journal
from ccdashd.store import alerts, links, progress_days, projects, prunes, retention, user
from ccdashd.store.database import get_meta, put_meta
from ccdashd.store.user import Changes

log = logging.getLogger(__name__)

T = TypeVar("T")

Choose = Callable[[sa.Connection], tuple[AnyEdit | Sequence[AnyEdit] | None, T]]
"""Checks what a client asks for, and gives the edit that does it, or several, None where all is so already; and what it is
about."""

_POSITION = "journal"
"""Name in `meta` of the position up to which the journal was carried out."""


@dataclass
class Carried:
    """What edits changed."""

    changes: Changes = field(default_factory=dict)
    projects: bool = False
    """The user's word on projects is among them: sessions may belong to others now."""


def catch_up(connection: sa.Connection, journal: Journal) -> Carried:
    """Carry out what the journal holds and this cache does not know yet.

    Where the journal was replaced or edited by hand, all that the user said is made anew of it. Raises
    `JournalUnreadable`.
    """
    carried = Carried()
    known = get_meta(connection, _POSITION) or ""
    news = journal.since(known)
    if news.anew:
        log.info("the journal is another one; it is carried out anew edits=%d", len(news.edits))
        carried.projects = True
        carried.changes |= user.forget(connection)
        alerts.forget(connection)
        progress_days.forget(connection)
        retention.forget(connection)
        prunes.forget(connection)
        carried.changes |= {("project", id): "upsert" for id in projects.forget_decisions(connection)}
    _apply(connection, news.edits, carried)
    _recount(connection, carried)
    if news.position != known:
        put_meta(connection, _POSITION, news.position)
    return carried


def is_known(connection: sa.Connection, journal: Journal) -> bool:
    """Whether the journal is, up to where it was carried out, the one that was. Raises `JournalUnreadable`."""
    return journal.holds(get_meta(connection, _POSITION) or "")


def decide(connection: sa.Connection, journal: Journal, choose: Choose[T]) -> tuple[T, Carried]:
    """Carry out what the user decides now, and note it in the journal; returns what it is about. Raises OSError.

    The journal comes last: what cannot be carried out is not decided. What is in it counts, even when the daemon dies
    before this transaction is committed: then it is caught up on.
    """
    carried = catch_up(connection, journal)
    chosen, subject = choose(connection)
    if chosen:
        at = now()
        given = chosen if isinstance(chosen, Sequence) else [chosen]
        # What comes out of a bundle was said before.
        edits = [edit if edit.at else msgspec.structs.replace(edit, at=at) for edit in given]
        _apply(connection, edits, carried)
        _recount(connection, carried)
        put_meta(connection, _POSITION, journal.append(*edits))
        _compact(connection, journal)
    return subject, carried


def _apply(connection: sa.Connection, edits: Sequence[AnyEdit], carried: Carried) -> None:
    progress_days.store(connection, [edit for edit in edits if isinstance(edit, DayEdit)])
    for edit in edits:
        if isinstance(edit, ProjectEdit):
            carried.projects = True
            carried.changes["project", projects.apply(connection, edit)] = "upsert"
        elif isinstance(edit, AlertEdit | AlertFiredEdit):
            alerts.apply(connection, edit)
        elif isinstance(edit, RetentionEdit):
            retention.apply(connection, edit)
        elif isinstance(edit, PruneEdit):
            prunes.apply(connection, edit)
        elif not isinstance(edit, DayEdit):
            carried.changes |= user.apply(connection, edit)


def _recount(connection: sa.Connection, carried: Carried) -> None:
    """Links made by hand and dismissals change how many sessions a feature has."""
    features = {id for type, id in carried.changes if type == "feature"}
    if features:
        links.recount(connection, features)


def _compact(connection: sa.Connection, journal: Journal) -> None:
    try:
        position = journal.compact()
    except OSError as error:
        # Only the shorter file failed: what was decided is in the longer one.
        log.warning("journal not compacted problem=%r", str(error))
        return
    if position is not None:
        put_meta(connection, _POSITION, position)
