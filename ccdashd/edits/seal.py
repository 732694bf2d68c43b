"""The checksum at the end of a line of the journal, by which a damaged line is told, and a flipped bit is set right.

    {"type":"tag","op":"set","name":"urgent","sum":"6b1f0c2d9e8a7f35"}

It is a field like any other, which older versions skip. Lines without one are from before, or were written by hand.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator

_SEAL = re.compile(rb'(.+),"sum":"([0-9a-f]{16})"}\n?', re.DOTALL)
_SHAPE = b',"sum":"0000000000000000"}\n'
_LETTERS = 8
"""Bytes of `_SHAPE` before the checksum."""

MENDED_UP_TO = 16 * 1024
"""Bytes of a piece in which a flipped bit is looked for: each bit costs a hash of all of it."""


def seal(line: bytes) -> bytes:
    """A line, a JSON object that is not empty, with its checksum."""
    body = line.rstrip(b"\n")[:-1]
    return b'%b,"sum":"%b"}\n' % (body, _checksum(body))


def is_sealed(line: bytes) -> bool | None:
    """Whether the line is the one that was written; None where it has no checksum."""
    match = _SEAL.fullmatch(line)
    return None if match is None else match[2] == _checksum(match[1])


def is_damaged(line: bytes) -> bool:
    """Whether the line had a checksum when it was written, and is another one now."""
    sealed = is_sealed(line)
    return sealed is False or (sealed is None and _is_nearly_sealed(line))


def _is_nearly_sealed(line: bytes) -> bool:
    """Whether a single flipped bit may be why the line has no checksum."""
    end = line[-len(_SHAPE) :]
    if len(end) < len(_SHAPE):
        return False
    fixed = [*range(_LETTERS), len(_SHAPE) - 3, len(_SHAPE) - 2, len(_SHAPE) - 1]
    return sum(end[at] != _SHAPE[at] for at in fixed) <= 1 and sum(byte in b"0123456789abcdef" for byte in end) >= 15


def mend(piece: bytes, is_whole: Callable[[bytes], bool] | None = None) -> bytes | None:
    """What a piece of a file was before one of its bits was flipped; None where that is not what happened to it.

    `is_whole` tells, with the help of a checksum; by default it is lines of a journal, of which a line feed may be another.
    """
    if len(piece) > MENDED_UP_TO:
        return None
    return next(filter(is_whole or _are_sealed, _flipped(piece)), None)


def _flipped(piece: bytes) -> Iterator[bytes]:
    changed = bytearray(piece)
    for at in range(len(piece)):
        for bit in range(8):
            changed[at] ^= 1 << bit
            yield bytes(changed)
            changed[at] ^= 1 << bit


def _are_sealed(piece: bytes) -> bool:
    return piece.endswith(b"}\n") and all(is_sealed(line) for line in io.BytesIO(piece) if line.strip())


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=8).hexdigest().encode()
