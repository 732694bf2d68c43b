"""Free pages of the cache, given back to the file system without a long lock."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from ccdashd.store.connection import raw_connection

SLICE: Final = 128
"""Pages that are given back in one transaction, which takes a few milliseconds."""

_INCREMENTAL: Final = 2


def prepare(connection: sa.Connection) -> None:
    """Make a file that is empty still one whose free pages can be given back."""
    raw_connection(connection).execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")


def is_incremental(connection: sa.Connection) -> bool:
    """Whether the free pages of the file can be given back some at a time."""
    return bool(raw_connection(connection).execute("PRAGMA auto_vacuum").fetchone()[0] == _INCREMENTAL)


def free_pages(connection: sa.Connection) -> int:
    """Pages that hold nothing."""
    return int(raw_connection(connection).execute("PRAGMA freelist_count").fetchone()[0])


def give_back(connection: sa.Connection) -> int:
    """Give up to `SLICE` free pages back; returns how many are left. Not in a transaction."""
    # Each step frees one page, and `execute` takes only the first.
    raw_connection(connection).executescript(f"PRAGMA incremental_vacuum({SLICE})")
    return free_pages(connection)


def make_incremental(connection: sa.Connection) -> None:
    """Write the file anew, such that its free pages can be given back from then on. Not in a transaction.

    Takes about half a second for each 100 MB, in which nobody else can write.
    """
    prepare(connection)
    raw_connection(connection).execute("VACUUM")
