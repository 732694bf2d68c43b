"""``ccdash status`` and ``ccdash stop``: the daemon itself. Neither starts one."""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from typing import Any

from ccdash.autostart import probe, wait_stopped
from ccdash.context import Context
from ccdash.errors import SHUTTING_DOWN, ConnectionLost, Error, RpcError
from ccdash.figures import ago, duration, local, size
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import fields
from ccdash.text import clean, sentences

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = {"subagents": "sub-agents", "files": "logs", "documents": "planning files"}
PROBE = 5.0
"""Seconds that a running daemon may take to answer."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Neither command has arguments of its own."""


def run_status(context: Context) -> None:
    out = context.out
    with context.connect(autostart=False) as client:
        status = context.call(client, "ccdash/status")
    if out.as_json:
        out.result(status)
    else:
        describe(out, status)


def run_stop(context: Context) -> None:
    out = context.out
    stopped, text = stop(context)
    if out.as_json:
        out.result(stopped)
    else:
        out.line(text)


def stop(context: Context) -> tuple[dict[str, Any], str]:
    """Stop the daemon of the profile where one runs, and wait for its end; returns its answer, and what became of it in
    words."""
    paths = context.paths
    client = probe(paths, PROBE)
    if client is None:
        return {"ok": True, "revision": 0}, f"No daemon runs for profile {paths.profile!r}."
    pid = client.hello.get("pid")
    stopped: dict[str, Any] = {"ok": True, "revision": client.hello.get("revision", 0)}
    try:
        stopped = context.call(client, "ccdash/shutdown", label="Stopping", timeout=PROBE)
    except RpcError as error:
        if error.code != SHUTTING_DOWN:
            raise
    except ConnectionLost:
        # It may be gone before its answer is sent.
        pass
    if not wait_stopped(client, paths):
        raise Error(f"The daemon (process {pid}) was asked to stop but still runs. See {paths.log_file}.")
    return stopped, f"The daemon (process {pid}) has stopped."


def describe(out: Output, status: dict[str, Any]) -> None:
    """Write a ``ccdash/status``."""
    style = {"ok": "green", "indexing": "yellow", "degraded": "red"}[status["state"]]
    watch = status["watch"]
    started = "a client (stops when idle)" if status["autoStarted"] else "the user or a service"
    fields(
        out,
        [
            ("state", out.paint(status["state"], style)),
            ("daemon", f"version {clean(status['version'])}, process {status['pid']}, profile {clean(status['profile'])}"),
            ("up", f"{duration(status['uptime'])}, since {local(status['startedAt'])}, started by {started}"),
            ("clients", str(status["clients"])),
            ("index", index_line(status["indexing"])),
            ("costs", "being computed anew, at the prices of today" if status.get("repricing") else ""),
            ("cache", counts_line(status["counts"])),
            ("database", f"{clean(status['database'])} ({size(status['databaseBytes'])})"),
            ("memory", size(status["memoryBytes"])),
            ("socket", clean(status["socket"])),
            ("metrics", clean(status.get("metricsUrl") or "")),
            ("watch", _watch(watch)),
            ("logs", "\n".join(root_lines(status["roots"]))),
        ],
    )
    for problem in status["problems"]:
        since = f" (since {ago(problem['since'])})" if problem["since"] else ""
        text = sentences(problem["problem"], problem["hint"])
        fields(out, [("problem", f"{clean(problem['part'])}{since}: {text}")])


def root_lines(roots: list[dict[str, Any]]) -> list[str]:
    """A line for each folder that is looked at."""
    return [
        f"{clean(root['path'])} ({clean(root['agent'])}: "
        + (f"{root['files']:,} files)" if root["exists"] else "does not exist)")
        for root in roots
    ]


def counts_line(counts: dict[str, int]) -> str:
    """What the cache holds: ``40 sessions, 49 sub-agents``; sessions always, the rest where there is any."""
    named = [(_NAMES.get(name) or _CAPITAL.sub(" ", clean(name)).lower(), number) for name, number in counts.items()]
    shown = [(name, number) for name, number in named if number or name == "sessions"]
    return ", ".join(f"{number:,} {name.removesuffix('s') if number == 1 else name}" for name, number in shown)


def index_line(indexing: dict[str, Any]) -> str:
    """How far the index is."""
    if indexing["phase"] == "idle":
        return "complete" if indexing["complete"] else "not begun"
    if indexing["phase"] == "scan":
        return "comparing files with the cache"
    if indexing["phase"] == "plans":
        return f"planning files: {indexing['filesDone']:,} of {indexing['filesTotal']:,} read"
    done = f"{indexing['filesDone']:,} of {indexing['filesTotal']:,} files, {size(indexing['done'])} of "
    text = f"{indexing['phase']}: {done}{size(indexing['total'])}"
    with suppress(TypeError):
        text += f", {duration(indexing['eta'])} left"
    return text


def _watch(watch: dict[str, Any]) -> str:
    if watch["mode"] == "off":
        text = "off"
    else:
        text = f"{watch['mode']}, {watch['directories']:,} folders, {watch['events']:,} events"
    if watch["lastScanAt"]:
        text += f", last scan {ago(watch['lastScanAt'])}"
    for name in ("restarts", "overflows"):
        if watch[name]:
            text += f", {watch[name]:,} {name}"
    return text if watch["healthy"] or watch["mode"] == "off" else f"{text}; not healthy, changes are found by scans"


HANDLERS = {
    "status": Handler(configure, run_status, ("ccdash status", "ccdash status --json | jq .indexing")),
    "stop": Handler(configure, run_stop, ("ccdash stop", "ccdash --profile demo stop")),
}
