"""Edits of texts, as editors carry them out."""

from __future__ import annotations

from ccdashd.derive.alignment import shared
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.text import units
from ccdashd.protocol import lsp


def edit_of(before: str, after: str) -> lsp.TextEdit:
    """The one edit that makes a text another one, as small as can be."""
    start = shared(before, after)
    end = shared(before[start:][::-1], after[start:][::-1])
    where = lsp.Range(start=position(before, start), end=position(before, len(before) - end))
    return lsp.TextEdit(range=where, new_text=after[start : len(after) - end])


def position(text: str, index: int) -> lsp.Position:
    """Where an index of a text is."""
    begin = text.rfind("\n", 0, index) + 1
    return lsp.Position(line=text.count("\n", 0, index), character=units(text[begin:index]))


def workspace_edit(editor: Editor, uri: str, version: int | None, edits: list[lsp.TextEdit]) -> lsp.WorkspaceEdit:
    """Edits of one document, in the version that they are meant for where the editor can be told."""
    if not editor.client.document_changes:
        return lsp.WorkspaceEdit(changes={uri: edits})
    document = lsp.VersionedDocument(uri=uri, version=version)
    return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(text_document=document, edits=edits)])
