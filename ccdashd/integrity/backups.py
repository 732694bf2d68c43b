"""Backups: folders named ``ccdash-<UTC time>``, with copies of what is ours and a list of them.

    backup.json      what is in it: size and SHA-256 of each file, and a checksum of the list itself
    cache.db         the cache; the index of texts is left out, since it can be made anew
    journal.jsonl    what the user said
    counters.json    what counters of metrics remember
    config.toml      settings
    archive/         copies of logs, where that was asked for

A backup has its name only once it is whole: until then it is a hidden folder beside it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ccdashd.edits.seal import is_sealed, seal

FORMAT = 1
LIST = "backup.json"
CACHE = "cache.db"
ARCHIVE = "archive"

NAME = re.compile(r"ccdash-(\d{8}T\d{6}Z)(?:-(\d+))?")
_HIDDEN = re.compile(r"\.(ccdash-\d{8}T\d{6}Z(?:-\d+)?)\.(\d+)\.(?:partial|deleted)")

_BLOCK = 1024 * 1024


class DamagedBackup(ValueError):
    """The folder is no whole backup; the message says why."""


class Copy(msgspec.Struct, frozen=True):
    """A file of a backup. `path` is relative to its folder."""

    path: str
    bytes: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """The list of a backup."""

    format: int = FORMAT
    version: str
    """Of the ccdash that made it."""
    schema: str
    """Of its cache."""
    created_at: str
    files: list[Copy]
    """All but the list itself."""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


_decode = msgspec.json.Decoder(Backup).decode


def write_list(folder: Path, backup: Backup) -> None:
    """Write the list of the backup in `folder`. Raises OSError."""
    path = folder / LIST
    path.write_bytes(seal(msgspec.json.encode(backup)))
    sync(path)


def load(folder: Path) -> Backup:
    """The list of the backup in `folder`. Raises DamagedBackup, or OSError where it cannot be read."""
    try:
        data = (folder / LIST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise DamagedBackup(f"{folder} is no backup: it has no {LIST}") from None
    try:
        if not is_sealed(data):
            raise ValueError("its checksum does not fit")
        backup = _decode(data)
    except ValueError as error:
        raise DamagedBackup(f"{folder / LIST} is damaged: {error}") from None
    if backup.format != FORMAT:
        raise DamagedBackup(f"{folder} was made by a newer ccdash ({backup.version})")
    for file in backup.files:
        if os.path.isabs(file.path) or ".." in file.path.split("/"):
            raise DamagedBackup(f"{folder / LIST} names a file outside of it: {file.path}")
    return backup


def problems(folder: Path, backup: Backup) -> Iterator[tuple[Copy, str | None]]:
    """Each file of a backup, after it was read and compared with its hash, and what is wrong with it."""
    for file in backup.files:
        yield file, _problem(folder / file.path, file)


def _problem(path: Path, file: Copy) -> str | None:
    try:
        size, digest = measured(path)
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return None if (size, digest) == (file.bytes, file.sha256) else "it is damaged: its hash does not fit"


def measured(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def all_in(parent: Path) -> list[Path]:
    """The folders of backups in a folder, by their names, the newest first."""
    try:
        found = [match for match in map(NAME.fullmatch, os.listdir(parent)) if match is not None]
    except FileNotFoundError:
        return []
    found.sort(key=lambda match: (match[1], int(match[2] or 1)), reverse=True)
    return [parent / match[0] for match in found if (parent / match[0] / LIST).is_file()]


def hidden(parent: Path, name: str, why: str) -> Path:
    """Where a backup is while it is made (`why` is ``partial``) or deleted (``deleted``)."""
    return parent / f".{name}.{os.getpid()}.{why}"


def delete(folder: Path) -> None:
    """Delete a backup. It loses its name first, so that no half of it is ever left under it. Raises OSError, or
    DamagedBackup where it is not certain that the folder is one."""
    load(folder)
    doomed = hidden(folder.parent, folder.name, "deleted")
    folder.rename(doomed)
    shutil.rmtree(doomed)


def forget_leftovers(parent: Path) -> None:
    """Remove what processes that were killed left of backups that they made or deleted."""
    with suppress(FileNotFoundError):
        for entry in os.scandir(parent):
            found = _HIDDEN.fullmatch(entry.name)
            if found is not None and not _is_alive(int(found[2])):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
