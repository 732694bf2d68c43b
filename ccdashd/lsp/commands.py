"""What editors have the daemon do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccdashd.errors import InvalidParams
from ccdashd.lsp.capabilities import COMMANDS
from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp

if TYPE_CHECKING:
    from ccdashd.app import App


async def run(app: App, editor: Editor, params: lsp.ExecuteCommand) -> Any:
    """Carry out a command. Raises `InvalidParams` where there is none of that name."""
    raise InvalidParams("command", f"must be one of {', '.join(COMMANDS)}", params.command)
