"""What the daemon sends on its own."""

from __future__ import annotations

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
