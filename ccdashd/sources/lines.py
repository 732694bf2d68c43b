"""Lines of a JSONL log, and what can be saved of a damaged one. Pure: bytes in, bytes out.

A log is a sequence of objects, meant to stand one to a line. Writers crash, race and append to files without a final
newline, so a line may hold two objects, or a torn one followed by a whole one; such lines are taken apart here.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

BOM = b"\xef\xbb\xbf"
BLANK = b" \t\r\n\x00"

# How records of agent logs begin. A nested object begins otherwise, or is not followed by a record or the line's end.
_BEGIN = re.compile(
    rb'\{\s*"(?:type|parentUuid|logicalParentUuid|messageId|summary|leafUuid|sessionId|session_id|uuid|timestamp|'
    rb'isSidechain|isMeta|operation|message|userType|cwd|version|display)"\s*:'
)
_MAX_TRIES = 64
_ENVELOPE = frozenset({"uuid", "sessionId", "leafUuid", "messageId", "timestamp", "operation"})
_decoder = json.JSONDecoder(strict=False)


def recover(line: bytes) -> list[tuple[int, int, dict[str, Any]]]:
    """The records that a line holds which is no single JSON object: ``(offset in line, length, record)`` each.

    Handles glued records, a torn record followed by a whole one, and NUL runs; U+FFFD takes the place of bytes that are
    not UTF-8 and of lone surrogates. Empty when nothing can be saved.
    """
    found: list[tuple[int, int, dict[str, Any]]] = []
    position = 0
    tries = 0
    while position < len(line) and tries < _MAX_TRIES:
        match = _BEGIN.search(line, position)
        if match is None:
            break
        tries += 1
        text = line[match.start() :].decode("utf-8", "replace")
        try:
            value, chars = _decoder.raw_decode(text)
            value = clean(value)
        except (ValueError, RecursionError):
            position = match.start() + 1
            continue
        length = _byte_length(line, match.start(), text, chars)
        after = line[match.start() + length :].lstrip(BLANK)
        if isinstance(value, dict) and _ENVELOPE & value.keys() and (not after or after[:1] == b"{"):
            found.append((match.start(), length, value))
            position = match.start() + length
        else:
            position = match.start() + 1
    return found


def _byte_length(line: bytes, start: int, text: str, chars: int) -> int:
    """Bytes that the first `chars` characters take in the line; exact also where bytes were replaced."""
    length = len(text[:chars].encode())
    if start + length <= len(line) and line[start : start + length].decode("utf-8", "replace") == text[:chars]:
        return length
    # Bad bytes were replaced by a longer U+FFFD: find the end by bisection on the number of characters decoded.
    low, high = chars, length
    while low < high:
        middle = (low + high) // 2
        if len(line[start : start + middle].decode("utf-8", "replace")) < chars:
            low = middle + 1
        else:
            high = middle
    return low


def loads(data: bytes) -> Any:
    """One JSON value from bytes that a strict decoder refused: bad UTF-8 and lone surrogates become U+FFFD.

    Raises ValueError when it is no JSON all the same.
    """
    try:
        return clean(json.loads(data.decode("utf-8", "replace").strip("\x00 \t\r\n"), strict=False))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def clean(value: Any) -> Any:
    """The value with each lone surrogate in its strings replaced by U+FFFD, so that it can be stored and sent."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


_CUT = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?$")
_SURROGATE_CUT = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}$")
_string = msgspec.json.Decoder(str)


def head(raw: bytes | memoryview, cap: int) -> tuple[str, bool]:
    """The first `cap` bytes or so of a JSON string, and whether more follows. Does not decode the rest.

    `raw` is the encoded string with its quotes, known to be well-formed.
    """
    cut = len(raw) > cap + 2
    piece: bytes | memoryview = raw
    if cut:
        body = bytes(raw[: cap + 1])
        if b"\\" in body[-6:]:
            body = _without_cut_escape(body)
        if body[-1] >= 0x80:
            body = _without_last_character(body)
        piece = body + b'"'
    try:
        return _string.decode(piece), cut
    except (msgspec.DecodeError, ValueError):
        try:
            value = loads(bytes(piece))
        except ValueError:
            return "", True
        return (value if isinstance(value, str) else ""), cut


def _without_cut_escape(body: bytes) -> bytes:
    """The encoded text without an escape at its end that is not whole, or that is the first half of a pair."""
    backslashes = len(body) - len(body.rstrip(b"\\"))
    if backslashes % 2:
        body = body[:-1]
    elif backslashes == 0 and (match := _CUT.search(body)) and not _escaped(body, match.start()):
        body = body[: match.start()]
    if (match := _SURROGATE_CUT.search(body)) and not _escaped(body, match.start()):
        body = body[: match.start()]
    return body


def _without_last_character(body: bytes) -> bytes:
    """The encoded text without its last character, of which the last bytes may be missing."""
    while body[-1] & 0xC0 == 0x80:
        body = body[:-1]
    return body[:-1] if body[-1] >= 0xC0 else body


def _escaped(body: bytes, position: int) -> bool:
    before = body[:position]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def is_string(raw: msgspec.Raw) -> bool:
    """Whether the encoded value is a string."""
    return bytes(memoryview(raw)[:1]) == b'"'


def count_lines(raw: msgspec.Raw) -> int:
    """Lines of an encoded string: newlines, and a last line without one. Decodes it only where backslashes stand in it."""
    data = bytes(raw)
    if b"\\\\" in data or b"\\u" in data:
        text, _ = head(data, len(data))
        return text.count("\n") + (not text.endswith("\n")) if text else 0
    return data.count(b"\\n") + (not data.endswith(b'\\n"')) if len(data) > 2 else 0
