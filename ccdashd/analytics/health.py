"""Metrics of the daemon itself, and of what goes on right now."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd import __version__
from ccdashd.analytics.counters import Key
from ccdashd.analytics.windows import active_window
from ccdashd.clock import milliseconds
from ccdashd.errors import Busy
from ccdashd.protocol import types as t
from ccdashd.runtime import memory_bytes
from ccdashd.store import live
from ccdashd.store.filters import Filter
from ccdashd.store.session_rows import now

if TYPE_CHECKING:
    from ccdashd.app import App


def going_on(connection: sa.Connection) -> dict[Key, float]:
    """What goes on now, in all projects."""
    moment, everything = now(), Filter(include_hidden=True)
    window = active_window(connection, everything, moment)
    cost = window.cost.usd if window is not None and window.cost is not None else None
    tokens = window.tokens if window is not None else t.Tokens()
    found: dict[Key, float] = {
        ("ccdash_sessions_live",): len(live.live(connection, moment, everything)),
        ("ccdash_alerts_firing",): live.firing(connection),
        ("ccdash_window_cost_usd",): cost or 0,
        ("ccdash_window_tokens",): tokens.input + tokens.output + tokens.cache_read + tokens.cache_write,
    }
    if window is not None:
        found["ccdash_window_end_timestamp_seconds",] = milliseconds(window.end) // 1000
    return found


def lives(app: App) -> dict[Key, int]:
    """What this daemon counted. Whole seconds of processor time, so that an idle daemon need not keep them often."""
    watch, used = app.watch_status(), resource.getrusage(resource.RUSAGE_SELF)
    counted = {
        "process_cpu_seconds": int(used.ru_utime + used.ru_stime),
        "watch_events": watch.events,
        "watch_restarts": watch.restarts,
        "watch_overflows": watch.overflows,
    }
    with suppress(Busy):
        counted["cache_rows_written"] = app.database.rows_written
        counted["files_parsed"] = app.pipeline.files_parsed
        counted["records_parsed"] = app.pipeline.records_parsed
    return {(f"ccdash_{name}_total",): count for name, count in counted.items()}


def daemon(app: App, up: bool) -> dict[Key, float]:
    """How the daemon is."""
    indexing, watch = app.indexing, app.watch_status()
    running = indexing.phase != "idle" and indexing.total > 0
    health: dict[str, float] = {
        "up": up,
        "start_time_seconds": milliseconds(app.started_at) / 1000,
        "process_resident_memory_bytes": memory_bytes(),
        "clients": app.server.clients,
        "problems": len(app.problems.all()),
        "cache_bytes": _size(app.paths.database),
        "cache_wal_bytes": _size(f"{app.paths.database}-wal"),
        "cache_revision": app.revision,
        "journal_bytes": _size(app.paths.journal),
        "index_complete": indexing.complete,
        "index_progress_ratio": indexing.done / indexing.total if running else 1,
        "log_files": sum(root.files for root in app.roots()),
        "watch_directories": watch.directories,
        "watch_healthy": watch.healthy,
    }
    with suppress(OSError):  # not every system has it
        health["process_open_fds"] = len(os.listdir("/proc/self/fd"))
    samples: dict[Key, float] = {(f"ccdash_{name}",): float(value) for name, value in health.items()}
    samples["ccdash_build_info", __version__, app.paths.profile] = 1
    return samples


def _size(path: os.PathLike[str] | str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
