"""What logs say, and the sessions made of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from ccdashd.store.schema.base import file_id, metadata

_MAIN = "COALESCE(CASE WHEN agent_id IS NOT NULL THEN parent_id END, id, '')"
"""The main session of a session, as `ccdashd.store.sums.MAIN` has it."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("parent_id", Text),
    Column("agent_id", Text),
    Column("agent_type", Text),
    Column("parent_tool_use_id", Text),
    Column("title", Text, nullable=False),
    Column("title_source", Text, nullable=False),
    Column("first_prompt", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("cwd", Text, nullable=False),
    Column("git_branch", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("records", Integer, nullable=False),
    Column("prompts", Integer, nullable=False),
    Column("assistant_messages", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("tool_errors", Integer, nullable=False),
    Column("subagents", Integer, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("cache_read", BigInteger, nullable=False),
    Column("cache_write", BigInteger, nullable=False),
    Column("cache_write_5m", BigInteger, nullable=False),
    Column("cache_write_1h", BigInteger, nullable=False),
    Column("lower_bounds", Integer, nullable=False),
    # Those messages only that no other session owns: these add up over sessions.
    Column("own_in", BigInteger, nullable=False),
    Column("own_out", BigInteger, nullable=False),
    Column("own_cache_read", BigInteger, nullable=False),
    Column("own_cache_write", BigInteger, nullable=False),
    Column("own_cache_write_5m", BigInteger, nullable=False),
    Column("own_cache_write_1h", BigInteger, nullable=False),
    Column("empty", Boolean, nullable=False),
    Column("indexed", Boolean, nullable=False),
    Column("source_gone", Boolean, nullable=False),
    Column("details", LargeBinary, nullable=False),  # JSON of derive.sessions.Details
    Index("sessions_ended", "ended_at", "id"),
    Index("sessions_main", "agent_id", "ended_at", "id"),  # lists leave sub-agents, which are most, out
    Index("sessions_project", "project_id", "ended_at"),
    Index("sessions_parent", "parent_id"),
    # What figures are told by, without the rest of the row.
    Index("sessions_owner", "id", "parent_id", "agent_id", "agent_type", "project_id", "agent", "git_branch"),
    Index("sessions_place", "project_id", "cwd"),  # the working copies of a project are few, its sessions many
    # To add up by project and main session without sorting; with all that the expression is of.
    Index("sessions_work", "project_id", text(_MAIN), "id", "agent_id", "parent_id"),
)

session_logs = Table(
    "session_logs",
    metadata,
    file_id(),
    Column("page", Integer, primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("keys", LargeBinary, nullable=False),  # eight bytes for the uuid of each record
    Column("data", LargeBinary, nullable=False),  # zstd of MessagePack of sources.model.Entry
)

session_messages = Table(
    "session_messages",
    metadata,
    file_id(),
    Column("n", Integer, primary_key=True),  # in the order in which the log names them
    Column("message_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("time", BigInteger),
    Column("model", Text, nullable=False),
    Column("input", Integer, nullable=False),
    Column("output", Integer, nullable=False),
    Column("cache_read", Integer, nullable=False),
    Column("cache_write", Integer, nullable=False),
    Column("cache_write_5m", Integer, nullable=False),
    Column("cache_write_1h", Integer, nullable=False),
    Column("lower_bound", Boolean, nullable=False),
    Column("mirror", Boolean, nullable=False),
    Column("copied", Boolean, nullable=False),
    Column("sidechain", Boolean, nullable=False),
    Column("counted", Boolean, nullable=False),  # this row stands for the message in totals
    Column("web_searches", Integer, nullable=False, server_default="0"),
    Column("fast", Boolean, nullable=False, server_default="0"),  # answered in the faster, dearer mode
    Column("reported", BigInteger),  # what the agent says that it cost, in 10^-12 dollars
    Index("session_messages_message", "message_id"),
    sqlite_with_rowid=False,
)

session_tool_calls = Table(
    "session_tool_calls",
    metadata,
    file_id(),
    Column("n", Integer, primary_key=True),  # in the order in which the log names them
    Column("tool_use_id", Text, nullable=False),
    Column("name", Text),
    Column("target", Text),
    Column("called_at", BigInteger),
    Column("call_offset", BigInteger),
    Column("call_length", Integer),
    Column("status", Text),
    Column("ended_at", BigInteger),
    Column("result_offset", BigInteger),
    Column("result_length", Integer),
    Column("agent_id", Text),
    Column("sidechain", Boolean, nullable=False),
    Column("message", Integer),  # number of the message that made the call, in the same log
    Index("session_tool_calls_agent", "agent_id", sqlite_where=text("agent_id IS NOT NULL")),
    sqlite_with_rowid=False,
)

session_tool_usage = Table(
    "session_tool_usage",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("tool_name", Text, primary_key=True),
    Column("call_count", Integer, nullable=False),
    Column("success_count", Integer, nullable=False),
    Column("error_count", Integer, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

session_file_updates = Table(
    "session_file_updates",
    metadata,
    file_id(),
    Column("n", Integer, primary_key=True),  # that of the tool call
    Column("file_path", Text),
    Column("action", Text),
    Column("additions", Integer),
    Column("deletions", Integer),
    Column("created", Boolean),
    Column("time", BigInteger),  # of the call
    Column("counted", Boolean, nullable=False, server_default="0"),  # this row stands for an edit in totals
    Index("session_file_updates_path", "file_path"),
    # With `counted`, though it is the same in all: else SQLite would look it up.
    Index(
        "session_file_updates_counted",
        "file_path",
        "time",
        "additions",
        "deletions",
        "counted",
        sqlite_where=text("counted"),
    ),
    sqlite_with_rowid=False,
)

session_summaries = Table(
    "session_summaries",
    metadata,
    file_id(),
    Column("offset", BigInteger, primary_key=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("summary", Text, nullable=False),
    Column("session_id", Text),  # the session that holds the leaf, once that is known
    Index("session_summaries_session", "session_id"),
)

diagnostics = Table(
    "diagnostics",
    metadata,
    file_id(),
    Column("offset", BigInteger, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("severity", Text, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("count", Integer, nullable=False),
)


session_signals = Table(
    "session_signals",
    metadata,
    file_id(),
    Column("n", Integer, primary_key=True),  # in the order in which the log names them
    Column("kind", Text, nullable=False),  # command | mention | shell | commit
    Column("value", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("time", BigInteger),
    sqlite_with_rowid=False,
)
"""What a log says of plans and commits: slash commands with their arguments, paths of Markdown files in prompts and shell
lines, hashes of commits that were made."""
