"""Which project a working directory belongs to: looks for git on disk, and remembers what it saw."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath

# Where agents and people keep worktrees inside a repository, for repositories that are gone from this disk.
_WORKTREE = re.compile(r"^(?P<root>/.+?)/(?:\.claude/worktrees|\.worktrees|\.git/worktrees)/[^/]+")
_GITDIR = re.compile(r"^gitdir:\s*(?P<root>.+?)/\.git/worktrees/[^/]+\s*$")


class Roots:
    """The project root of each directory seen: the repository's top folder, that of its main worktree, or itself."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, bool]] = {}

    def root(self, cwd: str) -> str:
        """The root of the project that `cwd` lies in. Does a few `stat` calls for a directory not seen before."""
        return self._look(cwd)[0]

    def owner(self, cwd: str, added: list[str]) -> str:
        """The root of the project that sessions in `cwd` belong to, where the user `added` some.

        The longest root that holds `cwd` wins; but where no repository says what belongs together, the user does.
        """
        root, is_repository = self._look(cwd)
        holding = [candidate for candidate in added if cwd == candidate or cwd.startswith(candidate.rstrip("/") + "/")]
        if is_repository and cwd.startswith(root):
            holding.append(root)
        return max(holding, key=len, default=root)

    def forget(self) -> None:
        """Look anew: repositories may have been made or moved."""
        self._known.clear()

    def _look(self, cwd: str) -> tuple[str, bool]:
        found = self._known.get(cwd)
        if found is None:
            found = self._known[cwd] = _find(cwd)
        return found


def _find(cwd: str) -> tuple[str, bool]:
    """``(root, whether a repository tells so)``."""
    if not os.path.isabs(cwd) or "\0" in cwd:
        return cwd, False  # no folder of this machine
    cwd = os.path.normpath(cwd)
    home = os.path.expanduser("~")
    folder = PurePosixPath(cwd)
    for candidate in (folder, *folder.parents):
        git = f"{candidate}/.git"
        try:
            mode = os.stat(git).st_mode
        except OSError:
            continue
        # A repository of dotfiles in the home folder would swallow every project below it.
        if str(candidate) == home and cwd != home:
            break
        if mode & 0o170000 == 0o040000:
            return str(candidate), True
        main = _main_worktree(git)
        return main or str(candidate), True
    match = _WORKTREE.match(cwd)
    return (match["root"], True) if match else (cwd, False)


def _main_worktree(git: str) -> str | None:
    """The repository that a worktree's ``.git`` file points into (https://git-scm.com/docs/gitrepository-layout)."""
    try:
        with open(git, encoding="utf-8", errors="replace") as file:
            match = _GITDIR.match(file.read(4096))
    except OSError:
        return None
    if match is None:
        return None
    root = match["root"]
    return os.path.normpath(root if os.path.isabs(root) else os.path.join(os.path.dirname(git), root))
