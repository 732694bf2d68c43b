"""What the archive has of one log: a file of JSON for each, which names the chunks of every version in their order."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Annotated

import msgspec
from msgspec import Meta

from ccdashd.archive.chunks import Chunk

FORMAT = 1

_CHECKSUM = b',"checksum":"'
_VERSIONED = re.compile(r"(.+\.jsonl)#([0-9a-f]{12})", re.DOTALL)

_Natural = Annotated[int, Meta(ge=0)]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A log as it was at one time. It grows as long as the log does; a log that was rewritten begins another version."""

    size: _Natural
    mtime_ns: int
    """By `logfile.stamp`."""
    guard: bytes
    """`logfile.guard` of all of it."""
    archived_at: str
    chunks: tuple[Chunk, ...]
    meta: bytes | None = None
    """What described the sub-agent whose log it is: the file ``agent-*.meta.json`` beside it, whole."""

    def __post_init__(self) -> None:
        if sum(chunk.size for chunk in self.chunks) != self.size:
            raise ValueError("the chunks of a version are not as long as it")

    @property
    def id(self) -> str:
        """Tells versions of a log apart: made of their chunks."""
        return hashlib.blake2b("".join(chunk.hash for chunk in self.chunks).encode(), digest_size=16).hexdigest()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All versions of one log, the newest last. There is at least one."""

    path: str
    """Absolute; U+FFFD stands for what is not UTF-8."""
    path_bytes: bytes | None = None
    """The path as the file system gives it, where it is not UTF-8."""
    versions: Annotated[tuple[Version, ...], Meta(min_length=1)]
    format: int = FORMAT

    @property
    def log(self) -> str:
        """The path of the log, for the file system."""
        return os.fsdecode(self.path_bytes) if self.path_bytes is not None else self.path

    @property
    def newest(self) -> Version:
        """The version that came last."""
        return self.versions[-1]

    def versioned(self, version: Version) -> str:
        """The path by which the cache knows an earlier version."""
        return f"{self.log}#{version.id[:12]}"

    def named(self, id: str) -> Version | None:
        """The version whose id begins so."""
        return next((version for version in self.versions if version.id.startswith(id)), None)


def of(path: str, versions: tuple[Version, ...]) -> Manifest:
    """The manifest of the log at `path`."""
    raw = os.fsencode(path)
    shown = raw.decode("utf-8", "replace")
    return Manifest(path=shown, path_bytes=None if shown.encode() == raw else raw, versions=versions)


def split(path: str) -> tuple[str, str | None]:
    """The path of a log and, where an earlier version is meant, the beginning of its id."""
    versioned = _VERSIONED.fullmatch(path)
    return (versioned[1], versioned[2]) if versioned is not None else (path, None)


def name(path: str) -> str:
    """The name of the manifest of the log at `path`, below the folder of manifests."""
    digest = hashlib.blake2b(os.fsencode(path), digest_size=16).hexdigest()
    return f"{digest[:2]}/{digest}.json"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Manifest).decode


def encode(manifest: Manifest) -> bytes:
    """The file of a manifest: JSON, whose last member is the SHA-256 of all before it."""
    body = _encode(manifest)[:-1]
    return body + _CHECKSUM + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def decode(data: bytes) -> Manifest:
    """A manifest from its file. Raises ValueError where it is not as it was written, or by a newer ccdash."""
    body, found, checksum = data.rpartition(_CHECKSUM)
    if not found or checksum != hashlib.sha256(body).hexdigest().encode() + b'"}\n':
        raise ValueError("its checksum does not fit")
    manifest = _decode(data)
    if manifest.format != FORMAT:
        raise ValueError(f"its format is {manifest.format}, of a newer version of ccdash")
    return manifest
