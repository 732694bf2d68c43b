"""What editors have the daemon do. Each command answers what an extension needs to show it in its own way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ccdashd.errors import InvalidParams
from ccdashd.lsp import showing
from ccdashd.lsp.capabilities import COMMANDS
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.set_status import SetStatus, set_status
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t

if TYPE_CHECKING:
    from ccdashd.app import App

T = TypeVar("T")

Link = Callable[[t.LinkCreate], Awaitable[t.Link]]
"""Makes a link, as ``links/create`` does."""


class LinkSession(msgspec.Struct, frozen=True):
    """The argument of ``ccdash.linkSession``."""

    entity: t.EntityRef
    session: str


async def run(app: App, editor: Editor, params: lsp.ExecuteCommand, link: Link) -> Any:
    """Carry out a command. Raises `InvalidParams` where there is none of that name, or its argument is another one."""
    given = partial(argument, params)
    match params.command:
        case "ccdash.setStatus":
            return await set_status(app, editor, given(SetStatus))
        case "ccdash.linkSession":
            wish = given(LinkSession)
            session = t.EntityRef(type="session", id=wish.session)
            return await link(t.LinkCreate(source=session, target=wish.entity))
        case "ccdash.openTranscript":
            return await showing.transcript(app, editor, given(showing.Place))
        case "ccdash.showSessions":
            return await showing.sessions(app, editor, given(showing.About))
        case "ccdash.showFeature":
            return await showing.feature(app, editor, given(showing.Named))
        case "ccdash.blame":
            return await showing.blame(app, editor, given(showing.About))
    raise InvalidParams("command", f"must be one of {', '.join(COMMANDS)}", params.command)


def argument(params: lsp.ExecuteCommand, type: type[T]) -> T:
    """The one argument of a command. Raises `InvalidParams`."""
    given = params.arguments[0] if params.arguments else None
    try:
        return msgspec.convert(given, type)
    except msgspec.ValidationError as error:
        raise InvalidParams("arguments", f"of {params.command}: {error}", given) from None
