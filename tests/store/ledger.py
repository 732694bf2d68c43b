"""A cache whose roll-ups are written by hand: projects, sessions with sub-agents, logs, and what happened in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from hypothesis import strategies as st

from ccdashd.derive.measures import Measures
from ccdashd.derive.slots import SLOT_MS
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import metadata

APP, OTHER, SECRET = "app-1", "other-2", "secret-3"
MAIN, SECOND, HIDDEN = "10000000-a", "20000000-b", "30000000-c"
TYPED, PLAIN, ORPHAN = f"{MAIN}/a1", f"{MAIN}/a2", "lost/a3"
FEATURES = (f"{APP}/x", f"{APP}/y", f"{APP}/z")

OPUS, SONNET = "opus", "sonnet"


class Log(NamedTuple):
    """A log and the session that it is of."""

    id: int
    session: str | None
    main: str
    """The session that a figure of the log belongs to; empty where it has none."""
    project: str


LOGS = (
    Log(1, MAIN, MAIN, APP),
    Log(2, TYPED, MAIN, APP),
    Log(3, PLAIN, MAIN, OTHER),
    Log(4, SECOND, SECOND, OTHER),
    Log(5, SECOND, SECOND, OTHER),
    Log(6, ORPHAN, "lost", APP),
    Log(7, None, "", ""),
    Log(8, HIDDEN, HIDDEN, SECRET),
)
SHOWN = tuple(log for log in LOGS if log.project != SECRET)


def slot(text: str) -> int:
    """The slot of a time."""
    return int(datetime.fromisoformat(text).timestamp() * 1000) // SLOT_MS


class Ledger:
    """Writes rows; what is not given of a row is 0 or empty."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def add(self, table: str, **values: Any) -> None:
        """A row of a table."""
        columns = metadata.tables[table].columns
        row = {column.name: values.pop(column.name) if column.name in values else _default(column) for column in columns}
        assert not values, values
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        raw_connection(self.connection).execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    def usage(self, log: int, slot: int, model: str = OPUS, *, mirror: bool = False, pico: int = 0, **values: int) -> None:
        """Messages of a log in a slot."""
        micro, rest = divmod(pico, 10**6)
        row = {"messages": 1, "cost_micro": micro, "cost_pico": rest} | values
        self.add("usage_slots", file_id=log, slot=slot, model=model, mirror=mirror, **row)

    def tool(self, log: int, slot: int, tool: str, detail: str = "", **values: int) -> None:
        """Calls of a tool in a slot."""
        self.add("tool_slots", file_id=log, slot=slot, tool=tool, detail=detail, **({"calls": 1} | values))

    def link(self, session: str, type: str, id: str, confidence: float) -> None:
        """A link that was found."""
        ends = {"source_type": "session", "source_id": session, "target_type": type, "target_id": id}
        self.add(
            "entity_links",
            owner=f"session:{session}",
            id=f"{session} {id}",
            link_type="implements",
            confidence=confidence,
            **ends,
        )

    def say(self, session: str, type: str, id: str, state: str) -> None:
        """The user's word on a link."""
        ends = {"source_type": "session", "source_id": session, "target_type": type, "target_id": id}
        self.add("user_links", id=f"{session} {id}", link_type="implements", state=state, **ends)

    def clear(self) -> None:
        """Forget what happened, and the links."""
        for table in ("usage_slots", "tool_slots", "activity_slots", "session_minutes", "entity_links", "user_links"):
            raw_connection(self.connection).execute(f"DELETE FROM {table}")


def _default(column: sa.Column[Any]) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, sa.LargeBinary):
        return b"{}"
    return "" if isinstance(column.type, sa.Text) else 0


def ledger(connection: sa.Connection) -> Ledger:
    """One with the projects and sessions above, and nothing that happened."""
    book = Ledger(connection)
    for id in (APP, OTHER, SECRET):
        book.add("projects", id=id, root=f"/work/{id}", name=id.partition("-")[0], origin="discovered", hidden=id == SECRET)
    common = {"agent": "claude-code", "indexed": 1}
    hour = 3_600_000
    book.add(
        "sessions", id=MAIN, project_id=APP, git_branch="main", title="Main", started_at=hour, ended_at=3 * hour, **common
    )
    for id, kind, project in ((TYPED, "explorer", APP), (PLAIN, None, OTHER)):
        sub = {"parent_id": MAIN, "agent_id": id.partition("/")[2], "agent_type": kind, "git_branch": "x"}
        book.add("sessions", id=id, project_id=project, **sub, **common)
    book.add("sessions", id=SECOND, project_id=OTHER, git_branch="x", title="Second", **common)
    book.add("sessions", id=ORPHAN, project_id=APP, parent_id="lost", agent_id="a3", **common)
    book.add("sessions", id=HIDDEN, project_id=SECRET, started_at=hour, ended_at=hour, **common)
    for log in LOGS:
        session = {"session_id": log.session, "path": f"/logs/{log.id}.jsonl", "agent": "claude-code", "state": "ok"}
        book.add("sync_state", id=log.id, **session)
    for id in FEATURES:
        slug = id.partition("/")[2]
        book.add("features", id=id, project_id=APP, slug=slug, name=slug.upper(), status="in_progress")
    return book


