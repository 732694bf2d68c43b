"""What editors have the daemon do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ccdashd.errors import InvalidParams
from ccdashd.lsp.capabilities import COMMANDS
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.set_status import SetStatus, set_status
from ccdashd.protocol import lsp

if TYPE_CHECKING:
    from ccdashd.app import App

T = TypeVar("T")


async def run(app: App, editor: Editor, params: lsp.ExecuteCommand) -> Any:
    """Carry out a command. Raises `InvalidParams` where there is none of that name, or its argument is another one."""
    match params.command:
        case "ccdash.setStatus":
            return await set_status(app, editor, argument(params, SetStatus))
    raise InvalidParams("command", f"must be one of {', '.join(COMMANDS)}", params.command)


def argument(params: lsp.ExecuteCommand, type: type[T]) -> T:
    """The one argument of a command. Raises `InvalidParams`."""
    given = params.arguments[0] if params.arguments else None
    try:
        return msgspec.convert(given, type)
    except msgspec.ValidationError as error:
        raise InvalidParams("arguments", f"of {params.command}: {error}", given) from None
