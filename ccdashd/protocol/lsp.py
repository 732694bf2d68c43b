"""The Language Server Protocol, as far as ccdash speaks it: shapes, names, and the table of its requests.

Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/. Only the fields that
are used; others are ignored when read. A field with a default is left out of messages where it has that value. Positions
count UTF-16 units, which every client understands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from ccdashd.protocol.methods import Lane


class Lsp(msgspec.Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=True):
    """Base of all shapes."""


class Position(Lsp, frozen=True, kw_only=True):
    line: Annotated[int, msgspec.Meta(ge=0)]
    """From 0."""
    character: Annotated[int, msgspec.Meta(ge=0)]


class Range(Lsp, frozen=True, kw_only=True):
    start: Position
    end: Position


class Document(Lsp, frozen=True, kw_only=True):
    """A document that is open or meant, by its URI."""

    uri: str


class VersionedDocument(Lsp, frozen=True, kw_only=True):
    uri: str
    version: int | None
    """Null, and not left out, where it is not known to be open."""


# --- life ---


class WorkspaceFolder(Lsp, frozen=True, kw_only=True):
    uri: str
    name: str = ""


class ClientInfo(Lsp, frozen=True, kw_only=True):
    name: str = ""
    version: str | None = None


class InitializeParams(Lsp, frozen=True, kw_only=True):
    """`capabilities` stay as they are: see `Capabilities`."""

    process_id: int | None = None
    client_info: ClientInfo | None = None
    root_uri: str | None = None
    capabilities: dict[str, Any] = {}
    initialization_options: Any = None
    workspace_folders: list[WorkspaceFolder] | None = None


class SyncOptions(Lsp, frozen=True, kw_only=True):
    open_close: bool
    change: int
    """0: not told; 1: the whole text; 2: what changed."""
    save: bool = False


class CodeLensOptions(Lsp, frozen=True, kw_only=True):
    resolve_provider: bool = False


class CodeActionOptions(Lsp, frozen=True, kw_only=True):
    code_action_kinds: list[str]


class ExecuteCommandOptions(Lsp, frozen=True, kw_only=True):
    commands: list[str]


class FoldersCapability(Lsp, frozen=True, kw_only=True):
    supported: bool
    change_notifications: bool


class WorkspaceCapability(Lsp, frozen=True, kw_only=True):
    workspace_folders: FoldersCapability


class ServerCapabilities(Lsp, frozen=True, kw_only=True):
    """What is not named is not offered, so that it is left to other servers of the same file."""

    position_encoding: Literal["utf-16"]
    text_document_sync: SyncOptions
    hover_provider: bool
    code_lens_provider: CodeLensOptions
    document_link_provider: CodeLensOptions
    code_action_provider: CodeActionOptions
    execute_command_provider: ExecuteCommandOptions
    workspace_symbol_provider: bool
    workspace: WorkspaceCapability
    inlay_hint_provider: bool = False


class ServerInfo(Lsp, frozen=True, kw_only=True):
    name: str
    version: str


class InitializeResult(Lsp, frozen=True, kw_only=True):
    capabilities: ServerCapabilities
    server_info: ServerInfo


class Nothing(Lsp, frozen=True, kw_only=True):
    """Parameters of which none is used."""


# --- text ---


class OpenedDocument(Lsp, frozen=True, kw_only=True):
    uri: str
    language_id: str = ""
    version: int = 0
    text: str = ""


class DidOpen(Lsp, frozen=True, kw_only=True):
    text_document: OpenedDocument


class ContentChange(Lsp, frozen=True, kw_only=True):
    text: str
    range: Range | None = None
    """What `text` replaces; by default all."""


class DidChange(Lsp, frozen=True, kw_only=True):
    text_document: VersionedDocument
    content_changes: list[ContentChange]


class DidClose(Lsp, frozen=True, kw_only=True):
    text_document: Document


class DidSave(Lsp, frozen=True, kw_only=True):
    text_document: Document
    text: str | None = None


class FoldersEvent(Lsp, frozen=True, kw_only=True):
    added: list[WorkspaceFolder] = []
    removed: list[WorkspaceFolder] = []


class DidChangeFolders(Lsp, frozen=True, kw_only=True):
    event: FoldersEvent


# --- features ---


class DocumentParams(Lsp, frozen=True, kw_only=True):
    """Of code lenses and document links."""

    text_document: Document


class PositionParams(Lsp, frozen=True, kw_only=True):
    text_document: Document
    position: Position


class RangeParams(Lsp, frozen=True, kw_only=True):
    text_document: Document
    range: Range


class Markup(Lsp, frozen=True, kw_only=True):
    kind: Literal["markdown", "plaintext"]
    value: str


class Hover(Lsp, frozen=True, kw_only=True):
    contents: Markup
    range: Range | None = None


class Command(Lsp, frozen=True, kw_only=True):
    title: str
    command: str
    """Begins with ``ccdash.``; empty where a lens only tells something."""
    arguments: list[Any] = []


class CodeLens(Lsp, frozen=True, kw_only=True):
    range: Range
    command: Command


class InlayHint(Lsp, frozen=True, kw_only=True):
    position: Position
    label: str
    tooltip: str | None = None
    padding_left: bool = False


class DocumentLink(Lsp, frozen=True, kw_only=True):
    range: Range
    target: str | None = None
    """None where it is to be asked for once somebody follows the link."""
    tooltip: str | None = None
    data: Any = None
    """What the client repeats when it asks."""


class CodeDescription(Lsp, frozen=True, kw_only=True):
    href: str


class Diagnostic(Lsp, frozen=True, kw_only=True):
    range: Range
    message: str
    severity: int | None = None
    """1 error, 2 warning, 3 information, 4 hint."""
    code: str | int | None = None
    source: str | None = None
    """``ccdash``"""
    data: Any = None


class PublishDiagnostics(Lsp, frozen=True, kw_only=True):
    uri: str
    diagnostics: list[Diagnostic]
    version: int | None = None


class TextEdit(Lsp, frozen=True, kw_only=True):
    range: Range
    new_text: str


class TextDocumentEdit(Lsp, frozen=True, kw_only=True):
    text_document: VersionedDocument
    edits: list[TextEdit]


class WorkspaceEdit(Lsp, frozen=True, kw_only=True):
    """`changes` by URI, for clients that do not know `documentChanges`."""

    document_changes: list[TextDocumentEdit] = []
    changes: dict[str, list[TextEdit]] = {}


class CodeActionContext(Lsp, frozen=True, kw_only=True):
    only: list[str] | None = None
    """Kinds that are wanted."""
    trigger_kind: int | None = None
    """1: invoked; 2: automatic."""


class CodeActionParams(Lsp, frozen=True, kw_only=True):
    text_document: Document
    range: Range
    context: CodeActionContext


class CodeAction(Lsp, frozen=True, kw_only=True):
    title: str
    kind: str
    diagnostics: list[Diagnostic] = []
    edit: WorkspaceEdit | None = None
    command: Command | None = None
    is_preferred: bool = False


class Location(Lsp, frozen=True, kw_only=True):
    uri: str
    range: Range


class SymbolParams(Lsp, frozen=True, kw_only=True):
    query: str


class Symbol(Lsp, frozen=True, kw_only=True):
    """``SymbolInformation``, which every client understands."""

    name: str
    kind: int
    location: Location
    container_name: str | None = None


class ExecuteCommand(Lsp, frozen=True, kw_only=True):
    command: str
    arguments: list[Any] = []


# --- to the client ---


class ApplyEdit(Lsp, frozen=True, kw_only=True):
    edit: WorkspaceEdit
    label: str | None = None


class ApplyEditResult(Lsp, frozen=True, kw_only=True):
    applied: bool
    failure_reason: str | None = None


class ShowMessage(Lsp, frozen=True, kw_only=True):
    type: int
    """1 error, 2 warning, 3 information, 4 log."""
    message: str


class ShowDocument(Lsp, frozen=True, kw_only=True):
    uri: str
    external: bool = False
    take_focus: bool = True
    selection: Range | None = None


class Registration(Lsp, frozen=True, kw_only=True):
    id: str
    method: str
    register_options: Any = None


class Registrations(Lsp, frozen=True, kw_only=True):
    registrations: list[Registration]


class Unregistration(Lsp, frozen=True, kw_only=True):
    id: str
    method: str


class Unregistrations(Lsp, frozen=True, kw_only=True):
    unregisterations: list[Unregistration]
    """So it is spelt."""


class DocumentFilter(Lsp, frozen=True, kw_only=True):
    scheme: str
    pattern: str
    """Glob pattern of paths."""


class ChangeRegistration(Lsp, frozen=True, kw_only=True):
    document_selector: list[DocumentFilter]
    sync_kind: int
    """See `SyncOptions.change`."""


class CreateProgress(Lsp, frozen=True, kw_only=True):
    token: str | int


@dataclass(frozen=True, eq=False)
class LspMethod:
    """A request that an editor sends: see `methods.Method`."""

    name: str
    lane: Lane
    params: type[Lsp]
    result: Any
    cached: bool = False


HOVER = LspMethod("textDocument/hover", "read", PositionParams, Hover | None)
CODE_LENS = LspMethod("textDocument/codeLens", "read", DocumentParams, list[CodeLens])
INLAY_HINT = LspMethod("textDocument/inlayHint", "read", RangeParams, list[InlayHint])
DOCUMENT_LINK = LspMethod("textDocument/documentLink", "read", DocumentParams, list[DocumentLink])
DOCUMENT_LINK_RESOLVE = LspMethod("documentLink/resolve", "write", DocumentLink, DocumentLink)
CODE_ACTION = LspMethod("textDocument/codeAction", "read", CodeActionParams, list[CodeAction])
WORKSPACE_SYMBOL = LspMethod("workspace/symbol", "read", SymbolParams, list[Symbol])
EXECUTE_COMMAND = LspMethod("workspace/executeCommand", "write", ExecuteCommand, Any)

REQUESTS: dict[str, LspMethod] = {
    method.name: method
    for method in (
        HOVER,
        CODE_LENS,
        INLAY_HINT,
        DOCUMENT_LINK,
        DOCUMENT_LINK_RESOLVE,
        CODE_ACTION,
        WORKSPACE_SYMBOL,
        EXECUTE_COMMAND,
    )
}
"""Requests that a client may send after ``initialize``."""
