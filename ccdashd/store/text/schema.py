"""The tables of the index of texts."""

from __future__ import annotations

from typing import Final

from ccdashd.store.text.items_schema import ITEMS

APPLICATION_ID: Final = 0x63637478
"""Tells our file from those of others: ``cctx``."""

VERSION: Final = 2
"""Raised when tables, or the words of a text, are others than before: the index is then made anew."""

TOKENIZE: Final = "unicode61 remove_diacritics 2"
"""The tokenizer of every FTS5 table, as FTS5 is told; `search.tokens` asks it too."""

HASH_SIZE: Final = 64 * 1024 * 1024
"""Bytes of new words that FTS5 holds in memory before it writes them, so that a transaction becomes one segment."""

LEAF_SIZE: Final = 4040
"""Bytes of a leaf of FTS5, which has to fit into a page beside its checksum."""

ENTRIES: Final = (
    """
    CREATE TABLE meta (
      key TEXT PRIMARY KEY, -- cap: bytes of one entry that are indexed, as the setting said
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE logs (
      id INTEGER PRIMARY KEY,
      path ANY NOT NULL UNIQUE, -- bytes where the name is not UTF-8
      parsed_to INTEGER NOT NULL, -- bytes of the log that are indexed
      mtime_ns INTEGER NOT NULL, -- as the cache had it; 0 while the rest of the log is still to come
      guard BLOB NOT NULL, -- logfile.guard of these bytes
      parser INTEGER NOT NULL, -- version of the reader that told the entries
      entries INTEGER NOT NULL, -- of the log, from its first on
      whole INTEGER NOT NULL -- 0 where the texts are what the cache keeps of a log that could not be read
    ) STRICT
    """,
    """
    CREATE TABLE entry_blocks (
      first INTEGER PRIMARY KEY, -- rowid of the first of its entries in entries_text; the others follow
      count INTEGER NOT NULL,
      log INTEGER NOT NULL, -- id in logs
      earliest INTEGER NOT NULL, -- the earliest time of its entries in milliseconds; -1 where one of them has none
      latest INTEGER NOT NULL, -- the latest; -1 where none has one; search looks at these alone where it can
      kinds BLOB NOT NULL, -- the kind of each entry, a byte each: what matches are weighed by
      data BLOB NOT NULL -- what blocks.pack makes of the entries
    ) STRICT
    """,
    # All that `overview` reads, without what is large.
    "CREATE INDEX entry_blocks_overview ON entry_blocks (first, count, log, earliest, latest, kinds)",
    "CREATE INDEX entry_blocks_log ON entry_blocks (log, first, count)",
    """
    CREATE TABLE names (
      id INTEGER PRIMARY KEY,
      type TEXT NOT NULL, -- tool | model
      name TEXT NOT NULL,
      UNIQUE (type, name)
    ) STRICT
    """,
    f"""
    CREATE VIRTUAL TABLE entries_text USING fts5 (
      text, parts, path, tags, content = '', contentless_delete = 1, tokenize = '{TOKENIZE}'
    )
    """,
    f"INSERT INTO entries_text (entries_text, rank) VALUES ('hashsize', {HASH_SIZE})",
    f"INSERT INTO entries_text (entries_text, rank) VALUES ('pgsz', {LEAF_SIZE})",
)
"""Statements that make the tables of logs and entries. `parts` are those of identifiers in the text, `path` is the file
that a tool call or its answer is about, `tags` are words of `tags.of`."""

STATEMENTS: Final = (*ENTRIES, *ITEMS)
