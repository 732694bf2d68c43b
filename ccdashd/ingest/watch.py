"""The file watcher: tells which files changed, as soon as possible, and admits when it may have missed some.

The backend (`watching/`) does the watching; this supervises it: a backend that fails, or does not report a change that
was made to test it, is replaced, at last by polling, and a scan is asked for. Nothing here reads a file or knows the
database. Between changes it wakes up once in `TICK_SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccdashd.ingest.scan import Accept, Enter, everywhere
from ccdashd.ingest.watching.backend import Backend, Reason, Sink
from ccdashd.ingest.watching.platform import choose, create, seconds_asleep
from ccdashd.ingest.watching.probe import Probe
from ccdashd.protocol import types as t
from ccdashd.settings import WatchMode

TICK_SECONDS = 30.0
"""How often to look for a suspend; every second time the backend is probed."""

PROBE_SECONDS = 2.0
"""How much longer than usual a change may take before the backend counts as deaf."""

SUSPEND_SECONDS = 2.0
BURST_PATHS = 2000
BURST_SECONDS = 1.0
MAX_FAILURES = 5
BACKOFF_SECONDS = 0.1
BACKOFF_MAX_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WatchState:
    """How the watcher does. `events` counts reported paths, `problem` says what works less well than it should."""

    mode: str
    directories: int
    restarts: int
    overflows: int
    events: int
    healthy: bool
    problem: str | None


class Watcher:
    """Watches `roots` from `start` to `stop`; all calls are for, and all callbacks come on, the loop's thread.

    `on_paths(paths)`: files that were created, changed, moved or deleted; absolute, undecodable bytes surrogate-escaped,
    only what `accept` takes; not grouped or delayed, so a file that is written to is named many times a second.
    `on_rescan(reason)`: everything below the roots may have changed; scan it. May come often: see `Reconciler`.

    Roots need not exist, and may lie within each other. Where watches run short, those of earlier roots come first.
    Below a root, folders are watched that `enters` takes. Links to folders are not followed there, a root itself may be
    a link. Changes to what a link to a file points to, to memory-mapped files, and those that other machines make are
    left to the scan.

    `accept` and `enters` must be fast and free of side effects: they are called for every report, by polling from
    another thread. What `enters` says of a folder may change only with `set_roots`, when a root at or above that folder
    comes or goes.
    `probe_dir` is a folder of our own, created here, that nobody else writes to.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        on_paths: Callable[[set[str]], None],
        on_rescan: Callable[[str], None],
        *,
        accept: Accept,
        enters: Enter = everywhere,
        probe_dir: Path,
        mode: WatchMode = "auto",
        asleep: Callable[[], float] = seconds_asleep,
        tick: float = TICK_SECONDS,
    ) -> None:
        self._roots = _absolute(roots)
        self._on_paths = on_paths
        self._on_rescan = on_rescan
        self._accept = accept
        self._enters = enters
        self._probe = Probe(os.path.abspath(probe_dir))
        self._mode: WatchMode = choose(mode)
        self._asleep = asleep
        self._tick = tick
        self._backend: Backend | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._faults: asyncio.Queue[BaseException] = asyncio.Queue()
        self._failures = 0
        self._problem: str | None = None
        self._probe_problem: str | None = None
        self._burst_began = 0.0
        self._burst_paths = 0
        self._restarts = 0
        self._overflows = 0
        self._events = 0
        self._healthy = True

    async def start(self) -> None:
        """Returns when armed: a scan that begins now misses nothing. Does not raise; see `status` for problems."""
        if self._mode == "off":
            return
        await self._arm()
        self._supervisor = asyncio.create_task(self._supervise(), name="watcher")

    async def stop(self) -> None:
        """Release everything. No callback comes after it."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        await self._disarm()

    async def set_roots(self, roots: Sequence[Path]) -> None:
        """Watch `roots` from now on, and no others. Cheap where nothing changes.

        Returns when armed for the new ones: a scan of them that begins now misses nothing; their files are not reported
        by themselves. While the watcher is restarted it returns at once, and the scan that is asked for after that
        covers them. Does not raise.
        """
        self._roots = _absolute(roots)
        backend = self._backend
        if backend is None:
            return
        try:
            await backend.set_roots(self._watched())
        except Exception as error:
            if backend is self._backend:
                self._faults.put_nowait(error)

    def told(self, last_scan_at: str | None) -> t.WatchStatus:
        """The status as clients see it."""
        state = self.status()
        return t.WatchStatus(
            mode=state.mode,
            directories=state.directories,
            restarts=state.restarts,
            overflows=state.overflows,
            events=state.events,
            last_scan_at=last_scan_at,
            healthy=state.healthy,
        )

    def status(self) -> WatchState:
        backend = self._backend
        problems = [problem for problem in (self._problem, self._probe_problem, backend and backend.problem) if problem]
        return WatchState(
            mode=self._mode,
            directories=backend.directories if backend else 0,
            restarts=self._restarts,
            overflows=self._overflows,
            events=self._events,
            healthy=self._mode == "off" or (backend is not None and self._healthy),
            problem="; ".join(problems) or None,
        )

    async def probe(self) -> bool:
        """Whether a change made now, in `probe_dir`, is reported in time. True as well when the watcher is off.

        Raises `OSError` when no change can be made there.
        """
        if self._mode == "off":
            return True
        if self._backend is None:
            return False
        return await self._probe.run(self._backend.delay + PROBE_SECONDS)

    # Reports of the backend

    def _paths(self, paths: set[str]) -> None:
        self._probe.note(paths)
        wanted = {path for path in paths if self._accept(path) and not self._probe.owns(path)}
        if not wanted:
            return
        self._events += len(wanted)
        self._watch_for_burst(len(wanted))
        try:
            self._on_paths(wanted)
        except Exception:
            log.exception("%d changed files could not be handed on; a scan will find them", len(wanted))
            self._rescan(Reason.UNDELIVERED)

    def _watch_for_burst(self, count: int) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._burst_began > BURST_SECONDS:
            self._burst_began, self._burst_paths = now, 0
        before = self._burst_paths
        self._burst_paths += count
        if before <= BURST_PATHS < self._burst_paths:
            self._rescan(Reason.BURST)

    def _rescan(self, reason: Reason) -> None:
        if reason is Reason.OVERFLOW:
            self._overflows += 1
        log.info("a scan is needed: %s", reason)
        try:
            self._on_rescan(str(reason))
        except Exception:
            log.exception("the request for a scan (%s) failed", reason)

    # Supervision

    async def _supervise(self) -> None:
        asleep = self._asleep()
        for turn in itertools.count(1):
            try:
                async with asyncio.timeout(self._tick):
                    fault = await self._faults.get()
            except TimeoutError:
                before, asleep = asleep, self._asleep()
                if asleep - before > SUSPEND_SECONDS:
                    self._rescan(Reason.SUSPENDED)
                if turn % 2 == 0:
                    await self._examine()
                continue
            await self._replace(fault)

    async def _examine(self) -> None:
        """Once a minute: let the backend look at what brings no event, then see whether it still hears."""
        try:
            if self._backend is not None:
                await self._backend.check()
        except Exception as error:
            await self._replace(error)
            return
        try:
            heard = await self.probe()
        except OSError as error:
            self._probe_problem = f"the watcher cannot be tested in {self._probe.folder!r}: {error.strerror}"
            return
        self._probe_problem = None
        if heard:
            self._failures = 0
        else:
            await self._replace(TimeoutError("a change made to test it was not reported"))

    async def _replace(self, fault: BaseException) -> None:
        log.warning("the %s watcher failed and is restarted: %r", self._mode, fault)
        self._healthy = False
        self._restarts += 1
        await self._disarm()
        await self._failed(fault)
        await self._arm()
        self._rescan(Reason.RESTARTED)

    async def _arm(self) -> None:
        while self._backend is None:
            backend: Backend | None = None
            try:
                # Nothing but the test of the watcher depends on it, and that reports it.
                with contextlib.suppress(OSError):
                    self._probe.prepare()
                roots = self._watched()
                backend = self._create(roots)
                await backend.start()
                while roots != self._watched():
                    roots = self._watched()
                    await backend.set_roots(roots)
            except asyncio.CancelledError:
                if backend is not None:
                    await backend.stop()
                raise
            except Exception as error:
                log.warning("the %s watcher cannot start: %r", self._mode, error)
                if backend is not None:
                    await backend.stop()
                await self._failed(error)
            else:
                self._backend = backend
                self._healthy = True

    async def _failed(self, fault: BaseException) -> None:
        """Wait a little longer each time; polling is the last resort."""
        self._failures += 1
        if self._failures >= MAX_FAILURES and self._mode != "polling":
            reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
            self._problem = f"{self._mode} failed {self._failures} times ({reason}): files are polled instead"
            self._mode = "polling"
            return
        await asyncio.sleep(min(BACKOFF_SECONDS * 2**self._failures, BACKOFF_MAX_SECONDS))

    async def _disarm(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            await backend.stop()
        while not self._faults.empty():
            self._faults.get_nowait()

    def _watched(self) -> tuple[str, ...]:
        # Were its watch the one that is refused, the watcher would look deaf.
        return (self._probe.folder, *self._roots)

    def _create(self, roots: Sequence[str]) -> Backend:
        probe = self._probe
        sink = Sink(self._paths, self._rescan, self._faults.put_nowait)
        return create(self._mode, roots, sink, lambda path: probe.awaits(path) or self._accept(path), self._enters)


def _absolute(roots: Iterable[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.abspath(root) for root in roots))
