"""What names a task, a file or a session in a planning file, and leads there; to the web others do that."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec
import sqlalchemy as sa

from ccdashd.errors import InvalidParams
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.plan_names import Name, Names
from ccdashd.lsp.plan_places import Plan, plan_at, uri_in
from ccdashd.lsp.showing import Place, transcript_file
from ccdashd.lsp.text import uri_of
from ccdashd.protocol import lsp

if TYPE_CHECKING:
    from ccdashd.app import App

MOST: Final = 1_000
"""Links of one file, the first."""

MOST_LINES: Final = 20_000
"""Lines of one file that are looked at."""


def of(connection: sa.Connection, editor: Editor, params: lsp.DocumentParams) -> list[lsp.DocumentLink]:
    """The links of a planning file, none for other files."""
    plan = plan_at(connection, editor, params.text_document.uri)
    if plan is None:
        return []
    names = Names(connection, plan).within(range(min(len(plan.reading.lines), MOST_LINES)))
    return list(islice((_link(plan, name) for name in names if not _is_itself(name, plan)), MOST))


async def resolve(app: App, link: lsp.DocumentLink) -> lsp.DocumentLink:
    """A link to a session with its target: the transcript, written to be read. Raises InvalidParams for other links without
    target, NotFound, and ReadOnly where nothing can be written."""
    if link.target is not None:
        return link
    try:
        place = msgspec.convert(link.data, Place)
    except msgspec.ValidationError as error:
        raise InvalidParams("data", f"not that of a link to a session: {error}", link.data) from None
    path, line = await transcript_file(app, place)
    return msgspec.structs.replace(link, target=f"{uri_of(path)}#L{line + 1}")


def _is_itself(name: Name, plan: Plan) -> bool:
    """Whether it is the task of that id itself that stands there."""
    return name.kind == "task" and name.target == plan.place.path and name.line == name.range.start.line + 1


def _link(plan: Plan, name: Name) -> lsp.DocumentLink:
    match name.kind:
        case "session":
            tooltip = "Open the transcript of this session"
            return lsp.DocumentLink(range=name.range, tooltip=tooltip, data={"session": name.target})
        case "task":
            tooltip = "Go to this task"
        case "file":
            tooltip = f"Open {name.target}"
    return lsp.DocumentLink(range=name.range, target=uri_in(plan.place, name.target, name.line), tooltip=tooltip)
