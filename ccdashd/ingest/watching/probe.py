"""Whether the backend still hears: make a change in a folder of our own, and wait for the report of it."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path


class Probe:
    """Makes and removes *cookies*, empty files in `folder`, and nothing in any other place."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._inside = folder + "/"
        self._cookies: dict[str, asyncio.Event] = {}
        self._numbers = itertools.count()

    def prepare(self) -> None:
        """Make the folder. Raises `OSError`."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def owns(self, path: str) -> bool:
        return path.startswith(self._inside)

    def awaits(self, path: str) -> bool:
        return path in self._cookies

    def note(self, paths: set[str]) -> None:
        """These were reported."""
        for cookie in self._cookies.keys() & paths:
            self._cookies[cookie].set()

    async def run(self, seconds: float) -> bool:
        """Whether a change is reported within `seconds`. Raises `OSError` when none can be made."""
        cookie = f"{self._inside}cookie-{os.getpid()}-{next(self._numbers)}"
        seen = self._cookies[cookie] = asyncio.Event()
        waiting = asyncio.ensure_future(seen.wait())
        try:
            self.prepare()
            Path(cookie).touch(mode=0o600)
            # Unlike wait_for, `wait` sees what came while the loop was held up past the time limit.
            await asyncio.wait([waiting], timeout=seconds)
            return seen.is_set()
        finally:
            waiting.cancel()
            del self._cookies[cookie]
            Path(cookie).unlink(missing_ok=True)
