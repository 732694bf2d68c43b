"""Pieces of logs, each a file of its own: cut where the content says, named by their hash, compressed.

Logs that have a part in common, such as forks of a session, share the chunks of that part. A log that grew differs in its
last chunk only, since each cut depends on nothing but the bytes of its chunk.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Annotated
from zlib import crc32

import msgspec
import zstandard
from msgspec import Meta

from ccdashd.archive.staging import Staging

MIN = 512 * 1024
"""Bytes that a chunk has at least, but for the last of a log."""

MAX = 2 * 1024 * 1024
"""Bytes that a chunk has at most."""

_WINDOW = 48
_MASK = 0xFF
_LEVEL = 3
_KEPT = 4
"""Chunks that are kept in memory when read: records are asked for in groups."""

_NAME = re.compile(r"[0-9a-f]{64}\.zst")


class Damaged(OSError):
    """A file of the archive is not what it was when it was written."""


class Missing(OSError):
    """The archive has no such file or version."""


class Unreadable(OSError):
    """A folder of the archive cannot be looked at."""


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """A piece of a log: the SHA-256 of its bytes, in hex, and how many they are."""

    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(ge=1, le=MAX)]


def cut(data: bytes, start: int) -> int | None:
    """Where the chunk ends that begins at `start`; None where more bytes must be known, or are the log's last.

    A chunk ends behind the first line of which the CRC-32 of the last bytes fits, else behind its last line, else anywhere.
    """
    stop = start + MAX
    last = None
    newline = data.find(b"\n", start + MIN - 1, stop)
    while newline >= 0:
        last = newline + 1
        if not crc32(data[last - _WINDOW : last]) & _MASK:
            return last
        newline = data.find(b"\n", last, stop)
    if len(data) < stop:
        return None
    return last or stop


class Chunks:
    """The chunks below a folder. Safe to read from several threads."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def path(self, hash: str) -> str:
        """Where the chunk with this hash is, or would be."""
        return f"{self.folder}/{hash[:2]}/{hash}.zst"

    def read(self, chunk: Chunk) -> bytes:
        """The bytes of a chunk, compared with its hash. Raises Missing, Damaged, or another OSError."""
        with self._lock:
            known = self._recent.get(chunk.hash)
            if known is not None:
                self._recent.move_to_end(chunk.hash)
                return known
        data = self.load(chunk)
        with self._lock:
            self._recent[chunk.hash] = data
            while len(self._recent) > _KEPT:
                self._recent.popitem(last=False)
        return data

    def load(self, chunk: Chunk) -> bytes:
        """`read`, from disk in any case."""
        path = self.path(chunk.hash)
        try:
            with open(path, "rb") as file:
                data = unpack(file.read(2 * MAX), chunk.size)
        except FileNotFoundError:
            raise Missing(f"the archive lacks {path}") from None
        except ValueError:
            data = None
        if data is None or hashlib.sha256(data).hexdigest() != chunk.hash:
            raise Damaged(f"{path} is damaged")
        return data

    def put(self, data: bytes, staging: Staging, *, anew: bool = False) -> Chunk:
        """Put bytes into the store, where they are not there yet; `anew` also looks whether what is there is whole.

        Raises OSError.
        """
        chunk = Chunk(hashlib.sha256(data).hexdigest(), len(data))
        path = self.path(chunk.hash)
        if path not in staging and not (self._is_whole(chunk) if anew else os.path.exists(path)):
            staging.put(path, pack(data))
        return chunk

    def _is_whole(self, chunk: Chunk) -> bool:
        try:
            self.load(chunk)
        except (Missing, Damaged):
            return False
        return True

    def all(self) -> Iterator[os.DirEntry[str]]:
        """The file of every chunk that is there. Raises Unreadable."""
        for folder in folders(self.folder):
            for entry in entries(folder):
                if _NAME.fullmatch(entry.name):
                    yield entry


def entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder of the archive, by name; nothing where there is no such folder. Raises Unreadable."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unreadable(error.errno, f"the archive cannot be read: {error.strerror}") from error


def folders(folder: str) -> list[str]:
    """The folders in a folder of the archive. Raises Unreadable."""
    return [entry.path for entry in entries(folder) if entry.is_dir(follow_symlinks=False)]


def pack(data: bytes) -> bytes:
    """The zstd frame of a chunk, with its length and a checksum."""
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)


def unpack(frame: bytes, size: int) -> bytes:
    """The bytes of a frame, of which `size` are expected. Raises ValueError where it does not hold just so many."""
    try:
        # Looked at first: a frame may pretend to hold more than there is memory.
        if zstandard.frame_content_size(frame) != size:
            raise ValueError("the frame has another length")
        return zstandard.ZstdDecompressor().decompress(frame, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None


def on_disk(entry: os.stat_result) -> int:
    """Bytes that a file takes on disk."""
    return entry.st_blocks * 512
