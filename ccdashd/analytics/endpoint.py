"""``http://127.0.0.1:<port>/metrics``: what Prometheus asks for, and nothing else.

No web server: one path, one method, one answer for each connection. It listens on the loopback address alone, and answers
only those who name it by that, so that no page of the web reaches it over a name of its own (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from ccdashd.errors import CcdashError
from ccdashd.log import get

ADDRESS: Final = "127.0.0.1"
PATH: Final = "/metrics"

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format"""

HEAD_CAP: Final = 16 * 1024
"""Bytes of a request's head; RFC 9112 asks for 8,000 for its first line alone."""

PATIENCE: Final = 30.0
"""Seconds that one connection may take, from its first byte to the last of the answer."""

MAX_CONNECTIONS: Final = 16
"""Those beyond it are closed at once: one Prometheus needs one."""

_HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_PLAIN: Final = "text/plain; charset=utf-8"

logger = get(__name__)


class _Answer(NamedTuple):
    status: str
    body: bytes
    type: str = _PLAIN
    more: str = ""
    """Further lines of the head."""


class Endpoint:
    """Answers scrapes with what `expose` gives; all calls are for the event loop."""

    def __init__(self, port: int, expose: Callable[[], Awaitable[bytes]]) -> None:
        """With port 0, on any that is free."""
        self.port = port
        self._expose = expose
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str | None:
        """Where it is scraped; None while it does not listen."""
        if self._server is None:
            return None
        (listener,) = self._server.sockets
        return f"http://{ADDRESS}:{listener.getsockname()[1]}{PATH}"

    async def start(self) -> None:
        """Listen. Raises OSError, as where the port is in use."""
        self._server = await asyncio.start_server(self._connected, ADDRESS, self.port, limit=HEAD_CAP)

    async def stop(self) -> None:
        """Listen no more; who still waits for an answer gets none."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._open) < MAX_CONNECTIONS:
                self._open.add(task)
                async with asyncio.timeout(PATIENCE):
                    await self._serve(reader, writer)
        except (TimeoutError, asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            # Neither one who does not ask, or listen, to the end, nor our own end, is worth more than closing.
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            answer = _Answer("431 Request Header Fields Too Large", b"the head of the request is too large\n")
        head = (
            f"HTTP/1.1 {answer.status}\r\nContent-Type: {answer.type}\r\nContent-Length: {len(answer.body)}\r\n"
            f"{answer.more}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + answer.body)
        await writer.drain()
        with suppress(ConnectionError):
            writer.write_eof()
            # Closed before all was read, it would be reset, and the answer lost with it.
            while await reader.read(HEAD_CAP):
                pass

    async def _answer(self, head: bytes) -> _Answer:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.partition(" ")
        hosts = [value.strip() for name, _, value in (line.partition(":") for line in lines) if name.lower() == "host"]
        if not version.startswith("HTTP/1.") or len(hosts) != 1:
            return _Answer("400 Bad Request", b"this is no request of HTTP/1.1\n")
        if not _HOST.fullmatch(hosts[0]):
            return _Answer("421 Misdirected Request", f"ask for {ADDRESS} or localhost, by that name\n".encode())
        if target.partition("?")[0] != PATH:
            return _Answer("404 Not Found", f"there is {PATH} only\n".encode())
        if method != "GET":
            return _Answer("405 Method Not Allowed", b"metrics can only be read\n", more="Allow: GET\r\n")
        try:
            return _Answer("200 OK", await self._expose(), CONTENT_TYPE)
        except CcdashError as error:
            return _Answer("503 Service Unavailable", f"{error.message}\n".encode())
        except Exception:
            logger.exception("metrics could not be told")
            return _Answer("500 Internal Server Error", b"the daemon failed; its log says why\n")
