"""``files/*``."""

from __future__ import annotations

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.projects import Project
from ccdashd.protocol.types.sessions import FileChange, SessionRow


class FileContextParams(Params, frozen=True):
    """`path` absolute, or relative to `cwd`."""

    path: str
    cwd: str | None = None
    limit: int = 50
    """At most so many sessions."""


class FileTouch(Wire, frozen=True):
    session: SessionRow
    change: FileChange


class FileContext(Wire, frozen=True):
    """Who touched a path, newest first."""

    path: str
    """Absolute path."""
    project: Project | None
    """The project the path lies in."""
    sessions: list[FileTouch]
    total: int
    """Sessions that touched it, whether listed or not."""
    revision: int
