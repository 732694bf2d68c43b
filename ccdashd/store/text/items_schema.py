"""Tables of titles and texts of entities, beside those of transcripts."""

from __future__ import annotations

ITEMS = (
    """
    CREATE TABLE items (
      n INTEGER PRIMARY KEY, -- rowid in items_text
      type TEXT NOT NULL, -- store.item_sources.ItemType
      id TEXT NOT NULL,
      project_id TEXT,
      time INTEGER, -- milliseconds since the epoch
      stamp BLOB NOT NULL, -- store.item_sources.Item.stamp
      UNIQUE (type, id)
    ) STRICT
    """,
    """
    CREATE VIRTUAL TABLE items_text USING fts5 (
      title, text, parts, path, tags, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
    )
    """,
)
"""Statements that make them. `title` holds parts of its identifiers too, `parts` those of the text; `tags` is the same in
all, so that what only leaves something out has something to begin with."""
