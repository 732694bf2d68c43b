"""THE TABLE: every method of the wire, its lane, its types, and what it is for.

The lane decides where a method runs: ``loop`` (on the event loop, without the cache), ``read`` (short query), ``heavy``
(own reader, so that it never makes a short query wait), ``write`` (the one writer, or a job of many steps).
Dispatch, the reference page, the JSON Schema and the TypeScript types are all made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ccdashd.protocol import types as t

PROTOCOL = 1
"""Number of the protocol; raised when an older client could misunderstand an answer."""

MIN_PROTOCOL = 1
"""Oldest client protocol that is still served."""

Lane = Literal["loop", "read", "heavy", "write"]


@dataclass(frozen=True, eq=False)
class Method:
    """One row of the table."""

    name: str
    lane: Lane
    params: type[t.Wire]
    result: Any
    doc: str
    cached: bool = False
    """The encoded answer may be kept until the revision changes: it depends on parameters and database only."""


@dataclass(frozen=True, eq=False)
class Notification:
    """One message that the daemon sends on its own."""

    name: str
    params: type[t.Wire]
    doc: str


HELLO = Method("ccdash/hello", "loop", t.Hello, t.HelloResult, "Introduce a client; the first request of a connection.")
STATUS = Method("ccdash/status", "loop", t.NoParams, t.Status, "How the daemon is.")
DOCTOR = Method(
    "ccdash/doctor",
    "heavy",
    t.DoctorParams,
    t.Doctor,
    "Everything that was not understood, and every session a user might miss, with the reason.",
)
SUBSCRIBE = Method(
    "ccdash/subscribe",
    "loop",
    t.SubscribeParams,
    t.SubscribeResult,
    "Send notifications for topics to this connection.",
)
UNSUBSCRIBE = Method("ccdash/unsubscribe", "loop", t.SubscribeParams, t.SubscribeResult, "Stop notifications for topics.")
CHANGES = Method(
    "ccdash/changes",
    "loop",
    t.ChangesParams,
    t.Changes,
    "What changed since a revision, or that all should be read anew.",
)
SHUTDOWN = Method("ccdash/shutdown", "loop", t.NoParams, t.Ok, "Finish what runs, then stop the daemon.")

PROJECTS_LIST = Method(
    "projects/list", "read", t.ProjectsList, t.Page[t.Project], "Projects, last active first.", cached=True
)
PROJECTS_GET = Method("projects/get", "read", t.ProjectId, t.Project, "One project.", cached=True)
PROJECTS_ADD = Method(
    "projects/add", "write", t.ProjectsAdd, t.Project, "Register a folder as a project; sessions below it join it."
)
PROJECTS_UPDATE = Method("projects/update", "write", t.ProjectsUpdate, t.Project, "Name, hide or show a project.")
PROJECTS_REMOVE = Method(
    "projects/remove", "write", t.ProjectId, t.Ok, "Undo add, name and hide of a project. No session is removed."
)

SESSIONS_LIST = Method(
    "sessions/list", "read", t.SessionsList, t.Page[t.SessionRow], "Sessions, filtered, sorted, paged.", cached=True
)
SESSIONS_GET = Method("sessions/get", "read", t.SessionParams, t.Session, "One session with all its figures.", cached=True)
SESSIONS_TRANSCRIPT = Method(
    "sessions/transcript", "read", t.TranscriptParams, t.Transcript, "A chunk of a transcript.", cached=True
)
SESSIONS_ENTRY = Method(
    "sessions/entry", "read", t.EntryParams, t.EntryPayload, "One record in full, read from the log by offset."
)
SESSIONS_TOOLS = Method(
    "sessions/tools", "read", t.ToolsParams, t.Tools, "Tool calls of a session, and usage by tool.", cached=True
)
SESSIONS_FILES = Method(
    "sessions/files", "read", t.SessionParams, t.SessionFiles, "Files that a session read and changed.", cached=True
)
SESSIONS_THREAD = Method(
    "sessions/thread",
    "read",
    t.SessionParams,
    t.Thread,
    "Parent, sub-agents, forks and origin of a session.",
    cached=True,
)
SESSIONS_ACTIVE = Method("sessions/active", "read", t.ActiveParams, t.SessionRows, "Sessions that are being written.")

FILES_CONTEXT = Method(
    "files/context", "read", t.FileContextParams, t.FileContext, "Which sessions touched a path, newest first."
)

CACHE_STATUS = Method("cache/status", "heavy", t.NoParams, t.CacheStatus, "What the cache holds, and how much work it did.")
CACHE_RESCAN = Method(
    "cache/rescan", "write", t.RescanParams, t.RescanResult, "Compare every file with the cache now; read what differs."
)
CACHE_REBUILD = Method(
    "cache/rebuild", "write", t.WorkParams, t.RescanResult, "Read every log anew. Sessions whose log is gone stay."
)
CACHE_VERIFY = Method(
    "cache/verify", "write", t.WorkParams, t.VerifyResult, "Check the database, and parse every log again to compare."
)

METHODS: dict[str, Method] = {value.name: value for value in list(globals().values()) if isinstance(value, Method)}

CHANGED = Notification("ccdash/changed", t.ChangedNotification, "Entities changed; sent to subscribers, coalesced.")
TRANSCRIPT = Notification("ccdash/transcript", t.TranscriptNotification, "Entries were added to a followed session.")
PROGRESS = Notification("$/progress", t.ProgressNotification, "Progress of a request that named a `workDoneToken`.")
INDEXING = Notification("ccdash/indexing", t.IndexingNotification, "Progress of an index run.")

NOTIFICATIONS: dict[str, Notification] = {
    value.name: value for value in list(globals().values()) if isinstance(value, Notification)
}
