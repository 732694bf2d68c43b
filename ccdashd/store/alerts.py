"""Alert rules and what they said: made of the journal, through `store.decisions`."""

from __future__ import annotations

from sqlite3 import Connection as Raw
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.clock import iso, milliseconds
from ccdashd.derive.alerts import SEEDED, Rule, State, Subject
from ccdashd.edits.compaction import KEPT_ALERTS
from ccdashd.edits.decisions import AlertEdit, AlertFiredEdit, AnyAlertEdit
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.names import id_of
from ccdashd.store.schema import alert_history, alert_rules, alert_states

_rule = msgspec.json.Decoder(Rule)
_fired = msgspec.json.Decoder(AlertFiredEdit)

# --- what is known ---


def rules(connection: sa.Connection) -> dict[str, Rule]:
    """All rules by id: the seeded ones as the user left them, then those that the user made."""
    query = sa.select(alert_rules).order_by(alert_rules.c.id)
    return {**SEEDED, **{row.id: _rule.decode(row.data) for row in connection.execute(query)}}


def states(connection: sa.Connection) -> dict[tuple[str, str], State]:
    """Where subjects stand that fire, or went quiet, by the id of the rule and the key of the subject."""
    rows = connection.execute(sa.select(alert_states))
    return {(row.rule_id, row.subject): State(row.state, row.since) for row in rows}


def state(connection: sa.Connection, rule_id: str, subject: str) -> State | None:
    """Where one subject stands, named by its key."""
    where = (alert_states.c.rule_id == rule_id, alert_states.c.subject == subject)
    row = connection.execute(sa.select(alert_states).where(*where)).first()
    return State(row.state, row.since) if row is not None else None


def last_of(connection: sa.Connection, rule_id: str, subject: str) -> str | None:
    """The id of the last alert of a rule about a subject, named by its key."""
    where = (alert_history.c.rule_id == rule_id, alert_history.c.subject == subject)
    query = sa.select(alert_history.c.id).where(*where).order_by(sa.literal_column("rowid").desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


class Said(NamedTuple):
    """What the history tells of a rule."""

    fired: int
    last_at: str | None


def said(connection: sa.Connection) -> dict[str, Said]:
    """How often each rule fired, as far as the history goes, and when last."""
    at = alert_history.c.fired_at
    query = sa.select(alert_history.c.rule_id, sa.func.count(), sa.func.max(at)).group_by(alert_history.c.rule_id)
    return {id: Said(count, iso(last)) for id, count, last in connection.execute(query)}


class Alert(NamedTuple):
    """One alert of the history."""

    edit: AlertFiredEdit
    """The line that it began with."""
    resolved_at: str | None

    @property
    def entity(self) -> t.EntityRef | None:
        """The session, project or feature that it is about."""
        name = self.edit.entity
        return t.EntityRef(type=name.type, id=id_of(name)) if name is not None else None


def alert(connection: sa.Connection, id: str) -> Alert | None:
    """The alert of that id."""
    return next(iter(_alerts(connection, alert_history.c.id == id)), None)


def firing(connection: sa.Connection) -> list[Alert]:
    """The alerts that fire now, the newest first."""
    return _alerts(connection, alert_history.c.resolved_at.is_(None))


def history(connection: sa.Connection, rule: str | None, offset: int, limit: int) -> tuple[list[Alert], int]:
    """Some alerts of a rule, or of all, the newest first; and how many there are."""
    where = sa.true() if rule is None else alert_history.c.rule_id == rule
    total = connection.execute(sa.select(sa.func.count()).select_from(alert_history).where(where)).scalar_one()
    return _alerts(connection, where, offset, limit), total


def _alerts(connection: sa.Connection, where: sa.ColumnElement[bool], offset: int = 0, limit: int = -1) -> list[Alert]:
    query = sa.select(alert_history).where(where).order_by(alert_history.c.fired_at.desc(), alert_history.c.id)
    rows = connection.execute(query.offset(offset).limit(limit))
    return [Alert(_fired.decode(row.data), iso(row.resolved_at)) for row in rows]


# --- what the journal says ---


def forget(connection: sa.Connection) -> None:
    """Forget all rules of the user and all alerts."""
    for table in (alert_rules, alert_states, alert_history):
        connection.execute(sa.delete(table))


def apply(connection: sa.Connection, edit: AnyAlertEdit) -> None:
    """Carry out one edit."""
    raw = raw_connection(connection)
    match edit:
        case AlertEdit():
            _apply_rule(raw, edit)
        case AlertFiredEdit(op="fired"):
            _begin(raw, edit)
        case AlertFiredEdit():
            _end(raw, edit)


_SET_RULE = "INSERT INTO alert_rules (id, data) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data"


def _apply_rule(raw: Raw, edit: AlertEdit) -> None:
    if edit.rule is None:
        raw.execute("DELETE FROM alert_rules WHERE id = ?", (edit.id,))
    else:
        raw.execute(_SET_RULE, (edit.id, msgspec.json.encode(edit.rule)))


_BEGIN = "INSERT OR IGNORE INTO alert_history (id, rule_id, subject, fired_at, data) VALUES (?, ?, ?, ?, ?)"
_FIRES = "INSERT OR REPLACE INTO alert_states (rule_id, subject, state, since, value) VALUES (?, ?, 'firing', ?, ?)"


def _begin(raw: Raw, edit: AlertFiredEdit) -> None:
    subject = Subject(id_of(edit.entity) if edit.entity is not None else "", edit.part).key
    at = _time(edit.at)
    if raw.execute(_BEGIN, (edit.id, edit.rule, subject, at, msgspec.json.encode(edit))).rowcount:
        raw.execute(_FIRES, (edit.rule, subject, at, edit.value))
        _prune(raw)


def _end(raw: Raw, edit: AlertFiredEdit) -> None:
    known = raw.execute("SELECT rule_id, subject, resolved_at FROM alert_history WHERE id = ?", (edit.id,)).fetchone()
    if known is None or (edit.op == "quieted" and known[2] is not None):
        return
    at, subject = _time(edit.at), known[:2]
    raw.execute("UPDATE alert_history SET resolved_at = ? WHERE id = ?", (at, edit.id))
    if edit.op == "quieted":
        raw.execute("UPDATE alert_states SET state = 'quiet', since = ? WHERE rule_id = ? AND subject = ?", (at, *subject))
    else:
        raw.execute("DELETE FROM alert_states WHERE rule_id = ? AND subject = ?", subject)
    _prune(raw)


_PRUNE = """
DELETE FROM alert_history
WHERE resolved_at IS NOT NULL AND rowid <= (SELECT rowid FROM alert_history ORDER BY rowid DESC LIMIT 1 OFFSET ?)
RETURNING rule_id, subject
"""
_PRUNE_STATE = """
DELETE FROM alert_states
WHERE rule_id = ?1 AND subject = ?2
      AND NOT EXISTS (SELECT 1 FROM alert_history WHERE rule_id = ?1 AND subject = ?2)
"""


def _prune(raw: Raw) -> None:
    """Leave as much of the history as `edits.compaction` leaves of the journal."""
    for subject in raw.execute(_PRUNE, (KEPT_ALERTS,)).fetchall():
        raw.execute(_PRUNE_STATE, subject)


def _time(at: str) -> int:
    try:
        return milliseconds(at)
    except ValueError:
        return 0
