"""What is known of a place in a file: of a line, who wrote it, for which prompt, and what was said before."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import sqlalchemy as sa

from ccdashd.derive.alignment import NOBODY, Fit
from ccdashd.errors import CcdashError
from ccdashd.lsp import plan_hover, words
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.text import path_of
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.store.file_blame import text_of
from ccdashd.store.file_edits import Recorded

if TYPE_CHECKING:
    from ccdashd.app import App

OPEN: Final = "ccdash.openTranscript"

_PROMPT: Final = 600
_SAID: Final = 400
_LINES: Final = 12
"""Characters and lines of a prompt, and of what the agent said, that are shown."""

_FITS: Final[dict[Fit, str]] = {
    "same": "",
    "moved": "moved since",
    "indented": "indented otherwise since",
    "changed": "changed since",
}


def at(app: App, connection: sa.Connection, revision: int, editor: Editor, params: lsp.PositionParams) -> lsp.Hover | None:
    """What is known of a place; None where that is nothing. In a planning file what a place is about comes first; else a
    line is that of the file as it is saved."""
    path = path_of(params.text_document.uri)
    if path is None:
        return None
    about = plan_hover.at(connection, editor, params) if app.is_plan(path) else None
    if about is not None:
        return about
    changes = app.touched.of(connection, revision, path).changes
    return _of_line(app, connection, editor, path, changes, params.position.line) if changes else None


def _of_line(
    app: App, connection: sa.Connection, editor: Editor, path: str, changes: list[Recorded], line: int
) -> lsp.Hover | None:
    try:
        blamed = app.blames.of(path, changes, lambda: text_of(path))
    except CcdashError:
        return None
    if not 0 <= line < len(blamed.lines) or blamed.lines[line].origin == NOBODY:
        return None
    origin, fit = blamed.lines[line]
    recorded = blamed.changes[origin]
    change = app.blames.changes(connection, {origin: recorded}, app.prices)[origin]
    said = app.blames.turns.of(connection, [recorded.file_id])[recorded.file_id].said(connection, recorded.offset)
    if not editor.client.markdown:
        return lsp.Hover(contents=lsp.Markup(kind="plaintext", value=_plain(change, fit, said)))
    return lsp.Hover(contents=lsp.Markup(kind="markdown", value=_markdown(editor, change, fit, said)))


def _markdown(editor: Editor, change: t.BlameChange, fit: Fit, said: str) -> str:
    parts = [f"**{words.escaped(_who(change))}**"]
    if change.prompt is not None and change.prompt.text.strip():
        parts.append("\n".join(f"> {line}  " for line in _escaped(change.prompt.text, _PROMPT)))
    if said.strip():
        parts.append("  \n".join(_escaped(said, _SAID)))
    parts.append(words.escaped(_facts(change, fit)))
    if OPEN in editor.client.commands:
        # Such a client trusts our commands, and all else that is shown here is escaped.
        argument = quote(json.dumps([{"session": change.session_id, "entry": change.entry}]), safe="")
        parts.append(f"[Open the transcript](command:{OPEN}?{argument})")
    else:
        parts.append(f"`{_command(change)}`")
    return "\n\n".join(parts)


def _plain(change: t.BlameChange, fit: Fit, said: str) -> str:
    prompt = change.prompt.text if change.prompt is not None else ""
    told = [
        _who(change),
        "\n".join(f"> {line}" for line in _lines(prompt, _PROMPT)),
        "\n".join(_lines(said, _SAID)),
        _facts(change, fit),
        _command(change),
    ]
    return "\n\n".join(filter(None, told))


def _who(change: t.BlameChange) -> str:
    subagent = "" if change.subagent is None else f"sub-agent {change.subagent}".rstrip()
    return words.joined(words.short(change.title or change.session_id, 80), subagent)


def _facts(change: t.BlameChange, fit: Fit) -> str:
    when = f"{datetime.fromisoformat(change.time).astimezone():%Y-%m-%d %H:%M}" if change.time is not None else ""
    cost = words.cost(change.cost)
    return words.joined(
        words.model(change.model),
        f"{when} ({words.ago(change.time)})" if when else "",
        f"{cost} for the turn" if cost else "",
        change.tool,
        _FITS[fit],
    )


def _command(change: t.BlameChange) -> str:
    """What shows the transcript in a terminal. Ids come from names of files, so they need not be harmless."""
    id = "".join(character for character in change.session_id if character.isalnum() or character in "-_/.")
    return f"ccdash show {id} --transcript"


def _lines(text: str, limit: int) -> list[str]:
    cut = text.strip()
    cut = cut if len(cut) <= limit else cut[: limit - 1].rstrip() + "…"
    lines = [line.rstrip() for line in cut.splitlines()]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], "…"]


def _escaped(text: str, limit: int) -> list[str]:
    return [words.escaped(line) for line in _lines(text, limit)]
