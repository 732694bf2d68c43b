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


class Head(msgspec.Struct, array_like=True, gc=False):
    """An entry without its text, which is most of it: the fields of `Entry` in its order, some of them left encoded."""

    offset: int
    length: int
    block: int
    kind: int
    time: int | None
    uuid: str | None
    parent: str | None
    text: msgspec.Raw
    truncated: bool
    model: msgspec.Raw
    tool: msgspec.Raw
    tool_use_id: str | None
    is_error: bool
    sidechain: bool


_heads = msgspec.msgpack.Decoder(list[Head])


def pack(entries: list[Entry]) -> bytes:
    """A page as it is stored."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encoder.encode(entries))


def unpack(data: bytes) -> list[Entry]:
    """The entries of a stored page. Raises `zstandard.ZstdError` or `msgspec.DecodeError` where it is damaged."""
    return _decoder.decode(zstandard.ZstdDecompressor().decompress(data))


def unpack_heads(data: bytes) -> list[Head]:
    """The same without texts, in a third of the time. Raises as `unpack`."""
    return _heads.decode(zstandard.ZstdDecompressor().decompress(data))
