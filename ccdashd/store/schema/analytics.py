"""What figures over time are made of: sums by quarter of an hour, days that cannot be recomputed, and alerts.

A *slot* is a quarter of an hour of UTC: milliseconds since the epoch, divided by 900,000. All time zones of today are
whole slots away from UTC, so the days of any of them are sums of slots. Slot -1 holds what has no time.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, Table, Text

from ccdashd.store.schema.base import file_id, metadata

session_events = Table(
    "session_events",
    metadata,
    file_id(),
    Column("n", Integer, primary_key=True),  # in the order in which the log names them
    Column("kind", Text, nullable=False),  # prompt | steering | command | bash | interrupt | compaction | api_error
    Column("time", BigInteger),
    Column("key", LargeBinary, nullable=False),  # eight bytes for the uuid of its record
    Column("copied", Boolean, nullable=False),
    Column("counted", Boolean, nullable=False),  # this row stands for the event in totals
    Index("session_events_key", "key"),
    sqlite_with_rowid=False,
)
"""What happened in a log beside messages and tool calls."""

session_minutes = Table(
    "session_minutes",
    metadata,
    file_id(),
    Column("slot", Integer, primary_key=True),
    Column("minutes", Integer, nullable=False),  # 15 bits, the lowest for the first minute
    sqlite_with_rowid=False,
)
"""The minutes in which a log was active: those of its records, and those between two that are close together."""

usage_slots = Table(
    "usage_slots",
    metadata,
    file_id(),
    Column("slot", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("mirror", Boolean, primary_key=True),  # known from copies in the parent's log only
    Column("messages", Integer, nullable=False),
    Column("lower_bounds", Integer, nullable=False),  # messages whose output or cost is at least what is known
    Column("reported", Integer, nullable=False),  # messages whose cost the agent told
    Column("unpriced", Integer, nullable=False),  # messages that used tokens and have no price
    Column("input", BigInteger, nullable=False),
    Column("output", BigInteger, nullable=False),
    Column("cache_read", BigInteger, nullable=False),
    Column("cache_write", BigInteger, nullable=False),
    Column("cache_write_5m", BigInteger, nullable=False),
    Column("cache_write_1h", BigInteger, nullable=False),
    Column("web_searches", Integer, nullable=False),
    # The cost is their sum; in two parts, since picodollars alone may exceed 64 bits.
    Column("cost_micro", BigInteger, nullable=False),  # whole millionths of a dollar
    Column("cost_pico", BigInteger, nullable=False),  # and what is left, in 10^-12 dollars
    Column("context_sum", BigInteger, nullable=False),  # tokens of the prompts of all messages
    Column("context_max", BigInteger, nullable=False),
    # Windows of limits need what each slot cost, of all time.
    Index("usage_slots_slot", "slot", "cost_micro", "cost_pico"),
    # To add up by model without sorting.
    Index(
        "usage_slots_model",
        "model",
        "slot",
        "messages",
        "lower_bounds",
        "reported",
        "unpriced",
        "cost_micro",
        "cost_pico",
        "input",
        "output",
        "cache_read",
        "cache_write",
    ),
    sqlite_with_rowid=False,
)
"""Sums over the messages of a log that count (`session_messages.counted`)."""

tool_slots = Table(
    "tool_slots",
    metadata,
    file_id(),
    Column("slot", Integer, primary_key=True),
    Column("tool", Text, primary_key=True),
    Column("detail", Text, primary_key=True),  # of Skill and SlashCommand: what was called; else empty
    Column("calls", Integer, nullable=False),
    Column("success", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("ms", BigInteger, nullable=False),
    # To add them up by tool without sorting them.
    Index("tool_slots_tool", "tool", "detail", "slot", "calls", "success", "errors", "ms"),
    sqlite_with_rowid=False,
)
"""Sums over the tool calls of a log whose message counts, or has none."""

activity_slots = Table(
    "activity_slots",
    metadata,
    file_id(),
    Column("slot", Integer, primary_key=True),
    Column("prompts", Integer, nullable=False),
    Column("steering", Integer, nullable=False),
    Column("commands", Integer, nullable=False),
    Column("bash", Integer, nullable=False),
    Column("interrupts", Integer, nullable=False),
    Column("compactions", Integer, nullable=False),
    Column("api_errors", Integer, nullable=False),
    Column("edits", Integer, nullable=False),  # calls that changed a file
    Column("additions", BigInteger, nullable=False),
    Column("deletions", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Sums over the events of a log that count, and over the edits of calls that do."""

progress_days = Table(
    "progress_days",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # yyyy-mm-dd, of the daemon's time zone
    Column("tasks", Integer, nullable=False),
    Column("tasks_done", Integer, nullable=False),
    Column("undated", Integer, nullable=False),  # of the done: those whose file does not say when
    Column("features", Integer, nullable=False),
    Column("features_done", Integer, nullable=False),
    Column("progress", Float, nullable=False),  # mean of the features, 0 to 1
    Column("counts", LargeBinary, nullable=False),  # JSON list: tasks by status, in the order of STATUSES
    sqlite_with_rowid=False,
)
"""How far the plans of a project were at the end of a day: made of the journal."""

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),  # JSON of derive.alerts.Rule
)
"""Rules that the user made, and seeded ones that the user changed: made of the journal."""

alert_states = Table(
    "alert_states",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # what the rule was looked at for: a session, a project, a window
    Column("state", Text, nullable=False),  # firing | quiet
    Column("since", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)
"""Crossings that are under way, and those whose subject went quiet meanwhile: made of the journal."""

alert_history = Table(
    "alert_history",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("fired_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("data", LargeBinary, nullable=False),  # JSON of edits.decisions.AlertFiredEdit
    Index("alert_history_fired", "fired_at", "id"),
    Index("alert_history_rule", "rule_id", "subject"),
)
"""Alerts that fired: made of the journal."""
