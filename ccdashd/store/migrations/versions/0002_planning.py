"""Tables of planning files, their links, and what the user says of entities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "app_metadata",
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity_type", "entity_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("reader", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("doc_type", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("raw_status", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("feature_id", sa.Text(), nullable=True),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("slugs", sa.LargeBinary(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("documents_feature", "documents", ["feature_id"], unique=False)
    op.create_index("documents_project", "documents", ["project_id", "path"], unique=False)
    op.create_table(
        "entity_links",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("link_type", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "id"),
    )
    op.create_index("entity_links_id", "entity_links", ["id"], unique=False)
    op.create_index("entity_links_source", "entity_links", ["source_type", "source_id"], unique=False)
    op.create_index("entity_links_target", "entity_links", ["target_type", "target_id"], unique=False)
    op.create_table(
        "external_links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("external_links_entity", "external_links", ["entity_type", "entity_id"], unique=False)
    op.create_table(
        "features",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("raw_status", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("phases", sa.Integer(), nullable=False),
        sa.Column("phases_done", sa.Integer(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("open_blockers", sa.Integer(), nullable=False),
        sa.Column("mismatches", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("features_modified", "features", ["modified_at", "id"], unique=False)
    op.create_index("features_project", "features", ["project_id", "slug"], unique=False)
    op.create_table(
        "tags",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "user_links",
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("link_type", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_type", "source_id", "target_type", "target_id", "link_type"),
        sqlite_with_rowid=False,
    )
    op.create_index("user_links_id", "user_links", ["id"], unique=False)
    op.create_index("user_links_source", "user_links", ["source_type", "source_id"], unique=False)
    op.create_index("user_links_target", "user_links", ["target_type", "target_id"], unique=False)
    op.create_table(
        "document_data",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["documents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "document_diagnostics",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entity_tags",
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tag"], ["tags.name"], onupdate="CASCADE", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entity_type", "entity_id", "tag"),
        sqlite_with_rowid=False,
    )
    op.create_index("entity_tags_tag", "entity_tags", ["tag"], unique=False)
    op.create_table(
        "feature_phases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("feature_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feature_id"], ["features.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("feature_phases_feature", "feature_phases", ["feature_id", "n"], unique=False)
    op.create_table(
        "session_refs",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", "project_id", "kind", "value", "detail"),
        sqlite_with_rowid=False,
    )
    op.create_index("session_refs_value", "session_refs", ["project_id", "value"], unique=False)
    op.create_table(
        "session_signals",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["sync_state.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("raw_status", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("effort", sa.Text(), nullable=False),
        sa.Column("assignees", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("feature_id", sa.Text(), nullable=True),
        sa.Column("phase_id", sa.Text(), nullable=True),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tasks_document", "tasks", ["document_id", "n"], unique=False)
    op.create_index("tasks_feature", "tasks", ["feature_id", "phase_id"], unique=False)
    op.create_index("tasks_id", "tasks", ["task_id"], unique=False)
    op.create_index("tasks_project", "tasks", ["project_id", "status"], unique=False)
    op.create_table(
        "task_data",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "task_names",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "kind", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("task_names_name", "task_names", ["kind", "name"], unique=False)


def downgrade() -> None:

    op.drop_index("task_names_name", table_name="task_names")
    op.drop_table("task_names")
    op.drop_table("task_data")
    op.drop_index("tasks_project", table_name="tasks")
    op.drop_index("tasks_id", table_name="tasks")
    op.drop_index("tasks_feature", table_name="tasks")
    op.drop_index("tasks_document", table_name="tasks")
    op.drop_table("tasks")
    op.drop_table("session_signals")
    op.drop_index("session_refs_value", table_name="session_refs")
    op.drop_table("session_refs")
    op.drop_index("feature_phases_feature", table_name="feature_phases")
    op.drop_table("feature_phases")
    op.drop_index("entity_tags_tag", table_name="entity_tags")
    op.drop_table("entity_tags")
    op.drop_table("document_diagnostics")
    op.drop_table("document_data")
    op.drop_index("user_links_target", table_name="user_links")
    op.drop_index("user_links_source", table_name="user_links")
    op.drop_index("user_links_id", table_name="user_links")
    op.drop_table("user_links")
    op.drop_table("tags")
    op.drop_index("features_project", table_name="features")
    op.drop_index("features_modified", table_name="features")
    op.drop_table("features")
    op.drop_index("external_links_entity", table_name="external_links")
    op.drop_table("external_links")
    op.drop_index("entity_links_target", table_name="entity_links")
    op.drop_index("entity_links_source", table_name="entity_links")
    op.drop_index("entity_links_id", table_name="entity_links")
    op.drop_table("entity_links")
    op.drop_index("documents_project", table_name="documents")
    op.drop_index("documents_feature", table_name="documents")
    op.drop_table("documents")
    op.drop_table("app_metadata")
