"""From a method's name to its answer: the registry of handlers, the lanes, the answers that are kept.

    loop    plain function, or coroutine function, on the event loop; needs no database, or waits for it itself
    read    plain function on a reader thread, inside one snapshot
    heavy   the same on a reader of its own
    write   coroutine function on the event loop, which awaits the writer

A handler is found by `handles`; `load` imports all and compares them with the table.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import secrets
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ccdashd.errors import Busy, CcdashError, Internal, MethodNotFound, ReadOnly, plain
from ccdashd.log import get
from ccdashd.protocol import frames, lsp
from ccdashd.protocol.lsp import LspMethod
from ccdashd.protocol.methods import METHODS, Method
from ccdashd.rpc.answers import Answers
from ccdashd.rpc.flights import Flights
from ccdashd.rpc.params import ParamsDecoder
from ccdashd.rpc.progress import progress

if TYPE_CHECKING:
    from sqlalchemy import Connection as DatabaseConnection

    from ccdashd.app import App
    from ccdashd.rpc.connection import Connection

HANDLER_MODULES = (
    "ccdash",
    "doctor",
    "projects",
    "sessions",
    "files",
    "documents",
    "tasks",
    "features",
    "status",
    "links",
    "external_links",
    "tags",
    "metadata",
    "analytics",
    "costs",
    "prometheus",
    "alerts",
    "cache",
    "integrity",
    "search",
    "deep",
    "archive",
    "retention",
    "storage",
    "bundles",
    "language",
)
"""Every module below `ccdashd.rpc` that holds handlers."""

REVISION_WAIT = 5.0
"""Seconds that a request with `minRevision` waits for it."""

_SHOWN = 100
"""Characters of an unknown method's name that an error repeats."""

