"""One write transaction for what was read of some logs: their rows, and all that follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from ccdashd.archive import manifest as manifests
from ccdashd.derive.pricing import Prices
from ccdashd.ingest import consequences
from ccdashd.ingest.consequences import Owner
from ccdashd.ingest.scan import look
from ccdashd.ingest.written import Written
from ccdashd.sources import identify
from ccdashd.sources.model import Event, Stats
from ccdashd.sources.result import FileResult
from ccdashd.store import assemble, logs, once, recovery, rollups, rows, seals, summaries
from ccdashd.store.database import get_meta, put_meta


@dataclass
class Batch:
    """What is to be written together. Paths and states are those that the claim was made with."""

    results: list[FileResult] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    touched: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """New size, time and inode of logs whose bytes did not change."""
    moved: dict[str, str] = field(default_factory=dict)
    """Old path to new path of logs that were renamed and belong to the same session."""
    dropped: list[str] = field(default_factory=list)
    """Old paths of logs that were renamed and belong to another session now."""


def commit(connection: sa.Connection, batch: Batch, owner: Owner, prices: Prices, *, relink: bool = True) -> Written:
    """Write a batch. Without `relink`, summaries that name records of other logs wait for `relink_all`."""
    paths = [result.path for result in batch.results]
    states = logs.states(connection, {*paths, *batch.gone, *batch.unreadable, *batch.touched, *batch.moved, *batch.dropped})
    follow = _Follow()
    for state in states.values():
        follow.sessions |= {state.session_id, state.parent_id}
    for path in batch.moved:
        if path in states:
            follow.unsettle(connection, states[path].id, states[path].session_id)
            follow.leaves |= summaries.held(connection, states[path].id)
    _marks(connection, batch, states, follow)
    for path in batch.dropped:
        if path in states:
            follow.forget(connection, states[path].id, states[path].session_id)
    stored = []
    for result in batch.results:
        before = states.get(result.path)
        if before is not None and result.start == 0:
            follow.unsettle(connection, before.id, before.session_id)
        stored.append(rows.store(connection, result))
        follow.sessions |= {result.session_id, result.parent_id}
    for log, result in zip(stored, batch.results, strict=True):
        follow.stored(connection, log, result)
    superseded = assemble.superseded(connection, filter(None, follow.sessions))
    for state in superseded:
        follow.forget(connection, state.id, state.session_id)
    follow.roll_up(connection, prices)
    file_ids = [log.file_id for log in stored]
    if not relink:
        put_meta(connection, "unjoined", "1")
    else:
        follow.sessions |= _relink(connection, file_ids, batch.results, follow.leaves)
    written = _assemble(connection, {session_id for session_id in follow.sessions if session_id}, owner, relink=relink)
    written.superseded = {state.path: state for state in superseded}
    seals.renew(connection, [*(states[path].id for path in batch.gone if path in states), *file_ids])
    return written


def adopt(connection: sa.Connection, file_ids: list[int], owner: Owner, prices: Prices) -> None:
    """Logs with their rows were taken over from another cache: all that follows, but for what summaries name."""
    follow = _Follow()
    for file_id in file_ids:
        for state in logs.with_ids(connection, [file_id]):
            follow.unsettle(connection, file_id, state.session_id)
            follow.since[file_id] = None
            follow.sessions |= {state.session_id, state.parent_id}
    follow.roll_up(connection, prices)
    _assemble(connection, {session_id for session_id in follow.sessions if session_id}, owner, relink=False)
    seals.renew(connection, file_ids)


_EVENT_KEY = Event.__struct_fields__.index("key")


@dataclass
class _Follow:
    """What must be looked at again since rows of a log changed."""

    sessions: set[str | None] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    events: set[bytes] = field(default_factory=set)
    """Which row of them counts."""
    leaves: set[bytes] = field(default_factory=set)
    """Keys in summaries, whose session is to be found anew."""
    since: dict[int, int | None] = field(default_factory=dict)
    """First slot to be rolled up anew of logs; None: all."""

    def unsettle(self, connection: sa.Connection, file_id: int, session_id: str | None) -> None:
        """The rows of this log go away, or their order among others changes with its path."""
        self.messages |= once.shared(connection, once.MESSAGES, file_id)
        self.events |= once.shared(connection, once.EVENTS, file_id)
        self.sessions |= summaries.sessions_named(connection, file_id)
        if session_id is not None:
            self.leaves |= summaries.leaves_of(connection, session_id)

    def stored(self, connection: sa.Connection, log: rows.Stored, result: FileResult) -> None:
        """These rows of a log were written."""
        self.since[log.file_id] = log.since
        whole = result.start == 0
        if result.messages:
            ids = None if whole else [row[0] for row in result.messages]
            self.messages |= once.shared(connection, once.MESSAGES, log.file_id, ids)
        if result.events:
            keys = None if whole else [row[_EVENT_KEY] for row in result.events]
            self.events |= once.shared(connection, once.EVENTS, log.file_id, keys)

    def gone(self, connection: sa.Connection, state: logs.FileState) -> None:
        """A log will not be read again: what its last reader did not tell is made of what it did."""
        if recovery.lacks(state) and recovery.recover(connection, state.id):
            self.since[state.id] = None
            self.events |= once.shared(connection, once.EVENTS, state.id)

    def roll_up(self, connection: sa.Connection, prices: Prices) -> None:
        """Choose anew which rows count, and make the roll-ups of logs whose rows are others or count otherwise."""
        recounted = once.recount(connection, once.MESSAGES, self.messages)
        self.sessions |= logs.sessions_of(connection, recounted)
        for changed in (recounted, once.recount(connection, once.EVENTS, self.events)):
            for file_id, slot in changed.items():
                known = self.since.get(file_id, slot)
                self.since[file_id] = None if known is None else min(known, slot)
        for file_id, since in self.since.items():
            rollups.roll_up(connection, prices, file_id, since)

    def forget(self, connection: sa.Connection, file_id: int, session_id: str | None) -> None:
        """Delete a log with its rows."""
        self.unsettle(connection, file_id, session_id)
        self.since.pop(file_id, None)
        rows.forget(connection, file_id)


def _assemble(connection: sa.Connection, affected: set[str], owner: Owner, *, relink: bool = True) -> Written:
    built = assemble.build(connection, affected, owner)
    written = Written(built.upserted, built.deleted, built.projects, built.dropped_projects)
    for project_id in built.dropped_projects:
        written.add(consequences.forget_project(connection, project_id, owner))
    # Sessions that are gone have no log that would bring them up again, when all are linked.
    linked = built.upserted | built.deleted if relink else built.deleted
    if linked:
        written.add(consequences.of_sessions(connection, linked, owner))
    return written


def _marks(connection: sa.Connection, batch: Batch, states: dict[str, logs.FileState], follow: _Follow) -> None:
    for path in batch.gone:
        if path in states and _is_gone(path):
            if states[path].session_id is None:
                rows.forget(connection, states[path].id)
            else:
                logs.mark(connection, states[path].id, "gone")
                follow.gone(connection, states[path])
    for path, problem in batch.unreadable.items():
        if path in states:
            logs.mark(connection, states[path].id, "unreadable", problem)
        else:
            rows.store(connection, _nothing(path, problem))
            logs.mark(connection, logs.states(connection, [path])[path].id, "unreadable", problem)
    for path, (size, mtime_ns, inode) in batch.touched.items():
        if path in states:
            logs.touch(connection, states[path].id, size, mtime_ns, inode)
    for old, new in batch.moved.items():
        if old in states:
            logs.move(connection, states[old].id, new)


def _is_gone(path: str) -> bool:
    """Whether there is no log any more, also when something else took its place."""
    try:
        return look(path) is None
    except OSError:
        return False


def _nothing(path: str, problem: str) -> FileResult:
    identity = identify(manifests.split(path)[0])
    agent = identity.agent if identity is not None else ""
    return FileResult(path, 0, 0, 0, agent, None, None, None, Stats(), glance=True, problem=problem)


def _relink(connection: sa.Connection, file_ids: list[int], results: list[FileResult], wanted: set[bytes]) -> set[str]:
    """Join summaries with the sessions that they name: those wanted, and all that these logs hold or name."""
    if any(result.summaries for result in results):
        wanted = wanted | summaries.leaves(connection, file_ids)
    known = summaries.leaves(connection)
    if known:
        for result in results:
            for _, _, keys, _ in result.pages:
                wanted = wanted | summaries.named(known, keys)
    return summaries.resolve(connection, wanted)


def is_unjoined(connection: sa.Connection, revision: int) -> bool:
    """Whether `relink_all` is still to come: the daemon was killed before."""
    return get_meta(connection, "unjoined") == "1"


def relink_all(connection: sa.Connection, owner: Owner) -> Written:
    """Join every summary with the session that it names, and every session with the plans that it worked on."""
    put_meta(connection, "unjoined", "0")
    named = summaries.resolve(connection, summaries.leaves(connection))
    written = _assemble(connection, named, owner, relink=False)
    written.add(consequences.of_sessions(connection, logs.session_ids(connection) | written.deleted, owner))
    return written


def reassign(connection: sa.Connection, owner: Owner) -> Written:
    """Build every session anew, since projects were added or removed."""
    return _assemble(connection, logs.session_ids(connection), owner)
