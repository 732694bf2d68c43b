"""Tables of projects, logs and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("root"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_type", sa.Text(), nullable=True),
        sa.Column("parent_tool_use_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_source", sa.Text(), nullable=False),
        sa.Column("first_prompt", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("cwd", sa.Text(), nullable=False),
        sa.Column("git_branch", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("prompts", sa.Integer(), nullable=False),
        sa.Column("assistant_messages", sa.Integer(), nullable=False),
        sa.Column("tool_calls", sa.Integer(), nullable=False),
        sa.Column("tool_errors", sa.Integer(), nullable=False),
        sa.Column("subagents", sa.Integer(), nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("lower_bounds", sa.Integer(), nullable=False),
        sa.Column("own_in", sa.BigInteger(), nullable=False),
        sa.Column("own_out", sa.BigInteger(), nullable=False),
        sa.Column("own_cache_read", sa.BigInteger(), nullable=False),
        sa.Column("own_cache_write", sa.BigInteger(), nullable=False),
        sa.Column("own_cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("own_cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("empty", sa.Boolean(), nullable=False),
        sa.Column("indexed", sa.Boolean(), nullable=False),
        sa.Column("source_gone", sa.Boolean(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_ended", "sessions", ["ended_at", "id"], unique=False)
    op.create_index("sessions_main", "sessions", ["agent_id", "ended_at", "id"], unique=False)
    op.create_index("sessions_parent", "sessions", ["parent_id"], unique=False)
    op.create_index("sessions_project", "sessions", ["project_id", "ended_at"], unique=False)
    op.create_table(
        "sync_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("parsed_to", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.Column("parser", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("root_uuid", sa.Text(), nullable=False),
        sa.Column("stats", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path"),
    )
    op.create_index("sync_state_inode", "sync_state", ["inode"], unique=False)
    op.create_index("sync_state_parent", "sync_state", ["parent_id"], unique=False)
    op.create_index("sync_state_root_uuid", "sync_state", ["root_uuid"], unique=False)
    op.create_index("sync_state_session", "sync_state", ["session_id"], unique=False)
    op.create_table(
        "diagnostics",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "offset", "code"),
    )
    op.create_table(
        "session_file_updates",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("additions", sa.Integer(), nullable=True),
        sa.Column("deletions", sa.Integer(), nullable=True),
        sa.Column("created", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("session_file_updates_path", "session_file_updates", ["file_path"], unique=False)
    op.create_table(
        "session_logs",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "page"),
    )
    op.create_table(
        "session_messages",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input", sa.Integer(), nullable=False),
        sa.Column("output", sa.Integer(), nullable=False),
        sa.Column("cache_read", sa.Integer(), nullable=False),
        sa.Column("cache_write", sa.Integer(), nullable=False),
        sa.Column("cache_write_5m", sa.Integer(), nullable=False),
        sa.Column("cache_write_1h", sa.Integer(), nullable=False),
        sa.Column("lower_bound", sa.Boolean(), nullable=False),
        sa.Column("mirror", sa.Boolean(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("sidechain", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("session_messages_message", "session_messages", ["message_id"], unique=False)
    op.create_table(
        "session_summaries",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "offset"),
    )
    op.create_index("session_summaries_session", "session_summaries", ["session_id"], unique=False)
    op.create_table(
        "session_tool_calls",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("tool_use_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("called_at", sa.BigInteger(), nullable=True),
        sa.Column("call_offset", sa.BigInteger(), nullable=True),
        sa.Column("call_length", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("result_offset", sa.BigInteger(), nullable=True),
        sa.Column("result_length", sa.Integer(), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("sidechain", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "session_tool_calls_agent",
        "session_tool_calls",
        ["agent_id"],
        unique=False,
        sqlite_where=sa.text("agent_id IS NOT NULL"),
    )
    op.create_table(
        "session_tool_usage",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("tool_name", sa.Text(), nullable=False),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("success_count", sa.Integer(), nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", "tool_name"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("session_tool_usage")
    op.drop_index("session_tool_calls_agent", table_name="session_tool_calls", sqlite_where=sa.text("agent_id IS NOT NULL"))
    op.drop_table("session_tool_calls")
    op.drop_index("session_summaries_session", table_name="session_summaries")
    op.drop_table("session_summaries")
    op.drop_index("session_messages_message", table_name="session_messages")
    op.drop_table("session_messages")
    op.drop_table("session_logs")
    op.drop_index("session_file_updates_path", table_name="session_file_updates")
    op.drop_table("session_file_updates")
    op.drop_table("diagnostics")
    op.drop_index("sync_state_session", table_name="sync_state")
    op.drop_index("sync_state_root_uuid", table_name="sync_state")
    op.drop_index("sync_state_parent", table_name="sync_state")
    op.drop_index("sync_state_inode", table_name="sync_state")
    op.drop_table("sync_state")
    op.drop_index("sessions_project", table_name="sessions")
    op.drop_index("sessions_parent", table_name="sessions")
    op.drop_index("sessions_main", table_name="sessions")
    op.drop_index("sessions_ended", table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("projects")
    op.drop_table("meta")
