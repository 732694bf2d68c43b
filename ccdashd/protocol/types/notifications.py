"""What the daemon sends on its own."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Wire
from ccdashd.protocol.types.daemon import Change, Indexing
from ccdashd.protocol.types.transcript import Entry


class ChangedNotification(Wire, frozen=True):
    """``ccdash/changed``. `missed` tells a client that fell behind that changes before this revision were left out."""

    revision: int
    changes: list[Change]
    missed: bool = False


class TranscriptNotification(Wire, frozen=True):
    """``ccdash/transcript``: entries that were added to a session."""

    session_id: str
    entries: list[Entry]
    revision: int
    missed: bool = False


class IndexingNotification(Wire, frozen=True):
    """``ccdash/indexing``."""

    indexing: Indexing
    revision: int


class WorkDone(Wire, frozen=True, omit_defaults=True):
    """How far a request is, as the Language Server Protocol has it: ``begin``, then ``report``, last ``end``."""

    kind: Literal["begin", "report", "end"]
    title: str | None = None
    """Of ``begin``: the method."""
    message: str | None = None
    percentage: int | None = None
    """0 to 100, when known."""


class ProgressNotification(Wire, frozen=True):
    """``$/progress``, to the connection whose request named the token."""

    token: str | int
    value: WorkDone
