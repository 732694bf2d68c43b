"""What tells that a log on disk changed: a hash of a few of its bytes, and a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial

META_CAP = 64 * 1024
"""Bytes of a description of a sub-agent that are read."""

_WHOLE = 64 * 1024
_EDGE = 4096
_SAMPLE = 512
_SAMPLES = 14

Read = Callable[[int, int], bytes]
"""``read(length, offset)`` of some log."""


def guard(fd: int, end: int) -> bytes:
    """A hash of the bytes before `end`: of all while they are few, else of both edges and windows between them.

    Tells a log that grew from one that was rewritten, at the cost of a few reads whatever its size.
    """
    return guard_of(partial(os.pread, fd), end)


def guard_of(read: Read, end: int) -> bytes:
    """`guard` of a log that is no open file."""
    digest = hashlib.blake2b(digest_size=16)
    if end <= _WHOLE:
        digest.update(read(end, 0))
        return digest.digest()
    digest.update(read(_EDGE, 0))
    digest.update(read(_EDGE, end - _EDGE))
    step = (end - 2 * _EDGE) // _SAMPLES
    for number in range(_SAMPLES):
        digest.update(read(_SAMPLE, _EDGE + number * step))
    return digest.digest()


def description(path: str) -> str | None:
    """Where the description of a sub-agent stands, whose log this is; None for other logs."""
    return path.removesuffix(".jsonl") + ".meta.json" if "/agent-" in path else None


def described(path: str) -> bytes | None:
    """What describes the sub-agent whose log this is: a few lines of JSON. None where there is nothing."""
    place = description(path)
    if place is None:
        return None
    try:
        with open(place, "rb") as file:
            return file.read(META_CAP)
    except OSError:
        return None


def stamp(path: str, mtime_ns: int) -> int:
    """The time by which a change of a log is told: a sub-agent's depends on that of its description too.

    It stays within a second of `mtime_ns`, so that it still orders logs.
    """
    described = description(path)
    if described is None:
        return mtime_ns
    try:
        return mtime_ns + 1 + os.stat(described).st_mtime_ns % 999_999_937
    except OSError:
        return mtime_ns
