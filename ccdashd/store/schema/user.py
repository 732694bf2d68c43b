"""What the user says of entities: made anew from the journal at any time."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from ccdashd.store.schema.base import metadata

user_links = Table(
    "user_links",
    metadata,
    Column("source_type", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("target_type", Text, primary_key=True),
    Column("target_id", Text, primary_key=True),
    Column("link_type", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("state", Text, nullable=False),  # made | dismissed
    Column("note", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("user_links_source", "source_type", "source_id"),
    Index("user_links_target", "target_type", "target_id"),
    Index("user_links_id", "id"),
    sqlite_with_rowid=False,
)

external_links = Table(
    "external_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("external_links_entity", "entity_type", "entity_id"),
)

tags = Table("tags", metadata, Column("name", Text, primary_key=True), Column("color", Text, nullable=False))

entity_tags = Table(
    "entity_tags",
    metadata,
    Column("entity_type", Text, primary_key=True),
    Column("entity_id", Text, primary_key=True),
    Column("tag", ForeignKey("tags.name", ondelete="CASCADE", onupdate="CASCADE"), primary_key=True),
    Index("entity_tags_tag", "tag"),
    sqlite_with_rowid=False,
)

app_metadata = Table(
    "app_metadata",
    metadata,
    Column("entity_type", Text, primary_key=True),
    Column("entity_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),  # JSON
    Column("updated_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
