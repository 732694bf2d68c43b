"""What the daemon asks the process that checks, and what that answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from ccdashd.settings import Settings

Part = Literal["cache", "text", "archive", "journal", "counters", "backups", "files", "plans"]
"""As `protocol.types.Fault` has it."""

Remedy = Literal["", "anew", "damaged", "rescan", "text", "archive", "journal", "counters"]
"""What the daemon can do about a fault: put the cache that was made anew in the place of the other one; move a cache aside
of which nothing can be taken over; compare all files with the cache; mend that part. Nothing for the empty one."""


class Job(msgspec.Struct, kw_only=True):
    """Which profile is to be checked. Paths are as the file system has them."""

    settings: bytes
    """`Settings` as JSON."""
    cache: bytes
    new: bytes
    """Where the cache is made that the one in use is compared with; there is nothing."""
    text: bytes
    archive: bytes
    journal: bytes
    counters: bytes
    backups: bytes


class Progress(msgspec.Struct, tag=True):
    """How far it is. Sizes in bytes."""

    done: int
    total: int
    files_done: int
    files_total: int


class Found(msgspec.Struct, tag=True, frozen=True):
    """A fault."""

    part: Part
    where: str
    problem: str
    repair: str
    """What repairs it, in words."""
    remedy: Remedy


class Checked(msgspec.Struct, tag=True, kw_only=True):
    """The last answer."""

    files: int
    """Logs and planning files that were read."""
    copies: int
    """Chunks of the archive that were read."""
    changed_logs: list[bytes]
    """Paths of logs that were written while they were to be compared; they were not."""
    changed_plans: list[tuple[str, bytes, str]]
    """The same of planning files: project, its root, and path in it."""
    damaged_logs: list[bytes]
    """Logs of whose copies something is damaged or missing."""
    damaged_manifests: list[bytes]
    """Files of manifests that cannot be read."""
    journal_fits: bool
    """Whether the journal is the one that the cache knows, up to where it knows it."""


Answer = Progress | Found | Checked

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Answer).decode
decode_job = msgspec.msgpack.Decoder(Job).decode


def encode_settings(settings: Settings) -> bytes:
    """Settings for a job."""
    return msgspec.json.encode(settings, enc_hook=str)


def decode_settings(data: bytes) -> Settings:
    """The inverse of `encode_settings`."""
    return msgspec.json.decode(data, type=Settings, dec_hook=lambda kind, value: kind(value))
