"""Sums over the roll-ups of logs: messages, tool calls, events and edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import PICO_PER_MICRO
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.times import Times

Sums = Iterator[tuple[str, int | None, dict[str, Any]]]
"""Key, time, and measures by name."""

_USAGE: Final = {
    name: f"SUM(x.{name})"
    for name in (
        "messages",
        "lower_bounds",
        "reported",
        "unpriced",
        "input",
        "output",
        "cache_read",
        "cache_write",
        "cache_write_5m",
        "cache_write_1h",
        "web_searches",
        "cost_micro",
        "cost_pico",
        "context_sum",
    )
} | {"context_max": "MAX(x.context_max)"}
"""Measures of messages, and what adds them up."""
_TOOLS: Final = {"calls": "SUM(x.calls)", "success": "SUM(x.success)", "errors": "SUM(x.errors)", "tool_ms": "SUM(x.ms)"}
_ACTIVITY: Final = {
    name: f"SUM(x.{name})"
    for name in (
        "prompts",
        "steering",
        "commands",
        "bash",
        "interrupts",
        "compactions",
        "api_errors",
        "edits",
        "additions",
        "deletions",
    )
}
_COLUMNS: Final[dict[str, Mapping[str, str]]] = {
    "usage_slots": _USAGE,
    "tool_slots": _TOOLS,
    "activity_slots": _ACTIVITY,
}
_SKILLS: Final = "tool IN ('Skill', 'SlashCommand')"
"""As `ccdashd.store.rollups` writes them with their detail."""

MAIN = "COALESCE(CASE WHEN s.agent_id IS NOT NULL THEN s.parent_id END, s.id, '')"
"""The main session of a session ``s``."""

OWNERS = "CROSS JOIN sync_state f ON f.id = x.file_id LEFT JOIN sessions s INDEXED BY sessions_owner ON s.id = f.session_id"
"""Joins the session ``s`` of the log of a row ``x``."""

_OWNED = "sync_state f INDEXED BY sync_state_session LEFT JOIN sessions s INDEXED BY sessions_owner ON s.id = f.session_id"
"""Logs with their sessions, to join rows with: where these are few for each log, that is faster."""

_SUBAGENT = "(s.agent_id IS NOT NULL OR x.mirror)"


class _Key(NamedTuple):
    """What sums are told by: an expression."""

    expression: str
    joined: bool = True
    """It is of the session, and not of the row."""


_ALL: Final = _Key("''", joined=False)
_KEYS: Final[Mapping[t.Dimension | None, _Key]] = {
    None: _ALL,
    "project": _Key("COALESCE(s.project_id, '')"),
    "agent": _Key("COALESCE(s.agent, '')"),
    "branch": _Key("COALESCE(s.git_branch, '')"),
    "session": _Key(MAIN),
    "subagentType": _Key("CASE WHEN s.agent_id IS NOT NULL THEN COALESCE(NULLIF(s.agent_type, ''), 'unknown') ELSE '' END"),
    "model": _Key("x.model", joined=False),
    "tool": _Key("x.tool", joined=False),
    "skill": _Key("x.detail", joined=False),
}
_MIRRORED: Final = _Key(
    "CASE WHEN s.agent_id IS NOT NULL THEN COALESCE(NULLIF(s.agent_type, ''), 'unknown') WHEN x.mirror THEN 'unknown' "
    "ELSE '' END"
)
"""The type of sub-agents of messages, which copies in a parent's log do not tell."""


def owner_key(by: t.Dimension | None) -> tuple[str, bool]:
    """What tells by a dimension of sessions, in SQL, and whether `OWNERS` must be joined for it."""
    key = _KEYS[by]
    return key.expression, key.joined


def sums(
    connection: sa.Connection, filter: Filter, needs: frozenset[str], by: t.Dimension | None, times: Times | None
) -> Sums:
    """Those of `needs` that the roll-ups hold; some keys come more than once, with other measures."""
    for table, known in _COLUMNS.items():
        wanted = [name for name in known if name in needs]
        if table == "usage_slots":
            yield from _usage(connection, filter, wanted, needs, by, times)
        elif wanted:
            yield from _rows(connection, _Query(table, wanted, _KEYS[by], times), filter)


