"""A second cache, beside the one in use, to be made anew from files and compared with it.

The connection's own database is the new one, so whatever writes a cache writes it; the one in use is attached as `stored`,
read-only, and looked at in one snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
import zstandard

from ccdashd.sources.model import Stats
from ccdashd.store import pages, versions
from ccdashd.store.connection import raw_connection
from ccdashd.store.logs import FileState, path_from, path_value
from ccdashd.store.planning import State
from ccdashd.store.rows import ROW_TABLES
from ccdashd.store.schema import document_data, document_diagnostics, documents, task_data, task_names, tasks

_stats = msgspec.json.Decoder(Stats)

_PRAGMAS = (
    # Nothing of it is worth keeping when it is interrupted.
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -64000",
)


@contextmanager
def beside(stored: Path, new: Path) -> Iterator[sa.Connection]:
    """A connection to an empty cache at `new`, in a transaction that ends with the context; `stored` is attached.

    Raises `sqlite3.Error` or `sqlalchemy.exc.SQLAlchemyError`, as its user may.
    """

    def creator() -> sqlite3.Connection:
        raw = sqlite3.connect(f"file:{quote(str(new))}", uri=True, isolation_level=None, cached_statements=256)
        for pragma in _PRAGMAS:
            raw.execute(pragma)
        return raw

    engine = sa.create_engine("sqlite://", creator=creator, poolclass=sa.pool.StaticPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            versions.ensure(connection)
            raw = raw_connection(connection)
            raw.execute("ATTACH ? AS stored", (f"file:{quote(str(stored))}?mode=ro",))
            raw.execute("PRAGMA stored.busy_timeout = 5000")
            raw.execute("BEGIN")
            yield connection
            raw.execute("COMMIT")
    finally:
        engine.dispose()


def _stored(connection: sa.Connection, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Rows of the cache in use, whose text may be damaged: what is not UTF-8 is kept as surrogates."""
    raw = raw_connection(connection)
    with tolerant(raw):
        return raw.execute(query, values).fetchall()


@contextmanager
def tolerant(raw: sqlite3.Connection) -> Iterator[None]:
    """Read text that is not UTF-8, too."""
    raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = str


def wrong_pages(connection: sa.Connection) -> list[str]:
    """What SQLite finds wrong with the file in use; it names pages, indexes and rows."""
    rows = _stored(connection, "PRAGMA stored.integrity_check(20)")
    return [str(line) for (line,) in rows if line != "ok"]


def wrong_references(connection: sa.Connection) -> list[tuple[str, str]]:
    """Pairs of tables: some row of the first refers to a row of the second that is not there."""
    rows = _stored(connection, "PRAGMA stored.foreign_key_check")
    return sorted({(str(table), str(target)) for table, _, target, _ in rows})


# --- logs ---

_STATES = f"SELECT {', '.join(FileState.__struct_fields__)} FROM stored.sync_state"
_KNOW = """
INSERT INTO sync_state
SELECT id, path, '', 0, 0, 0, 0, X'', 0, 'glanced', '', NULL, NULL, NULL, '', X'7B7D' FROM stored.sync_state WHERE id = ?
"""
_KEEP = "INSERT OR REPLACE INTO sync_state SELECT * FROM stored.sync_state WHERE id = ?"
_COPY = "INSERT OR REPLACE INTO {0} SELECT * FROM stored.{0} WHERE file_id = ?"
# As they are written first: what follows from other logs is found anew.
_RESET = (
    "UPDATE session_messages SET counted = NOT mirror WHERE file_id = ?",
    "UPDATE session_events SET counted = 1 WHERE file_id = ?",
    "UPDATE session_summaries SET session_id = NULL WHERE file_id = ?",
)


def stored_logs(connection: sa.Connection) -> list[FileState]:
    """What the cache in use knows of each log."""
    rows = _stored(connection, _STATES)
    return [FileState(file_id, path_from(path), *rest) for file_id, path, *rest in rows]


def know(connection: sa.Connection, file_id: int) -> None:
    """Give a log that will be read the id that it has in the cache in use."""
    raw_connection(connection).execute(_KNOW, (file_id,))


def keep(connection: sa.Connection, file_id: int) -> None:
    """Take over what is stored of a log, but for what follows from other logs."""
    raw = raw_connection(connection)
    raw.execute(_KEEP, (file_id,))
    for table in ROW_TABLES:
        raw.execute(_COPY.format(table.name), (file_id,))
    for reset in _RESET:
        raw.execute(reset, (file_id,))


def is_readable(connection: sa.Connection, file_id: int) -> bool:
    """Whether what is stored of a log can be decoded: its text, its figures and its entries."""
    raw = raw_connection(connection)
    try:
        for (stats,) in raw.execute("SELECT stats FROM stored.sync_state WHERE id = ?", (file_id,)):
            _stats.decode(stats)
        for (data,) in raw.execute("SELECT data FROM stored.session_logs WHERE file_id = ?", (file_id,)):
            pages.unpack(data)
        for table in ROW_TABLES:
            raw.execute(f"SELECT * FROM stored.{table.name} WHERE file_id = ?", (file_id,)).fetchall()
    except (ValueError, TypeError, zstandard.ZstdError, sqlite3.OperationalError):
        return False
    return True


def forget(connection: sa.Connection, path: str) -> None:
    """Undo `know`."""
    raw_connection(connection).execute("DELETE FROM sync_state WHERE path = ?", (path_value(path),))


# --- planning files ---

_DOCUMENTS = f"SELECT {', '.join(State.__struct_fields__)} FROM stored.documents WHERE project_id = ?"
_OF_DOCUMENT = {documents: "id", document_data: "id", document_diagnostics: "document_id", tasks: "document_id"}
_OF_TASKS = {task_data: "id", task_names: "task_id"}
_KEEP_ROWS = [
    *(f"INSERT OR REPLACE INTO {t} SELECT * FROM stored.{t} WHERE {key} = ?" for t, key in _OF_DOCUMENT.items()),
    *(
        f"INSERT OR REPLACE INTO {t} SELECT * FROM stored.{t} "
        f"WHERE {key} IN (SELECT id FROM stored.tasks WHERE document_id = ?)"
        for t, key in _OF_TASKS.items()
    ),
    "UPDATE documents SET feature_id = NULL WHERE id = ?",
    "UPDATE tasks SET feature_id = NULL, phase_id = NULL WHERE document_id = ?",
]


def stored_documents(connection: sa.Connection, project_id: str) -> dict[str, State]:
    """What the cache in use knows of a project's planning files, by path."""
    return {row[1]: State(*row) for row in _stored(connection, _DOCUMENTS, project_id)}


def keep_document(connection: sa.Connection, id: str) -> None:
    """Take over what is stored of a planning file, but for the feature that it belongs to."""
    for statement in _KEEP_ROWS:
        raw_connection(connection).execute(statement, (id,))


# --- projects ---

_PLACES = """
SELECT s.cwd, p.id, p.root, COUNT(*) FROM stored.sessions s JOIN stored.projects p ON p.id = s.project_id
WHERE s.cwd <> '' GROUP BY 1, 2, 3 ORDER BY 4
"""


def stored_places(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """``(working directory, id, root)`` of the projects that sessions are in, those of more sessions later."""
    return [(cwd, id, root) for cwd, id, root, _ in _stored(connection, _PLACES)]


def stored_meta(connection: sa.Connection) -> dict[str, str]:
    """What the cache in use has in `meta`."""
    return dict(_stored(connection, "SELECT key, value FROM stored.meta"))
