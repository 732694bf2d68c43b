"""What may have changed since the index was looked at, as far as that was told. A hint, and not the truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ccdashd.protocol import types as t

MOST_CHANGES = 10_000
"""Changes that are remembered one by one."""


class Hint(NamedTuple):
    """What to look at."""

    changes: list[t.Change] | None
    """Of titles, plans and notes; None: any of them may be another."""
    sessions: set[str]
    """Whose logs may have grown."""
    all_logs: bool
    """Whether any log may have changed."""


class Hints:
    """Gathers what is told."""

    def __init__(self) -> None:
        self.anything()

    def anything(self) -> None:
        """Nothing is known: anything may have changed."""
        self._changes: list[t.Change] | None = None
        self._sessions: set[str] = set()
        self.all_logs = True

    def note(self, told: t.ChangedNotification) -> None:
        """These changes were told."""
        if told.missed:
            self.anything()
            return
        if self._changes is not None:
            self._changes += told.changes
            if len(self._changes) > MOST_CHANGES:
                self._changes = None
        self._note_sessions(told.changes)

    def _note_sessions(self, changes: Iterable[t.Change]) -> None:
        for change in changes:
            if change.type == "session":
                self._sessions.add(change.id)
                # Its logs may be gone from the cache, or belong to another session now.
                self.all_logs = self.all_logs or change.op == "delete"

    def take(self) -> Hint:
        """What was told since this was called last."""
        hint = Hint(self._changes, self._sessions, self.all_logs)
        self._changes, self._sessions, self.all_logs = [], set(), False
        return hint
