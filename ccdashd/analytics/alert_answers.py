"""Alerts and their rules, as the wire has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from ccdashd.derive.alert_words import sentence
from ccdashd.derive.alerts import SEEDED, Rule
from ccdashd.derive.metrics import METRICS
from ccdashd.protocol import types as t
from ccdashd.store import alerts
from ccdashd.store.projects import project_id


def fired(alert: alerts.Alert) -> t.AlertFired:
    """One alert."""
    edit = alert.edit
    return t.AlertFired(
        id=edit.id,
        rule=edit.rule,
        name=edit.name,
        metric=edit.metric,
        scope=edit.scope,
        subject=alert.entity,
        subject_label=edit.label,
        operator=edit.operator,
        threshold=edit.threshold,
        value=edit.value,
        text=sentence(METRICS.get(edit.metric), edit.label, edit.value, edit.operator, edit.threshold),
        fired_at=edit.at,
        resolved_at=alert.resolved_at,
    )


def rules(connection: sa.Connection, pending: Collection[str], *, on: bool) -> dict[str, t.AlertRule]:
    """All rules by id, the seeded ones first. `pending` are the ids of those that wait for a time to be over; without `on`
    none is evaluated."""
    firing = {rule for (rule, _), state in alerts.states(connection).items() if state.phase == "firing"}
    said = alerts.said(connection)

    def state(id: str, rule: Rule) -> t.AlertState:
        if not (on and rule.active):
            return "off"
        return "firing" if id in firing else "pending" if id in pending else "ok"

    known: Mapping[str, Rule] = alerts.rules(connection)
    return {id: _rule(id, rule, state(id, rule), said.get(id, alerts.Said(0, None))) for id, rule in known.items()}


def _rule(id: str, rule: Rule, state: t.AlertState, said: alerts.Said) -> t.AlertRule:
    return t.AlertRule(
        id=id,
        name=rule.name,
        metric=rule.metric,
        scope=rule.scope,
        period=rule.period,
        project=project_id(rule.root) if rule.root else None,
        operator=rule.operator,
        threshold=rule.threshold,
        resolve=rule.resolve,
        for_seconds=rule.for_seconds,
        desktop=rule.desktop,
        command=rule.command,
        active=rule.active,
        origin="seeded" if id in SEEDED else "user",
        state=state,
        fired=said.fired,
        last_fired_at=said.last_at,
    )
