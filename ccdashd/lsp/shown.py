"""What an editor shows of a document on its own, in a few bytes: when they are other ones, it should ask anew."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from ccdashd.lsp import hints, plan_lenses
from ccdashd.lsp.diagnostics import diagnostics_of
from ccdashd.lsp.editor import Editor, Open
from ccdashd.lsp.plan_places import plan_at
from ccdashd.protocol import frames, lsp

if TYPE_CHECKING:
    from ccdashd.app import App

WHOLE: Final = lsp.Range(start=lsp.Position(line=0, character=0), end=lsp.Position(line=2**31 - 1, character=0))


def state(app: App, connection: sa.Connection, revision: int, editor: Editor, document: Open) -> bytes:
    """Stands for the lenses of a document; of a planning file also for its hints and diagnostics. How long ago something
    was changes all the time, and is not in it."""
    touched = app.touched.state(connection, revision, document.path)
    if not app.is_plan(document.path):
        return touched
    named = lsp.Document(uri=document.uri)
    plan = plan_at(connection, editor, document.uri)
    parts: list[object] = [
        touched.hex(),
        plan_lenses.of(connection, editor, lsp.DocumentParams(text_document=named)),
        hints.within(connection, editor, lsp.RangeParams(text_document=named, range=WHOLE)),
        diagnostics_of(connection, plan) if plan is not None else None,
    ]
    return hashlib.blake2b(frames.encode(parts), digest_size=16).digest()
