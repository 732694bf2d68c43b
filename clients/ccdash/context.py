"""What a command gets: its arguments, the output, and the way to the daemon."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ccdash.autostart import connect
from ccdash.client import Client, Notification
from ccdash.errors import Error, UsageError
from ccdash.output import Output
from ccdash.progress import ProgressLine
from ccdashd.paths import Paths, resolve

Told = Callable[[Notification], None]


class Context:
    """One run of one command."""

    def __init__(self, args: argparse.Namespace, out: Output) -> None:
        self.args = args
        self.out = out
        try:
            self.paths: Paths = resolve(args.profile)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def connect(self, *, autostart: bool = True, paths: Paths | None = None) -> Client:
        """A connection to the daemon of the profile, started where needed and wanted; see `ccdash.autostart.connect`."""
        with ProgressLine(self.out, "Starting the daemon") as progress:
            return connect(autostart=autostart, paths=paths or self.paths, on_wait=progress.waited)

    def call(
        self, client: Client, method: str, params: Any = None, *, label: str = "Waiting", timeout: float | None = 60.0
    ) -> Any:
        """A request that shows progress while it takes long; see `Client.request`."""
        with ProgressLine(self.out, label) as progress:

            def notified(notification: Notification) -> None:
                if notification.method == "ccdash/indexing":
                    progress.indexing(notification.params["indexing"])

            return _request(client, method, params, progress, notified, timeout)

    def long_call(self, client: Client, method: str, params: Any = None, *, label: str) -> Any:
        """A request without time limit that follows the index run behind it."""
        client.request("ccdash/subscribe", {"topics": ["indexing"]})
        return self.call(client, method, params, label=label, timeout=None)

    def work_call(
        self, client: Client, method: str, params: Mapping[str, Any], *, label: str, told: Told | None = None
    ) -> Any:
        """A request without time limit that tells itself how far it is; `told` takes what else it tells."""
        with ProgressLine(self.out, label) as progress:

            def notified(notification: Notification) -> None:
                if notification.method == "$/progress":
                    progress.work(notification.params["value"])
                elif told is not None:
                    progress.hide()
                    told(notification)

            return _request(client, method, {**params, "workDoneToken": method}, progress, notified, None)

    @property
    def asks(self) -> bool:
        """Whether somebody sits there who can be asked."""
        return self.out.terminal and sys.stdin.isatty() and not self.out.as_json

    def confirmed(self, question: str) -> bool:
        """Ask a question; whether the answer is yes."""
        self.out.flush()
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def is_indexing(self) -> bool:
        """Whether a daemon runs whose first index is not complete."""
        try:
            with self.connect(autostart=False) as client:
                return not client.request("ccdash/status")["indexing"]["complete"]
        except Error:
            return False

    def note_indexing(self, client: Client) -> None:
        """Tell that lists may be incomplete, while the first index is not complete."""
        state = client.hello.get("indexing") or {}
        if not state.get("complete", True):
            # A daemon that has just started says hello before it has opened its cache.
            state = client.request("ccdash/status")["indexing"]
        if not state.get("complete", True) and not self.out.as_json:
            total = int(state.get("total", 0))
            share = f" ({100 * int(state.get('done', 0)) // total} %)" if total else ""
            self.out.note(f"The first index is not complete{share}: more may be found. `ccdash up --wait` waits for it.")


def _request(
    client: Client, method: str, params: Any, progress: ProgressLine, notified: Told, timeout: float | None
) -> Any:
    client.on_wait, client.on_notification = progress.waited, notified
    try:
        return client.request(method, params, timeout=timeout)
    finally:
        client.on_wait = client.on_notification = None
