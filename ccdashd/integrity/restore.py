"""``python -m ccdashd.integrity.restore FOLDER``: put the files of a backup back, while no daemon runs.

    check all of it ──► the daemon's lock ──► copies beside what is there ──► what is there aside ──► copies in its place

Until the last steps, which are renames, nothing is changed; and what was there is kept, under other names. Prints what it
did as JSON. Standard error and exit code 1 tell why it could not be done.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ccdashd import paths
from ccdashd.integrity import backups
from ccdashd.integrity.backups import ARCHIVE, CACHE, Backup, DamagedBackup
from ccdashd.paths import Paths
from ccdashd.runtime import AlreadyRunning, Lock, RuntimeProblem, private_folder
from ccdashd.store import versions


class Restored(NamedTuple):
    """Absolute paths that were written, and the new names of what was there."""

    restored: list[str]
    kept: list[str]


class _Place(NamedTuple):
    """A file or folder of a backup: where it is, where it belongs, and where it waits until all are there."""

    source: Path
    target: Path
    staged: Path


def restore(folder: Path, where: Paths) -> Restored:
    """Put the backup in `folder` in the place of what a profile has.

    Raises DamagedBackup, AlreadyRunning where a daemon runs, or OSError; before the first file was replaced then, or with
    those in `kept` that were.
    """
    backup = backups.load(folder)
    _check(folder, backup)
    private_folder(where.runtime_dir)
    lock = Lock(where.daemon_lock)
    lock.take()
    try:
        return _restore(folder, backup, where)
    finally:
        lock.release()


def _check(folder: Path, backup: Backup) -> None:
    if backup.schema not in versions.known():
        raise DamagedBackup(f"{folder} was made by a newer ccdash ({backup.version}); upgrade ccdash first")
    for file, problem in backups.problems(folder, backup):
        if problem is not None:
            raise DamagedBackup(f"{folder / file.path}: {problem}; nothing was changed")


def _restore(folder: Path, backup: Backup, where: Paths) -> Restored:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    targets = {
        CACHE: where.database,
        where.journal.name: where.journal,
        where.counters.name: where.counters,
        where.config_file.name: where.config_file,
        ARCHIVE: where.archive,
    }
    names = sorted({file.path.split("/", 1)[0] for file in backup.files} & targets.keys())
    places = [_Place(folder / n, targets[n], targets[n].with_name(f".{n}.{os.getpid()}.restored")) for n in names]
    try:
        for place in places:
            _stage(place)
        kept = [kept for place in places for kept in _move_aside(place.target, f"before-restore-{stamp}")]
        for place in places:
            place.staged.rename(place.target)
            backups.sync(place.target.parent)
    finally:
        for place in places:
            _remove(place.staged)
    # It is that of another cache, and can be made anew.
    for suffix in ("", "-wal", "-shm"):
        where.text_index.with_name(where.text_index.name + suffix).unlink(missing_ok=True)
    return Restored([str(place.target) for place in places], list(map(str, kept)))


def _stage(place: _Place) -> None:
    place.target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.source.is_dir():
        shutil.copytree(place.source, place.staged, copy_function=_copy)
    else:
        _copy(place.source, place.staged)


def _copy(source: str | Path, target: str | Path) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, 0o600)
    backups.sync(Path(target))


def _move_aside(target: Path, suffix: str) -> list[Path]:
    """Rename what is at a place, with what belongs to it; returns the new names."""
    kept = []
    for path in (target, *(target.with_name(target.name + companion) for companion in ("-wal", "-shm"))):
        if path.exists():
            aside = target.with_name(f"{target.name}.{suffix}{path.name.removeprefix(target.name)}")
            path.rename(aside)
            kept.append(aside)
    return kept


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def main(arguments: Sequence[str]) -> int:
    """Restore the one folder that is named, for the profile of the environment; returns the exit code."""
    os.umask(0o077)
    try:
        done = restore(Path(arguments[0]).absolute(), paths.resolve())
    except (DamagedBackup, AlreadyRunning, RuntimeProblem, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
        print(reason, file=sys.stderr)  # noqa: T201 - the answer to whoever started this
        return 1
    print(json.dumps(done._asdict()))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
