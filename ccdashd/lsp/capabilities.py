"""What an editor can do, and what it is offered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ccdashd import __version__
from ccdashd.protocol import lsp

SERVER: Final = "ccdashd"

COMMANDS: Final = (
    "ccdash.setStatus",
    "ccdash.linkSession",
    "ccdash.openTranscript",
    "ccdash.showSessions",
    "ccdash.showFeature",
    "ccdash.blame",
)
"""Commands that the daemon carries out when an editor asks for it."""

ACTION_KINDS: Final = ("quickfix", "refactor.ccdash")


@dataclass(frozen=True)
class Capabilities:
    """What of the client's capabilities makes a difference."""

    code_lens_refresh: bool = False
    inlay_hint: bool = False
    inlay_hint_refresh: bool = False
    apply_edit: bool = False
    document_changes: bool = False
    show_document: bool = False
    progress: bool = False
    register_changes: bool = False
    """Takes ``textDocument/didChange`` registered for some documents only."""
    markdown: bool = True
    commands: frozenset[str] = frozenset()
    """Commands that an extension in the client carries out itself: `initializationOptions.ccdash.commands`."""


def of(params: lsp.InitializeParams) -> Capabilities:
    """The capabilities that a client announces; what it words otherwise than the protocol does is not there."""
    given = params.capabilities
    hover = _at(given, "textDocument.hover.contentFormat")
    own = _at(params.initialization_options, "ccdash.commands")
    return Capabilities(
        code_lens_refresh=_at(given, "workspace.codeLens.refreshSupport") is True,
        inlay_hint=isinstance(_at(given, "textDocument.inlayHint"), dict),
        inlay_hint_refresh=_at(given, "workspace.inlayHint.refreshSupport") is True,
        apply_edit=_at(given, "workspace.applyEdit") is True,
        document_changes=_at(given, "workspace.workspaceEdit.documentChanges") is True,
        show_document=_at(given, "window.showDocument.support") is True,
        progress=_at(given, "window.workDoneProgress") is True,
        register_changes=_at(given, "textDocument.synchronization.dynamicRegistration") is True,
        markdown="markdown" in hover if isinstance(hover, list) else True,
        commands=frozenset(name for name in own if isinstance(name, str)) if isinstance(own, list) else frozenset(),
    )


def offer(client: Capabilities) -> lsp.InitializeResult:
    """What the client is offered, and nothing that another server of the same file does better."""
    return lsp.InitializeResult(
        capabilities=lsp.ServerCapabilities(
            position_encoding="utf-16",
            text_document_sync=lsp.SyncOptions(open_close=True, change=0, save=True),
            hover_provider=True,
            # Some clients can show lenses and do not announce it, so they are offered to all.
            code_lens_provider=lsp.CodeLensOptions(),
            document_link_provider=lsp.CodeLensOptions(resolve_provider=True),
            code_action_provider=lsp.CodeActionOptions(code_action_kinds=list(ACTION_KINDS)),
            # An extension's own commands are global in some editors: offering them once more would clash.
            execute_command_provider=lsp.ExecuteCommandOptions(
                commands=[command for command in COMMANDS if command not in client.commands]
            ),
            workspace_symbol_provider=True,
            workspace=lsp.WorkspaceCapability(
                workspace_folders=lsp.FoldersCapability(supported=True, change_notifications=True)
            ),
            inlay_hint_provider=client.inlay_hint,
        ),
        server_info=lsp.ServerInfo(name=SERVER, version=__version__),
    )


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
