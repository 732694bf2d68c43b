"""The codec: LSP base protocol frames around JSON-RPC 2.0 messages.

Bytes in, messages out, and back; no I/O. Formats: https://www.jsonrpc.org/specification and the *base protocol* of
https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#baseProtocol.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ccdashd.errors import CcdashError, InvalidRequest, ParseError

HEADER_CAP = 8192
"""Longest header in bytes, its blank line included."""

_END = b"\r\n\r\n"
_LENGTH = b"content-length"
_CONSUMED = 1 << 16
_SURROGATE = re.compile(rb"(\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w)|\\u[dD][89a-fA-F]\w\w")

RequestId: TypeAlias = int | float | str | None


class FrameError(InvalidRequest):
    """The stream cannot be read on: where the next frame begins is unknown, or it is larger than the cap."""


class Message(msgspec.Struct, frozen=True):
    """What any JSON-RPC message may hold. `id` is `UNSET` in a notification; `method` is `UNSET` in a response."""

    jsonrpc: Literal["2.0"]
    id: int | float | str | UnsetType | None = UNSET
    method: str | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


class _OnlyId(msgspec.Struct):
    id: int | float | str | None = None


class FrameReader:
    """Cuts a byte stream into frame bodies. Holds at most one unfinished frame beside what was fed last."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._buffer = bytearray()
        self._start = 0
        self._body: int | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes that came in."""
        self._buffer += data

    def next(self) -> bytes | None:
        """The next body, or None until more is fed. Raises `FrameError`, after which the stream is of no more use."""
        if self._body is None:
            end = self._buffer.find(_END, self._start, self._start + HEADER_CAP)
            if end < 0:
                if len(self._buffer) - self._start >= HEADER_CAP:
                    raise FrameError(f"the header of a message is longer than {HEADER_CAP} bytes")
                self._compact()
                return None
            self._body = self._content_length(bytes(self._buffer[self._start : end]))
            self._start = end + len(_END)
        if len(self._buffer) - self._start < self._body:
            self._compact()
            return None
        stop = self._start + self._body
        body = bytes(memoryview(self._buffer)[self._start : stop])
        self._start, self._body = stop, None
        if stop == len(self._buffer) or stop > _CONSUMED:
            self._compact()
        return body

    def _compact(self) -> None:
        if self._start:
            del self._buffer[: self._start]
            self._start = 0

    def _content_length(self, header: bytes) -> int:
        found: int | None = None
        for line in header.split(b"\r\n"):
            name, colon, value = line.partition(b":")
            if not colon:
                raise FrameError("a header line has no colon; a message starts with 'Content-Length: <bytes>'")
            if name.strip().lower() != _LENGTH:
                continue
            digits = value.strip()
            # int() alone would take '+5', '1_0' and any number of digits.
            if not digits.isdigit() or len(digits) > 19:
                raise FrameError("Content-Length is no number")
            if found is not None and found != int(digits):
                raise FrameError("Content-Length is given twice")
            found = int(digits)
        if found is None:
            raise FrameError("a message has no Content-Length header")
        if found > self._cap:
            raise FrameError(
                f"a message of {found} bytes is refused; the limit is {self._cap} (setting frame_cap_bytes)",
                limit=self._cap,
            )
        return found


_decoder = msgspec.json.Decoder(Message)
_any = msgspec.json.Decoder(Raw)
_only_id = msgspec.json.Decoder(_OnlyId)
_encoder = msgspec.json.Encoder()


def decode(body: bytes) -> Message:
    """The message in a frame's body.

    Raises `ParseError` where that is no JSON, `InvalidRequest` where it is no JSON-RPC 2.0 message; `id_of` then tells
    which id to answer to.
    """
    try:
        try:
            return _decoder.decode(body)
        except msgspec.ValidationError as error:
            # A wrong type is seen before broken JSON that comes after it.
            _any.decode(body)
            if body.lstrip()[:1] == b"[":
                raise InvalidRequest("batches are not served; send each message in its own frame") from error
            raise InvalidRequest(f"the message is no JSON-RPC 2.0 request: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        mended = _mended(body)
        if mended != body and _is_json(mended):
            # JSON allows it, and whoever sent it waits for an answer to its id.
            problem = "half of a surrogate pair (\\ud800 to \\udfff without its other half), which is no character"
            raise InvalidRequest(f"the message has {problem}") from error
        raise ParseError(f"the message is not JSON: {error}") from error


def id_of(body: bytes) -> RequestId:
    """The id that stands in a broken request, None where there is none."""
    try:
        return _only_id.decode(_mended(body)).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _mended(body: bytes) -> bytes:
    """The body with halves of surrogate pairs, which the decoder refuses, replaced."""
    return _SURROGATE.sub(lambda found: found[1] or b"\\ufffd", body)


def _is_json(body: bytes) -> bool:
    try:
        _any.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def encode(value: Any) -> bytes:
    """`value` as JSON."""
    return _encoder.encode(value)


def frame(*parts: bytes) -> bytes:
    """A frame whose body are `parts`."""
    return b"".join((b"Content-Length: %d\r\n\r\n" % sum(map(len, parts)), *parts))


def request(request_id: RequestId, method: str, params: Any) -> bytes:
    """The frame of something that the daemon asks a client; None for no parameters."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id, "method": method}
    if params is not None:
        body["params"] = params
    return frame(_encoder.encode(body))


def response(request_id: RequestId, result: bytes) -> bytes:
    """The frame that answers a request; `result` is JSON already."""
    return frame(b'{"jsonrpc":"2.0","id":', _encoder.encode(request_id), b',"result":', result, b"}")


def error_response(request_id: RequestId, error: CcdashError) -> bytes:
    """The frame that refuses a request."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data:
        body["data"] = error.data
    return frame(b'{"jsonrpc":"2.0","id":', _encoder.encode(request_id), b',"error":', _encoder.encode(body), b"}")


def notification(method: str, params: Any) -> bytes:
    """The frame of something that the daemon says on its own."""
    return frame(b'{"jsonrpc":"2.0","method":', _encoder.encode(method), b',"params":', _encoder.encode(params), b"}")
