"""Tables of figures over time: sums by quarter of an hour, days of progress, alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_history",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("fired_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alert_history_fired", "alert_history", ["fired_at", "id"], unique=False)
    op.create_index("alert_history_rule", "alert_history", ["rule_id", "subject"], unique=False)
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "alert_states",
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "progress_days",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("tasks_done", sa.Integer(), nullable=False),
        sa.Column("undated", sa.Integer(), nullable=False),
        sa.Column("features", sa.Integer(), nullable=False),
        sa.Column("features_done", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity_slots",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("prompts", sa.Integer(), nullable=False),
        sa.Column("steering", sa.Integer(), nullable=False),
        sa.Column("commands", sa.Integer(), nullable=False),
        sa.Column("bash", sa.Integer(), nullable=False),
        sa.Column("interrupts", sa.Integer(), nullable=False),
        sa.Column("compactions", sa.Integer(), nullable=False),
        sa.Column("api_errors", sa.Integer(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("additions", sa.BigInteger(), nullable=False),
        sa.Column("deletions", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "slot"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "session_events",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("session_events_key", "session_events", ["key"], unique=False)
    op.create_table(
        "session_minutes",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "slot"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tool_slots",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("success", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "slot", "tool", "detail"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_slots",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("mirror", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("lower_bounds", sa.Integer(), nullable=False),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("web_searches", sa.Integer(), nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), nullable=False),
        sa.Column("cost_pico", sa.BigInteger(), nullable=False),
        sa.Column("context_sum", sa.BigInteger(), nullable=False),
        sa.Column("context_max", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "slot", "model", "mirror"),
        sqlite_with_rowid=False,
    )
    op.create_index("usage_slots_slot", "usage_slots", ["slot", "cost_micro", "cost_pico"], unique=False)
    op.create_index(
        "usage_slots_model",
        "usage_slots",
        [
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
        ],
        unique=False,
    )
    op.add_column("session_file_updates", sa.Column("time", sa.BigInteger(), nullable=True))
    # Of logs that are there it is read anew; this is for those that are gone.
    op.execute(
        "UPDATE session_file_updates SET time = (SELECT c.called_at FROM session_tool_calls c "
        "WHERE c.file_id = session_file_updates.file_id AND c.n = session_file_updates.n)"
    )
    op.add_column("session_file_updates", sa.Column("counted", sa.Boolean(), server_default="0", nullable=False))
    op.create_index(
        "session_file_updates_counted",
        "session_file_updates",
        ["file_path", "time", "additions", "deletions", "counted"],
        unique=False,
        sqlite_where=sa.text("counted"),
    )
    op.create_index(
        "sessions_work",
        "sessions",
        [
            "project_id",
            sa.text("COALESCE(CASE WHEN agent_id IS NOT NULL THEN parent_id END, id, '')"),
            "id",
            "agent_id",
            "parent_id",
        ],
        unique=False,
    )
    op.create_index(
        "sessions_owner",
        "sessions",
        ["id", "parent_id", "agent_id", "agent_type", "project_id", "agent", "git_branch"],
        unique=False,
    )
    op.create_index(
        "tool_slots_tool",
        "tool_slots",
        ["tool", "detail", "slot", "calls", "success", "errors", "ms"],
        unique=False,
    )
    op.add_column("session_messages", sa.Column("web_searches", sa.Integer(), server_default="0", nullable=False))
    op.add_column("session_messages", sa.Column("fast", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("session_messages", sa.Column("reported", sa.BigInteger(), nullable=True))
    op.add_column("tasks", sa.Column("completed", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "tasks_completed", "tasks", ["project_id", "completed"], unique=False, sqlite_where=sa.text("completed <> ''")
    )
    # Planning files are read again, to fill it; and so is the journal, which may have lines for the new tables already.
    op.execute("UPDATE documents SET reader = 0")
    op.execute("UPDATE meta SET value = '0:?' WHERE key = 'journal'")
    op.add_column("session_tool_calls", sa.Column("message", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_index("tasks_completed", table_name="tasks")
    op.drop_column("tasks", "completed")
    op.drop_column("session_tool_calls", "message")
    op.drop_column("session_messages", "reported")
    op.drop_column("session_messages", "fast")
    op.drop_column("session_messages", "web_searches")
    op.drop_index("sessions_work", table_name="sessions")
    op.drop_index("sessions_owner", table_name="sessions")
    op.drop_index("session_file_updates_counted", table_name="session_file_updates")
    op.drop_column("session_file_updates", "counted")
    op.drop_column("session_file_updates", "time")
    op.drop_index("usage_slots_model", table_name="usage_slots")
    op.drop_index("usage_slots_slot", table_name="usage_slots")
    op.drop_table("usage_slots")
    op.drop_index("tool_slots_tool", table_name="tool_slots")
    op.drop_table("tool_slots")
    op.drop_table("session_minutes")
    op.drop_index("session_events_key", table_name="session_events")
    op.drop_table("session_events")
    op.drop_table("activity_slots")
    op.drop_table("progress_days")
    op.drop_table("alert_states")
    op.drop_table("alert_rules")
    op.drop_index("alert_history_rule", table_name="alert_history")
    op.drop_index("alert_history_fired", table_name="alert_history")
    op.drop_table("alert_history")
