"""``cache/*``."""

from __future__ import annotations

from ccdashd.protocol.types.base import Params, Tokens, Wire
from ccdashd.protocol.types.daemon import Indexing, Problem


class CacheStatus(Wire, frozen=True):
    """`totals` over all sessions, each API message once; `sourceBytes` is the size of the logs."""

    revision: int
    schema: str
    database: str
    database_bytes: int
    wal_bytes: int
    source_bytes: int
    source_files: int
    files_gone: int
    sessions: int
    subagents: int
    messages: int
    tokens: Tokens
    output_lower_bound_messages: int
    files_parsed: int
    """Files read in full since start."""
    records_parsed: int
    """Records read since start."""
    rows_written: int
    """Rows written since start."""
    indexing: Indexing


class RescanResult(Wire, frozen=True):
    files: int
    parsed: int
    appended: int
    gone: int
    seconds: float
    revision: int


class RescanParams(Params, frozen=True):
    paths: list[str] | None = None
    """Files or folders to look at; by default every root."""


class VerifyResult(Wire, frozen=True):
    """`problems` tell what is wrong and what repairs it; empty when the cache says what the files say."""

    ok: bool
    checked_files: int
    problems: list[Problem]
    seconds: float
    revision: int
