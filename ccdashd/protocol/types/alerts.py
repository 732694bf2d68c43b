"""``alerts/*``: rules on metrics, and what they said. Rules and what fired are kept in the journal."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.entities import EntityRef

AlertScope = Literal["all", "project", "feature", "session", "window"]
AlertPeriod = Literal["total", "hour", "day", "week", "month"]
AlertOperator = Literal[">", ">=", "<", "<="]
AlertOrigin = Literal["seeded", "user"]
AlertState = Literal["ok", "pending", "firing", "off"]


class AlertRule(Wire, frozen=True):
    """When the metric of a subject crosses the threshold, and stays there for so long, the alert fires: once, until it was
    resolved by crossing `resolve` the other way."""

    id: str
    name: str
    metric: str
    """Of ``analytics/metrics``."""
    scope: AlertScope
    """What it is looked at for: each session (with its sub-agents), each project, each feature (with all sessions that are
    linked with it), the active five-hour window, or all together."""
    period: AlertPeriod
    """Over what time: the running hour, day, week or month; ``total``: all time. Of sessions, features and windows always
    ``total``."""
    project: str | None
    """Only this project: its id."""
    operator: AlertOperator
    threshold: float
    resolve: float
    """Where a firing alert ends; by default a tenth below (or above) the threshold."""
    for_seconds: float
    """How long it must hold; 0: at once."""
    desktop: bool
    """Also show it on the desktop."""
    command: bool
    """Also run the command of the setting `alert_command`."""
    active: bool
    origin: AlertOrigin
    state: AlertState
    """The worst of its subjects."""
    fired: int
    """How often it fired, as far as the history tells."""
    last_fired_at: str | None


class AlertsListParams(Params, frozen=True):
    state: AlertState | None = None


class Alerts(Wire, frozen=True):
    items: list[AlertRule]
    firing: list[AlertFired]
    revision: int


class AlertCreate(Params, frozen=True):
    metric: str
    operator: AlertOperator
    threshold: float
    scope: AlertScope = "all"
    period: AlertPeriod | None = None
    """By default ``day`` for all and project, ``total`` for the others."""
    project: str | None = None
    """A project's id or name, or a path inside it."""
    name: str | None = None
    """By default made of the rule."""
    resolve: float | None = None
    for_seconds: float = 0.0
    desktop: bool = False
    command: bool = False
    active: bool = True


class AlertUpdate(Params, frozen=True):
    """What is null stays. A seeded rule can be changed, too."""

    id: str
    name: str | None = None
    operator: AlertOperator | None = None
    threshold: float | None = None
    resolve: float | None = None
    """Where it is null, it follows a threshold or operator that changes."""
    for_seconds: float | None = None
    desktop: bool | None = None
    command: bool | None = None
    active: bool | None = None


class AlertId(Params, frozen=True):
    id: str


class AlertFired(Wire, frozen=True):
    """One crossing."""

    id: str
    rule: str
    """The rule's id."""
    name: str
    metric: str
    scope: AlertScope
    subject: EntityRef | None
    """The session, project or feature; null for a window or all."""
    subject_label: str
    operator: AlertOperator
    threshold: float
    value: float
    """When it fired."""
    text: str
    """One sentence that says it all."""
    fired_at: str
    resolved_at: str | None


class AlertHistoryParams(Params, frozen=True):
    """The newest first."""

    rule: str | None = None
    offset: int = 0
    limit: int = 50
    """At most 500."""


class AlertFiredNotification(Wire, frozen=True):
    """``alerts/fired``. `missed` tells a client that fell behind that others came before this one; ``alerts/history`` has
    them."""

    alert: AlertFired
    """With `resolvedAt` where it ended."""
    revision: int
    missed: bool = False
