"""``documents/*``: planning files."""

from __future__ import annotations

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import document_lists, documents, finding, trees


@handles(methods.DOCUMENTS_LIST)
def documents_list(call: ReadCall, params: t.DocumentsList) -> t.Page[t.DocumentRow]:
    """Planning files, filtered, sorted, paged."""
    return document_lists.page(call.conn, params, call.revision)


@handles(methods.DOCUMENTS_GET)
def documents_get(call: ReadCall, params: t.DocumentId) -> t.Document:
    """One planning file with all that was read in it."""
    document_id = finding.document_id(call.conn, params.id, params.project)
    return documents.get(call.conn, document_id, call.revision, content=params.content)


@handles(methods.DOCUMENTS_TREE)
def documents_tree(call: ReadCall, params: t.DocumentsTree) -> t.Tree:
    """Planning files by project and folder."""
    return t.Tree(items=trees.of_documents(call.conn, params), revision=call.revision)
