"""``analytics/sessionCost``: the bill of a session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from ccdashd.derive.cost_lines import Line, lines, rounded
from ccdashd.derive.measures import Measures, add, cost_of
from ccdashd.derive.metrics import find_all
from ccdashd.derive.pricing import Prices
from ccdashd.protocol import types as t
from ccdashd.store import session_usage, sessions

_UNKNOWN = "unknown"
"""The type of sub-agents that nobody told it of."""


def session_cost(connection: sa.Connection, params: t.SessionCostParams, prices: Prices, revision: int) -> t.SessionCost:
    """What a session cost, by model and kind of token. Raises NotFound."""
    session_id = sessions.find(connection, params.id)
    subagents = params.with_subagents
    parts = session_usage.parts(connection, session_id, subagents=subagents)
    whole = _total(parts)
    bill = lines(prices, session_usage.messages(connection, session_id, subagents=subagents))
    return t.SessionCost(
        id=session_id,
        cost=cost_of(whole),
        own=cost_of(_total(part for part in parts if part.session_id == session_id and not part.mirror)),
        tokens=t.Tokens(
            input=whole.input,
            output=whole.output,
            cache_read=whole.cache_read,
            cache_write=whole.cache_write,
            cache_write5m=whole.cache_write_5m,
            cache_write1h=whole.cache_write_1h,
        ),
        messages=whole.messages,
        lines=list(_lines(bill)),
        by_subagent_type=_by_type(session_id, parts, whole.cost),
        revision=revision,
    )


def _total(parts: Iterable[session_usage.Part]) -> Measures:
    return add(part.measures for part in parts)


def _lines(bill: list[Line]) -> Iterator[t.CostLine]:
    priced = [line.pico for line in bill if line.pico is not None]
    micros = iter(rounded(priced))  # the bill has those without a price at its end
    for line in bill:
        yield t.CostLine(
            model=line.model,
            kind=line.kind,
            amount=line.amount,
            usd=None if line.pico is None else next(micros) / 10**6,
            prices=line.dollars,
        )


def _by_type(session_id: str, parts: list[session_usage.Part], whole: int) -> list[t.BreakdownRow]:
    """What sub-agents used, by their type, the dearest first; `whole`: picodollars of all."""
    groups: dict[str, list[session_usage.Part]] = {}
    for part in parts:
        if part.mirror or part.session_id != session_id:
            groups.setdefault((not part.mirror and part.agent_type) or _UNKNOWN, []).append(part)
    rows = []
    for type_, group in groups.items():
        used = _total(group)
        rows.append(
            t.BreakdownRow(
                key=type_,
                label=type_,
                entity=None,
                values={metric.id: metric.value(used) for metric in find_all(("cost", "tokens", "messages"))},
                cost=cost_of(used),
                share=used.cost / whole if whole else None,
                sessions=len({part.session_id for part in group if not part.mirror}),
            )
        )
    return sorted(rows, key=lambda row: (-(row.values["cost"] or 0), row.key))
