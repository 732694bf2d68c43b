"""``files/*``."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.documents import DocumentRow
from ccdashd.protocol.types.entities import Cost
from ccdashd.protocol.types.features import FeatureRow
from ccdashd.protocol.types.projects import Project
from ccdashd.protocol.types.sessions import FileChange, SessionRow
from ccdashd.protocol.types.tasks import TaskRow


class FileContextParams(Params, frozen=True):
    """`path` absolute, or relative to `cwd`."""

    path: str
    cwd: str | None = None
    limit: int = 50
    """At most so many sessions, and so many documents and tasks."""


class FileTouch(Wire, frozen=True):
    session: SessionRow
    change: FileChange


class FileContext(Wire, frozen=True):
    """Who touched a path, newest first, and which plans speak of it."""

    path: str
    """Absolute path."""
    project: Project | None
    """The project the path lies in."""
    sessions: list[FileTouch]
    total: int
    """Sessions that touched it, whether listed or not."""
    document: DocumentRow | None
    """The path itself, where it is a planning file."""
    documents: list[DocumentRow]
    """Planning files that name the path."""
    tasks: list[TaskRow]
    """Tasks in the path, or that name it."""
    features: list[FeatureRow]
    """Features that the path belongs to: by these documents and tasks."""
    revision: int


class BlameParams(Params, frozen=True):
    """`path` absolute, or relative to `cwd`."""

    path: str
    cwd: str | None = None
    start: int | None = None
    """First line, from 1; by default that of the file."""
    end: int | None = None
    """Last line."""
    text: str | None = None
    """What the file holds, where that is not saved yet."""
    git: bool = False
    """Also tell the commit of each line, where the file is in a git repository."""


class BlamePrompt(Wire, frozen=True):
    """What the user asked for before the change."""

    entry: str | None
    """The entry of the transcript; null where only its words are known, as of a sub-agent's task."""
    text: str
    time: str | None


class BlameChange(Wire, frozen=True):
    """A recorded change, of which lines stand in the file."""

    session_id: str
    title: str
    """Of the session; of a sub-agent, of the session that started it."""
    subagent: str | None
    """Type of the sub-agent that made the change."""
    tool: str
    tool_use_id: str
    entry: str
    """The entry of the transcript that holds the call."""
    model: str
    time: str | None
    prompt: BlamePrompt | None
    cost: Cost | None
    """Of the turn: from the prompt until the next one."""
    lines: int
    """Lines of it that stand, in the part that was asked for."""


class BlameBlock(Wire, frozen=True):
    """Lines that stand together and come from one change."""

    start: int
    """From 1."""
    end: int
    """The last line."""
    change: int
    """Its index in `changes`."""
    fit: Literal["same", "moved", "indented", "changed"]
    """``same``: as they were written; else what was done to the first that is not."""


class BlameCommit(Wire, frozen=True):
    """Lines that stand together and come from one commit."""

    start: int
    end: int
    hash: str
    """Zeros for what is not committed."""
    author: str
    time: str
    summary: str


class Blame(Wire, frozen=True):
    """Who wrote which lines of a file as it is now. Lines in no block were written by nobody that is known: by a person, or
    by an agent whose change was not recorded."""

    path: str
    lines: int
    """Of the file."""
    agent_lines: int
    """Of them, those in blocks, in the part that was asked for."""
    blocks: list[BlameBlock]
    changes: list[BlameChange]
    recorded: int
    """Changes of this file in all sessions."""
    unread: int
    """Of them, those whose record cannot be read any more: their lines are nobody's."""
    commits: list[BlameCommit] | None
    """Null unless asked for, or where the file is in no repository."""
    revision: int
