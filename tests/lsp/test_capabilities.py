"""What real editors are offered."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from lsprotocol import types

from ccdashd.lsp import capabilities
from ccdashd.lsp.editor import initialize as read
from tests.lsp.clients import RECORDED, initialize, structured

OFFERED = {
    "positionEncoding",
    "textDocumentSync",
    "hoverProvider",
    "codeLensProvider",
    "documentLinkProvider",
    "codeActionProvider",
    "executeCommandProvider",
    "workspaceSymbolProvider",
    "workspace",
}


def offered(**params: Any) -> dict[str, Any]:
    client = capabilities.of(read(json.dumps(params).encode()))
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(capabilities.offer(client)))
    return decoded


@pytest.mark.parametrize("client", RECORDED)
def test_nothing_that_another_server_of_the_file_does(client: str) -> None:
    result = offered(**initialize(client))
    offer = structured(types.INITIALIZE, result).capabilities
    assert result["capabilities"].keys() - {"inlayHintProvider"} == OFFERED
    assert offer.position_encoding == "utf-16"
    assert offer.text_document_sync.change == types.TextDocumentSyncKind.None_
    assert all(command.startswith("ccdash.") for command in offer.execute_command_provider.commands)


def test_hints_for_clients_that_show_them() -> None:
    assert "inlayHintProvider" not in offered(**initialize("neovim_v0.7.0"))["capabilities"]
    assert offered(**initialize("neovim_v0.10.0"))["capabilities"]["inlayHintProvider"] is True


def test_commands_of_an_extension_are_left_to_it() -> None:
    own = {"ccdash": {"commands": ["ccdash.openTranscript"]}}
    commands = offered(capabilities={}, initializationOptions=own)["capabilities"]["executeCommandProvider"]["commands"]
    assert "ccdash.openTranscript" not in commands
    assert "ccdash.setStatus" in commands


@pytest.mark.parametrize("odd", [{}, {"window": 3}, {"textDocument": {"hover": {"contentFormat": "x"}}, "workspace": []}])
def test_odd_capabilities_are_none(odd: dict[str, Any]) -> None:
    client = capabilities.of(read(json.dumps({"capabilities": odd, "initializationOptions": ["x"]}).encode()))
    assert client == capabilities.Capabilities()
