"""What is known of a place in a file."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp


def at(connection: sa.Connection, editor: Editor, params: lsp.PositionParams) -> lsp.Hover | None:
    """What is known of a place in a file."""
    return None
