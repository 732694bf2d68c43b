"""``files/*``."""

from __future__ import annotations

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.documents import DocumentRow
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
