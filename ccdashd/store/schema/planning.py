"""Planning files, what is made of them, and the links that were found."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from ccdashd.store.schema.base import metadata

session_refs = Table(
    "session_refs",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # a signal of derive.links
    Column("value", Text, primary_key=True),  # a path in the project, a slug, a hash
    Column("detail", Text, primary_key=True),  # phases of a command
    Column("count", Integer, nullable=False),
    Column("path", Text, nullable=False),  # of the log that has the first
    Column("offset", BigInteger, nullable=False),
    Column("time", BigInteger),
    Index("session_refs_value", "project_id", "value"),
    sqlite_with_rowid=False,
)
"""What sessions of projects that have planning files refer to, with paths brought down to their project."""

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),  # <project>/<path>
    Column("project_id", Text, nullable=False),
    Column("path", Text, nullable=False),  # in the project
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),  # SHA-256 of the bytes, hexadecimal
    Column("reader", Integer, nullable=False),  # version of the reader that made the rows
    Column("problem", Text, nullable=False),  # why it could not be read; empty when it was
    Column("doc_type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("raw_status", Text, nullable=False),
    Column("status", Text),
    Column("feature_id", Text),
    Column("recovered", Boolean, nullable=False),
    Column("findings", Integer, nullable=False),
    Column("slugs", LargeBinary, nullable=False),  # JSON of derive.slugs.Claim: what its feature is chosen by
    Column("tags", Text, nullable=False),  # of its frontmatter, each between line feeds, lower case
    Column("counts", LargeBinary, nullable=False),  # JSON list: tasks by status, in the order of STATUSES
    Column("tasks", Integer, nullable=False),  # their sum
    Index("documents_project", "project_id", "path"),
    Index("documents_feature", "feature_id"),
)

document_data = Table(
    "document_data",
    metadata,
    Column("id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("data", LargeBinary, nullable=False),  # JSON of sources.planning.model.Document without its tasks
)
"""What columns do not show of documents; apart, so that neither lists nor the change of a column touch it."""

document_diagnostics = Table(
    "document_diagnostics",
    metadata,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    sqlite_with_rowid=False,
)

features = Table(
    "features",
    metadata,
    Column("id", Text, primary_key=True),  # <project>/<slug>
    Column("project_id", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("raw_status", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("phases", Integer, nullable=False),
    Column("phases_done", Integer, nullable=False),
    Column("counts", LargeBinary, nullable=False),  # JSON list: tasks by status, in the order of STATUSES
    Column("tasks", Integer, nullable=False),
    Column("progress", Float, nullable=False),  # 0 to 1
    Column("documents", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("open_blockers", Integer, nullable=False),
    Column("mismatches", Integer, nullable=False),
    Column("tags", Text, nullable=False),  # of its documents' frontmatter, as in documents
    Column("modified_at", BigInteger),
    Column("data", LargeBinary, nullable=False),  # JSON of derive.features.Details
    Index("features_project", "project_id", "slug"),
    Index("features_modified", "modified_at", "id"),
)

feature_phases = Table(
    "feature_phases",
    metadata,
    Column("id", Text, primary_key=True),  # <document>#phase-<phase>
    Column("feature_id", ForeignKey("features.id", ondelete="CASCADE"), nullable=False),
    Column("document_id", Text, nullable=False),
    Column("n", Integer, nullable=False),  # order in the feature
    Column("phase", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),  # JSON of derive.phases.PhaseRow
    Index("feature_phases_feature", "feature_id", "n"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),  # <document>#<key>
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", Text, nullable=False),
    Column("n", Integer, nullable=False),  # order in the file
    Column("line", Integer, nullable=False),
    Column("parent_id", Text),  # the task that it is indented below
    Column("task_id", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("raw_status", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("effort", Text, nullable=False),
    Column("assignees", Text, nullable=False),  # one on each line
    Column("phase", Text, nullable=False),
    Column("feature_id", Text),
    Column("phase_id", Text),
    Column("recovered", Boolean, nullable=False),
    # Of a done task: the date, or time in UTC, that its file says; else empty.
    Column("completed", Text, nullable=False, server_default=""),
    Index("tasks_document", "document_id", "n"),
    Index("tasks_feature", "feature_id", "phase_id"),
    Index("tasks_project", "project_id", "status"),
    Index("tasks_completed", "project_id", "completed", sqlite_where=text("completed <> ''")),
    Index("tasks_id", "task_id"),
)

task_data = Table(
    "task_data",
    metadata,
    Column("id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("data", LargeBinary, nullable=False),  # JSON of sources.planning.model.Task
)
"""What columns do not show of tasks, apart as that of documents."""

task_names = Table(
    "task_names",
    metadata,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),  # assignee | session | commit
    Column("name", Text, primary_key=True),
    Index("task_names_name", "kind", "name"),
    sqlite_with_rowid=False,
)
"""Who and what tasks name, to find the tasks by it."""

entity_links = Table(
    "entity_links",
    metadata,
    Column("owner", Text, primary_key=True),  # <type>:<id> of the session, document or feature whose data gave the link
    Column("id", Text, primary_key=True),  # hash of the five that follow
    Column("source_type", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("link_type", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("signals", Text, nullable=False),  # kinds of evidence, by comma
    Column("sort_order", Integer, nullable=False),
    Column("evidence", LargeBinary, nullable=False),  # JSON list of protocol.types.Evidence
    Index("entity_links_source", "source_type", "source_id"),
    Index("entity_links_target", "target_type", "target_id"),
    Index("entity_links_id", "id"),
)
"""Links that were found. What the user says of links is in `user_links`."""
