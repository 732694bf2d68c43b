"""The listener: who may connect, who is connected, and how all of it ends."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ccdashd.log import get
from ccdashd.rpc.connection import Connection
from ccdashd.rpc.dispatch import Dispatcher

if TYPE_CHECKING:
    from ccdashd.app import App

BACKLOG = 512
"""Connections that may wait to be accepted (the kernel caps it at net.core.somaxconn)."""

CLOSING = 1.0
"""Seconds that each step of closing the connections may take."""

logger = get(__name__)


class Server:
    """Accepts connections on listening Unix sockets, one `Connection` each."""

    def __init__(self, app: App) -> None:
        self.dispatcher = Dispatcher(app)
        self.stopping = False
        """True once new requests are refused."""
        self.on_clients: Callable[[int], None] = lambda count: None
        """Called with the number of clients whenever it changes."""
        self._app = app
        self._connections: set[Connection] = set()
        self._progress = asyncio.Event()
        self._listener: asyncio.Server | None = None

    @property
    def clients(self) -> int:
        """Open connections."""
        return len(self._connections)

    async def listen(self, listener: socket.socket) -> None:
        """Accept on `listener`, which is bound already; one listened on before is closed."""
        previous, self._listener = self._listener, await self._serve(listener)
        if previous is not None:
            previous.close()

    async def _serve(self, listener: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return Connection(self._app, self)

        if sys.version_info >= (3, 13):
            # The path is ours to unlink, and not ours at all under socket activation.
            return await loop.create_unix_server(connection, sock=listener, backlog=BACKLOG, cleanup_socket=False)
        return await loop.create_unix_server(connection, sock=listener, backlog=BACKLOG)

    def admit(self, connection: Connection, transport: asyncio.Transport) -> bool:
        """Whether the peer may connect: only the daemon's own user and root may."""
        uid = peer_uid(transport.get_extra_info("socket"))
        if uid not in (os.getuid(), 0):
            logger.warning("connection refused", peer_uid=uid)
            return False
        self._connections.add(connection)
        self.on_clients(len(self._connections))
        return True

    def forget(self, connection: Connection) -> None:
        """A connection is closed."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._progress.set()
            self.on_clients(len(self._connections))

    async def drain(self, seconds: float) -> None:
        """Accept no more, give running requests `seconds` to end, answer the rest with an error, close everything."""
        self.stopping = True
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._until(self._answered, seconds)
        for connection in self._connections:
            connection.fail_running()
        await self._until(self._answered, CLOSING)
        for connection in list(self._connections):
            connection.close()
        await self._until(lambda: not self._connections, CLOSING)
        for connection in list(self._connections):
            connection.abort()
        await self._until(lambda: not self._connections, CLOSING)

    def progressed(self) -> None:
        """A request was answered."""
        self._progress.set()

    def _answered(self) -> bool:
        return not any(connection.in_flight for connection in self._connections)

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not done():
                    self._progress.clear()
                    await self._progress.wait()


def peer_uid(peer: socket.socket) -> int | None:
    """The user id at the other end of a Unix socket, None where the kernel does not tell."""
    try:
        if sys.platform == "linux":
            # struct ucred {pid_t pid; uid_t uid; gid_t gid}, unix(7)
            _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        else:
            # struct xucred {u_int cr_version; uid_t cr_uid; …}, SOL_LOCAL = 0, LOCAL_PEERCRED = 1, <sys/un.h> of macOS
            _, uid = struct.unpack_from("2I", peer.getsockopt(0, 1, 76))
        return int(uid)
    except OSError:
        return None
