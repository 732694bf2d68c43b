"""What the daemon and the processes that write and read bundles say to each other. MessagePack; paths as bytes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Literal

import msgspec

from ccdashd.archive.bundles.manifest import Session

EVERY = 0.1
"""Seconds between two words on how far a job is."""


class LogSource(msgspec.Struct, frozen=True, array_like=True):
    """A log to be put into a bundle: where it is, or was."""

    path: bytes
    session: str


class DocumentSource(msgspec.Struct, frozen=True, array_like=True):
    """A planning file to be put into a bundle."""

    root: str
    """Of its project."""
    path: str
    """In its project."""


class ExportJob(msgspec.Struct, frozen=True):
    """Write a bundle."""

    target: bytes
    replace: bool
    archive: bytes
    roots: list[bytes]
    """Folders of the agents' logs."""
    home: str
    redact: bool
    ccdash: str
    exported_at: str
    what: Literal["session", "feature", "project", "all"]
    id: str | None
    sessions: list[Session]
    """With absolute roots."""
    logs: list[LogSource]
    documents: list[DocumentSource]
    edits: list[bytes]
    """Lines of the journal."""


class Compared(msgspec.Struct, frozen=True, array_like=True):
    """Where the logs may be, in the archive or on disk, with which one of a bundle is compared."""

    name: str
    """Of the file in the bundle."""
    paths: list[bytes]


class CheckJob(msgspec.Struct, frozen=True, tag="check"):
    """Check a bundle, and compare its logs with others."""

    path: bytes
    archive: bytes
    manifest: bytes
    """SHA-256 of the manifest that was seen."""
    compared: list[Compared]


class Take(msgspec.Struct, frozen=True, array_like=True):
    """What the archive gets of a log: `names` are the files of its versions in the bundle, the newest last."""

    path: bytes
    names: list[str]
    beside: bool
    """Keep what the archive has of that log as newer versions; else it goes."""


class TakeJob(msgspec.Struct, frozen=True, tag="take"):
    """Put logs of a bundle into the archive."""

    path: bytes
    archive: bytes
    manifest: bytes
    takes: list[Take]
    drops: list[bytes]
    """Logs of which the archive keeps nothing."""
    now: str


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far the job is, in bytes."""

    done: int
    total: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The bundle is none that can be trusted, or the target is there already, or written by somebody else."""

    kind: Literal["bundle", "exists", "busy"]
    problem: str


class Exported(msgspec.Struct, frozen=True, tag="exported"):
    """The bundle is written."""

    bytes: int
    logs: int
    documents: int
    redactions: dict[str, int]
    redacted_files: int
    problems: list[tuple[str, str]]
    """What could not be put in, and why."""


class Checked(msgspec.Struct, frozen=True, tag="checked"):
    """The bundle is sound."""

    held: list[str]
    """Files of which all that they hold stands in one that they were compared with."""
    edits: list[bytes]
    """The lines of its journal."""


class Taken(msgspec.Struct, frozen=True, tag="taken"):
    """The archive has the logs."""

    bytes: int


Answer = Progress | Refused | Exported | Checked | Taken

encode = msgspec.msgpack.Encoder().encode
decode_answer = msgspec.msgpack.Decoder(Answer).decode

Work = Generator[int, None, Answer]
"""A job: yields the number of bytes that it has just dealt with, returns its answer."""


def answers(work: Work, total: int) -> Iterator[bytes]:
    """The answers of a job that deals with so many bytes in all."""
    done, due = 0, time.monotonic() + EVERY
    while True:
        try:
            done += next(work)
        except StopIteration as end:
            yield encode(end.value)
            return
        if time.monotonic() >= due:
            due = time.monotonic() + EVERY
            yield encode(Progress(min(done, total), total))
