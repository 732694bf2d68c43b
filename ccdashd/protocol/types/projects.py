"""``projects/*``."""

from __future__ import annotations

from ccdashd.protocol.types.base import Params, Tokens, Wire


class Project(Wire, frozen=True):
    """`origin` is ``discovered`` (from a session's cwd) or ``added`` (by the user)."""

    id: str
    name: str
    """The name the user gave, else that of the folder."""
    root: str
    """Absolute path of the folder."""
    origin: str
    hidden: bool
    """Left out of lists by default."""
    sessions: int
    """Sessions, without sub-agents."""
    subagents: int
    """Sessions of sub-agents."""
    documents: int
    """Planning files."""
    features: int
    last_activity_at: str | None
    tokens: Tokens
    """Each API message once, over all sessions of the project."""


class ProjectsList(Params, frozen=True):
    include_hidden: bool = False
    offset: int = 0
    limit: int = 100


class ProjectId(Params, frozen=True):
    id: str


class ProjectsAdd(Params, frozen=True):
    root: str
    """Absolute path of the folder."""
    name: str | None = None
    """By default the folder's name."""


class ProjectsUpdate(Params, frozen=True):
    id: str
    name: str | None = None
    """A new name; an empty one goes back to that of the folder."""
    hidden: bool | None = None
    """Hide or show; null leaves it as it is."""
