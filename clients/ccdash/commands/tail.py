"""``ccdash tail``: the end of a transcript, and what is added to it while somebody watches."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from ccdash.arguments import PAGE, natural, session_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import ConnectionLost, Error
from ccdash.parser import Handler
from ccdash.text import clean
from ccdash.transcripts import Writer

RECONNECTS = 5
"""Times in a row that a lost daemon is looked for (and started) again."""

STEADY = 60.0
"""Seconds after which a connection counts as one that held."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="the session; by default the one written to last")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is added, until Ctrl-C")
    parser.add_argument("-n", "--lines", type=natural, default=20, metavar="N", help="start N entries before the end (20)")
    parser.add_argument("--full", action="store_true", help="do not cut long entries")


def run(context: Context) -> None:
    args = context.args
    tail = _Tail(context)
    failures = 0
    while True:
        began = time.monotonic()
        try:
            with context.connect() as client:
                if tail.started:
                    tail.catch_up(client)
                else:
                    tail.start(client, session_id(client, args.id) if args.id else _newest(context, client))
                if not args.follow:
                    return
                for notification in client.notifications():
                    if notification.method == "ccdash/transcript":
                        tail.added(client, notification.params)
        except ConnectionLost:
            # The daemon was restarted or died: what it missed is read again from where this stopped.
            failures = failures + 1 if time.monotonic() - began < STEADY else 1
            if not (args.follow and tail.started) or failures > RECONNECTS:
                raise


class _Tail:
    """What was written so far: entries before `next` are not written again."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._out = context.out
        self._writer = Writer(context.out, full=context.args.full)
        self._id = ""
        self._next = 0

    @property
    def started(self) -> bool:
        return bool(self._id)

    def start(self, client: Client, identifier: str) -> None:
        lines = self._context.args.lines
        ask = {"id": identifier, "start": -lines} if lines else {"id": identifier, "start": -1, "limit": 1}
        chunk = self._context.call(client, "sessions/transcript", {"limit": min(PAGE, max(1, lines)), **ask})
        self._id, self._next = chunk["sessionId"], chunk["start"] if lines else chunk["total"]
        if self._out.as_json and not self._context.args.follow:
            self._out.result(chunk)
            return
        if lines:
            self._write(chunk["items"])
            self._read_on(client, chunk["next"])
        if self._context.args.follow:
            self.catch_up(client)

    def catch_up(self, client: Client) -> None:
        """Subscribe first, then read what was added before that: nothing can fall between."""
        client.request("ccdash/subscribe", {"topics": [f"transcript:{self._id}"]})
        self._read_on(client, self._next)
        self._out.flush()

    def added(self, client: Client, params: dict[str, Any]) -> None:
        entries = params["entries"]
        if params["sessionId"] != self._id:
            return
        if params["missed"] or (entries and entries[0]["index"] > self._next):
            self._read_on(client, self._next)
        self._write(entries)
        self._out.flush()

    def _read_on(self, client: Client, start: int | None) -> None:
        while start is not None:
            chunk = client.request("sessions/transcript", {"id": self._id, "start": start, "limit": PAGE})
            self._write(chunk["items"])
            start = chunk["next"] if chunk["items"] else None

    def _write(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["index"] < self._next:
                continue
            self._next = entry["index"] + 1
            if self._out.as_json:
                self._out.line(json.dumps(entry, separators=(",", ":")))
            else:
                self._writer.write(entry)


def _newest(context: Context, client: Client) -> str:
    """The session that was written to last."""
    rows = context.call(client, "sessions/active", {})["items"]
    rows = rows or context.call(client, "sessions/list", {"limit": 1})["items"]
    if not rows:
        raise Error("There is no session yet. `ccdash up` says where logs are looked for.")
    newest = max(rows, key=lambda row: row["endedAt"] or "")
    if not context.out.as_json:
        context.out.note(f"{clean(newest['title']) or '(no title)'} ({newest['id']})")
    return str(newest["id"])


HANDLERS = {
    "tail": Handler(
        configure,
        run,
        (
            "ccdash tail                   # the end of the session written to last",
            "ccdash tail -f                # follow it",
            "ccdash tail -f -n 0 0f3c9d1e  # follow a session from now on",
            "ccdash tail -f --json         # one JSON object a line",
        ),
    ),
}
