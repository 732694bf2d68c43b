"""``cache/*``."""

from __future__ import annotations

from ccdashd.protocol.types.base import Tokens, Wire, WorkParams
from ccdashd.protocol.types.daemon import Indexing, Problem


class CacheStatus(Wire, frozen=True):
    """What the cache holds, over all sessions, each API message once; `sourceBytes` is the size of the logs."""

    revision: int
    """The last committed revision."""
    schema: str
    """Version of the database schema."""
    database: str
    """Absolute path."""
    database_bytes: int
    wal_bytes: int
    """Size of the write-ahead log."""
    source_bytes: int
    source_files: int
    """Logs in the cache."""
    files_gone: int
    """Of these, logs that are no longer there."""
    sessions: int
    """Sessions, without sub-agents."""
    subagents: int
    """Sessions of sub-agents."""
    messages: int
    """API messages."""
    tokens: Tokens
    tokens_mirrored: Tokens
    """Usage of sub-agents whose own logs are gone, known only from copies; not in `tokens`."""
    output_lower_bound_messages: int
    """Messages whose log holds no final usage."""
    files_parsed: int
    """Files read in full since start."""
    records_parsed: int
    """Records read since start."""
    rows_written: int
    """Rows written since start."""
    indexing: Indexing


class RescanResult(Wire, frozen=True):
    files: int
    """Logs that were looked at."""
    parsed: int
    """Logs that were read in full."""
    appended: int
    """Logs of which only the new end was read."""
    gone: int
    """Logs found to be no longer there."""
    documents: int
    """Planning files that were looked at."""
    documents_read: int
    """Planning files that were read."""
    documents_gone: int
    """Planning files found to be no longer there."""
    seconds: float
    revision: int


class RescanParams(WorkParams, frozen=True):
    paths: list[str] | None = None
    """Files or folders to look at; by default every root of logs and every project."""


class VerifyResult(Wire, frozen=True):
    """`problems` tell what is wrong and what repairs it; empty when the cache says what the files say."""

    ok: bool
    checked_files: int
    """Logs and planning files."""
    problems: list[Problem]
    seconds: float
    revision: int
