"""Words on their way into the index: one value for each entry, so that a single statement can write very many of them.

The statement leaves Python's lock alone for its whole length (`apsw.carray`), so that reading logs and writing the index
take place at the same time; row by row, each would wait for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import apsw

TAGS: Final = 32
"""Bytes of the tags, with blanks after them."""

_HEAD: Final = b"%020d%010d%010d%-32b"
_HEAD_SIZE: Final = 20 + 10 + 10 + TAGS

_INSERT = f"""
INSERT INTO entries_text (rowid, text, parts, path, tags)
SELECT
  id,
  CAST(substr(entry, {_HEAD_SIZE + 1} + path + parts) AS TEXT),
  CAST(substr(entry, {_HEAD_SIZE + 1} + path, parts) AS TEXT),
  CAST(substr(entry, {_HEAD_SIZE + 1}, path) AS TEXT),
  CAST(substr(entry, 41, {TAGS}) AS TEXT)
FROM (
  SELECT
    value AS entry,
    CAST(CAST(substr(value, 1, 20) AS TEXT) AS INTEGER) AS id,
    CAST(CAST(substr(value, 21, 10) AS TEXT) AS INTEGER) AS path,
    CAST(CAST(substr(value, 31, 10) AS TEXT) AS INTEGER) AS parts
  FROM carray(?)
)
"""


def pack(rowid: int, text: bytes, parts: bytes, path: bytes, tags: bytes) -> bytes:
    """What `write` takes of one entry: a row of ``entries_text``, all of it UTF-8."""
    return b"".join((_HEAD % (rowid, len(path), len(parts), tags), path, parts, text))


def write(connection: apsw.Connection, entries: Sequence[bytes]) -> None:
    """Write packed entries, which are in the order of their rowids, within a transaction."""
    if entries:
        connection.execute(_INSERT, (apsw.carray(tuple(entries)),))
