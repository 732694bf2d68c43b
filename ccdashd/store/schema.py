"""The tables of ``cache.db`` (SQLAlchemy Core).

Everything here can be rebuilt from files. Times are milliseconds since the epoch; offsets and lengths are bytes in a log.
Rows that come from a log carry its `file_id`, so that a log can be read anew without touching another one's rows; they are
kept in the order of the log, so that writing them is appending.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

APPLICATION_ID = 0x43434448
"""``CCDH``: tells our database from any other file (https://www.sqlite.org/pragma.html#pragma_application_id)."""

metadata = MetaData()


def _file_id(*, primary: bool = True) -> Column[int]:
    return Column("file_id", ForeignKey("sync_state.id", ondelete="CASCADE"), primary_key=primary, nullable=False)


meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
"""`revision`: number of the last committed write; `indexed`: the first index is complete; `open`: not closed in
order; `journal`: bytes of the journal that were carried out."""

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("root", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("hidden", Boolean, nullable=False, default=False),
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),  # bytes where the name is not UTF-8
    Column("agent", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("parsed_to", BigInteger, nullable=False),
    Column("guard", LargeBinary, nullable=False),  # hash of samples of the bytes before parsed_to
    Column("parser", Integer, nullable=False),  # version of the reader that made the rows
    Column("state", Text, nullable=False),  # ok | glanced | gone | unreadable
    Column("problem", Text, nullable=False, default=""),
    Column("session_id", Text),
    Column("parent_id", Text),
    Column("agent_id", Text),
    Column("root_uuid", Text, nullable=False, default=""),
    Column("stats", LargeBinary, nullable=False),  # JSON of sources.model.Stats
    Index("sync_state_session", "session_id"),
    Index("sync_state_parent", "parent_id"),
    Index("sync_state_inode", "inode"),
    Index("sync_state_root_uuid", "root_uuid"),
)

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
)

session_logs = Table(
    "session_logs",
    metadata,
    _file_id(),
    Column("page", Integer, primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("keys", LargeBinary, nullable=False),  # eight bytes for the uuid of each record
    Column("data", LargeBinary, nullable=False),  # zstd of MessagePack of sources.model.Entry
)

session_messages = Table(
    "session_messages",
    metadata,
    _file_id(),
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
    Index("session_messages_message", "message_id"),
    sqlite_with_rowid=False,
)

session_tool_calls = Table(
    "session_tool_calls",
    metadata,
    _file_id(),
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
    _file_id(),
    Column("n", Integer, primary_key=True),  # that of the tool call
    Column("file_path", Text),
    Column("action", Text),
    Column("additions", Integer),
    Column("deletions", Integer),
    Column("created", Boolean),
    Index("session_file_updates_path", "file_path"),
    sqlite_with_rowid=False,
)

session_summaries = Table(
    "session_summaries",
    metadata,
    _file_id(),
    Column("offset", BigInteger, primary_key=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("summary", Text, nullable=False),
    Column("session_id", Text),  # the session that holds the leaf, once that is known
    Index("session_summaries_session", "session_id"),
)

diagnostics = Table(
    "diagnostics",
    metadata,
    _file_id(),
    Column("offset", BigInteger, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("severity", Text, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("count", Integer, nullable=False),
)
