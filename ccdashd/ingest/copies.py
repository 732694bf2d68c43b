"""Which logs are read from the archive: those that are gone, and earlier versions of logs that were rewritten.

    the log is there      every version that it does not begin as, by the path ``<log>#<id>``
    it is gone            the newest version by the log's own path, the others by theirs
    it is gone, and what was read of it is in no version: that stays, beside all versions

So what the cache holds follows from logs and archive alone, whenever and in whatever order it looks at them. Blocking, for
a reader thread.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping

from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive, Unreadable
from ccdashd.archive.catalogue import Catalogue
from ccdashd.archive.manifest import Manifest, Version
from ccdashd.errors import plain
from ccdashd.ingest.scan import FileStat, look
from ccdashd.logfile import description, guard, guard_of, stamp
from ccdashd.sources import PARSER
from ccdashd.store.logs import FileState, path_value, shown

States = Mapping[str, FileState]


class Copies:
    """What the archive is the source of, for one pipeline."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.catalogue = Catalogue(archive)
        self._superseded: dict[str, FileState] = {}
        self._unread: dict[str, str] = {}
        """Copies that could not be read when that was tried last, and why."""
        self._unreadable: str | None = None
        """Why all copies could not be looked at when that was tried last."""

    @property
    def problem(self) -> str | None:
        """Which copies could not be read, and why, in plain words."""
        if self._unreadable is not None:
            return self._unreadable
        if not self._unread:
            return None
        path, problem = next(iter(self._unread.items()))
        more = f" and {len(self._unread) - 1} more" if len(self._unread) > 1 else ""
        return f"the copy of {shown(path_value(path))} cannot be read: {problem}{more}"

    def forget_problems(self) -> None:
        """All copies are to be looked at."""
        self._unread.clear()

    @property
    def superseded(self) -> dict[str, str]:
        """The sessions of logs that the cache does not hold, since others of the session hold all that they do; by path."""
        known = list(self._superseded.items())
        return {path: state.session_id for path, state in known if state.session_id is not None}

    def supersede(self, states: Mapping[str, FileState]) -> None:
        """The cache dropped these logs for that reason. Copies that are no more than that are not read again until a log of
        their session is another."""
        self._superseded.update(states)

    def renounce(self, sessions: Collection[str | None]) -> set[str]:
        """Logs of these sessions are other ones now: returns the logs whose copies may be worth a look again."""
        found = [path for path, session in self.superseded.items() if session in sessions]
        for path in found:
            self._superseded.pop(path, None)
        return {manifests.split(path)[0] for path in found}

    def note(self, files: Iterable[FileStat], unreadable: dict[str, str]) -> None:
        """These copies were read, but for those that are `unreadable`; they are taken out of that: what the cache knows of
        such a log is all that there is, and stays."""
        for file in files:
            problem = unreadable.pop(file.path, None) if file.archived else None
            if problem is not None:
                self._unread[file.path] = problem
            else:
                self._unread.pop(file.path, None)

    def has(self, path: str) -> bool:
        """Whether there is a copy of a log."""
        return self.manifest(path) is not None

    def manifest(self, path: str) -> Manifest | None:
        """What there is of a log; None also where it cannot be read, which `verify` names."""
        try:
            return self._archive.manifest(path)
        except OSError:
            return None

    def manifests(self, paths: Iterable[str] | None = None) -> list[Manifest]:
        """Those of these logs, or all; none where the archive cannot be read, which is the `problem` then."""
        if paths is not None:
            return [found for path in paths if (found := self.manifest(path)) is not None]
        try:
            every = self.catalogue.all()
        except Unreadable as error:
            self._unreadable = plain(error)
            return []
        self._unreadable = None
        return every

    def compare(self, manifest: Manifest, states: States, anew: bool) -> tuple[list[FileStat], list[str]]:
        """What is to be read of the copies of a log, and which paths of earlier versions the cache is to forget.

        `states` hold what is known of the log and of its versions; `anew`: all of it is to be read once more.
        """
        wanted = self._wanted(manifest, states)
        read = [
            FileStat(path, version.size, version.mtime_ns, 0, 0, archived=True)
            for path, version in wanted.items()
            if not self._is_superseded(path, version) and (anew or not _is_current(states.get(path), version))
        ]
        known = (path for path in states if manifests.split(path) != (path, None))
        return read, [path for path in known if path not in wanted]

    def _is_superseded(self, path: str, version: Version) -> bool:
        known = self._superseded.get(path)
        return known is not None and _same(known, version)

    def _wanted(self, manifest: Manifest, states: States) -> dict[str, Version]:
        versions = {manifest.versioned(version): version for version in manifest.versions}
        try:
            beginnings = _beginnings(manifest)
        except OSError:
            # It is there and cannot be read: what was known of it stays.
            return {path: version for path, version in versions.items() if path in states}
        if beginnings is not None:
            return {path: version for path, version in versions.items() if version not in beginnings}
        state = states.get(manifest.log)
        if state is not None and _is_worth(state) and not self._is_held(state, manifest):
            return versions
        *_, newest = versions
        return {manifest.log: versions.pop(newest), **versions}

    def _is_held(self, state: FileState, manifest: Manifest) -> bool:
        """Whether a version has all that was read of the log."""
        return any(self._holds(version, state) for version in reversed(manifest.versions))

    def _holds(self, version: Version, state: FileState) -> bool:
        if _same(state, version):
            return True
        if version.size < state.parsed_to:
            return False
        try:
            seal = guard_of(lambda length, offset: self._archive.read(version, offset, length), state.parsed_to)
        except OSError:
            return False
        return seal == state.guard


def _beginnings(manifest: Manifest) -> list[Version] | None:
    """The versions that the log begins as; None where it is gone. Raises OSError where that cannot be told."""
    file = look(manifest.log)
    if file is None:
        return None
    newest = manifest.newest
    if (newest.size, newest.mtime_ns) == (file.size, stamp(manifest.log, file.mtime_ns)):
        return [newest]
    fd = os.open(manifest.log, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        return [v for v in manifest.versions if v.size <= size and guard(fd, v.size) == v.guard]
    finally:
        os.close(fd)


def _is_worth(state: FileState) -> bool:
    """Whether something was read of a log that is gone; else it is forgotten."""
    return state.is_whole and (state.session_id is not None or state.state == "gone")


def _same(state: FileState, version: Version) -> bool:
    """Whether a log was, for sure, as a version is."""
    return (state.size, state.mtime_ns) == (version.size, version.mtime_ns)


def _is_current(state: FileState | None, version: Version) -> bool:
    """Whether a copy was read, all of it and by today's reader. Two of a size are the same, see `Copies._holds`."""
    if state is None or not _is_worth(state) or state.parser != PARSER or state.state == "unreadable":
        return False
    described = description(manifests.split(state.path)[0]) is not None
    return state.size == version.size and (not described or state.mtime_ns == version.mtime_ns)
