"""Images and other binary content inside records: found, decoded, and told apart by their first bytes. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

UNKNOWN: Final = "application/octet-stream"

_FIELDS: Final = ("data", "base64", "blob", "image_data", "b64_json")
"""Fields that hold base64 in the blocks of the API, in results of tools, and in those of MCP servers."""

_ENCODED: Final = frozenset({"base64", "b64_json"})
"""Those of them that hold nothing else."""

_DECLARING: Final = ("media_type", "mediaType", "mimeType", "mime_type", "type")
"""Fields beside them that tell the type."""

_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,", re.IGNORECASE)
_BLANKS = re.compile(r"[\r\n\t ]+")

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (8, b"WAVE", "audio/wav"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)
"""Where in a file, which bytes, and what it is then; the first that fits."""


class Blob(NamedTuple):
    """Binary content. `declared` is the type that the record says."""

    data: bytes
    declared: str | None

    @property
    def media_type(self) -> str:
        """By the first bytes, never by what the record says: a browser would run what is declared to be HTML or SVG."""
        for start, magic, media_type in _MAGIC:
            if self.data.startswith(magic, start):
                return media_type
        return UNKNOWN

    @property
    def sha256(self) -> str:
        """In hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def take(record: Any, name: Callable[[int], str]) -> list[Blob]:
    """The binary content of a JSON value, in order, equal content once; the text that encodes it is replaced, within the
    value, by what `name` gives for its number."""
    found: dict[bytes, int] = {}
    blobs: list[Blob] = []
    left = [record]
    while left:
        value = left.pop()
        if isinstance(value, list):
            fields: list[Any] = list(range(len(value)))
        elif isinstance(value, dict):
            fields = list(value)
        else:
            continue
        for field in fields:
            blob = _blob(value, field) if isinstance(value[field], str) else None
            if blob is not None:
                number = found.setdefault(blob.data, len(found))
                if number == len(blobs):
                    blobs.append(blob)
                value[field] = name(number)
        left += [value[field] for field in reversed(fields)]
    return blobs


def _blob(holder: Any, field: Any) -> Blob | None:
    text: str = holder[field]
    uri = _DATA_URI.match(text) if text[:5].lower() == "data:" else None
    if uri is not None:
        return _decoded(text[uri.end() :], uri[1])
    if not isinstance(holder, dict) or field not in _FIELDS or holder.get("type") == "text":
        return None
    marked = holder.get("type") == "base64" or field in _ENCODED
    declared = next((holder[key] for key in _DECLARING if isinstance(holder.get(key), str)), None)
    declared = declared if declared is None or "/" in declared else None
    if declared is None and not marked:
        return None
    blob = _decoded(text, declared)
    # A word may look like base64: where nothing says that it is, it is what it is declared to be.
    plain = not marked and declared is not None and declared.startswith(("text/", "application/json"))
    return None if blob is not None and plain and blob.media_type == UNKNOWN else blob


def _decoded(text: str, declared: str | None) -> Blob | None:
    """The content, where the text is base64; it may be broken into lines."""
    try:
        data = base64.b64decode(
            _BLANKS.sub("", text) if len(text) > 76 and _BLANKS.search(text, 0, 100) else text, validate=True
        )
    except (binascii.Error, ValueError):
        return None
    return Blob(data, declared) if data else None
