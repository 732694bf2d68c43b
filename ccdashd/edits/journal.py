"""The journal: every decision of the user, one JSON line each, on disk before it is acknowledged.

It is the only file of ours whose loss loses something. Lines are only ever appended; replaying them all gives the state
that they describe, so it may be replayed as often as one likes. A torn last line (power failed) is left out.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

import msgspec

from ccdashd.clock import now

log = logging.getLogger(__name__)


class ProjectEdit(msgspec.Struct, omit_defaults=True, tag_field="type", tag="project", kw_only=True):
    """A project was added, changed, or left to what its sessions say of it."""

    op: Literal["add", "update", "remove"]
    root: str
    name: str | None = None
    hidden: bool | None = None
    at: str = ""


_decode = msgspec.json.Decoder(ProjectEdit).decode
_encode = msgspec.json.Encoder().encode


class JournalUnreadable(OSError):
    """The journal is there and cannot be read. Without it, decisions of the user would be forgotten."""


class Journal:
    """One ``journal.jsonl``. Blocking; for the writer's thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, edit: ProjectEdit) -> int:
        """Write an edit and wait until it is on disk; returns where the journal ends now, in bytes.

        Raises OSError; nothing was decided then.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        edit.at = edit.at or now()
        new = not self.path.exists()
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            line = (b"\n" if torn else b"") + _encode(edit) + b"\n"
            written = os.write(fd, line)
            if written != len(line):
                os.ftruncate(fd, size)
                raise OSError("the disk is full")
            os.fsync(fd)
        finally:
            os.close(fd)
        if new:
            _sync_folder(self.path.parent)
        return size + len(line)

    def read(self) -> list[ProjectEdit]:
        """All edits, oldest first. Lines that are none are logged and left out. Raises JournalUnreadable."""
        edits, _ = self.since(0)
        return edits

    def since(self, offset: int) -> tuple[list[ProjectEdit], int]:
        """The edits from byte `offset` on, and where they end; all of them where the journal is shorter than that.

        Raises JournalUnreadable.
        """
        try:
            if self.path.stat().st_size == offset:
                return [], offset
            data = self.path.read_bytes()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise JournalUnreadable(f"the journal {self.path} cannot be read: {error.strerror or error}") from error
        start = offset if offset <= len(data) else 0
        edits, end = [], start
        for line in data[start:].splitlines(keepends=True):
            try:
                if line.strip():
                    edits.append(_decode(line))
            except msgspec.DecodeError:
                log.warning("journal line left out offset=%d path=%s", end, self.path)
            end += len(line)
        return edits, end


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
