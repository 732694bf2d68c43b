"""Looks at alert rules when something changed, notes what fires in the journal, and tells it.

    commits ──► touched ──► SETTLE ──► survey (a reader) ──► derive.alerts.step ──► journal + cache ──► clients, desktop,
    time passes ────────────────────────────────┘                                                      command

Nothing is looked at before all files were compared with the cache, nor while an index run is under way or prices changed:
values are of half of the rows then. What fires is on disk before it is told, so a daemon that is killed tells nothing
twice; in between it may be told to nobody, and stands in the list of what fires. A wait for a rule's time begins anew with
the daemon.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from ccdashd.analytics.alert_answers import fired
from ccdashd.analytics.alert_delivery import Delivery
from ccdashd.analytics.alert_readings import Survey, Touched
from ccdashd.analytics.rounds import rounds
from ccdashd.derive import periods
from ccdashd.derive.alert_words import label
from ccdashd.derive.alerts import Event as Crossing
from ccdashd.derive.alerts import Rule, State, Subject, step
from ccdashd.edits.decisions import AlertFiredEdit, Name
from ccdashd.errors import Busy
from ccdashd.events import Event
from ccdashd.log import get
from ccdashd.protocol import types as t
from ccdashd.store import alerts
from ccdashd.store.names import look_up, name_of
from ccdashd.store.session_rows import now

if TYPE_CHECKING:
    from ccdashd.app import App

SETTLE = 1.0
"""Seconds from a change until it is looked at, with all that came after it."""

REST = 20.0
"""After a look there is none for so many times as long as it took: looks take a few percent of a core at most."""

TICK = 30.0
"""Seconds between looks while something fires, or waits to: days end, and work falls silent."""

RETRY = 10.0
"""Seconds until what failed is tried again."""

_TOPICS = ("sessions", "projects", "features", "indexing")

_ENTITIES: Mapping[t.AlertScope, t.EntityType] = {"session": "session", "project": "project", "feature": "feature"}

logger = get(__name__)

Key = tuple[str, str]
"""The id of a rule, and the key of a subject."""


class _Note(NamedTuple):
    """What is to be noted of a subject of a rule; of a rule that is gone, or off, only that it is over."""

    key: Key
    event: Crossing
    rule: Rule | None = None
    subject: Subject | None = None
    value: float = 0.0


class _Outcome(NamedTuple):
    """What a look found."""

    notes: list[_Note]
    pending: dict[Key, State]
    due: int | None
    """When the first of `pending` has waited long enough, in milliseconds since the epoch."""
    firing: bool
    """Something fires."""
    seconds: float
    """How long it took."""


class _Said(NamedTuple):
    """What was noted, and is to be told."""

    id: str
    """Of the alert."""
    desktop: bool
    command: bool


class Alerting:
    """Evaluates the rules of one daemon. All calls are for the event loop; `pending` may be read from any thread."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._zone = periods.zone(app.settings.time_zone)
        self._delivery = Delivery(app.problems, app.settings.alert_command)
        self._touched = Touched(everything=True)
        self._wake = asyncio.Event()
        self._states: dict[Key, State] = {}
        self._next: float | None = None
        """When time alone is a reason to look, on the monotonic clock; None: never."""
        self._task: asyncio.Task[None] | None = None
        self.pending: frozenset[str] = frozenset()
        """The ids of rules of which something waits for the rule's time to be over."""

    def start(self) -> None:
        """Begin to follow what changes."""
        self._app.events.subscribe(self, _TOPICS)
        self._wake.set()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="alerts")

    async def stop(self) -> None:
        """End, with the programs that were started for alerts."""
        self._app.events.drop(self)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._delivery.stop()

    def notify(self, event: Event) -> None:
        """Something changed, see `events.Subscriber`."""
        if isinstance(event.params, t.ChangedNotification):
            kinds = {
                "session": self._touched.sessions,
                "project": self._touched.projects,
                "feature": self._touched.features,
            }
            for change in event.params.changes:
                kinds[change.type].add(change.id)
        self._wake.set()

    def look_at_all(self) -> None:
        """Rules changed: look at all that was worked on lately."""
        self._touched.everything = True
        self._wake.set()

    async def _run(self) -> None:
        await rounds(self._wake, self._pause, self._round, self._failed, settle=SETTLE, retry=RETRY)

    async def _round(self) -> float:
        took = await self.look()
        self._app.problems.clear("alerts")
        return REST * took

    def _failed(self, error: Exception) -> None:
        if isinstance(error, OSError):
            problem = f"alerts cannot be noted in the journal: {error.strerror or error}"
            self._app.problems.set("alerts", problem, "None is told until they can be; it is tried again by itself.")
        elif not isinstance(error, Busy):  # of which the status tells already
            logger.error("alerts not evaluated", exc_info=error)

    def _pause(self) -> float | None:
        return None if self._next is None else max(0.0, self._next - time.monotonic())

    async def look(self) -> float:
        """Look at what was touched since the last look, and at what depends on time; returns how many seconds a reader
        worked on it.

        Raises OSError where the journal cannot be written or read, and Busy where the cache cannot; it is looked at again
        then.
        """
        app = self._app
        if not (app.is_open and app.scanned and app.indexing.complete and app.indexing.phase == "idle"):
            self._next = None
            return 0.0  # the end of an index run wakes us
        if app.pipeline.repricing.under_way:
            self._next = time.monotonic() + SETTLE
            return 0.0
        touched, self._touched = self._touched, Touched()
        try:
            moment = now()
            outcome = await app.database.read(partial(_look, touched, dict(self._states), self._zone, moment))
            for note in outcome.notes:
                await self._say(note)
        except BaseException:
            self._touched.everything = True
            raise
        self._states = outcome.pending
        self.pending = frozenset(rule for rule, _ in outcome.pending)
        waits = [TICK] if outcome.firing or outcome.pending else []
        if outcome.due is not None:
            waits.append((outcome.due - moment) / 1000)
        self._next = time.monotonic() + min(waits) if waits else None
        return outcome.seconds

    async def _say(self, note: _Note) -> None:
        """Note it, and tell who wants to know. Of a value that came back after its subject went quiet, nobody does."""
        said = await self._app.pipeline.decide(partial(_choose, note))
        if said is None:
            return
        alert = await self._app.database.read(lambda connection, _: alerts.alert(connection, said.id))
        if alert is None:
            return
        told = fired(alert)
        logger.info("alert", rule=told.rule, event=note.event, value=told.value)
        self._app.events.alert(told, self._app.database.revision)
        if said.desktop:
            self._delivery.show(told)
        if said.command:
            self._delivery.run_command(told)


