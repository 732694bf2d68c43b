"""``sessions/*``: lists, single sessions, transcripts, tools, files, threads."""

from __future__ import annotations

import os

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rendering import documents
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import activity, branches, payloads, session_lists, sessions, threads, transcripts


@handles(methods.SESSIONS_LIST)
def sessions_list(call: ReadCall, params: t.SessionsList) -> t.Page[t.SessionRow]:
    """Sessions, filtered, sorted, paged."""
    return session_lists.page(call.conn, params, call.revision)


@handles(methods.SESSIONS_GET)
def sessions_get(call: ReadCall, params: t.SessionParams) -> t.Session:
    """One session with all its figures."""
    return sessions.get(call.conn, sessions.find(call.conn, params.id), call.revision)


@handles(methods.SESSIONS_TRANSCRIPT)
def sessions_transcript(call: ReadCall, params: t.TranscriptParams) -> t.Transcript:
    """A chunk of a transcript."""
    return transcripts.chunk(call.conn, sessions.find(call.conn, params.id), params, call.revision)


@handles(methods.SESSIONS_BRANCHES)
def sessions_branches(call: ReadCall, params: t.SessionParams) -> t.Branches:
    """Branches of a transcript."""
    return branches.of_session(call.conn, sessions.find(call.conn, params.id), call.revision)


@handles(methods.SESSIONS_ENTRY)
def sessions_entry(call: ReadCall, params: t.EntryParams) -> t.EntryPayload:
    """One record in full."""
    return payloads.payload(call.conn, call.app.archive, sessions.find(call.conn, params.id), params.entry, call.revision)


@handles(methods.SESSIONS_BLOB)
def sessions_blob(call: ReadCall, params: t.BlobParams) -> t.Blob:
    """The bytes of an image or other binary content of a record."""
    return payloads.blob(call.conn, call.app.archive, sessions.find(call.conn, params.id), params)


@handles(methods.SESSIONS_TOOLS)
def sessions_tools(call: ReadCall, params: t.ToolsParams) -> t.Tools:
    """Tool calls of a session, and usage by tool."""
    return activity.tools(call.conn, sessions.find(call.conn, params.id), params, call.revision)


@handles(methods.SESSIONS_FILES)
def sessions_files(call: ReadCall, params: t.SessionParams) -> t.SessionFiles:
    """Files that a session read and changed."""
    return t.SessionFiles(items=activity.files(call.conn, sessions.find(call.conn, params.id)), revision=call.revision)


@handles(methods.SESSIONS_THREAD)
def sessions_thread(call: ReadCall, params: t.SessionParams) -> t.Thread:
    """Parent, sub-agents, forks and origin of a session."""
    return threads.thread(call.conn, sessions.find(call.conn, params.id), call.revision)


@handles(methods.SESSIONS_RENDER)
def sessions_render(call: ReadCall, params: t.RenderParams) -> t.RenderedPiece:
    """A transcript as Markdown, HTML or JSON, piece by piece."""
    home, app = os.path.expanduser("~"), call.app
    return documents.piece(call.conn, params, call.revision, archive=app.archive, prices=app.prices, home=home)


@handles(methods.SESSIONS_ACTIVE)
def sessions_active(call: ReadCall, params: t.ActiveParams) -> t.SessionRows:
    """Sessions that are being written."""
    return t.SessionRows(items=session_lists.active(call.conn, params.within), revision=call.revision)
