"""``analytics/*`` of money at hand: the bill of a session, tools, windows of limits, the overview, the status line."""

from __future__ import annotations

from ccdashd.analytics import overview, session_cost, statusline, tools, windows
from ccdashd.derive import periods
from ccdashd.derive.windows import week_start
from ccdashd.errors import InvalidParams
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.analytics import zone_of
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import filters
from ccdashd.store.session_rows import now


@handles(methods.ANALYTICS_SESSION_COST)
def analytics_session_cost(call: ReadCall, params: t.SessionCostParams) -> t.SessionCost:
    """What a session cost, by model and kind of token, with the prices."""
    return session_cost.session_cost(call.conn, params, call.app.prices, call.revision)


@handles(methods.ANALYTICS_TOOLS)
def analytics_tools(call: ReadCall, params: t.ToolsUsedParams) -> t.ToolsUsed:
    """Tools: calls, errors, and how long they took."""
    if params.model is not None:
        raise InvalidParams("model", "calls of tools cannot be told by model", params.model)
    range = periods.resolve(params.since, params.until, zone_of(call, params), now())
    filter = filters.resolve(call.conn, params, range)
    return tools.tools(call.conn, filter, range, limit=params.limit, revision=call.revision)


@handles(methods.ANALYTICS_WINDOWS)
def analytics_windows(call: ReadCall, params: t.WindowsParams) -> t.Windows:
    """Five-hour and weekly windows."""
    zone, moment = zone_of(call, params), now()
    return windows.windows(
        call.conn,
        params,
        filters.resolve(call.conn, params),
        periods.resolve(params.since, params.until, zone, moment),
        week_start=week_start(call.app.settings.week_start),
        zone=zone,
        now=moment,
        revision=call.revision,
    )


@handles(methods.ANALYTICS_OVERVIEW)
def analytics_overview(call: ReadCall, params: t.OverviewParams) -> t.Overview:
    """What it cost and how it develops, at a glance."""
    return overview.overview(call.conn, params, zone_of(call, params), now(), call.revision)


@handles(methods.ANALYTICS_STATUSLINE)
def analytics_statusline(call: ReadCall, params: t.StatuslineParams) -> t.Statusline:
    """What fits on one line."""
    zone = zone_of(call, params)
    return statusline.statusline(call.conn, params, zone=zone, now=now(), revision=call.revision)
