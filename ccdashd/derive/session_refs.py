"""What a session refers to in projects with planning files: paths brought down to their project, names of features. Pure.

A session of a worktree works on the same files as one of the main folder: paths below the worktree are those of the main
folder. Paths as they are written are absolute, or relative to where the session ran or to the root of its project.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from ccdashd.derive import commands
from ccdashd.derive.slugs import canonical

RefKind = Literal["command", "quick", "recovery", "mention", "shell", "write", "read", "commit", "branch", "worktree"]

_WORKTREE: Final = re.compile(r"(?:\.claude/worktrees|\.worktrees|\.git/worktrees)/(?P<name>[^/]+)(?:/|$)")
"""Where agents and people keep worktrees inside a repository."""

_TRUNKS: Final = frozenset({"main", "master", "develop", "dev", "trunk", "head", "staging", "production", "release"})
_KINDS: Final = re.compile(
    r"(?:feat|feature|features|fix|bugfix|hotfix|chore|refactor|docs|task|wip|issue|worktree|claude|agent)-(?=.)"
)
_PHASE: Final = re.compile(r"(?:-phases?-[0-9].*|-p[0-9]+)$")
_NUMBER: Final = re.compile(r"[0-9]+-(?=.)")


class Said(NamedTuple):
    """A row of what the logs of a session say: a signal, or a file that a tool call read or wrote."""

    kind: str
    """``command``, ``mention``, ``shell``, ``commit`` as signals have it, or ``read`` or ``write``."""
    value: str
    path: str
    """Of the log."""
    offset: int
    time: int | None


class Ref(NamedTuple):
    """A row of `session_refs`."""

    session_id: str
    project_id: str
    kind: RefKind
    value: str
    """A path in the project, a canonical slug, the id of a request, or the first seven digits of a commit."""
    detail: str
    """Of a command its name and phases, of a branch or worktree its name as it is."""
    number: int
    """How often."""
    path: str
    offset: int
    time: int | None


class Session(NamedTuple):
    """What is needed of a session. `cwds` are all folders that it ran in, `branches` all branches."""

    id: str
    project_id: str
    cwd: str
    cwds: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    log: str = ""
    started_at: int | None = None


class Roots:
    """Projects with planning files, by their roots. `owner` gives the root of the project that a folder belongs to."""

    def __init__(self, roots: Mapping[str, str], owner: Callable[[str], str], home: str) -> None:
        self.roots = dict(roots)
        self._by_id = {project_id: root for root, project_id in roots.items()}
        self._longest = sorted(self.roots, key=len, reverse=True)
        self._owner = owner
        self._home = home
        self._tops: dict[str, str] = {}

    def locate(self, path: str, session: Session) -> list[tuple[str, str]]:
        """Where a path as it is written may be: projects and paths in them."""
        if path.startswith("~/"):
            path = self._home + path[1:]
        if path.startswith("/"):
            plain = posixpath.normpath(path)
            place = self._in_project(plain) or self._in_worktree(plain, session)
            return [place] if place is not None else []
        root = self._by_id.get(session.project_id)
        if root is None:
            return []
        found = self.locate(posixpath.join(session.cwd, path), session) if session.cwd.startswith("/") else []
        plain = posixpath.normpath(path)
        if not plain.startswith("../"):
            found.append((session.project_id, plain))
        return list(dict.fromkeys(found))

    def _in_project(self, path: str) -> tuple[str, str] | None:
        for root in self._longest:
            if path.startswith(root.rstrip("/") + "/"):
                rest = path[len(root.rstrip("/")) + 1 :]
                return self.roots[root], _WORKTREE.sub("", rest, count=1) if _WORKTREE.match(rest) else rest
        return None

    def _in_worktree(self, path: str, session: Session) -> tuple[str, str] | None:
        """A path below a worktree that lies beside its repository."""
        for cwd in session.cwds or (session.cwd,):
            top = self._top(cwd)
            if top and path.startswith(top + "/") and self.roots.get(self._owner(cwd)) == session.project_id:
                return session.project_id, path[len(top) + 1 :]
        return None

    def _top(self, cwd: str) -> str:
        """The top folder of the worktree that `cwd` lies in, where that is outside of its repository; else empty."""
        known = self._tops.get(cwd)
        if known is None:
            root, top = self._owner(cwd), ""
            if cwd.startswith("/") and root != cwd and not cwd.startswith(root.rstrip("/") + "/"):
                top = cwd
                while (above := posixpath.dirname(top)) != top and self._owner(above) == root:
                    top = above
            known = self._tops[cwd] = top
        return known

    def worktrees(self, session: Session) -> list[str]:
        """Names of the worktrees of its project that the session ran in."""
        root = self._by_id[session.project_id].rstrip("/")
        found = []
        for cwd in session.cwds or (session.cwd,):
            within = _WORKTREE.match(cwd[len(root) + 1 :]) if cwd.startswith(root + "/") else None
            if within is not None:
                found.append(within["name"])
            elif (top := self._top(cwd)) and self._owner(cwd).rstrip("/") == root:
                found.append(posixpath.basename(top).removeprefix(f"{posixpath.basename(root)}-"))
        return list(dict.fromkeys(found))

    def __contains__(self, project_id: str) -> bool:
        return project_id in self._by_id


def refs(session: Session, said: Iterable[Said], roots: Roots) -> list[Ref]:
    """What a session refers to, each once, with its count and its first place."""
    found: dict[tuple[str, str, str, str], Ref] = {}

    def note(project_id: str, kind: RefKind, value: str, detail: str, row: Said) -> None:
        key = (project_id, kind, value, detail)
        known = found.get(key)
        number = 1 if known is None else known.number + 1
        if known is None or _place(row.time, row.path, row.offset) < _place(known.time, known.path, known.offset):
            found[key] = Ref(session.id, project_id, kind, value, detail, number, row.path, row.offset, row.time)
        else:
            found[key] = known._replace(number=number)

    for row in said:
        if row.kind == "command":
            for project_id, kind, value, detail in _command(session, row.value, roots):
                note(project_id, kind, value, detail, row)
        elif row.kind == "commit":
            if session.project_id in roots:
                note(session.project_id, "commit", row.value[:7].lower(), "", row)
        else:
            for project_id, path in roots.locate(row.value, session):
                note(project_id, _PATHS[row.kind], path, "", row)
    whole = Said("", "", session.log, 0, session.started_at)
    if session.project_id in roots:
        for branch in session.branches:
            for slug in names(branch):
                note(session.project_id, "branch", slug, branch, whole)
        for folder in roots.worktrees(session):
            for slug in names(folder):
                note(session.project_id, "worktree", slug, folder, whole)
    return sorted(found.values(), key=lambda ref: ref[:5])


_PATHS: Final[Mapping[str, RefKind]] = {"mention": "mention", "shell": "shell", "read": "read", "write": "write"}


def _place(time: int | None, path: str, offset: int) -> tuple[bool, int, str, int]:
    return (time is None, time or 0, path, offset)


def _command(session: Session, line: str, roots: Roots) -> Iterator[tuple[str, RefKind, str, str]]:
    command = commands.parse(line)
    detail = f"/{command.name} {command.phases}".rstrip()
    for path in command.paths:
        for project_id, place in roots.locate(path, session):
            yield project_id, command.meaning, place, detail
    if session.project_id in roots:
        for name in (*command.slugs, *command.requests):
            yield session.project_id, command.meaning, name, detail


def names(branch: str) -> list[str]:
    """Canonical slugs of the features that a branch or a worktree of that name may be of; none of a trunk."""
    found: dict[str, None] = {}
    for part in branch.split("/")[-2:][::-1]:
        slug = canonical(part)
        if not slug or slug in _TRUNKS:
            continue
        for name in (slug, _KINDS.sub("", slug, count=1), _NUMBER.sub("", _KINDS.sub("", slug, count=1), count=1)):
            found[name] = None
            found[canonical(_PHASE.sub("", name))] = None
    return [name for name in found if name and not name.isdigit()]
