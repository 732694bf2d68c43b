"""A whole daemon in this process, on its own thread, with a few methods more that are slow, big or broken at will."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from ccdashd import paths, settings
from ccdashd.app import App
from ccdashd.protocol import types as t
from ccdashd.protocol.methods import METHODS, Lane, Method
from ccdashd.rpc import ccdash, dispatch
from ccdashd.rpc.dispatch import Call, ReadCall
from ccdashd.runtime import Socket
from tests.helpers import PATIENCE, Client, wait_until

T = TypeVar("T")

FOREVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


class Size(t.Params, frozen=True):
    size: int = 0
    min_revision: int | None = None


class Served:
    """The app, reachable at `path` by blocking clients; `calls` counts what the test methods did."""

    def __init__(self, folder: Path, **overrides: str) -> None:
        self.folder = folder
        environ = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        self.paths = paths.resolve(environ=environ)
        self.settings = settings.load(self.paths, overrides, environ)
        self.path = self.paths.socket
        self.calls: dict[str, int] = {}
        self.release = threading.Event()
        self.app: App
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._listening = threading.Event()

    def listen(self) -> None:
        """Take clients, while the cache is being opened."""
        self._thread.start()
        assert self._listening.wait(PATIENCE)

    def start(self) -> None:
        self.listen()
        wait_until(lambda: self.app.indexing.complete or self.app.problems.all(), "the first scan")
        assert self.app.problems.all() == []

    def stop(self) -> None:
        self.release.set()
        self.do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def do(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function on the daemon's loop."""

        async def run() -> T:
            return await function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE)

    def soon(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function on the daemon's loop and wait for it."""

        async def call() -> None:
            function(*arguments)

        self.do(call)

    def client(self) -> Client:
        return Client(self.path)

    def count(self, name: str) -> int:
        return self.calls.get(name, 0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._begin())
        self._listening.set()
        self._loop.run_forever()

    async def _begin(self) -> None:
        self.app = App(self.settings, self.paths)
        self.app.paths.runtime_dir.mkdir(mode=0o700, parents=True)
        await self.app.server.listen(Socket(self.path).bind())
        self.app.start()

    async def _end(self) -> None:
        await self.app.server.drain(0.0)
        await self.app.stop()


@pytest.fixture
def serve(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Served]]:
    """Starts a daemon with settings; may be called once."""
    started: list[Served] = []

    def start(**overrides: str) -> Served:
        served = Served(short_folder, **overrides)
        started.append(served)
        served.start()
        _register(served, monkeypatch)
        return served

    yield start
    for served in started:
        served.stop()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A daemon with default settings."""
    return serve()


def _register(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ccdash
    monkeypatch.setattr(dispatch, "_handlers", dict(dispatch._handlers))

    def add(lane: Lane, function: Callable[..., Any], cached: bool = False) -> None:
        method = Method(f"test/{function.__name__}", lane, Size, Any, "", cached)
        monkeypatch.setitem(METHODS, method.name, method)

        def counted(*arguments: Any) -> Any:
            served.calls[function.__name__] = served.count(function.__name__) + 1
            return function(*arguments)

        async def counted_async(*arguments: Any) -> Any:
            served.calls[function.__name__] = served.count(function.__name__) + 1
            return await function(*arguments)

        dispatch.handles(method)(counted_async if asyncio.iscoroutinefunction(function) else counted)

    def endless(call: ReadCall, params: Size) -> int:
        return int(call.conn.execute(sa.text(FOREVER)).scalar_one())

    def big(call: ReadCall, params: Size) -> str:
        return "x" * params.size

    def kept(call: ReadCall, params: Size) -> str:
        return "x" * params.size

    def held(call: ReadCall, params: Size) -> bool:
        return served.release.wait(PATIENCE)

    def shared(call: ReadCall, params: Size) -> bool:
        return served.release.wait(PATIENCE)

    def broken(call: ReadCall, params: Size) -> None:
        raise RuntimeError("secret: /root/private")

    def unencodable(call: Call, params: Size) -> Any:
        return object()

    async def waits(call: Call, params: Size) -> str:
        await asyncio.Event().wait()
        return ""

    for lane, function in (("read", big), ("read", held), ("read", broken), ("loop", unencodable), ("write", waits)):
        add(lane, function)  # type: ignore[arg-type]
    add("heavy", endless)
    add("read", kept, cached=True)
    add("read", shared, cached=True)
