"""The daemon's life: one of its profile, reachable, watched over, and ended in order.

    lock → socket → log → serve … → a signal, ``ccdash/shutdown`` or idleness → drain → close → unlink

SIGTERM and SIGINT drain: no new clients, running requests get `DRAIN` seconds, then the cache is closed; a second one
ends the process at once. SIGHUP is ignored: a terminal that closes must not end the daemon, and settings are read at start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

from ccdashd import __version__, log, systemd
from ccdashd.app import App
from ccdashd.paths import Paths
from ccdashd.rpc import ccdash as _handlers
from ccdashd.runtime import AlreadyRunning, Lock, RuntimeProblem, Socket, private_folder, raise_file_limit
from ccdashd.settings import load

DRAIN = 5.0
"""Seconds that running requests have to end."""

TICK = 2.0
"""Seconds between two looks at the socket, the clock and the problems."""

TOUCH = 600.0
"""Seconds between two touches of the socket; six hours would do."""

logger = log.get(__name__)


def serve(paths: Paths, overrides: Mapping[str, str], *, auto_started: bool = False, foreground_log: bool = False) -> int:
    """Run the daemon until it is told to stop; returns the exit code.

    Raises `SettingsError`, `RuntimeProblem` or `AlreadyRunning` before anything was started.
    """
    os.umask(0o077)
    settings = load(paths, overrides)
    private_folder(paths.runtime_dir)
    lock = Lock(paths.daemon_lock)
    lock.take()
    passed = systemd.listen_fds()
    entry = Socket(paths.socket)
    listener = entry.adopt(passed[0]) if passed else entry.bind()
    log_problem = log.configure(paths.log_file, settings.log_level, foreground_log)
    raise_file_limit()

    async def run() -> None:
        app = App(settings, paths, auto_started=auto_started)
        if log_problem is not None:
            app.problems.set("log", log_problem, f"Make {paths.log_file.parent} writable.")
        await app.server.listen(listener)
        await Daemon(app, lock, entry, systemd.Notifier()).run()

    try:
        asyncio.run(run())
    finally:
        # In this order: whoever finds no socket starts a daemon, which needs the lock.
        entry.unlink()
        lock.release()
    return 0


class Daemon:
    """Runs an `App` whose server listens already."""

    def __init__(self, app: App, lock: Lock, entry: Socket, notifier: systemd.Notifier) -> None:
        self._app = app
        self._lock = lock
        self._entry = entry
        self._notifier = notifier
        self._stop = asyncio.Event()
        self._reason = ""
        self._idle_since: float | None = time.monotonic()
        self._touched = time.monotonic()
        app.stop_soon = self.stop_soon
        app.in_use = self._used
        app.server.on_clients = self._clients_changed
        app.problems.on_change = self._tell

    def stop_soon(self, reason: str) -> None:
        """End the daemon; the answer to the request that asks for it is still sent."""
        self._reason = self._reason or reason
        self._stop.set()

    async def run(self) -> None:
        """Serve until `stop_soon`, then close everything."""
        app, loop = self._app, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        logger.info(
            "serving", version=__version__, pid=os.getpid(), profile=app.paths.profile, socket=self._entry.path,
            activated=not self._entry.ours, auto=app.auto_started,
        )  # fmt: skip
        self._notifier.ready()
        self._tell()
        helpers = [loop.create_task(self._housekeeping(), name="housekeeping")]
        if self._notifier.watchdog_seconds is not None:
            helpers.append(loop.create_task(self._watchdog(self._notifier.watchdog_seconds), name="watchdog"))
        app.start()
        await self._stop.wait()
        logger.info("stopping", reason=self._reason)
        self._notifier.stopping()
        # Refused from here on, not when the process is gone: a client that finds no socket starts the next daemon.
        self._entry.unlink()
        await app.server.drain(DRAIN)
        for helper in helpers:
            helper.cancel()
        await asyncio.wait(helpers)
        await app.stop()
        logger.info("stopped")

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            logger.warning("stopped at once", signal=signal.Signals(number).name)
            os._exit(1)
        self.stop_soon(signal.Signals(number).name)

    def _clients_changed(self, count: int) -> None:
        self._idle_since = None if count else time.monotonic()

    def _used(self) -> None:
        if self._idle_since is not None:
            self._idle_since = time.monotonic()

    def _tell(self) -> None:
        problems, indexing = self._app.problems.all(), self._app.indexing
        if problems:
            self._notifier.status(f"Degraded: {problems[0].part}: {problems[0].problem}")
        elif indexing.phase != "idle" and indexing.total:
            self._notifier.status(f"Indexing: {100 * indexing.done // indexing.total} %")
        else:
            self._notifier.status(f"Serving, {self._app.server.clients} clients")

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self._stay_reachable()
            except (RuntimeProblem, AlreadyRunning) as error:
                self._app.problems.set("socket", str(error), "It is tried again every few seconds.")
            self._app.review()
            self._tell()
            self._leave_when_idle()

    async def _stay_reachable(self) -> None:
        if not self._entry.ours:
            return
        if not self._lock.in_place:
            # Whoever finds the folder empty may have become the daemon: then it is, and two must not write one cache.
            private_folder(self._app.paths.runtime_dir)
            try:
                self._lock.take()
            except AlreadyRunning as error:
                self.stop_soon(f"the runtime folder vanished, and another daemon took over ({error.holder})")
                return
            logger.warning("lock file vanished; made again", path=self._app.paths.daemon_lock)
        if not self._entry.in_place:
            await self._app.server.listen(self._entry.bind())
            logger.warning("socket vanished; made again", path=self._entry.path)
        self._app.problems.clear("socket")
        if time.monotonic() - self._touched >= TOUCH:
            self._touched = time.monotonic()
            self._entry.touch()
            with suppress(OSError):
                os.utime(self._app.paths.daemon_lock)

    def _leave_when_idle(self) -> None:
        limit = self._app.settings.idle_exit_minutes * 60
        supervised = self._notifier.listening or not self._entry.ours
        if not self._app.auto_started or supervised or not limit:
            return
        if self._app.indexing.phase != "idle":
            return
        if self._idle_since is not None and time.monotonic() - self._idle_since >= limit:
            self.stop_soon(f"no client for {self._app.settings.idle_exit_minutes:g} minutes")

    async def _watchdog(self, seconds: float) -> None:
        """Feed the watchdog only while this loop runs and the writer answers; a cache that is not open has no writer."""
        while True:
            if self._app.is_open:
                try:
                    async with asyncio.timeout(seconds / 2):
                        await self._app.database.ping_writer()
                except TimeoutError:
                    logger.error("the writer does not answer; the watchdog is not fed")
                    continue
            self._notifier.alive()
            await asyncio.sleep(seconds / 3)


assert _handlers  # imported for its handlers: hello and status are answered before the others are loaded
