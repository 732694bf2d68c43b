"""What the watcher and its backends say to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Reason(StrEnum):
    """Why everything below the roots may have changed."""

    OVERFLOW = "the queue of changes overflowed"
    RESTARTED = "the watcher was restarted"
    ROOT_VANISHED = "a root vanished"
    ROOT_APPEARED = "a root appeared"
    ROOTS_CHANGED = "other roots are watched"
    DIRECTORY_MOVED = "a folder was moved"
    SUSPENDED = "the machine was suspended"
    BURST = "very many files changed"
    LIMITED = "folders could be watched no longer"
    UNDELIVERED = "changes could not be delivered"


@dataclass(frozen=True)
class Sink:
    """Where a backend reports to, on the loop's thread only.

    `paths`: absolute paths of files that were created, changed, moved or deleted. `rescan`: see `Reason`.
    `failed`: the backend cannot go on and wants to be replaced.
    """

    paths: Callable[[set[str]], None]
    rescan: Callable[[Reason], None]
    failed: Callable[[BaseException], None]


class Backend(Protocol):
    """One way to learn of changes below the roots. Started once, stopped once, never started again."""

    mode: str

    @property
    def directories(self) -> int:
        """How many folders are watched."""

    @property
    def delay(self) -> float:
        """Seconds that a change may take to be reported while all is well."""

    @property
    def problem(self) -> str | None:
        """What works less well than it should, and what to do about it; None when all is well."""

    async def start(self) -> None:
        """Returns when armed: every later change is reported. Raises `OSError` when that cannot be."""

    async def stop(self) -> None:
        """Release everything. Never raises."""

    async def set_roots(self, roots: Iterable[str]) -> None:
        """Watch these instead, the more important ones first. Returns when armed for those that are new, whose files
        need not be reported, or when stopped or failed meanwhile. Roots that stay lose no change, or a rescan is asked
        for. May raise like `start`."""

    async def check(self) -> None:
        """Called every now and then: notice what brings no event (a root replaced behind a symbolic link)."""
