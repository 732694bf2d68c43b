"""What metrics are made of: sums over a part of the work, which add up to those of the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec.structs import astuple

from ccdashd.derive.pricing import Spent
from ccdashd.protocol import types as t


class Measures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Sums over a part of the work. ``a + b`` is that of two parts that share nothing, in any order.

    What was not asked for may be 0.
    """

    messages: int = 0
    lower_bounds: int = 0
    """Messages whose output or cost is at least what is known."""
    reported: int = 0
    """Messages whose cost the agent told."""
    unpriced: int = 0
    """Messages that used tokens and have no price."""
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    cost: int = 0
    """Picodollars."""
    subagent_cost: int = 0
    """Picodollars of sub-agents, of `cost`."""
    context_sum: int = 0
    """Tokens of the prompts of all messages."""
    calls: int = 0
    success: int = 0
    errors: int = 0
    tool_ms: int = 0
    prompts: int = 0
    steering: int = 0
    commands: int = 0
    bash: int = 0
    interrupts: int = 0
    compactions: int = 0
    api_errors: int = 0
    edits: int = 0
    additions: int = 0
    deletions: int = 0
    minutes: int = 0
    """Minutes in which a session or a sub-agent of it was active."""
    sessions: int = 0
    """Main sessions, by when they began."""
    timed_sessions: int = 0
    """Those of them whose first and last time is known."""
    session_ms: int = 0
    """From the first to the last record of these."""
    context_max: int = 0
    unpriced_models: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    """Ids of the main sessions that were active."""
    files: frozenset[str] = frozenset()
    """Paths of the files that were changed."""

    def __add__(self, other: Measures) -> Measures:
        return add((self, other))


SUMS: Final = Measures.__struct_fields__[: Measures.__struct_fields__.index("context_max")]
"""Measures that add up. Of those after them, the whole is the largest, or the union."""

NONE: Final = Measures()
"""Those of nothing."""


def add(parts: Iterable[Measures]) -> Measures:
    """The measures of a whole whose parts share nothing."""
    known = [part for part in parts if part is not NONE]
    if len(known) <= 1:
        return known[0] if known else NONE
    *sums, largest, unpriced, active, files = zip(*map(astuple, known), strict=True)
    return Measures(
        **dict(zip(SUMS, map(sum, sums), strict=True)),
        context_max=max(largest),
        unpriced_models=frozenset().union(*unpriced),
        active=frozenset().union(*active),
        files=frozenset().union(*files),
    )


def usd(pico: int) -> float:
    """Picodollars as US dollars, rounded half to even to a millionth."""
    return Spent(pico).usd


def cost_of(measures: Measures) -> t.Cost | None:
    """The cost as the wire has it, with how sure it is; None where there is no usage."""
    if not measures.messages:
        return None
    return t.Cost(
        usd=usd(measures.cost),
        provenance=_provenance(measures),
        unpriced_models=sorted(measures.unpriced_models),
    )


def _provenance(measures: Measures) -> Literal["reported", "computed", "lower_bound", "unpriced"]:
    if measures.unpriced and not measures.cost:
        return "unpriced"
    if measures.unpriced or measures.lower_bounds:
        return "lower_bound"
    return "reported" if measures.reported == measures.messages else "computed"
