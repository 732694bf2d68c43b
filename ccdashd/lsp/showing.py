"""Commands that show something: in the editor where it can open documents, else in a message that says how to see it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

import msgspec
import sqlalchemy as sa

from ccdashd.errors import InvalidParams, NotFound
from ccdashd.lsp.blame import blame_of
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.shown_files import show, tell, write
from ccdashd.lsp.text import path_of
from ccdashd.protocol import types as t
from ccdashd.rendering import pages, words
from ccdashd.rendering.pages import session_argument
from ccdashd.store import linked, transcripts
from ccdashd.store.file_blame import text_of
from ccdashd.store.named import file_of_feature
from ccdashd.store.session_rows import rows_of

if TYPE_CHECKING:
    from ccdashd.app import App

BEFORE: Final = 200
"""Entries of a transcript that are shown before the one that is meant, or before the end."""

AFTER: Final = 300

MOST: Final = 100
"""Sessions that are listed."""


class Place(msgspec.Struct, frozen=True):
    """A transcript, and the entry in it that is meant."""

    session: str
    entry: str | None = None


class About(msgspec.Struct, frozen=True):
    """A document, or an entity that is told of in it."""

    uri: str
    entity: t.EntityRef | None = None


class Named(msgspec.Struct, frozen=True):
    """Something by its id."""

    id: str


class Shown(msgspec.Struct, frozen=True):
    """What was shown: a file, at a line that counts from 0."""

    path: str
    line: int
    opened: bool
    """False where the editor cannot open it, and was told how to see it."""


class Sessions(msgspec.Struct, frozen=True):
    """The sessions that were meant, the last or surest first."""

    items: list[t.SessionRow]
    total: int


async def transcript(app: App, editor: Editor, place: Place) -> Shown:
    """Show a transcript at an entry, or its end. Raises NotFound, and ReadOnly where nothing can be written."""
    path, line = await transcript_file(app, place)
    opened = await show(editor, path, line)
    if not opened:
        tell(editor, f"`ccdash show {session_argument(place.session)} --transcript` shows the transcript.")
    return Shown(path, line, opened)


async def transcript_file(app: App, place: Place) -> tuple[str, int]:
    """The file that holds a transcript to read, written anew, and the line of the entry, or its end, counted from 0. Raises
    NotFound, and ReadOnly where nothing can be written."""

    def read(connection: sa.Connection, revision: int) -> pages.Rendered:
        row = rows_of(connection, [place.session]).get(place.session)
        if row is None:
            raise NotFound("session", place.session, "see sessions/list")
        return pages.transcript(row, _around(connection, place, revision), place.entry)

    rendered = await app.database.read(read)
    return await asyncio.to_thread(write, app, place.session, rendered), rendered.line


def _around(connection: sa.Connection, place: Place, revision: int) -> t.Transcript:
    if place.entry is None:
        last = t.TranscriptParams(id=place.session, start=-BEFORE, limit=BEFORE)
        return transcripts.chunk(connection, place.session, last, revision)
    at = t.TranscriptParams(id=place.session, from_=place.entry, limit=AFTER)
    after = transcripts.chunk(connection, place.session, at, revision)
    start = max(after.start - BEFORE, 0)
    if start == after.start:
        return after
    before = t.TranscriptParams(id=place.session, start=start, limit=after.start - start)
    return msgspec.structs.replace(
        after, items=transcripts.chunk(connection, place.session, before, revision).items + after.items, start=start
    )


async def sessions(app: App, editor: Editor, about: About) -> Sessions:
    """Show the sessions that touched a file, or that worked on an entity."""
    path = _path(about.uri)

    def read(connection: sa.Connection, revision: int) -> Sessions:
        if about.entity is None:
            ids = [touch.session_id for touch in app.touched.of(connection, revision, path).touches]
        else:
            known = linked.linked(connection, about.entity.type, about.entity.id)
            ids = [link.id for link in known if link.type == "session"]
        rows = rows_of(connection, ids[:MOST])
        return Sessions([rows[id] for id in ids[:MOST] if id in rows], len(ids))

    found = await app.database.read(read)
    subject = about.entity.id if about.entity is not None else path
    name = words.short(os.path.basename(subject), 60)
    if not found.items:
        tell(editor, f"No session is known of {name}.")
    elif not await show(editor, await asyncio.to_thread(write, app, f"sessions-{subject}", _list(name, found))):
        titles = [words.short(row.title or row.id, 60) for row in found.items[:5]]
        tell(editor, f"{words.number(found.total, 'session')} of {name}: {'; '.join(titles)}. `ccdash links` lists them.")
    return found


def _list(name: str, found: Sessions) -> pages.Rendered:
    return pages.sessions(f"{words.number(found.total, 'session')} of {name}", found.items, found.total)


async def feature(app: App, editor: Editor, named: Named) -> Shown:
    """Show the document of a feature. Raises NotFound."""

    def read(connection: sa.Connection, revision: int) -> str | None:
        return file_of_feature(connection, named.id)

    path = await app.database.read(read)
    if path is None:
        raise NotFound("feature", named.id, "see features/list")
    opened = await show(editor, path)
    if not opened:
        tell(editor, f"`ccdash feature {named.id}` shows the feature; its document is {path}.")
    return Shown(path, 0, opened)


async def blame(app: App, editor: Editor, about: About) -> t.Blame:
    """Show a file with who wrote which lines. Raises what `blame_of` raises."""
    path = _path(about.uri)

    def read(connection: sa.Connection, revision: int) -> t.Blame:
        return blame_of(app, connection, revision, path, t.BlameParams(path=path))

    found = await app.database.read(read)
    name = os.path.basename(path)
    if not found.blocks:
        tell(editor, f"No line of {name} is known to be written by an agent.")
        return found

    def rendered() -> str:
        return write(app, f"blame-{path}", pages.blame(found, text_of(path)))

    if not await show(editor, await asyncio.to_thread(rendered)):
        told = f"{found.agent_lines:,} of {words.number(found.lines, 'line')} of {name} were written by agents"
        tell(editor, f"{told}; `ccdash blame {name}` shows by which prompts.")
    return found


def _path(uri: str) -> str:
    path = path_of(uri)
    if path is None:
        raise InvalidParams("uri", "names no file of this machine", uri)
    return path
