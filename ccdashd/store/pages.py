"""Pages of a transcript: `PAGE` entries packed into one row. Imports neither SQLAlchemy nor anything of the daemon's frame,
since parse workers pack pages too."""

from __future__ import annotations

import msgspec
import zstandard

from ccdashd.sources.model import Entry

_LEVEL = 1
"""Compression pays by its ratio on short texts; higher levels gained 3 % for twice the time."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Entry])


def pack(entries: list[Entry]) -> bytes:
    """A page as it is stored."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encoder.encode(entries))


def unpack(data: bytes) -> list[Entry]:
    """The entries of a stored page. Raises `zstandard.ZstdError` or `msgspec.DecodeError` where it is damaged."""
    return _decoder.decode(zstandard.ZstdDecompressor().decompress(data))
