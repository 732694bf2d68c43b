"""What differs from system to system: the backend, and the clock that tells of a suspend."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from importlib.util import find_spec

from ccdashd.ingest.scan import Accept, Enter
from ccdashd.ingest.watching.backend import Backend, Sink
from ccdashd.ingest.watching.polling import Polling
from ccdashd.settings import WatchMode


def choose(mode: WatchMode) -> WatchMode:
    """The mode that ``auto`` stands for here."""
    if mode != "auto":
        return mode
    if sys.platform == "linux":
        return "inotify"
    else:
        return "watchfiles" if find_spec("watchfiles") else "polling"


def create(mode: WatchMode, roots: Iterable[str], sink: Sink, accept: Accept, enters: Enter) -> Backend:
    """A backend, not yet started. Raises `OSError` or `ImportError` when the system does not have it."""
    if mode == "inotify":
        from ccdashd.ingest.watching.inotify import InotifyBackend

        return InotifyBackend(roots, sink, accept, enters)
    if mode == "watchfiles":
        from ccdashd.ingest.watching.native import WatchfilesBackend

        return WatchfilesBackend(roots, sink, accept, enters)
    return Polling(roots, sink, accept, enters)


def seconds_asleep() -> float:
    """Seconds that the machine has been suspended since it was booted."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    elif sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)
    else:
        return 0.0
