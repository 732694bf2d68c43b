"""``alerts/*``: rules of alerts, and what they said."""

from __future__ import annotations

import secrets

import msgspec
import sqlalchemy as sa

from ccdashd.analytics import alert_answers
from ccdashd.analytics.alert_rules import checked, default_period, default_resolve
from ccdashd.derive.alert_words import default_name
from ccdashd.derive.alerts import SEEDED, Rule
from ccdashd.derive.metrics import find
from ccdashd.edits.decisions import AlertEdit
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import acknowledged, decide, one_line
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import alerts, projects

MAX_NAME = 100
"""Characters of a rule's name."""

MAX_RULES = 100
"""Rules that a user can make."""


@handles(methods.ALERTS_LIST)
def alerts_list(call: ReadCall, params: t.AlertsListParams) -> t.Alerts:
    """Alert rules, and what is firing."""
    items = _rules(call, call.conn).values()
    return t.Alerts(
        items=[rule for rule in items if params.state in (None, rule.state)],
        firing=[alert_answers.fired(alert) for alert in alerts.firing(call.conn)],
        revision=call.revision,
    )


@handles(methods.ALERTS_HISTORY)
def alerts_history(call: ReadCall, params: t.AlertHistoryParams) -> t.Page[t.AlertFired]:
    """Alerts that fired, the newest first; also those of rules that are gone."""
    found, total = alerts.history(call.conn, params.rule, params.offset, params.limit)
    if not total and params.rule is not None and params.rule not in alerts.rules(call.conn):
        raise _no_rule(params.rule)
    return t.Page(
        items=[alert_answers.fired(alert) for alert in found],
        total=total,
        offset=params.offset,
        limit=params.limit,
        revision=call.revision,
    )


@handles(methods.ALERTS_CREATE)
async def alerts_create(call: Call, params: t.AlertCreate) -> t.AlertRule:
    """Make an alert rule."""
    metric = find(params.metric)
    _check_command(call, params.command)
    resolve = params.resolve
    if resolve is None:
        resolve = default_resolve(metric, params.operator, params.threshold)
    rule = Rule(
        name="",
        metric=metric.id,
        # All of one project is that project.
        scope="project" if params.scope == "all" and params.project is not None else params.scope,
        period=params.period or default_period(metric, params.scope),
        operator=params.operator,
        threshold=params.threshold,
        resolve=resolve,
        for_seconds=params.for_seconds,
        desktop=params.desktop,
        command=params.command,
        active=params.active,
    )
    name = _name(params.name) if params.name is not None else default_name(metric, rule)
    rule = checked(msgspec.structs.replace(rule, name=name), has_project=params.project is not None)
    id = secrets.token_hex(4)

    def choose(connection: sa.Connection) -> tuple[AlertEdit, None]:
        if len(alerts.rules(connection).keys() - SEEDED.keys()) >= MAX_RULES:
            raise InvalidParams("metric", f"there are {MAX_RULES} rules already; remove one that is not needed", metric.id)
        root = "" if params.project is None else projects.get(connection, projects.find(connection, params.project)).root
        return AlertEdit(id=id, rule=msgspec.structs.replace(rule, root=root)), None

    await decide(call, choose)
    return await _answer(call, id)


@handles(methods.ALERTS_UPDATE)
async def alerts_update(call: Call, params: t.AlertUpdate) -> t.AlertRule:
    """Change an alert rule, or turn it on or off. Where the threshold changes, `resolve` follows it unless it is given."""
    given = {name: value for name in _CHANGED if (value := getattr(params, name)) is not None}
    if params.name is not None:
        given["name"] = _name(params.name)
    _check_command(call, bool(params.command))

    def choose(connection: sa.Connection) -> tuple[AlertEdit | None, None]:
        known = _rule(connection, params.id)
        rule = msgspec.structs.replace(known, **given)
        if "resolve" not in given and (rule.operator, rule.threshold) != (known.operator, known.threshold):
            resolve = default_resolve(find(rule.metric), rule.operator, rule.threshold)
            rule = msgspec.structs.replace(rule, resolve=resolve)
        if rule == known:
            return None, None
        return AlertEdit(id=params.id, rule=checked(rule, has_project=bool(rule.root))), None

    await decide(call, choose)
    return await _answer(call, params.id)


_CHANGED = ("operator", "threshold", "resolve", "for_seconds", "desktop", "command", "active")


@handles(methods.ALERTS_DELETE)
async def alerts_delete(call: Call, params: t.AlertId) -> t.Ok:
    """Remove an alert rule; a seeded one goes back to what it was."""

    def choose(connection: sa.Connection) -> tuple[AlertEdit | None, None]:
        as_it_was = _rule(connection, params.id) == SEEDED.get(params.id)
        return None if as_it_was else AlertEdit(id=params.id), None

    await decide(call, choose)
    call.app.alerting.look_at_all()
    return acknowledged(call)


def _rules(call: Call, connection: sa.Connection) -> dict[str, t.AlertRule]:
    return alert_answers.rules(connection, call.app.alerting.pending, on=call.app.settings.alerts)


async def _answer(call: Call, id: str) -> t.AlertRule:
    call.app.alerting.look_at_all()

    def answer(connection: sa.Connection, _: int) -> t.AlertRule:
        rule = _rules(call, connection).get(id)
        if rule is None:
            raise NotFound("alert", id, "somebody removed it just now")
        return rule

    return await call.app.database.read(answer)


def _rule(connection: sa.Connection, id: str) -> Rule:
    rule = alerts.rules(connection).get(id)
    if rule is None:
        raise _no_rule(id)
    return rule


def _no_rule(id: str) -> NotFound:
    return NotFound("alert", id, "see alerts/list")


def _name(name: str) -> str:
    name = one_line("name", name, MAX_NAME)
    if not name:
        raise InvalidParams("name", "is empty", name)
    return name


def _check_command(call: Call, command: bool) -> None:
    if command and not call.app.settings.alert_command:
        raise InvalidParams("command", "there is none to run; name it in the setting alert_command first", command)
