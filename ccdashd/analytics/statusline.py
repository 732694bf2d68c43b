"""``analytics/statusline``: what fits on one line, in a few milliseconds."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import tzinfo
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.analytics.windows import active_window
from ccdashd.derive.measures import cost_of
from ccdashd.derive.periods import running
from ccdashd.derive.price_table import LONG_CONTEXT_TOKENS, context_window
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.store import live, projects, sessions, usage_series
from ccdashd.store.costs import session_costs
from ccdashd.store.filters import Filter


class _Place(NamedTuple):
    """Where the user stands."""

    project: str | None
    session: str | None


def statusline(
    connection: sa.Connection, params: t.StatuslineParams, *, zone: tzinfo, now: int, revision: int
) -> t.Statusline:
    """The session at hand, and what all of them cost. A session that is not known yet is no error: an agent shows its line
    before it wrote its first record. Raises InvalidParams for a relative path."""
    going = live.live(connection, now, Filter(include_hidden=True))
    at = _place(connection, params, going)
    context = None if at.session is None else live.context(connection, at.session)
    costs = {} if at.session is None else session_costs(connection, [at.session], with_subagents=True)
    today = running("day", zone, now)
    window = active_window(connection, Filter(), now)
    return t.Statusline(
        project=at.project,
        feature=None if at.session is None else live.feature_of(connection, at.session),
        session=at.session,
        model=None if context is None else context.model,
        context_tokens=None if context is None else context.tokens,
        context_limit=None if context is None else _limit(context),
        session_cost=costs.get(at.session or ""),
        today=cost_of(usage_series.series(connection, Filter(), [today]).during(today)),
        window=None if window is None else window.cost,
        window_ends_at=None if window is None else window.end,
        usd_per_hour=None if window is None or window.burn is None else window.burn.usd_per_hour,
        active=len(going),
        alerts=live.firing(connection),
        revision=revision,
    )


def _place(connection: sa.Connection, params: t.StatuslineParams, going: list[live.Live]) -> _Place:
    if params.cwd is not None and not os.path.isabs(params.cwd):
        raise InvalidParams("cwd", "is relative; give an absolute path", params.cwd)
    session_id = project_id = None
    if params.cwd is not None:
        with suppress(NotFound):
            project_id = projects.find(connection, params.cwd)
    if params.session is not None:
        with suppress(NotFound):
            session_id = sessions.find(connection, params.session)
            project_id = live.project_of(connection, session_id)
    elif params.cwd is not None:
        found = live.at_place(going, params.cwd, project_id)
        if found is not None:
            session_id, project_id = found.id, found.project_id
    return _Place(None if project_id is None else live.project_name(connection, project_id), session_id)


def _limit(context: live.Context) -> int | None:
    """How long the prompt may be: logs do not tell who uses a model with a long context, but what was sent does."""
    limit = context_window(context.model)
    return LONG_CONTEXT_TOKENS if limit is not None and context.tokens > limit else limit
