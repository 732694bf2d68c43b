"""``projects/*``."""

from __future__ import annotations

from ccdashd.protocol.types.base import Params, Tokens, Wire


class Project(Wire, frozen=True):
    """`origin` is ``discovered`` (from a session's cwd) or ``added`` (by the user)."""

    id: str
    name: str
    root: str
    origin: str
    hidden: bool
    sessions: int
    subagents: int
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
    name: str | None = None


class ProjectsUpdate(Params, frozen=True):
    id: str
    name: str | None = None
    hidden: bool | None = None
