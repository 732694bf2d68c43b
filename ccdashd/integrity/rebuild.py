"""A cache made anew from logs, planning files and journal, beside the one in use, to be compared with it.

What is written while that goes on cannot be compared: a log or planning file that is not the one that was read, and changed
of late, is taken over as it is stored, and named, so that the daemon can look at it again. So is a log that is gone.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from ccdashd import sources
from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive
from ccdashd.derive.pricing import Prices, fingerprint
from ccdashd.edits.journal import Journal
from ccdashd.ingest import commit as commits
from ccdashd.ingest import consequences
from ccdashd.ingest.claim import at_or_below
from ccdashd.ingest.commit import Batch
from ccdashd.ingest.copies import Copies
from ccdashd.ingest.memory import uncollected
from ccdashd.ingest.parse import read_copy, read_log
from ccdashd.ingest.plans import planning_files
from ccdashd.ingest.projects import Roots
from ccdashd.ingest.read_plan import read_plans
from ccdashd.ingest.scan import FileStat, Problem, scan
from ccdashd.ingest.territory import Territory
from ccdashd.logfile import stamp
from ccdashd.settings import Settings
from ccdashd.sources import PARSER
from ccdashd.sources.result import FileResult
from ccdashd.store import anew, decisions, planning, projects, seals
from ccdashd.store.database import put_meta
from ccdashd.store.logs import FileState
from ccdashd.store.schema import META

LATELY = 30.0
"""Seconds before the check began since which a change of a file may not be in the cache yet."""

BATCH_BYTES = 64 * 1024 * 1024
"""Bytes of logs whose rows are written together."""


class Rebuild:
    """Makes the cache of `connection` (see `store.anew`) what the files say."""

    def __init__(self, connection: sa.Connection, settings: Settings, archive: Archive) -> None:
        self._connection = connection
        self._archive = archive
        self._settings = settings
        self._prices = Prices(settings.prices)
        self._since = time.time() - LATELY
        self._roots = Roots()
        self._added: list[str] = []
        self._places: dict[str, str] = {}
        self.files = 0
        """Logs and planning files that were read."""
        self.done = self.total = 0
        """Bytes of logs that were read, and that are to be."""
        self.logs = 0
        """Logs to be read."""
        self.changed_logs: list[str] = []
        self.changed_plans: list[tuple[str, str, str]] = []
        """Project, root and path."""
        self._broken: set[int] = set()
        self.altered: list[str] = []
        """Logs that are gone, of which other rows are stored than were read."""
        self.lost: list[str] = []
        """Of these, those of which nothing can be taken over."""
        self.unread: list[str] = []
        """Logs that the cache in use has not read whole yet."""

    def run(self, journal: Path) -> Iterator[None]:
        """Make all of it, in steps. Raises `sqlite3.Error`, also where what is taken over is damaged."""
        stored = anew.stored_meta(self._connection)
        self._places = self._sound_places()
        self._broken = seals.broken(self._connection)
        decisions.catch_up(self._connection, Journal(journal))
        self._added = projects.added_roots(self._connection)
        with uncollected():
            yield from self._logs()
        if self._settings.planning:
            yield from self._plans()
        made = {"prices": fingerprint(self._settings.prices), "indexed": "1", "open": "0"}
        for key, value in ({key: stored[key] for key in META if key in stored and key != "linked"} | made).items():
            put_meta(self._connection, key, value)

    def _owner(self, cwd: str) -> str:
        """The project of a folder: the one that its sessions are in, since folders and repositories come and go."""
        return self._places.get(cwd) or self._roots.owner(cwd, self._added)

    def _sound_places(self) -> dict[str, str]:
        places = anew.stored_places(self._connection)
        return {cwd: root for cwd, id, root in places if id == projects.project_id(root)}

    # --- logs ---

    def _logs(self) -> Iterator[None]:
        problems: list[Problem] = []
        roots = self._settings.claude_dirs
        there = {file.path: file for file in scan(roots, lambda path: sources.identify(path) is not None, problems)}
        known = {state.path: state for state in anew.stored_logs(self._connection)}
        hidden = [problem.path for problem in problems]
        copies, dropped = self._copies(known, hidden)
        kept: list[FileState] = []
        gone: list[FileState] = []
        reading: list[FileStat] = []
        for path, state in known.items():
            file = there.get(path) or copies.pop(path, None)
            if path in dropped:
                continue
            if file is None and (state.state == "gone" or at_or_below(path, hidden)):
                kept.append(state)
            elif file is None and self._changed_lately(path):
                kept.append(state)
                self.changed_logs.append(path)
            elif file is None:
                gone.append(state)
            elif file.archived or self._is_comparable(file, state):
                reading.append(file)
            else:
                kept.append(state)
        reading += [file for path, file in there.items() if path not in known and not self._is_new(path)]
        reading += copies.values()
        self.total, self.logs = sum(file.size for file in reading), len(reading)
        for file in reading:
            if file.path in known:
                anew.know(self._connection, known[file.path].id)
        unreadable: list[str] = []
        yield from self._read(reading, unreadable)
        kept += [known[path] for path in unreadable if path in known]
        adopted = [state.id for state in (*kept, *gone) if self._keep(state)]
        commits.adopt(self._connection, adopted, self._owner, self._prices)
        self._commit(Batch(gone=[state.path for state in gone]))
        commits.relink_all(self._connection, self._owner)

    def _keep(self, state: FileState) -> bool:
        """Take over what is stored of a log; tells whether that can be read."""
        if state.id in self._broken:
            readable = anew.is_readable(self._connection, state.id)
            (self.altered if readable else self.lost).append(state.path)
            if not readable:
                return False
        anew.keep(self._connection, state.id)
        return True

    def _copies(self, known: dict[str, FileState], hidden: list[str]) -> tuple[dict[str, FileStat], set[str]]:
        """By path, copies that are to be read, and paths of copies that the cache should not hold."""
        copies = Copies(self._archive)
        of_log: defaultdict[str, dict[str, FileState]] = defaultdict(dict)
        for path, state in known.items():
            of_log[manifests.split(path)[0]][path] = state
        wanted: dict[str, FileStat] = {}
        dropped: set[str] = set()
        for manifest in copies.manifests():
            if at_or_below(manifest.log, hidden):
                continue
            states = of_log[manifest.log]
            lately = self._changed_lately(self._archive.manifest_path(manifest.log)) or self._changed_lately(manifest.log)
            new, old = copies.compare(manifest, states, False)
            if not (new or old) or not lately:
                new, old = copies.compare(manifest, states, True)
                wanted |= {file.path: file for file in new}
                dropped |= set(old)
        return wanted, dropped

    def _is_comparable(self, file: FileStat, state: FileState) -> bool:
        """Whether the log is the one that was read; what it is else is noted."""
        if state.state in ("ok", "gone") and state.is_whole and state.parser == PARSER:
            now = (file.size, stamp(file.path, file.mtime_ns), file.inode)
            if now == (state.size, state.mtime_ns, state.inode) or not self._changed_lately(file.path):
                return True
            self.changed_logs.append(file.path)
        elif state.state != "unreadable":
            self.unread.append(file.path)
        return False

    def _is_new(self, path: str) -> bool:
        if self._changed_lately(path):
            self.changed_logs.append(path)
            return True
        return False

    def _changed_lately(self, path: str) -> bool:
        """Whether something happened at a path that the cache may not know of yet."""
        while True:
            try:
                return os.stat(path).st_ctime > self._since
            except OSError:
                above = os.path.dirname(path)
                if above == path:
                    return False
                path = above

    def _read(self, files: list[FileStat], unreadable: list[str]) -> Iterator[None]:
        """Read these logs whole."""
        batch, size = Batch(), 0
        for file in files:
            try:
                batch.results.append(self._read_one(file))
            except OSError:
                anew.forget(self._connection, file.path)
                unreadable.append(file.path)
            size += file.size
            self.done += file.size
            self.files += 1
            yield
            if size >= BATCH_BYTES:
                self._commit(batch)
                batch, size = Batch(), 0
        self._commit(batch)

    def _read_one(self, file: FileStat) -> FileResult:
        cap = self._settings.text_cap_bytes
        return read_copy(self._archive, file.path, cap) if file.archived else read_log(file.path, cap)

    def _commit(self, batch: Batch) -> None:
        commits.commit(self._connection, batch, self._owner, self._prices, relink=False)

    # --- planning files ---

    def _plans(self) -> Iterator[None]:
        territory = Territory(self._settings.planning_folders)
        territory.settle(projects.roots(self._connection, 0))
        for project_id, root in territory.projects.items():
            found, hidden = planning_files(territory, self._settings.planning_files_cap, project_id, root, [])
            self._project(project_id, root, {os.path.relpath(file.path, root): file for file in found}, not hidden)
            yield

    def _project(self, project_id: str, root: str, there: dict[str, FileStat], all_seen: bool) -> None:
        known = anew.stored_documents(self._connection, project_id)
        reading, kept = [], []
        for path in sorted(there.keys() | known.keys()):
            file, state = there.get(path), known.get(path)
            stat = None if file is None else (file.size, file.mtime_ns, file.inode)
            if state is not None and stat == (state.size, state.mtime_ns, state.inode):
                reading.append(path)
            elif self._changed_lately(os.path.join(root, path)):
                self.changed_plans.append((project_id, root, path))
                kept += [state.id] if state is not None else []
            elif file is not None:
                reading.append(path)
            elif not all_seen and state is not None:
                kept.append(state.id)
        files, _ = read_plans(project_id, root, reading, self._settings.planning_file_cap_bytes)
        changes = planning.Changes()
        planning.store(self._connection, project_id, files, changes)
        for id in kept:
            anew.keep_document(self._connection, id)
        changes.documents.update(kept)
        changes.names = bool(files or kept)
        consequences.of_documents(self._connection, project_id, changes, self._owner)
        self.files += len(files)
