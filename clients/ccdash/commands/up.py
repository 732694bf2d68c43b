"""``ccdash up``: start the daemon, say where logs were found, follow the first index."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ccdash.client import Client
from ccdash.commands.daemon import counts_line, index_line, root_lines
from ccdash.commands.demo import show_demo
from ccdash.context import Context
from ccdash.parser import Handler
from ccdash.progress import ProgressLine
from ccdash.text import clean, sentences

SETTLE = 10.0
"""Seconds that the daemon may take to count the logs."""

CACHE = "cache"
"""The part of a status whose problems keep the index from getting on."""

PATIENCE = 60.0
"""Seconds that one waits for a cache that cannot be opened: a disk may come back, or have space again."""

POLL = 1.0
"""Seconds without news of the index, after which the daemon is asked."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        help="return when all logs are indexed; by default in a terminal, where progress is shown",
    )


def run(context: Context) -> int:
    out, wait = context.out, context.args.wait
    with context.connect() as client:
        status = _settle(context, client)
        if _stuck(status):
            tell(context, client)
            return 1
        if not _has_logs(status):
            out.note("No agent log was found. Looked in:")
            for line in root_lines(status["roots"]) or ["no folder at all: the setting claude_dirs is empty"]:
                out.note(f"  {line}")
            out.note("Sessions will appear as soon as an agent writes there. Until then, here is demo data.")
    if not _has_logs(status):
        return show_demo(context, wait=wait is not False)
    with context.connect() as client:
        gets_on = follow(context, client, wait=wait)
        tell(context, client)
    return 0 if gets_on else 1


def follow(context: Context, client: Client, *, wait: bool | None) -> bool:
    """Wait until all logs are indexed, with progress; by default only where somebody sees that.

    Tells whether the index gets on: it does not where the cache could not be opened for `PATIENCE`.
    """
    if not (context.out.notes.isatty() if wait is None else wait):
        return True
    last = time.monotonic()
    with ProgressLine(context.out, "Indexing") as progress:
        try:
            client.request("ccdash/subscribe", {"topics": ["indexing"]})
            told: set[str] = set()
            while not _indexed(status := client.request("ccdash/status")):
                _tell_problems(context, status, told)
                if not _is_closed(status):
                    last = time.monotonic()
                elif time.monotonic() - last >= PATIENCE:
                    return False
                for notification in client.notifications(POLL):
                    if notification.method == "ccdash/indexing":
                        state = notification.params["indexing"]
                        progress.indexing(state)
                        if state["phase"] == "idle":
                            break
        except KeyboardInterrupt:
            context.out.note("The daemon goes on indexing; `ccdash up --wait` shows how far it is.")
            raise
    return True


def _tell_problems(context: Context, status: dict[str, Any], told: set[str]) -> None:
    """Tell once each why the index does not get on; what else is wrong is told in the end."""
    for problem in status["problems"]:
        text = sentences(problem["problem"], problem["hint"])
        if problem["part"] == CACHE and text not in told:
            told.add(text)
            context.out.note(text)


def tell(context: Context, client: Client) -> None:
    """Write what runs, where logs were found, and what to do next."""
    out = context.out
    status: dict[str, Any] = client.request("ccdash/status")
    if out.as_json:
        out.result(status)
        return
    out.line(f"ccdashd {clean(status['version'])} is up (process {status['pid']}, profile {clean(status['profile'])}).")
    for line in root_lines(status["roots"]):
        out.line(f"  {line}")
    counts = counts_line(status["counts"])
    out.line(f"Index: {index_line(status['indexing'])}" + (f" ({counts})" if counts else ""))
    for problem in status["problems"]:
        out.line(f"{out.paint('problem', 'red')}: {sentences(problem['problem'], problem['hint'])}")
    if _stuck(status):
        out.line("No log can be read until that is mended. `ccdash status` shows how it is.")
        return
    option = "" if context.paths.profile == status["profile"] else f" --profile {clean(status['profile'])}"
    plans = f" `ccdash{option} features`," if status["counts"].get("features") else ""
    out.line(out.hint(f"Next: `ccdash{option} sessions`,{plans} `ccdash{option} doctor`, `ccdash --help`."))


def _settle(context: Context, client: Client) -> dict[str, Any]:
    """The daemon's status, once it knows whether there are logs, or why it cannot know."""
    deadline = time.monotonic() + SETTLE
    client.request("ccdash/subscribe", {"topics": ["indexing"]})
    with ProgressLine(context.out, "Looking for logs") as progress:
        while True:
            status: dict[str, Any] = client.request("ccdash/status")
            looked = status["watch"]["lastScanAt"] or status["indexing"]["phase"] not in ("idle", "scan")
            if looked or _stuck(status) or time.monotonic() > deadline:
                return status
            progress.waited(SETTLE - (deadline - time.monotonic()))
            next(iter(client.notifications(0.1)), None)


def _stuck(status: dict[str, Any]) -> bool:
    """Whether the cache cannot be opened, so that nothing is known of any log."""
    return not status["roots"] and _is_closed(status)


def _is_closed(status: dict[str, Any]) -> bool:
    """Whether the cache could not be opened when that was tried last."""
    return any(problem["part"] == CACHE for problem in status["problems"])


def _indexed(status: dict[str, Any]) -> bool:
    """Whether the first index is complete and, after a start, every log was compared with it once."""
    indexing = status["indexing"]
    return indexing["complete"] and indexing["phase"] == "idle" and status["watch"]["lastScanAt"] is not None


def _has_logs(status: dict[str, Any]) -> bool:
    # Sessions whose logs are gone are the user's as well, and so are planning files.
    counts = status["counts"]
    return any(root["files"] for root in status["roots"]) or bool(counts.get("sessions") or counts.get("documents"))


HANDLERS = {
    "up": Handler(
        configure,
        run,
        (
            "ccdash up           # start, and follow the first index in a terminal",
            "ccdash up --wait    # for scripts: return when all logs are indexed",
        ),
    ),
}
