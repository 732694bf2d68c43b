"""Everything that can happen, who hears of it, and what happened lately.

    what                 emitted                                          topic                  notification
    changes              after each commit, by `Events.publish`           sessions, features, …  ccdash/changed
    transcript entries   after a commit, when a session is followed       transcript:<id>        ccdash/transcript
    alerts               when one fired or was resolved                   alerts                 alerts/fired
    index progress       while files are read                             indexing               ccdash/indexing
    problems             when a part fails or recovers                    (asked by status)

Lives on the event loop: no method may be called from another thread. A notification is encoded once, however many
clients get it; the changes of one tick of the loop go out as one notification.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from ccdashd.clock import now
from ccdashd.errors import InvalidParams
from ccdashd.log import get
from ccdashd.protocol import frames, methods
from ccdashd.protocol import types as t

KEPT_CHANGES = 10_000
"""Changes that ``ccdash/changes`` can still tell; before them all is `fresh`."""

MAX_TOPICS = 1000
"""Topics that one connection may follow."""

PLAIN_TOPICS = ("sessions", "projects", "documents", "tasks", "features", "links", "tags", "alerts", "indexing")
_TRANSCRIPT = "transcript:"
_ENTITY_TOPICS = {
    "session": "sessions",
    "project": "projects",
    "document": "documents",
    "task": "tasks",
    "feature": "features",
    "link": "links",
    "tag": "tags",
}

logger = get(__name__)


@dataclass(frozen=True)
class Event:
    """One notification. A subscriber that is behind loses it, and gets one `missed` per topic when it reads again."""

    topic: str
    method: str
    params: (
        t.ChangedNotification
        | t.TranscriptNotification
        | t.IndexingNotification
        | t.ProgressNotification
        | t.AlertFiredNotification
        | t.DeepMatches
    )

    @cached_property
    def frame(self) -> bytes:
        return frames.notification(self.method, self.params)

    @property
    def missed(self) -> Event:
        """What stands in for this event, and for all older ones of its topic, with one that fell behind."""
        params = self.params
        if isinstance(params, t.ChangedNotification):
            params = t.ChangedNotification(revision=params.revision, changes=[], missed=True)
        elif isinstance(params, t.TranscriptNotification):
            params = t.TranscriptNotification(
                session_id=params.session_id, entries=[], revision=params.revision, missed=True
            )
        elif isinstance(params, t.AlertFiredNotification):
            params = t.AlertFiredNotification(alert=params.alert, revision=params.revision, missed=True)
        return Event(self.topic, self.method, params)


class Subscriber(Protocol):
    """One that is told of events, in order. Must not block."""

    def notify(self, event: Event) -> None: ...


class Events:
    """Subscriptions, and the changes of late."""

    def __init__(self) -> None:
        self.revision = 0
        """The newest revision that was published."""
        self._floor = 0
        self._ring: deque[tuple[int, t.Change]] = deque()
        self._topics: dict[Subscriber, set[str]] = {}
        self._pending: list[t.Change] = []
        self._indexing: t.Indexing | None = None
        self._flush_due = False
        self._waiters: set[tuple[int, asyncio.Future[None]]] = set()

    def start(self, revision: int) -> None:
        """The database was opened at `revision`: what changed before is not known."""
        self._ring.clear()
        self._floor = self.revision = revision
        self._wake()

    def publish(self, changes: Iterable[t.Change], revision: int) -> None:
        """A transaction was committed. `Change.type` is a key of `_ENTITY_TOPICS`."""
        self.revision = max(self.revision, revision)
        for change in changes:
            self._pending.append(change)
            self._ring.append((revision, change))
        while len(self._ring) > KEPT_CHANGES:
            self._floor = self._ring.popleft()[0]
        self._wake()
        self._flush_soon()

    def transcript(self, session_id: str, entries: Sequence[t.Entry], revision: int) -> None:
        """Entries were added to a session; worth calling only when `has_transcript_subscribers`."""
        params = t.TranscriptNotification(session_id=session_id, entries=list(entries), revision=revision)
        self._send(Event(_TRANSCRIPT + session_id, methods.TRANSCRIPT.name, params))

    def alert(self, alert: t.AlertFired, revision: int) -> None:
        """An alert fired, or was resolved."""
        params = t.AlertFiredNotification(alert=alert, revision=revision)
        self._send(Event("alerts", methods.ALERT_FIRED.name, params))

    def indexing(self, progress: t.Indexing) -> None:
        """The index run got on. Only the last of one tick is sent."""
        self._indexing = progress
        self._flush_soon()

    def has_transcript_subscribers(self, session_id: str) -> bool:
        """Whether anybody follows that session."""
        topic = _TRANSCRIPT + session_id
        return any(topic in topics for topics in self._topics.values())

    def since(self, revision: int) -> t.Changes:
        """What changed after `revision`, each entity once; `fresh` when that is no longer known."""
        if not self._floor <= revision <= self.revision:
            return t.Changes(revision=self.revision, fresh=True, changes=[])
        latest: dict[tuple[str, str], t.Change] = {}
        for at, change in self._ring:
            if at > revision:
                _keep_last(latest, change)
        return t.Changes(revision=self.revision, fresh=False, changes=list(latest.values()))

    async def reached(self, revision: int, timeout: float) -> bool:
        """Wait until `revision` was published, at most `timeout` seconds. Tells whether it was."""
        if self.revision < revision:
            waiter = (revision, asyncio.get_running_loop().create_future())
            self._waiters.add(waiter)
            try:
                await asyncio.wait([waiter[1]], timeout=timeout)
            finally:
                self._waiters.discard(waiter)
        return self.revision >= revision

    def subscribe(self, subscriber: Subscriber, topics: Iterable[str]) -> list[str]:
        """Follow more topics; answers all that are followed. Raises `InvalidParams`."""
        wanted = self._topics.get(subscriber, set()) | _expand(topics)
        if len(wanted) > MAX_TOPICS:
            raise InvalidParams("topics", f"one connection may follow at most {MAX_TOPICS} topics", len(wanted))
        if wanted:
            self._topics[subscriber] = wanted
        return sorted(wanted)

    def unsubscribe(self, subscriber: Subscriber, topics: Iterable[str]) -> list[str]:
        """Follow fewer topics; answers those that are left. Raises `InvalidParams`."""
        left = self._topics.get(subscriber, set()) - _expand(topics)
        if left:
            self._topics[subscriber] = left
        else:
            self._topics.pop(subscriber, None)
        return sorted(left)

    def drop(self, subscriber: Subscriber) -> None:
        """Forget a subscriber that is gone."""
        self._topics.pop(subscriber, None)

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        pending, self._pending = self._pending, []
        if pending and self._topics:
            self._send_changes(pending)
        progress, self._indexing = self._indexing, None
        if progress is not None:
            params = t.IndexingNotification(indexing=progress, revision=self.revision)
            self._send(Event("indexing", methods.INDEXING.name, params))

    def _send_changes(self, pending: list[t.Change]) -> None:
        latest: dict[tuple[str, str], t.Change] = {}
        for change in pending:
            _keep_last(latest, change)
        events: dict[frozenset[str], Event | None] = {}
        for subscriber, topics in list(self._topics.items()):
            wanted = frozenset(topics.intersection(_ENTITY_TOPICS.values()))
            if wanted not in events:
                changes = [change for change in latest.values() if _ENTITY_TOPICS.get(change.type) in wanted]
                params = t.ChangedNotification(revision=self.revision, changes=changes)
                events[wanted] = Event("changed", methods.CHANGED.name, params) if changes else None
            event = events[wanted]
            if event is not None:
                subscriber.notify(event)

    def _send(self, event: Event) -> None:
        for subscriber, topics in list(self._topics.items()):
            if event.topic in topics:
                subscriber.notify(event)

    def _wake(self) -> None:
        for revision, future in self._waiters:
            if revision <= self.revision and not future.done():
                future.set_result(None)


class Problems:
    """What is not well now, by part of the daemon: ``database``, ``ingest``, ``watch``, ``settings``, …"""

    def __init__(self) -> None:
        self._problems: dict[str, t.Problem] = {}
        self.on_change: Callable[[], None] = lambda: None
        """Called after a problem came, changed or went."""

    def set(self, part: str, problem: str, hint: str = "") -> None:
        """`part` does not work: `problem` says why, `hint` what the user can do. Keeps the time of the first report."""
        known = self._problems.get(part)
        if known is not None and (known.problem, known.hint) == (problem, hint):
            return
        self._problems[part] = t.Problem(
            part=part, problem=problem, hint=hint, since=known.since if known is not None else now()
        )
        logger.warning("problem", part=part, problem=problem)
        self.on_change()

    def clear(self, part: str) -> None:
        """`part` works again."""
        if self._problems.pop(part, None) is not None:
            logger.info("problem solved", part=part)
            self.on_change()

    def all(self) -> list[t.Problem]:
        """The problems, oldest first."""
        return sorted(self._problems.values(), key=lambda problem: problem.since)


def _keep_last(latest: dict[tuple[str, str], t.Change], change: t.Change) -> None:
    key = (change.type, change.id)
    latest.pop(key, None)
    latest[key] = change


def _expand(topics: Iterable[str]) -> set[str]:
    expanded: set[str] = set()
    for topic in topics:
        if topic == "*":
            expanded.update(PLAIN_TOPICS)
        elif topic in PLAIN_TOPICS or (topic.startswith(_TRANSCRIPT) and len(topic) > len(_TRANSCRIPT)):
            expanded.add(topic)
        else:
            raise InvalidParams("topics", f"must be '*', {', '.join(PLAIN_TOPICS)} or transcript:<session id>", topic)
    return expanded
