"""The tables of ``cache.db`` (SQLAlchemy Core).

Everything here can be rebuilt from files. Times are milliseconds since the epoch; offsets and lengths are bytes in a log.
Rows that come from a log carry its `file_id`, so that a log can be read anew without touching another one's rows; they are
kept in the order of the log, so that writing them is appending.
"""

from __future__ import annotations

from ccdashd.store.schema.analytics import (
    activity_slots,
    alert_history,
    alert_rules,
    alert_states,
    progress_days,
    session_events,
    session_minutes,
    tool_slots,
    usage_slots,
)
from ccdashd.store.schema.base import APPLICATION_ID, META, log_seals, meta, metadata, projects, sync_state
from ccdashd.store.schema.planning import (
    document_data,
    document_diagnostics,
    documents,
    entity_links,
    feature_phases,
    features,
    session_refs,
    task_data,
    task_names,
    tasks,
)
from ccdashd.store.schema.retention import prunes, retention_policies
from ccdashd.store.schema.sessions import (
    diagnostics,
    session_file_updates,
    session_logs,
    session_messages,
    session_signals,
    session_summaries,
    session_tool_calls,
    session_tool_usage,
    sessions,
)
from ccdashd.store.schema.user import app_metadata, entity_tags, external_links, tags, user_links

__all__ = [
    "APPLICATION_ID",
    "META",
    "activity_slots",
    "alert_history",
    "alert_rules",
    "alert_states",
    "app_metadata",
    "diagnostics",
    "document_data",
    "document_diagnostics",
    "documents",
    "entity_links",
    "entity_tags",
    "external_links",
    "feature_phases",
    "features",
    "log_seals",
    "meta",
    "metadata",
    "progress_days",
    "projects",
    "prunes",
    "retention_policies",
    "session_events",
    "session_file_updates",
    "session_logs",
    "session_messages",
    "session_minutes",
    "session_refs",
    "session_signals",
    "session_summaries",
    "session_tool_calls",
    "session_tool_usage",
    "sessions",
    "sync_state",
    "tags",
    "task_data",
    "task_names",
    "tasks",
    "tool_slots",
    "usage_slots",
    "user_links",
]
