"""What can be done at a place of a planning file."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp


def within(connection: sa.Connection, editor: Editor, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be done at a place of a planning file."""
    return []
