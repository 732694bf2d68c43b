"""How long copies of logs are kept, and which of them went: made of the journal at any time."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text

from ccdashd.store.schema.base import metadata

retention_policies = Table(
    "retention_policies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),  # JSON of derive.retention.Policy
)

prunes = Table(
    "prunes",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("at", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("released", Boolean, nullable=False),  # else it keeps the session out of the archive
    Index("prunes_released", "released", "session_id"),
)
"""Sessions that were pruned, in the order of their rowids."""
