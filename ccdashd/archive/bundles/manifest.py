"""What a bundle says of itself: its first file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ccdashd.sources import identify

FORMAT = 1
NAME = "manifest.json"
MAX_BYTES = 64 * 1024 * 1024
"""Of a manifest: enough for more than 100,000 logs."""

_Size = Annotated[int, Meta(ge=0, le=2**53)]
_Text = Annotated[str, Meta(max_length=4096)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what is in a manifest. Fields that a newer version of ccdash adds are skipped."""


class File(_Part, frozen=True, kw_only=True):
    """A file of the bundle."""

    name: Annotated[str, Meta(pattern=r"^(logs/[0-9]{6,9}\.jsonl|documents/[0-9]{6,9}\.md|journal\.jsonl)$")]
    size: _Size
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class Log(File, frozen=True, kw_only=True):
    """A log as it was at one time. Versions of one log stand one after the other, the newest last."""

    path: _Text
    """Below the agent's own folder of logs; U+FFFD stands for what is not UTF-8."""
    path_bytes: Annotated[bytes, Meta(max_length=4096)] | None = None
    """The path as the file system had it, where it was not UTF-8."""
    session: _Text
    mtime_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    """By `logfile.stamp`."""
    meta: Annotated[bytes, Meta(max_length=64 * 1024)] | None = None
    """What described the sub-agent: the file ``agent-*.meta.json`` beside the log, whole."""

    @property
    def place(self) -> str:
        """`path`, for the file system."""
        return self.path if self.path_bytes is None else os.fsdecode(self.path_bytes)


class Document(File, frozen=True, kw_only=True):
    """A planning file."""

    path: _Text
    """In its project."""
    root: _Text
    """Of the project; ``~`` is the home folder."""


class Session(_Part, frozen=True, kw_only=True):
    """A session, for people and for the comparison with those that are there."""

    id: _Text
    title: str
    agent: _Text
    root: _Text
    """Of its project; ``~`` is the home folder."""
    parent: _Text | None = None
    """The main session of a sub-agent."""


class Manifest(_Part, frozen=True, kw_only=True):
    """What a bundle holds, and where it comes from."""

    format: int
    ccdash: _Text
    """Version that wrote it."""
    exported_at: _Text
    what: Literal["session", "feature", "project", "all"]
    id: _Text | None
    home: _Text
    """Home folder of the user who wrote it."""
    redacted: bool
    sessions: list[Session]
    logs: list[Log]
    documents: list[Document]
    journal: File

    def files(self) -> Iterator[File]:
        """All files after the manifest, in their order."""
        yield from self.logs
        yield from self.documents
        yield self.journal


class _Format(msgspec.Struct):
    format: int


_decode = msgspec.json.Decoder(Manifest).decode
_SLUG_AND_NAME = 2
_UNFIT = re.compile(r"[\0-\x1f\x7f]")


def decode(data: bytes) -> Manifest:
    """A manifest from its file. Raises ValueError, in words for people, where it is none that can be trusted."""
    try:
        number = msgspec.json.decode(data, type=_Format).format
        if number != FORMAT:
            newer = "; import it with a newer version of ccdash" if number > FORMAT else ""
            raise ValueError(f"it is of format {number}, and this version of ccdash reads {FORMAT}{newer}")
        manifest = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"its manifest cannot be read: {error}") from None
    names = [file.name for file in manifest.files()]
    if len(set(names)) < len(names):
        raise ValueError("its manifest names a file twice")
    known = {session.id for session in manifest.sessions}
    places: set[str] = set()
    for log in manifest.logs:
        if log.session not in known:
            raise ValueError("its manifest has a log of a session that it does not name")
        if not is_log(log.place):
            raise ValueError(f"its manifest has {log.path[:200]!r} for the place of a log")
    for place, versions in groupby(manifest.logs, lambda log: log.place):
        if place in places or len({log.session for log in versions}) > 1:
            raise ValueError(f"its manifest has {place[:200]!r} for the place of several logs")
        places.add(place)
    return manifest


def is_log(path: str) -> bool:
    """Whether a path is one that a log can have below an agent's folder, and cannot lead out of it."""
    parts = path.split("/")
    if len(parts) < _SLUG_AND_NAME or any(part in ("", ".", "..") for part in parts) or _UNFIT.search(path):
        return False
    return max(len(part.encode("utf-8", "surrogateescape")) for part in parts) <= 255 and identify("/" + path) is not None