logger = get(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler knows beside its parameters."""

    app: App
    connection: Connection


@dataclass(frozen=True, slots=True)
class ReadCall(Call):
    """A call inside one read snapshot: `revision` is that of the snapshot. `conn` is gone when the handler returns."""

    conn: DatabaseConnection
    revision: int


@dataclass(frozen=True, eq=False)
class Handler:
    """A method and the function that answers it."""

    method: Method | LspMethod
    function: Callable[..., Any]
    decoder: ParamsDecoder
    inline: bool
    """Answered at once, without a task."""


_handlers: dict[str, Handler] = {}


def handles(method: Method | LspMethod) -> Callable[[Function], Function]:
    """Register the decorated function as the handler of `method`."""

    def register(function: Function) -> Function:
        if method.name in _handlers:
            raise TypeError(f"{method.name} has two handlers: {_handlers[method.name].function} and {function}")
        coroutine = inspect.iscoroutinefunction(function)
        if coroutine and method.lane in ("read", "heavy"):
            raise TypeError(f"{method.name}: a handler of lane {method.lane} is a plain function")
        if not coroutine and method.lane == "write":
            raise TypeError(f"{method.name}: a handler of lane write is a coroutine function")
        inline = method.lane == "loop" and not coroutine
        _handlers[method.name] = Handler(method, function, ParamsDecoder(method.params), inline)
        return function

    return register


def load() -> None:
    """Import every handler module. Raises `TypeError` when handlers and table do not match."""
    for name in HANDLER_MODULES:
        importlib.import_module(f"ccdashd.rpc.{name}")
    missing = (METHODS.keys() | lsp.REQUESTS.keys()) - _handlers.keys()
    if missing:
        raise TypeError(f"no handler for {', '.join(sorted(missing))}")
    for handler in _handlers.values():
        _check_types(handler)


def _check_types(handler: Handler) -> None:
    function, method = handler.function, handler.method
    hints = typing.get_type_hints(function, localns={"Call": Call, "ReadCall": ReadCall})
    result = hints.pop("return", None)
    types = list(hints.values())
    if types != [ReadCall if method.lane in ("read", "heavy") else Call, method.params] or result != method.result:
        raise TypeError(f"{method.name}: {function.__qualname__} has types {types} -> {result}, not those of the table")


class Dispatcher:
    """Answers requests of all connections of one daemon."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._answers = Answers()
        self._flights = Flights()

    def at_once(self, connection: Connection, name: str, raw: bytes) -> bytes | None:
        """The encoded answer where it takes no waiting, else None: then `run` gets it. Raises `CcdashError`."""
        method = _find(connection, name)
        if method is None:
            shown = name[:_SHOWN]
            where = " before 'initialize'" if name in lsp.REQUESTS else ""
            raise MethodNotFound(f"there is no method {shown!r}{where}", method=shown)
        if method.cached:
            return self._answers.get(name, raw, self._app.revision)
        handler = _handlers.get(name)
        if handler is None or not handler.inline:
            return None
        started = time.perf_counter()
        answer = frames.encode(handler.function(Call(self._app, connection), handler.decoder.decode(raw)))
        _log_request(method, started, len(answer))
        return answer

    async def run(self, connection: Connection, name: str, raw: bytes) -> bytes:
        """The encoded answer of a method that has to wait. Raises `CcdashError`, or what the handler raises.

        An editor is shown nothing where the cache cannot be used: it asks at every movement, and would tell each error.
        """
        try:
            return await self._run(connection, name, raw)
        except Exception as error:
            shown = name in lsp.REQUESTS and lsp.REQUESTS[name].lane == "read"
            if shown and (isinstance(error, Busy) or self._app.explain(error) is not None):
                return b"null"
            raise

    async def _run(self, connection: Connection, name: str, raw: bytes) -> bytes:
        started = time.perf_counter()
        # Most handlers are imported while the cache is being opened; the tables are there from the start.
        method = METHODS.get(name) or lsp.REQUESTS[name]
        if method.lane != "loop" or name not in _handlers:
            await self._app.ready()
        handler = _handlers[name]
        params = handler.decoder.decode(raw)
        await self._reach(handler.decoder.min_revision(params))
        async with connection.turn(method.lane):
            if method.lane in ("loop", "write"):
                with progress(self._app.events, connection, params, name):
                    result = handler.function(Call(self._app, connection), params)
                    answer = frames.encode(result if handler.inline else await result)
            elif method.cached:
                # The revision is part of the key: nobody gets an answer older than what he could know already.
                key = (name, raw, self._app.revision)
                answer = await self._flights.join(key, partial(self._read, connection, handler, params, raw))
            else:
                answer = await self._read(connection, handler, params, raw)
        _log_request(method, started, len(answer))
        return answer

    async def _read(self, connection: Connection, handler: Handler, params: Any, raw: bytes) -> bytes:
        app, method = self._app, handler.method

        def read(conn: DatabaseConnection, revision: int) -> tuple[bytes, int]:
            # On a reader thread; encoding there keeps big answers off the event loop.
            return msgspec.json.encode(handler.function(ReadCall(app, connection, conn, revision), params)), revision

        answer, revision = await app.database.read(read, heavy=method.lane == "heavy")
        if method.cached:
            self._answers.put(method.name, raw, revision, answer)
        return answer

    def error_of(self, error: BaseException, name: str) -> CcdashError:
        """What to answer for an exception; the unexpected is logged under an id, and only the id is answered."""
        if isinstance(error, CcdashError):
            return error
        from ccdashd.archive.archive import Unreadable

        if isinstance(error, Unreadable):
            return ReadOnly(plain(error))
        problem = self._app.explain(error)
        if problem is not None:
            logger.warning("request failed", method=name, error=type(error).__name__, problem=problem)
            return Busy(f"the cache cannot be used now: {problem}", reason=problem)
        id = secrets.token_hex(6)
        logger.error("internal error", id=id, method=name, exc_info=error)
        return Internal(f"the daemon failed; its log says why, under id {id}", id=id)

    async def _reach(self, revision: int | None) -> None:
        if revision is None or self._app.revision >= revision:
            return
        await self._app.events.reached(revision, REVISION_WAIT)
        if self._app.revision < revision:
            raise Busy(
                f"revision {revision} is not there yet, the newest is {self._app.revision}",
                reason="stale revision",
            )


def _find(connection: Connection, name: str) -> Method | LspMethod | None:
    """The method of that name; those of the Language Server Protocol are for connections that are initialized."""
    method: Method | LspMethod | None = METHODS.get(name)
    return lsp.REQUESTS.get(name) if method is None and connection.editor is not None else method


def _log_request(method: Method | LspMethod, started: float, size: int) -> None:
    if logger.isEnabledFor(logging.DEBUG):
        elapsed = (time.perf_counter() - started) * 1000
        logger.debug("request", method=method.name, lane=method.lane, ms=elapsed, bytes=size)
