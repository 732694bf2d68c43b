"""What all tables hang on: the metadata, projects, and what is known of each log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

APPLICATION_ID = 0x43434448
"""``CCDH``: tells our database from any other file (https://www.sqlite.org/pragma.html#pragma_application_id)."""

metadata = MetaData()


def file_id() -> Column[int]:
    """The key of a log, first column of every table of its rows."""
    return Column("file_id", ForeignKey("sync_state.id", ondelete="CASCADE"), primary_key=True, nullable=False)


meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
"""One row for each of `META`."""

META = {
    "revision": "number of the last committed write",
    "indexed": "1 when the first index is complete",
    "open": "1 where the file was not closed in order",
    "journal": "how far the journal was carried out, as edits.journal writes it",
    "prices": "those that the roll-ups were made with, as derive.pricing.fingerprint tells them",
    "unjoined": "1 from the first batch of a backlog until all its summaries are joined with the sessions that they name",
    "linked": "JSON list of the projects with planning files, whose sessions have their refs",
    "retention": "when policies of retention were carried out last",
}

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

log_seals = Table(
    "log_seals",
    metadata,
    file_id(),
    Column("schema", Text, nullable=False),  # version of the schema that the rows were of
    Column("digest", LargeBinary, nullable=False),
)
"""Checksums of the rows of logs that are gone: nothing is left that they could be compared with."""
