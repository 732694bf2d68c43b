"""What an editor shows of a document on its own, in a few bytes: when they are other ones, it should ask anew."""

from __future__ import annotations

import hashlib
from typing import Final

import sqlalchemy as sa

from ccdashd.lsp import hints, lenses
from ccdashd.lsp.diagnostics import diagnostics_of
from ccdashd.lsp.editor import Editor, Open
from ccdashd.lsp.plan_places import plan_at
from ccdashd.protocol import frames, lsp

WHOLE: Final = lsp.Range(start=lsp.Position(line=0, character=0), end=lsp.Position(line=2**31 - 1, character=0))


def state(connection: sa.Connection, editor: Editor, document: Open, is_plan: bool) -> bytes:
    """Stands for the lenses and hints of a document, and the diagnostics of a planning file."""
    named = lsp.Document(uri=document.uri)
    parts: list[object] = [
        lenses.of(connection, editor, lsp.DocumentParams(text_document=named)),
        hints.within(connection, editor, lsp.RangeParams(text_document=named, range=WHOLE)),
    ]
    if is_plan:
        plan = plan_at(connection, editor, document.uri)
        parts.append(diagnostics_of(connection, plan) if plan is not None else None)
    return hashlib.blake2b(frames.encode(parts), digest_size=16).digest()