def _usage(
    connection: sa.Connection,
    filter: Filter,
    wanted: list[str],
    needs: frozenset[str],
    by: t.Dimension | None,
    times: Times | None,
) -> Sums:
    if "cost" in needs:
        wanted = [*wanted, "cost_micro", "cost_pico"]
    if not wanted:
        return
    key = _MIRRORED if by == "subagentType" else _KEYS[by]
    uncertain = False
    query = _Query("usage_slots", wanted, key, times, subagents="subagent_cost" in needs)
    for name, at, found in _rows(connection, query, filter):
        uncertain |= found.get("unpriced", 0) > 0
        if "cost" in needs:
            found["cost"] = found.pop("cost_micro") * PICO_PER_MICRO + found.pop("cost_pico")
        if query.subagents:
            found["subagent_cost"] = found.pop("subagent_micro") * PICO_PER_MICRO + found.pop("subagent_pico")
        yield name, at, found
    if uncertain and "unpriced_models" in needs:
        yield from _unpriced(connection, filter, replace(query, measures=["unpriced"], subagents=False))


def _unpriced(connection: sa.Connection, filter: Filter, query: _Query) -> Sums:
    """The models without a price, which are few: one query for each."""
    where, parameters = filter.where(usage=True)
    models = f"SELECT DISTINCT x.model FROM usage_slots x WHERE {where} AND x.unpriced > 0"
    found: dict[tuple[str, int | None], set[str]] = {}
    for (model,) in raw_connection(connection).execute(models, parameters).fetchall():
        for name, at, measures in _rows(connection, query, replace(filter, models=(model,))):
            if measures["unpriced"]:
                found.setdefault((name, at), set()).add(model)
    for (name, at), names in found.items():
        yield name, at, {"unpriced_models": frozenset(names)}


@dataclass(frozen=True)
class _Query:
    """Sums of `measures` over a roll-up by a key and by time; with `subagents`, also what sub-agents cost."""

    table: str
    measures: list[str]
    key: _Key
    times: Times | None
    subagents: bool = False

    def statement(self, where: str) -> str:
        """The query over the rows that are `where`; it gives key, time and sums."""
        columns = _COLUMNS[self.table]
        at = "NULL" if self.times is None else self.times.key("x.slot")
        places = [place for place, there in (("1", self.key is not _ALL), ("2", self.times is not None)) if there]
        groups = f"GROUP BY {', '.join(places)}" if places else ""
        joined = self.key.joined or self.subagents
        if self.table == "tool_slots" and (joined or (self.key is _ALL and self.times is not None)):
            # Many, of which those of one log and slot lie together: to add these up first leaves little to sort.
            held = ["file_id", *(["slot"] if self.times is not None else [])]
            inner = ", ".join([*held, *(f"{columns[name]} AS {name}" for name in self.measures)])
            outer = ", ".join(f"SUM(x.{name})" for name in self.measures)
            return (
                f"SELECT {self.key.expression}, {at}, {outer} FROM (SELECT {inner} FROM {self.table} x WHERE {where} "
                f"GROUP BY {', '.join(held)}) x {OWNERS if joined else ''} {groups}"
            )
        parts = [columns[name] for name in self.measures]
        if self.subagents:
            parts += [f"SUM(CASE WHEN {_SUBAGENT} THEN x.{name} ELSE 0 END)" for name in ("cost_micro", "cost_pico")]
        rows = f"{_OWNED} CROSS JOIN {self.table} x ON x.file_id = f.id" if joined else f"{self.table} x"
        return f"SELECT {self.key.expression}, {at}, {', '.join(parts)} FROM {rows} WHERE {where} {groups}"

    @property
    def names(self) -> list[str]:
        """What the sums are called."""
        return [*self.measures, *(("subagent_micro", "subagent_pico") if self.subagents else ())]


def _rows(connection: sa.Connection, query: _Query, filter: Filter) -> Sums:
    where, parameters = filter.where(usage=query.table == "usage_slots")
    if query.key is _KEYS["skill"]:
        where += f" AND {_SKILLS}"
    names = query.names
    for name, at, *found in raw_connection(connection).execute(query.statement(where), parameters):
        # One row of NULLs is what there is of nothing.
        if found[0] is not None:
            yield name, at, dict(zip(names, found, strict=True))
