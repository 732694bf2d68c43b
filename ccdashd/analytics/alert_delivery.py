"""Carries alerts out of the daemon: onto the desktop, and to the command of the user.

Programs are run without a shell, a few at a time, and are ended when they take too long; none of them can hold the daemon
up. What they print is not kept. One that fails is a problem in ``ccdash/status`` until one succeeds.
"""

from __future__ import annotations

import asyncio
import html
import os
import signal
import sys
import time
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL
from typing import Final

import msgspec

from ccdashd.events import Problems
from ccdashd.log import get
from ccdashd.protocol import types as t

TIME_LIMIT: Final = 30.0
"""Seconds that a program may take."""

AT_ONCE: Final = 2
"""Programs of one kind that run at the same time."""

WAITING: Final = 100
"""Alerts that may wait for a program; more are left out, which the log tells."""

_OSASCRIPT: Final = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)

logger = get(__name__)


class Delivery:
    """Runs programs for alerts; `command` is that of the setting `alert_command`. All calls are for the event loop."""

    def __init__(self, problems: Problems, command: Sequence[str], *, time_limit: float = TIME_LIMIT) -> None:
        self._command = _Runner("alert command", problems, "Look at the setting alert_command.", time_limit)
        self._desktop = _Runner("desktop alerts", problems, _desktop_hint(), time_limit)
        self._argv = [os.path.expanduser(part) if place == 0 else part for place, part in enumerate(command)]

    def show(self, alert: t.AlertFired) -> None:
        """Show an alert on the desktop."""
        self._desktop.run(desktop_argv(alert.name, alert.text))

    def run_command(self, alert: t.AlertFired) -> None:
        """Give an alert to the user's command, if there is one: as one line of JSON on its standard input."""
        if self._argv:
            self._command.run(self._argv, msgspec.json.encode(alert) + b"\n")

    async def stop(self) -> None:
        """End what still runs."""
        await self._command.stop()
        await self._desktop.stop()


class _Runner:
    """Runs programs of one kind."""

    def __init__(self, part: str, problems: Problems, hint: str, time_limit: float) -> None:
        self._part = part
        self._problems = problems
        self._hint = hint
        self._time_limit = time_limit
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, argv: Sequence[str], stdin: bytes = b"") -> None:
        """Run a program soon. `stdin` must fit into a pipe."""
        if len(self._tasks) >= WAITING:
            logger.warning("alert not delivered", to=self._part, problem="too many wait")
            return
        task = asyncio.create_task(self._run(argv, stdin), name=self._part)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, argv: Sequence[str], stdin: bytes) -> None:
        async with self._turn:
            began = time.monotonic()
            try:
                problem = await self._end(await _spawn(argv, stdin))
            except (OSError, ValueError) as error:
                problem = getattr(error, "strerror", None) or str(error)
            logger.info("alert delivered", to=self._part, seconds=round(time.monotonic() - began, 3), problem=problem)
        if problem:
            self._problems.set(self._part, f"{argv[0]}: {problem}", self._hint)
        else:
            self._problems.clear(self._part)

    async def _end(self, process: asyncio.subprocess.Process) -> str:
        """Wait for a program's end; what is wrong with it, if anything."""
        try:
            code = await asyncio.wait_for(process.wait(), self._time_limit)
            return f"ended with {code}" if code else ""
        except TimeoutError:
            return f"did not end within {self._time_limit:g} s, and was ended"
        finally:
            if process.returncode is None:
                # With all that it started: it leads a group of its own.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


async def _spawn(argv: Sequence[str], stdin: bytes) -> asyncio.subprocess.Process:
    reader = _filled_pipe(stdin)
    try:
        return await asyncio.create_subprocess_exec(
            *argv, stdin=reader, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    finally:
        os.close(reader)


def _filled_pipe(data: bytes) -> int:
    """The end to read of a pipe that holds `data`, and ends there. So a program that does not read holds up nobody."""
    reader, writer = os.pipe()
    try:
        os.write(writer, data)
    finally:
        os.close(writer)
    return reader


def desktop_argv(title: str, text: str, platform: str = sys.platform) -> list[str]:
    """The command that shows a text on the desktop, whatever is in it."""
    title, text = _plain(title), _plain(text)
    if platform == "darwin":
        script = [part for line in _OSASCRIPT for part in ("-e", line)]
        return ["osascript", *script, title, text]
    # The body is markup (https://specifications.freedesktop.org/notification-spec/latest/markup.html).
    return ["notify-send", "--app-name=ccdash", "--", title, html.escape(text, quote=False)]


def _plain(text: str) -> str:
    return "".join(" " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in text)


def _desktop_hint() -> str:
    if sys.platform == "darwin":
        return "Allow notifications of Script Editor in System Settings."
    return "Install notify-send (package libnotify-bin or libnotify), and start the daemon within a desktop session."
