"""Every error that crosses the wire.

    CcdashError
    ├── ParseError        -32700  the frame is not JSON                           (the client's fault)
    ├── InvalidRequest    -32600  the message is not a JSON-RPC 2.0 request       (the client's fault)
    ├── MethodNotFound    -32601                                                  (the client's fault)
    ├── InvalidParams     -32602  data: {field, problem, got, candidates?}        (the client's fault)
    ├── Internal          -32603  data: {id} to find it in the log                (ours)
    ├── RequestCancelled  -32800  the client cancelled
    ├── NotFound          -32001  data: {type, id, candidates?}
    ├── Conflict          -32002  the thing changed since the client saw it
    ├── ReadOnly          -32003  the source is gone, outside any project root, or cannot be edited safely
    ├── Busy              -32004  try again; data: {reason, retryAfter}
    ├── Unsupported       -32005  not on this platform or store
    ├── ShuttingDown      -32006
    └── ClientOutdated    -32011  data: {protocol}: upgrade the client

Messages are sentences for people: what, where, and what to do. They never hold a traceback, nor a path that the caller
did not name. Where a name is that of several entities, `candidates` has the ids of the first few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

_SHOWN = 200
"""Characters, or bytes of JSON, of what was given that an error repeats."""


class CcdashError(Exception):
    """Base of all errors that are answered to a client as they are."""

    code: ClassVar[int] = -32603

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, Any] = data


class ParseError(CcdashError):
    """The bytes of a frame are not UTF-8 JSON."""

    code = -32700


class InvalidRequest(CcdashError):
    """The message is JSON, but no JSON-RPC 2.0 request."""

    code = -32600


class MethodNotFound(CcdashError):
    """No such method in the table."""

    code = -32601


class InvalidParams(CcdashError):
    """A parameter is missing or wrong; `data` says which field, what is wrong with it, and what was given, unless it is so
    large that an error should not repeat it."""

    code = -32602

    def __init__(self, field: str, problem: str, got: Any = None, candidates: Sequence[str] = ()) -> None:
        field = field if len(field) <= _SHOWN else field[:_SHOWN] + "…"
        super().__init__(f"{field}: {problem}", field=field, problem=problem, got=_short(got), **_some(candidates))


class Internal(CcdashError):
    """A fault of the daemon. The log holds the traceback under `data.id`; the wire never does."""

    code = -32603


class RequestCancelled(CcdashError):
    """The client sent ``$/cancelRequest``."""

    code = -32800


class NotFound(CcdashError):
    """There is no entity of that type and id."""

    code = -32001

    def __init__(self, type: str, id: str, hint: str = "", candidates: Sequence[str] = ()) -> None:
        id = id if len(id) <= 1000 else id[:1000] + "…"
        super().__init__(f"no {type} {id!r}" + (f"; {hint}" if hint else ""), type=type, id=id, **_some(candidates))


class Conflict(CcdashError):
    """The thing changed since the client saw it: read it again, then retry."""

    code = -32002


class ReadOnly(CcdashError):
    """The source is gone, lies outside every project root, or cannot be edited without guessing."""

    code = -32003


class Busy(CcdashError):
    """Cannot be answered now; `data.reason` says why and `data.retryAfter` how many seconds to wait."""

    code = -32004

    def __init__(self, message: str, reason: str, retry_after: float = 1.0) -> None:
        super().__init__(message, reason=reason, retryAfter=retry_after)


class Unsupported(CcdashError):
    """Not possible on this platform or with this store."""

    code = -32005


class ShuttingDown(CcdashError):
    """The daemon is stopping and takes no more requests."""

    code = -32006


class ClientOutdated(CcdashError):
    """The client speaks an older protocol than the daemon still serves."""

    code = -32011


def _some(candidates: Sequence[str]) -> dict[str, list[str]]:
    return {"candidates": list(candidates)} if candidates else {}


def _short(given: Any) -> Any:
    try:
        encoded = msgspec.json.encode(given)
    except (TypeError, ValueError, RecursionError):
        return None
    if len(encoded) <= _SHOWN:
        return given
    return given[:_SHOWN] + "…" if isinstance(given, str) else encoded[:_SHOWN].decode("utf-8", "replace") + "…"


def plain(error: Exception) -> str:
    """An error in plain words, without what only the log should hold."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if type(error).__module__.startswith("ccdashd."):
        return str(error)
    return f"an internal error ({type(error).__name__}); the log says more"
