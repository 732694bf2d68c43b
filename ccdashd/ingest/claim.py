"""What has to be done about a file: compares what is on disk with what is known. Does no more I/O than `stat` and a few
small reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import sqlalchemy as sa

from ccdashd import sources
from ccdashd.archive import manifest as manifests
from ccdashd.ingest.copies import Copies
from ccdashd.ingest.scan import FileStat, look
from ccdashd.logfile import guard, stamp
from ccdashd.sources import PARSER
from ccdashd.store import logs
from ccdashd.store.logs import FileState

SMALL = 2 * 1024 * 1024
"""Bytes up to which changes are read in the daemon itself; more goes to the workers."""

FEW = 16
"""Whole logs up to which the same holds."""


@dataclass
class Claims:
    """Logs by what is to be done about them."""

    whole: list[FileStat] = field(default_factory=list)
    """To be read from the start: new, rewritten, or read by an older reader."""
    grown: list[tuple[FileStat, FileState]] = field(default_factory=list)
    """To be read on from where the last reading ended."""
    gone: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    touched: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    copies: list[FileStat] = field(default_factory=list)
    """To be read from the archive."""

    def __str__(self) -> str:
        """For the log: how many of each kind, and no path."""
        return " ".join(f"{name}={len(value)}" for name, value in vars(self).items())

    def __bool__(self) -> bool:
        return any(vars(self).values())

    @property
    def size(self) -> int:
        """Bytes to be read."""
        whole = sum(file.size for file in (*self.whole, *self.copies))
        return whole + sum(_growth(*grown) for grown in self.grown)

    def split(self) -> tuple[Claims, list[FileStat]]:
        """What is to be done at once, and the logs that are left to the workers, which read them whole."""
        if self.size <= SMALL and len(self.whole) + len(self.copies) <= FEW:
            return self, []
        backlog = self.whole + self.copies + [grown[0] for grown in self.grown if _growth(*grown) > SMALL]
        small = [grown for grown in self.grown if _growth(*grown) <= SMALL]
        return replace(self, whole=[], copies=[], grown=small), backlog


def _growth(file: FileStat, state: FileState) -> int:
    return file.size - state.parsed_to


def claim(
    files: Iterable[FileStat],
    missing: Iterable[str],
    states: dict[str, FileState],
    by_inode: Callable[[int], list[FileState]],
    *,
    suspicious: bool,
    is_copied: Callable[[str], bool] = lambda path: False,
) -> Claims:
    """Sort `files`, which are there, and `missing` paths, which are not.

    `by_inode` finds known logs by inode, to tell a renamed one. `suspicious` files are looked into even when size and time
    are what they were: somebody said that they changed. A log that `is_copied` into the archive is not taken for renamed:
    its copy stays, by its old path.
    """
    claims = Claims()
    lost = {path: states[path] for path in missing if path in states and states[path].state != "gone"}
    lost_by_inode: dict[int, list[FileState]] = {}
    for known in lost.values():
        lost_by_inode.setdefault(known.inode, []).append(known)
    for file in files:
        file = file._replace(mtime_ns=stamp(file.path, file.mtime_ns))
        state = states.get(file.path)
        if state is None:
            origin = _origin(file, [*lost_by_inode.get(file.inode, ()), *by_inode(file.inode)], is_copied)
            if origin is None:
                claims.whole.append(file)
                continue
            lost.pop(origin.path, None)
            if sources.identify(origin.path) != sources.identify(file.path):
                claims.dropped.append(origin.path)
                claims.whole.append(file)
                continue
            claims.moved[origin.path] = file.path
            state = origin
        _compare(file, state, claims, suspicious)
    claims.gone.extend(lost)
    return claims


def _compare(file: FileStat, state: FileState, claims: Claims, suspicious: bool) -> None:
    current = state.parser == PARSER and state.is_whole and state.state in ("ok", "gone")
    now = (file.size, file.mtime_ns, file.inode)
    same = now == (state.size, state.mtime_ns, state.inode)
    if not (current and same and not suspicious):
        if not current or file.size < state.size or not _begins_as(file.path, state):
            claims.whole.append(file)
            return
        if file.size > state.size:
            claims.grown.append((file, state))
            return
        if file.mtime_ns != state.mtime_ns:
            # Written without growing: the samples may miss what changed.
            claims.whole.append(file)
            return
    # The bytes are those that were read. Another inode with the same time is a copy that kept its time.
    if state.state == "gone" or not same:
        claims.touched[file.path] = now


def _begins_as(path: str, state: FileState) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # the reading that follows will say why
    try:
        return guard(fd, state.parsed_to) == state.guard
    finally:
        os.close(fd)


def _origin(file: FileStat, candidates: list[FileState], is_copied: Callable[[str], bool]) -> FileState | None:
    """The known log that was renamed to `file`: of the same inode, with the same beginning, no longer at its old path."""
    for state in candidates:
        usable = state.parsed_to and file.size >= state.parsed_to and state.parser == PARSER
        if usable and not os.path.lexists(state.path) and _begins_as(file.path, state) and not is_copied(state.path):
            return state
    return None


def inode_lookup(connection: sa.Connection) -> Callable[[int], list[FileState]]:
    """`by_inode` for `claim`, on this connection."""
    return partial(logs.with_inode, connection)


def claim_paths(paths: set[str], copies: Copies, connection: sa.Connection, revision: int) -> Claims:
    """Claims of these paths, which somebody said have changed."""
    files: list[FileStat] = []
    missing: list[str] = []
    unreadable: dict[str, str] = {}
    for path in paths:
        try:
            file = look(path)
        except OSError as error:
            unreadable[path] = error.strerror or str(error)
            continue
        if file is None:
            missing.append(path)
        else:
            files.append(file)
    states = logs.states(connection, paths)
    by_inode = inode_lookup(connection)
    claims = claim(files, missing, states, by_inode, suspicious=True, is_copied=copies.has)
    claims.unreadable.update(unreadable)
    _claim_copies(claims, copies, connection, states)
    return claims


def claim_copies(paths: Iterable[str], copies: Copies, connection: sa.Connection, revision: int) -> Claims:
    """Claims of the copies of these logs, which somebody said have changed."""
    claims = Claims()
    _compare_copies(claims, copies, connection, set(paths))
    return claims


def claim_all(
    found: list[FileStat],
    hidden: list[str],
    paths: list[str] | None,
    copies: Copies,
    connection: sa.Connection,
    revision: int,
    *,
    anew: bool = False,
) -> Claims:
    """Claims of all logs that a scan `found`, or of those at or below `paths`, and of their copies.

    What is not found is gone, unless it lies below one of the folders that could not be looked at (`hidden`). `anew`: all
    copies are to be read, whatever is known of them.
    """
    states = logs.states(connection)
    there = {file.path for file in found}
    logs_known = (path for path in states if manifests.split(path)[1] is None)
    missing = [path for path in logs_known if path not in there and not at_or_below(path, hidden)]
    if paths is not None:
        found = [file for file in found if at_or_below(file.path, paths)]
        missing = [path for path in missing if at_or_below(path, paths)]
    claims = claim(found, missing, states, lambda inode: [], suspicious=paths is not None, is_copied=copies.has)
    if paths is not None:
        _claim_copies(claims, copies, connection, states)
        return claims
    copies.renounce(_others(claims, states))
    versions: dict[str, dict[str, FileState]] = {}
    for path, state in states.items():
        versions.setdefault(manifests.split(path)[0], {})[path] = state
    for manifest in copies.manifests():
        if not at_or_below(manifest.log, hidden):
            _note(claims, *copies.compare(manifest, versions.get(manifest.log, {}), anew))
    return claims


def _claim_copies(claims: Claims, copies: Copies, connection: sa.Connection, states: dict[str, FileState]) -> None:
    """Add what follows for copies from these claims."""
    changed = {file.path for file in claims.whole} | {*claims.gone, *claims.moved, *claims.dropped}
    # A log that only grew, or came back, begins as it did: at most, it is now what it was before.
    same = {file.path for file, _ in claims.grown} | claims.touched.keys()
    same = {manifests.split(path)[0] for path in logs.versions(connection, same)}
    _compare_copies(claims, copies, connection, changed | same | copies.renounce(_others(claims, states)))


def _compare_copies(claims: Claims, copies: Copies, connection: sa.Connection, paths: set[str]) -> None:
    for manifest in copies.manifests(paths):
        known = {manifest.log, *logs.versions(connection, [manifest.log])}
        _note(claims, *copies.compare(manifest, logs.states(connection, known), False))


def _note(claims: Claims, read: list[FileStat], dropped: list[str]) -> None:
    claims.copies += read
    claims.dropped += dropped


def _others(claims: Claims, states: dict[str, FileState]) -> set[str | None]:
    """Sessions of logs that may hold less than they did."""
    changed = {file.path for file in claims.whole} | {*claims.gone, *claims.moved, *claims.dropped, *claims.unreadable}
    return {states[path].session_id for path in changed if path in states}


def at_or_below(path: str, places: list[str]) -> bool:
    """Whether `path` is one of these places, or lies below one."""
    return any(path == place or path.startswith(place.rstrip("/") + "/") for place in places)
