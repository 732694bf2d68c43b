"""The bytes of a bundle: tar headers, zstd frames, and the seal at the end."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

BLOCK = 512
END = bytes(2 * BLOCK)
"""What ends a tar archive."""

PIECE = 1024 * 1024
"""Bytes that are read at a time."""

_LEVEL = 3
_WINDOW = 8 * 1024 * 1024
"""Bytes of a frame that a reader keeps in memory at most; what we write needs 2 MB."""

_OCTAL_MAX = 8**11
_SKIPPED = 0x184D2A5C
_SEAL_KIND = b"ccdash01"
_SEAL_HEAD = struct.pack("<II", _SKIPPED, len(_SEAL_KIND) + 32) + _SEAL_KIND
SEAL_SIZE = len(_SEAL_HEAD) + 32

RATIO = 1000
"""How many times as long as the bundle its files may be together, above `RATIO_FROM`; logs are 5 to 50 times as long."""

RATIO_FROM = 64 * 1024 * 1024


class BadBundle(ValueError):
    """The file is no bundle that can be trusted; the message says why, in words for people."""


def header(name: str, size: int) -> bytes:
    """The tar header of a regular file of at least 0 bytes, always the same for the same name and size."""
    number = b"%011o\0" % size if size < _OCTAL_MAX else b"\x80" + size.to_bytes(11, "big")
    before = name.encode("ascii").ljust(100, b"\0") + b"0000600\0" + b"0000000\0" * 2 + number + b"%011o\0" % 0
    after = b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return before + b"%06o\0 " % checksum + after


def padding(size: int) -> bytes:
    """What follows a file of that size, up to the next block."""
    return bytes(-size % BLOCK)


def size_in(block: bytes, name: str) -> int | None:
    """The size in a header that is just as `header` writes it for a file of that name; None for any other."""
    field = block[124:136]
    try:
        size = int.from_bytes(field[1:], "big") if field[:1] == b"\x80" else int(field.rstrip(b"\0"), 8)
    except ValueError:
        return None
    return size if 0 <= size < 2**63 and block == header(name, size) else None


def compressor() -> zstandard.ZstdCompressor:
    """What makes the frames."""
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)


def frame(data: bytes) -> bytes:
    """One frame of its own."""
    return compressor().compress(data)


def seal(digest: bytes) -> bytes:
    """The end of a bundle of which all bytes before have that SHA-256."""
    return _SEAL_HEAD + digest


def check_seal(file: BinaryIO, size: int) -> None:
    """Read all of a file of that size, and compare it with its seal. Raises BadBundle, or OSError."""
    end = size - SEAL_SIZE
    digest = hashlib.sha256()
    file.seek(0)
    done = 0
    while done < end:
        data = file.read(min(PIECE, end - done))
        if not data:
            break
        digest.update(data)
        done += len(data)
    found = file.read(SEAL_SIZE + 1)
    if end <= 0 or not found.startswith(_SEAL_HEAD):
        raise BadBundle("it is no bundle of ccdash, or not all of one")
    if found != seal(digest.digest()):
        raise BadBundle("it is not what was exported: some of its bytes are others, or are missing")


class Stream:
    """The bytes in the frames of a bundle, one after the other. Raises BadBundle where they are none, or too many."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        file.seek(0)
        self._limit = max(size * RATIO, RATIO_FROM)
        self._read = 0
        decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._stream = decompressor.stream_reader(file, read_size=PIECE, read_across_frames=True, closefd=False)

    def exactly(self, length: int) -> bytes:
        """The next bytes, so many of them. For short lengths."""
        return b"".join(self.pieces(length))

    def pieces(self, length: int) -> Iterator[bytes]:
        """The next bytes, so many of them, piece by piece."""
        while length:
            data = self._some(min(length, PIECE))
            if not data:
                raise BadBundle("it ends too early")
            length -= len(data)
            yield data

    def is_at_end(self) -> bool:
        """Whether no byte follows."""
        return not self._some(1)

    def _some(self, length: int) -> bytes:
        try:
            data = self._stream.read(length)
        except zstandard.ZstdError as error:
            raise BadBundle(f"it cannot be unpacked: {error}") from None
        self._read += len(data)
        if self._read > self._limit:
            raise BadBundle(f"it unpacks to more than {RATIO:,} times its size, as logs do not")
        return data
