"""A copy of the cache in a file of its own, as it is at one moment, while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def copy_cache(source: Path, target: Path) -> None:
    """Write the cache at `source`, which may be in use by another process, to `target`, where there is nothing; without its
    free space. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(_readonly(source), uri=True, timeout=20)) as raw:
        raw.execute("VACUUM INTO ?", (str(target),))


def copy_problem(path: Path) -> str | None:
    """What is wrong with such a copy, in words; None when nothing is."""
    try:
        with closing(sqlite3.connect(_readonly(path) + "&immutable=1", uri=True)) as raw:
            found = [str(row[0]) for row in raw.execute("PRAGMA integrity_check(1)")]
            raw.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if found == ["ok"] else found[0]


def _readonly(path: Path) -> str:
    return f"file:{quote(str(path))}?mode=ro"
