"""What is wrong with a journal, line by line, and what of it can be set right. Pure."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ccdashd.edits.seal import is_damaged, is_sealed, mend

_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Damage(NamedTuple):
    """Lines next to each other that are not what was written."""

    line: int
    """Number of the first, counted from 1."""
    offset: int
    raw: bytes
    mended: bytes | None
    """What was written there, of the same length; None where nobody can tell any more."""

    @property
    def problem(self) -> str:
        """What is wrong, in words."""
        lines = self.raw.rstrip(b"\n").count(b"\n") + 1
        which = f"line {self.line} is" if lines == 1 else f"lines {self.line} to {self.line + lines - 1} are"
        return f"{which} not what was written: {'one bit is another' if self.mended is not None else 'damaged'}"


def examine(data: bytes) -> list[Damage]:
    """The damages of a journal, in their order. Lines of newer versions, and empty ones, are none."""
    return list(_damages(data))


def _damages(data: bytes) -> Iterator[Damage]:
    for line, offset, raw in _runs(data):
        mended = mend(raw)
        if mended is not None or raw.count(b"\n") <= 1:
            yield from _if_damaged(line, offset, raw, mended)
            continue
        for number, each in enumerate(io.BytesIO(raw), line):
            yield from _if_damaged(number, offset, each, mend(each))
            offset += len(each)


def _if_damaged(line: int, offset: int, raw: bytes, mended: bytes | None) -> Iterator[Damage]:
    if mended is not None or not _may_be(raw):
        yield Damage(line, offset, raw, mended)


def mended(data: bytes) -> bytes:
    """The journal with those damages set right of which it is known what was there; as long as before."""
    return replaced(data, {damage.offset: damage.mended for damage in examine(data) if damage.mended is not None})


def replaced(data: bytes, pieces: dict[int, bytes]) -> bytes:
    """The journal with these pieces, by offset, in the place of what is there."""
    changed = bytearray(data)
    for offset, piece in pieces.items():
        changed[offset : offset + len(piece)] = piece
    return bytes(changed)


def _runs(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of runs of lines that may be damaged."""
    first, start, run, offset = 0, 0, b"", 0
    for number, raw in enumerate(io.BytesIO(data), 1):
        if _is_suspect(raw):
            if not run:
                first, start = number, offset
            run += raw
        elif run:
            yield first, start, run
            run = b""
        offset += len(raw)
    if run:
        yield first, start, run


def _is_suspect(raw: bytes) -> bool:
    return is_damaged(raw) or not _may_be(raw)


def _may_be(raw: bytes) -> bool:
    """Whether a line may be one that was written, by hand or by some version: an object with a type, or nothing."""
    if is_sealed(raw) is False:
        return False
    if not raw.strip(b"\0 \t\r\n"):
        return True
    try:
        return "type" in _Object.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
