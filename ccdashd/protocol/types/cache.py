"""``cache/*``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ccdashd.protocol.types.base import Params, Tokens, Wire, WorkParams
from ccdashd.protocol.types.daemon import Indexing
from ccdashd.protocol.types.search import TextIndex


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
    text_index: TextIndex


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


class VerifyParams(WorkParams, frozen=True):
    repair: bool = False
    """Do for each problem what repairs it, as far as the daemon can, and check again."""


class Fault(Wire, frozen=True):
    """Something that is not as it should be."""

    part: Literal["cache", "text", "archive", "journal", "counters", "backups", "files", "plans"]
    """The database, the index of texts, the archive, the journal, the counters of metrics, a backup; a log, or a planning
    file, that is not as the cache knows it."""
    where: str
    """The table, file, or chunk."""
    problem: str
    repair: str
    """What repairs it, in words; what is lost by it, if anything is."""
    repaired: bool = False


class VerifyResult(Wire, frozen=True):
    """`faults` tell what is wrong and what repairs it; empty when all say the same."""

    ok: bool
    """True where nothing is wrong, or nothing any more."""
    checked_files: int
    """Logs and planning files."""
    checked_copies: int
    """Chunks of the archive, each read and compared with its hash."""
    faults: list[Fault]
    kept: list[str]
    """Files that damaged ones were moved to; they are of no use to ccdash any more."""
    seconds: float
    revision: int


class BackupParams(WorkParams, frozen=True):
    folder: str | None = None
    """Absolute path of the folder that the backup's own folder is made in; by default ``backups`` in the data folder."""
    archive: bool = False
    """With the archive, which may be large."""
    keep: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    """Delete all but so many of the backups in that folder, the newest first, when this one is whole."""


class BackupResult(Wire, frozen=True):
    path: str
    """The folder of this backup."""
    bytes: int
    files: int
    verified: bool
    """True: its database was opened and checked, and every file read again and compared with its hash."""
    deleted: list[str]
    """Older backups that were deleted."""
    seconds: float
    revision: int


class StoragePart(Wire, frozen=True):
    name: str
    """A file of ours, a table, or a project's name."""
    bytes: int
    files: int = 0
    rows: int = 0
    id: str | None = None
    """Of a project."""


class Storage(Wire, frozen=True):
    """Bytes on disk of all that is ours; what is on disk of the agents is `sources`."""

    total: int
    parts: list[StoragePart]
    """``cache``, ``text``, ``archive``, ``journal``, ``backups``, ``logs`` (of the daemon), each with its files."""
    tables: list[StoragePart]
    """Of the cache and of the index of texts, with their indexes."""
    projects: list[StoragePart]
    """Of the archive, by the projects of its logs; chunks that several share are divided evenly."""
    sources: int
    """Bytes of the agents' logs."""
    reclaimable: int
    """What ``cache/vacuum`` would give back."""
    revision: int


class VacuumResult(Wire, frozen=True):
    before: int
    """Bytes of the cache and of the index of texts."""
    after: int
    seconds: float
    revision: int


class MigrateParams(Params, frozen=True):
    to: str | None = None
    """The version to go to; by default nothing is done but to say where the cache is."""


class Migration(Wire, frozen=True):
    version: str
    title: str
    applied: bool


class MigrateResult(Wire, frozen=True):
    """After going down, the daemon closes the cache, which is that of an older version now, and leaves it alone until it is
    started again."""

    version: str
    newest: str
    """The version that this daemon needs."""
    migrations: list[Migration]
    backup: str | None
    """The folder of the backup that was made before going down."""
    revision: int