# --- random days ---

BERLIN_SPRING, BERLIN_AUTUMN, HOWE_AUTUMN = 1_971_940, 1_976_980, 1_972_564
"""Slots in the nights in which clocks are changed in 2026: 28 March 21:00, 24 October 21:00 and 4 April 13:00 UTC."""

NOW = 1_795_269_960_000
"""21 November 2026, 14:06 UTC."""

SLOTS = st.one_of(
    st.just(-1),
    st.integers(0, 100),
    *(st.integers(night, night + 60) for night in (BERLIN_SPRING, BERLIN_AUTUMN, HOWE_AUTUMN)),
    st.integers(NOW // SLOT_MS - 10, NOW // SLOT_MS),
    st.integers(20_000_000, 200_000_000),
)
"""No time, the begin of the epoch, nights in which clocks are changed, just now, and what a clock gone wrong says."""

ZONES = st.sampled_from(
    (
        "UTC",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/New_York",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Africa/Cairo",
    )
)
_AMOUNTS = st.one_of(st.integers(0, 3), st.integers(0, 10**12))


class Day(NamedTuple):
    """Rows of the roll-ups by their keys, and links of sessions."""

    usage: dict[tuple[int, int, str, bool], dict[str, int]]
    tools: dict[tuple[int, int, str, str], dict[str, int]]
    activity: dict[tuple[int, int], dict[str, int]]
    minutes: dict[tuple[int, int], int]
    links: dict[tuple[str, str], float]


_USAGE = (
    "messages",
    "lower_bounds",
    "unpriced",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "web_searches",
    "context_max",
)
_TOOLS = ("calls", "success", "errors", "ms")
_ACTIVITY = ("prompts", "steering", "interrupts", "edits", "additions", "deletions")


def _amounts(*names: str) -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries(dict.fromkeys(names, _AMOUNTS))


_LOG = st.integers(1, len(LOGS))
_TOOL = st.sampled_from((("Bash", ""), ("Read", ""), ("Skill", "pdf"), ("Skill", "docx"), ("SlashCommand", "/go")))

DAYS = st.builds(
    Day,
    st.dictionaries(
        st.tuples(_LOG, SLOTS, st.sampled_from((OPUS, SONNET, "own")), st.booleans()),
        _amounts(*_USAGE, "pico"),
        max_size=12,
    ),
    st.dictionaries(st.tuples(_LOG, SLOTS, _TOOL).map(lambda key: (*key[:2], *key[2])), _amounts(*_TOOLS), max_size=8),
    st.dictionaries(st.tuples(_LOG, SLOTS), _amounts(*_ACTIVITY), max_size=8),
    st.dictionaries(st.tuples(_LOG, SLOTS.filter(lambda slot: slot >= 0)), st.integers(1, 2**15 - 1), max_size=12),
    st.dictionaries(
        st.tuples(st.sampled_from((MAIN, SECOND)), st.sampled_from(FEATURES)),
        st.sampled_from((0.35, 0.62, 0.9, 1 / 3)),
        max_size=6,
    ),
)


def write(book: Ledger, day: Day) -> None:
    """What happened, and nothing else."""
    book.clear()
    for (log, slot, model, mirror), values in day.usage.items():
        book.usage(log, slot, model, mirror=mirror, **values)
    for (log, slot, tool, detail), values in day.tools.items():
        book.tool(log, slot, tool, detail, **values)
    for (log, slot), values in day.activity.items():
        book.add("activity_slots", file_id=log, slot=slot, **values)
    for (log, slot), mask in day.minutes.items():
        book.add("session_minutes", file_id=log, slot=slot, minutes=mask)
    for (session, feature), confidence in day.links.items():
        book.link(session, "feature", feature, confidence)


def sums(day: Day, logs: tuple[Log, ...] = SHOWN) -> Measures:
    """What all of it adds up to in these logs, without sessions that began."""
    ids = {log.id: log for log in logs}
    usage = [(key, row) for key, row in day.usage.items() if key[0] in ids]
    tools = [row for key, row in day.tools.items() if key[0] in ids]
    activity = [row for key, row in day.activity.items() if key[0] in ids]
    minutes: dict[tuple[str, int], int] = {}
    for (log, slot), mask in day.minutes.items():
        if log in ids:
            place = (ids[log].main, slot)
            minutes[place] = minutes.get(place, 0) | mask
    return Measures(
        **{name: sum(row[name] for _, row in usage) for name in _USAGE if name != "context_max"},
        context_max=max((row["context_max"] for _, row in usage), default=0),
        cost=sum(row["pico"] for _, row in usage),
        subagent_cost=sum(row["pico"] for key, row in usage if key[3] or key[0] in (2, 3, 6)),
        unpriced_models=frozenset(key[2] for key, row in usage if row["unpriced"]),
        calls=sum(row["calls"] for row in tools),
        success=sum(row["success"] for row in tools),
        errors=sum(row["errors"] for row in tools),
        tool_ms=sum(row["ms"] for row in tools),
        **{name: sum(row[name] for row in activity) for name in _ACTIVITY},
        minutes=sum(mask.bit_count() for mask in minutes.values()),
        active=frozenset(main for main, _ in minutes),
    )
