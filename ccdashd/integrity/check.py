"""``python -m ccdashd.integrity.check``: the process that checks everything that is ours, and names what is wrong.

What can be computed is computed again from files, and compared: so nothing is trusted but the files themselves, whose
checksums are checked. Nothing is repaired here.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import msgspec
import sqlalchemy as sa

from ccdashd import helper
from ccdashd.analytics import counters
from ccdashd.archive.archive import Archive
from ccdashd.edits.examination import examine, mended
from ccdashd.edits.journal import fits, offset_of
from ccdashd.integrity import backups
from ccdashd.integrity.copies import CopiesCheck
from ccdashd.integrity.messages import Answer, Checked, Found, Job, Progress, decode_job, decode_settings, encode
from ccdashd.integrity.rebuild import LATELY, Rebuild
from ccdashd.store import anew, comparison
from ccdashd.store.database import explain, is_corrupt
from ccdashd.store.logs import path_value, shown
from ccdashd.store.text import upkeep
from ccdashd.store.text.connection import open_reader

ANEW = "it is replaced by one that was made anew from your files; the old one is kept beside it"
"""What repairs a cache."""

_LOST = "it is moved aside, and made anew from your files and the archive; sessions that neither has are lost"


class Check:
    """One check of one profile. `answers` are what it finds, as it finds it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._settings = decode_settings(job.settings)
        self._cache = Path(os.fsdecode(job.cache))
        self._new = Path(os.fsdecode(job.new))
        self._archive = Archive(os.fsdecode(job.archive))
        self._checked = Checked(
            files=0, copies=0, changed_logs=[], changed_plans=[], damaged_logs=[], damaged_manifests=[], journal_fits=True
        )
        self._keeps_new = False
        """Whether the new cache is needed to repair the other one."""

    def answers(self) -> Iterator[Answer]:
        """Raises OSError or ValueError where it cannot be done."""
        yield from self._journal_lines()
        yield from self._counters()
        yield from self._backups()
        yield from self._copies()
        yield from self._texts()
        try:
            yield from self._cache_file()
        finally:
            self._tidy()
        yield self._checked

    # --- small files ---

    def _journal_lines(self) -> Iterator[Found]:
        path = Path(os.fsdecode(self._job.journal))
        for damage in examine(_bytes(path)):
            lost = "it is moved into a file beside the journal; what it said is lost"
            repair = lost if damage.mended is None else "the bit is set right"
            yield Found("journal", str(path), damage.problem, repair, "journal")

    def _counters(self) -> Iterator[Found]:
        path = Path(os.fsdecode(self._job.counters))
        problem = counters.damage(path)
        if problem is not None:
            repair = "it is moved aside; counters of metrics are told anew by the daemon, or begin at zero"
            yield Found("counters", str(path), problem, repair, "counters")

    def _backups(self) -> Iterator[Found]:
        repair = "make another one, and delete it"
        for folder in backups.all_in(Path(os.fsdecode(self._job.backups))):
            try:
                for file, problem in backups.problems(folder, backups.load(folder)):
                    if problem is not None:
                        yield Found("backups", str(folder / file.path), problem, repair, "")
            except (backups.DamagedBackup, OSError) as error:
                yield Found("backups", str(folder), str(error), repair, "")

    # --- the archive ---

    def _copies(self) -> Iterator[Answer]:
        check = CopiesCheck(self._archive, time.time() - LATELY)
        done = 0
        for found in check.run():
            if isinstance(found, Found):
                yield found
            else:
                done += found.bytes
                yield Progress(done, check.total, 0, 0)
        self._checked.copies = check.chunks
        self._checked.damaged_logs = [os.fsencode(path) for path in sorted(check.damaged_logs)]
        self._checked.damaged_manifests = [os.fsencode(file) for file in check.damaged_manifests]

    # --- the index of texts ---

    def _texts(self) -> Iterator[Found]:
        path = Path(os.fsdecode(self._job.text))
        if not self._settings.text_index or not path.exists():
            return
        try:
            with closing(open_reader(path)) as connection:
                for problem in upkeep.problems(connection):
                    yield Found("text", "text.db", problem, "it is made anew from the logs", "text")
        except apsw.Error as error:
            raise ValueError(f"{path} cannot be read: {error}") from error

    # --- the cache ---

    def _cache_file(self) -> Iterator[Answer]:
        name = str(self._cache)
        try:
            with anew.beside(self._cache, self._new) as connection:
                for problem in anew.wrong_pages(connection):
                    yield self._wrong("cache.db", problem)
                for table, target in anew.wrong_references(connection):
                    yield self._wrong(f"cache.db: {table}", f"a row refers to a missing row of {target}")
                wrong = list(comparison.wrong_tables(connection))
                for name in wrong:
                    yield Found("cache", f"cache.db: {name}", "it is not made as it should be", _LOST, "damaged")
                if not wrong:
                    yield from self._contents(connection)
        except (sqlite3.Error, sa.exc.SQLAlchemyError, UnicodeDecodeError) as error:
            # SQLite may also speak of damaged names, which are no text.
            if not is_corrupt(error) and not isinstance(error, UnicodeDecodeError):
                raise ValueError(f"{name} cannot be compared with a new one: {explain(error)}") from error
            yield Found("cache", "cache.db", f"it is damaged: {explain(error)}", _LOST, "damaged")
            self._keeps_new = False

    def _contents(self, connection: sa.Connection) -> Iterator[Answer]:
        stored = anew.stored_meta(connection)
        rebuild = Rebuild(connection, self._settings, self._archive)
        for _ in rebuild.run(self._journal_for(stored.get("journal", ""))):
            yield Progress(rebuild.done, rebuild.total, rebuild.files, rebuild.logs)
        for problem in comparison.wrong_meta(connection):
            yield self._wrong("cache.db: meta", problem)
        for difference in comparison.differences(connection):
            yield self._wrong(f"cache.db: {difference.table}", _words(difference))
        gone = "its log is gone, and its rows in the cache are not what was read"
        for path in rebuild.altered:
            yield self._wrong(f"cache.db: {shown(path_value(path))}", gone, "nobody can tell what they were: they stay so")
        for path in rebuild.lost:
            yield self._wrong(
                f"cache.db: {shown(path_value(path))}", gone, "they cannot be read any more: the session is lost"
            )
        for path in rebuild.unread:
            repair = "wait for the index to be complete"
            yield Found("files", shown(path_value(path)), "the log was not read whole yet", repair, "")
        self._checked.files = rebuild.files
        self._checked.changed_logs = [os.fsencode(path) for path in rebuild.changed_logs]
        self._checked.changed_plans = [(id, os.fsencode(root), path) for id, root, path in rebuild.changed_plans]

    def _wrong(self, where: str, problem: str, repair: str = ANEW) -> Found:
        self._keeps_new = True
        return Found("cache", where, problem, repair, "anew")

    def _journal_for(self, position: str) -> Path:
        """The journal as the cache knows it, in a file of its own."""
        # Read after the cache, so that it holds what that knows; which may be from before it was damaged, or from after.
        data = _bytes(Path(os.fsdecode(self._job.journal)))
        whole = mended(data)
        fitting = [one for one in (whole, data) if fits(position, one)]
        self._checked.journal_fits = bool(fitting)
        known = fitting[0][: offset_of(position)] if fitting else whole
        path = self._beside("journal")
        path.write_bytes(known)
        return path

    def _beside(self, suffix: str) -> Path:
        return self._new.with_name(f"{self._new.name}-{suffix}")

    def _tidy(self) -> None:
        for path in (self._beside("journal"), *(() if self._keeps_new else (self._new,))):
            with suppress(OSError):
                path.unlink()


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            time.sleep(0.1)  # a line may be on its way
            data = path.read_bytes()
    except FileNotFoundError:
        return b""
    return data


def _words(difference: comparison.Difference) -> str:
    number = "1 row is" if difference.rows == 1 else f"{difference.rows:,} rows are"
    columns = f" ({', '.join(difference.columns)})" if difference.columns else ""
    return f"{number} not what your files say, such as {difference.key!r}{columns}"


def work(data: bytes) -> Iterator[bytes]:
    """The answers to an encoded job."""
    try:
        job = decode_job(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    yield from map(encode, Check(job).answers())


if __name__ == "__main__":
    helper.serve(work)
