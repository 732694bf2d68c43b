"""The steps of a prune: what there is of sessions, which of them go, and how their copies are deleted. Blocking."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa

from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive
from ccdashd.archive.chunks import on_disk
from ccdashd.archive.holdings import Holdings
from ccdashd.clock import iso
from ccdashd.derive import retention as derive
from ccdashd.derive.retention import Held
from ccdashd.edits.decisions import Name, PruneEdit
from ccdashd.protocol import types as t
from ccdashd.store import prunes, retention
from ccdashd.store.retention import Log, Session

T = TypeVar("T")


@dataclass
class Outcome:
    """What became of a plan."""

    pruned: list[str] = field(default_factory=list)
    """Sessions."""
    finished: list[str] = field(default_factory=list)
    """Sessions of which nothing is left, when space is given back."""
    forgotten: int = 0
    """Logs whose rows were deleted."""
    freed: int = 0
    """Bytes on disk."""
    problems: list[t.Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Sources:
    """Where all is looked up that a prune needs to know."""

    archive: Archive
    superseded: Mapping[str, str]
    """Copies that the cache does not hold, see `ingest.copies.Copies`."""

    def sessions(
        self, connection: sa.Connection, revision: int = 0, *, only: Collection[str] | None = None
    ) -> dict[str, Session]:
        """Every main session by id, or `only` these, with all their logs that the cache or the archive has."""
        found = retention.sessions(connection, only)
        for path, id in self.superseded.items():
            main = retention.main_of(connection, id)
            if (
                main is not None
                and main[0] in found
                and os.path.exists(self.archive.manifest_path(manifests.split(path)[0]))
            ):
                found[main[0]].logs.append(Log(path, gone=True, size=0))
        return found


@dataclass(frozen=True)
class Known:
    """Sessions, and what there is of them in the archive."""

    sessions: dict[str, Session]
    holdings: Holdings

    def parts(self, id: str) -> frozenset[str]:
        """What the copies of a session and its sub-agents consist of."""
        none: frozenset[str] = frozenset()
        return none.union(*(self.holdings.parts.get(path, none) for path in _paths(self.sessions[id])))

    def held(self, now: int) -> list[Held]:
        """The sessions that something would be deleted of: copies, or rows of logs that are gone."""
        return [
            Held(
                id=session.id,
                root=session.root,
                ended_at=session.last_at,
                parts=parts,
                linked=session.linked,
                features=tuple(session.features),
                keep=session.keep,
                active=session.is_active(now),
            )
            for session in self.sessions.values()
            if (parts := self.parts(session.id)) or any(log.gone for log in session.logs)
        ]

    def freed(self, ids: Iterable[str]) -> int:
        """Bytes on disk that the archive gives back when these sessions go."""
        going = {path for id in ids for path in _paths(self.sessions[id])}
        parts = self.holdings.parts
        staying = (held for path, held in parts.items() if path not in going)
        return derive.freed((parts.get(path, ()) for path in going), staying, self.holdings.sizes)

    def told(self, going: derive.Going) -> t.PrunedSession:
        """A session that goes, as clients see it."""
        session = self.sessions[going.id]
        return t.PrunedSession(
            id=session.id,
            title=session.title,
            project_id=session.project_id,
            project=session.project,
            ended_at=iso(session.ended_at),
            linked=session.linked,
            gone=session.gone,
            bytes=self.holdings.size(self.parts(session.id)),
            reason=going.reason,
        )


def choose(
    batch: list[derive.Going], known: Known, sources: Sources, connection: sa.Connection
) -> tuple[list[PruneEdit], list[str]]:
    """The lines of the journal that prune these sessions, and their ids; see `store.decisions.Choose`."""
    # Looked at once more: meanwhile the user may have tagged one, or gone on with it.
    now, found = now_ms(), sources.sessions(connection, only=[going.id for going in batch])
    edits = []
    for going in batch:
        session = found.get(going.id)
        if session is None or session.keep or session.is_active(now):
            continue
        edits.append(
            PruneEdit(
                op="prune",
                session=Name(type="session", key=session.id),
                title=session.title,
                reason=going.reason,
                bytes=known.holdings.size(known.parts(session.id)),
                size=sum(log.size for log in session.logs if not log.gone),
            )
        )
        known.sessions[session.id] = session
    return edits, [edit.session.key for edit in edits]


def unfinished(sources: Sources, connection: sa.Connection, revision: int) -> list[Session]:
    """Sessions that were pruned, and of which something is left: the daemon died, or a log is gone by now."""
    waiting = prunes.kept_out(connection)
    if not waiting:
        return []
    found = sources.sessions(connection, only=waiting)
    known = [found.get(id, Session(id)) for id in sorted(waiting)]
    return [
        session
        for session in known
        if any(log.gone for log in session.logs)
        or not session.logs
        or any(os.path.exists(sources.archive.manifest_path(path)) for path in _paths(session))
    ]


def released(connection: sa.Connection, revision: int) -> list[str]:
    """Sessions that were pruned and may be copied again: their logs grew since, or they are tagged ``keep`` by now."""
    waiting = prunes.kept_out(connection)
    if not waiting:
        return []
    found = retention.sessions(connection, waiting)
    return sorted({*prunes.grown(connection), *(id for id in waiting if id in found and found[id].keep)})


def _paths(session: Session) -> list[str]:
    """The logs of a session, without their earlier versions, which are in the same manifest."""
    return list(dict.fromkeys(manifests.split(log.path)[0] for log in session.logs))


def locked(archive: Archive, work: Callable[[], T]) -> T:
    """Do work while nobody else writes into the archive. Raises InUse where somebody does."""
    with archive.writing():
        return work()


def delete_copies(archive: Archive, sessions: list[Session], outcome: Outcome) -> list[Session]:
    """Delete the manifests of the logs of sessions; returns those where that worked."""
    done = []
    for session in sessions:
        try:
            for path in _paths(session):
                file = archive.manifest_path(path)
                if os.path.exists(file):
                    outcome.freed += on_disk(os.stat(file))
                    archive.delete(path)
        except OSError as error:
            problem = f"copies of session {session.id} could not be deleted: {words(error)}"
            outcome.problems.append(t.Problem(part="archive", problem=problem, hint="It is tried again every hour."))
        else:
            done.append(session)
    return done


def words(error: Exception) -> str:
    """What went wrong, in plain words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"an internal error ({type(error).__name__}); the log of the daemon says more"


def now_ms() -> int:
    """The time now, in milliseconds since the epoch."""
    return round(time.time() * 1000)