def _look(
    touched: Touched, pending: Mapping[Key, State], zone: tzinfo, now: int, connection: sa.Connection, revision: int
) -> _Outcome:
    began = time.perf_counter()
    survey = Survey(connection, touched, zone, now)
    states = {**pending, **alerts.states(connection)}
    rules = {id: rule for id, rule in alerts.rules(connection).items() if rule.active}
    notes = [_Note(key, "resolved") for key, state in states.items() if key[0] not in rules and state.phase == "firing"]
    after: dict[Key, State] = {}
    for id, rule in rules.items():
        known = [key for (owner, key), state in states.items() if owner == id and state.phase != "quiet"]
        for key, (subject, reading) in survey.readings(rule, known).items():
            state, event = step(rule, states.get((id, key)), reading, now)
            if event is not None:
                value = reading.value if reading is not None and reading.value is not None else 0.0
                notes.append(_Note((id, key), event, rule, subject, float(value)))
            if state is not None:
                after[id, key] = state
    waits = {key: state for key, state in after.items() if state.phase == "pending"}
    return _Outcome(
        notes=notes,
        pending=waits,
        due=min((round(state.since + rules[id].for_seconds * 1000) for (id, _), state in waits.items()), default=None),
        firing=any(state.phase == "firing" for state in after.values()),
        seconds=time.perf_counter() - began,
    )


def _choose(note: _Note, connection: sa.Connection) -> tuple[AlertFiredEdit | None, _Said | None]:
    """The line of the journal, unless it is there already, or the rule changed since the look."""
    id, key = note.key
    state = alerts.state(connection, id, key)
    if note.event == "fired":
        return (None, None) if state is not None else _first_line(note, connection)
    last = alerts.last_of(connection, id, key)
    if last is None or state is None or (state.phase == "quiet" and note.event == "quieted"):
        return None, None
    edit = AlertFiredEdit(op=note.event, id=last)
    command = note.rule is not None and note.rule.command
    return edit, _Said(last, desktop=False, command=command) if state.phase == "firing" else None


def _first_line(note: _Note, connection: sa.Connection) -> tuple[AlertFiredEdit | None, _Said | None]:
    rule, subject = note.rule, note.subject
    if rule is None or subject is None or alerts.rules(connection).get(note.key[0]) != rule:
        return None, None
    name: Name | None = None
    title = ""
    kind = _ENTITIES.get(rule.scope)
    if kind is not None:
        entity = look_up(connection, "id", kind, subject.id)
        if entity.missing:
            return None, None
        name, title = name_of(connection, entity), entity.title
    id = secrets.token_hex(6)
    edit = AlertFiredEdit(
        op="fired",
        id=id,
        rule=note.key[0],
        name=rule.name,
        metric=rule.metric,
        scope=rule.scope,
        operator=rule.operator,
        threshold=rule.threshold,
        value=note.value,
        entity=name,
        part=subject.part,
        label=label(rule.scope, title, subject.part),
    )
    return edit, _Said(id, desktop=rule.desktop, command=rule.command)
