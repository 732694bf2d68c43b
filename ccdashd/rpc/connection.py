"""One client: frames in, exactly one response per request out, and what keeps it from harming the others.

A connection reads on only while few requests are in flight and its own output is being read. So what it can make the
daemon hold is bounded: one unfinished frame, `MAX_IN_FLIGHT` requests, the output buffer (setting
``subscriber_backlog``) and a few answers that are being made.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import UNSET

from ccdashd.errors import CcdashError, InvalidParams, InvalidRequest, RequestCancelled, ShuttingDown
from ccdashd.log import get
from ccdashd.protocol import frames
from ccdashd.protocol.frames import FrameError, FrameReader, Message, RequestId

if TYPE_CHECKING:
    from ccdashd.app import App
    from ccdashd.events import Event
    from ccdashd.lsp.editor import Editor
    from ccdashd.rpc.server import Server

MAX_IN_FLIGHT = 64
"""Requests of one connection that are being answered; at this number it is not read any more."""

AT_ONCE = 4
"""Requests of one connection and lane that run at the same time; the others wait their turn."""

MESSAGES_PER_TURN = 100
"""Messages that one connection may have handled before the others get their turn."""

LINGER = 2.0
"""Seconds that a refused client has to read why, before the connection is cut."""

logger = get(__name__)


class Connection(asyncio.Protocol):
    """The daemon's end of one client's socket."""

    def __init__(self, app: App, server: Server) -> None:
        self.client = ""
        """What the client calls itself, for the log."""
        self._app = app
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(app.settings.frame_cap_bytes)
        self._tasks: dict[RequestId, asyncio.Task[bytes]] = {}
        self._cancelled: set[RequestId] = set()
        self._gates = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(AT_ONCE))
        self._writable = asyncio.Event()
        self._writable.set()
        self._missed: dict[str, Event] = {}
        self._transport: asyncio.Transport
        self._turn_due = False
        self._read_paused = False
        self._refused = False
        self.editor: Editor | None = None
        """The editor at the other end, once it has said ``initialize``."""
        self._life: asyncio.Task[None] | None = None
        """What runs for the editor beside its requests."""
        self._lsp_stopped = False

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, if the peer is the user that runs the daemon."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._app.settings.subscriber_backlog)
        if not self._server.admit(self, self._transport):
            self._refused = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Handle every message that is complete now."""
        if self._refused:
            return
        self._reader.feed(data)
        self._turn()

    def eof_received(self) -> bool:
        """The client has nothing more to say: what is running for it is of no use to anybody."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop what runs for this client."""
        self._refused = True
        self._app.events.drop(self)
        if self._life is not None:
            self._life.cancel()
        if self.editor is not None:
            self.editor.closed()
        for task in self._tasks.values():
            task.cancel()
        self._server.forget(self)

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client reads again: tell it what it missed, then go on with its requests."""
        self._writable.set()
        missed, self._missed = self._missed, {}
        for event in missed.values():
            self.notify(event)
        self._turn()

    # --- notifications ---

    def notify(self, event: Event) -> None:
        """Send a notification, or note that it was missed when the client is behind."""
        if self._transport.is_closing():
            return
        if self._writable.is_set():
            self._transport.write(event.frame)
        else:
            self._missed[event.topic] = event.missed

    # --- requests ---

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return len(self._tasks)

    @asynccontextmanager
    async def turn(self, lane: str) -> AsyncIterator[None]:
        """Held while a request of this connection runs: few at a time, and none while answers are not being read."""
        async with self._gates[lane]:
            await self._writable.wait()
            yield

    async def writable(self) -> None:
        """Wait while the client does not read what it is sent."""
        await self._writable.wait()

    def close(self) -> None:
        """Send what is buffered, then close."""
        self._transport.close()

    def abort(self) -> None:
        """Close without sending what is buffered."""
        self._transport.abort()

    def fail_running(self) -> None:
        """End the requests that still run; each is answered with `ShuttingDown`."""
        for task in self._tasks.values():
            task.cancel()

    def _turn(self) -> None:
        self._turn_due = False
        handled = 0
        while self._may_read():
            if handled == MESSAGES_PER_TURN:
                self._turn_due = True
                self._loop.call_soon(self._turn)
                break
            try:
                body = self._reader.next()
            except FrameError as error:
                self._refuse(error)
                return
            if body is None:
                break
            self._receive(body)
            handled += 1
        self._steer_reading()

    def _may_read(self) -> bool:
        return not self._refused and self._writable.is_set() and len(self._tasks) < MAX_IN_FLIGHT

    def _steer_reading(self) -> None:
        if self._transport.is_closing():
            return
        pause = self._turn_due or not (self._may_read() or self._refused)
        if pause and not self._read_paused:
            self._transport.pause_reading()
        elif self._read_paused and not pause:
            self._transport.resume_reading()
        self._read_paused = pause

    def _receive(self, body: bytes) -> None:
        try:
            message = frames.decode(body)
        except CcdashError as error:
            request_id = frames.id_of(body) if isinstance(error, InvalidRequest) else None
            self._write(frames.error_response(request_id, error))
            return
        if message.method is UNSET:
            if self.editor is not None and self.editor.answered(message.id, *_answer(message)):
                return
            # A response to nothing that was asked is left alone.
            if message.result is UNSET and message.error is UNSET:
                request_id = None if message.id is UNSET else message.id
                self._write(frames.error_response(request_id, InvalidRequest("the message has no method")))
        elif message.id is UNSET:
            self._notification(message.method, message)
        else:
            self._request(message.id, message.method, message)

    def _notification(self, name: str, message: Message) -> None:
        if name == "exit":
            self._refused = True
            self._transport.close()
        elif name == "$/cancelRequest":
            try:
                params = msgspec.json.decode(_raw(message))
            except (CcdashError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return
            request_id = params.get("id") if isinstance(params, dict) else None
            if isinstance(request_id, int | float | str) and request_id in self._tasks:
                self._cancelled.add(request_id)
                self._tasks[request_id].cancel()
        elif self.editor is not None and name == "initialized":
            self._begin(self.editor)
        elif self.editor is not None:
            with suppress(CcdashError):
                self.editor.notified(name, _raw(message))

    def _begin(self, editor: Editor) -> None:
        from ccdashd.lsp.life import live

        if self._life is None:
            self._life = self._loop.create_task(live(self._app, editor), name=f"editor {editor.name}")

    def _request(self, request_id: RequestId, name: str, message: Message) -> None:
        try:
            if request_id in self._tasks:
                raise InvalidRequest(f"a request with id {request_id!r} is still running", id=request_id)
            if self._server.stopping:
                raise ShuttingDown("the daemon is stopping; connect again in a moment")
            if self._lsp_stopped:
                raise InvalidRequest("this connection was shut down; only 'exit' may follow")
            answer = self._lsp(name, message) if name in _LSP_REQUESTS else self._ours(request_id, name, message)
        except Exception as error:
            self._write(frames.error_response(request_id, self._server.dispatcher.error_of(error, name)))
            return
        if answer is not None:
            self._write(frames.response(request_id, answer))

    def _lsp(self, name: str, message: Message) -> bytes:
        if name == "shutdown":
            self._lsp_stopped = True
            return b"null"
        if self.editor is not None:
            raise InvalidRequest("this connection is initialized already")
        from ccdashd.lsp.editor import Editor, initialize

        self.editor = Editor(initialize(_raw(message)), self._write, self._app.is_plan, self.writable)
        self.client = self.editor.name
        return frames.encode(self.editor.offer())

    def _ours(self, request_id: RequestId, name: str, message: Message) -> bytes | None:
        raw = _raw(message)
        answer = self._server.dispatcher.at_once(self, name, raw)
        if answer is not None:
            return answer
        task = self._loop.create_task(self._server.dispatcher.run(self, name, raw), name=name)
        self._tasks[request_id] = task
        # A task that is cancelled before its first step never runs: only a callback sees every end.
        task.add_done_callback(lambda task: self._finished(request_id, task))
        return None

    def _finished(self, request_id: RequestId, task: asyncio.Task[bytes]) -> None:
        del self._tasks[request_id]
        cancelled = request_id in self._cancelled
        self._cancelled.discard(request_id)
        error: BaseException | None
        try:
            error = task.exception()
        except asyncio.CancelledError as reason:
            error = reason
        if error is None:
            self._write(frames.response(request_id, task.result()))
        elif cancelled:
            self._write(frames.error_response(request_id, RequestCancelled("the request was cancelled")))
        elif isinstance(error, asyncio.CancelledError):
            self._write(frames.error_response(request_id, ShuttingDown("the daemon is stopping; the request was cut")))
        else:
            found = self._server.dispatcher.error_of(error, task.get_name())
            self._write(frames.error_response(request_id, found))
        self._server.progressed()
        self._turn()

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _refuse(self, error: CcdashError) -> None:
        logger.warning("connection refused", client=self.client, problem=error.message)
        self._write(frames.error_response(None, error))
        self._refused = True
        for task in self._tasks.values():
            task.cancel()
        # Closing at once would reset the connection while the client still writes, and the reason be lost: what it
        # sends is thrown away for a moment instead.
        self._steer_reading()
        self._loop.call_later(LINGER, self._transport.abort)


_LSP_REQUESTS = frozenset({"initialize", "shutdown"})


def _answer(message: Message) -> tuple[bytes | None, str | None]:
    """What a response says: its result, or what the error says."""
    if message.error is UNSET:
        return (None if message.result is UNSET else bytes(cast(Any, message.result))), None
    try:
        error = msgspec.json.decode(cast(Any, message.error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = None
    said = error.get("message") if isinstance(error, dict) else None
    return None, said if isinstance(said, str) else "it did not say why"


def _raw(message: Message) -> bytes:
    """The parameters as they stand in the message; none and null are an empty object."""
    if message.params is UNSET:
        return b"{}"
    raw = bytes(cast(Any, message.params))
    if raw == b"null":
        return b"{}"
    if raw[:1] == b"[":
        raise InvalidParams("params", "must be an object, not a list")
    return raw
