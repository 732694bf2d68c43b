"""Which paths of a project are planning files. Pure rules: nothing is looked at on disk."""

from __future__ import annotations

from typing import Final

SUFFIXES: Final = (".md", ".markdown", ".mdc")
"""Of Markdown files, in lower case; ``.mdc`` are Cursor's rules, Markdown with frontmatter too."""

TOOL_FOLDERS: Final = frozenset({"node_modules", "bower_components", "venv", "virtualenv", "site-packages", "__pycache__"})
"""Folders of other people's files, wherever they are. Those of version control and editors begin with a full stop."""

BUILD_FOLDERS: Final = frozenset({"build", "dist", "out", "target", "_build", "_site"})
"""Build output; in an agent's folder, where nothing is built, these are names as any other."""

AGENT_FOLDERS: Final = frozenset({".claude", ".codex", ".cursor", ".gemini"})

AGENT_STATE: Final = frozenset(
    {
        "backups",
        "cache",
        "file-history",
        "image-cache",
        "paste-cache",
        "plugins",
        "projects",
        "session-env",
        "shell-snapshots",
        "statsig",
        "telemetry",
        "todos",
        "worktrees",
    }
)
"""Folders of an agent's folder that the agent writes for itself: logs, copies, downloads, and checkouts of the project,
whose files are those of the project once more."""


class Places:
    """The planning files of projects, by relative path: Markdown at the root, and at any depth below planning folders.

    A planning folder may lie deeper (``team/plans``): its parents are entered, but their own files are no planning files. A
    planning folder may have any name; below it, folders are left out that begin with a full stop, hold installed or built
    files, or are an agent's state.
    """

    def __init__(self, folders: tuple[str, ...]) -> None:
        """`folders` are relative to the root of a project, with ``/``."""
        named = {"/".join(part for part in folder.split("/") if part not in ("", ".")) for folder in folders} - {""}
        self._folders = frozenset(named)
        self._parents = frozenset(
            "/".join(parts[:n]) for parts in (folder.split("/") for folder in named) for n in range(len(parts))
        ) | {""}

    def enters(self, folder: str) -> bool:
        """Whether the folder at this relative path, ``""`` for the root, is descended into."""
        return folder in self._parents or self._is_planning(folder)

    def accepts(self, path: str) -> bool:
        """Whether the file at this relative path is a planning file."""
        if not path.endswith(SUFFIXES) and not path[-9:].lower().endswith(SUFFIXES):
            return False
        folder = path.rpartition("/")[0]
        return not folder or self._is_planning(folder)

    def _is_planning(self, folder: str) -> bool:
        """Whether a folder is a planning folder, or below one and not left out."""
        while folder not in self._folders:
            folder, _, name = folder.rpartition("/")
            if not folder or _is_left_out(folder, name):
                return False
        return True


def _is_left_out(parent: str, name: str) -> bool:
    if name.startswith(".") or name in TOOL_FOLDERS:
        return True
    if parent.rpartition("/")[2] in AGENT_FOLDERS and name in AGENT_STATE:
        return True
    return name in BUILD_FOLDERS and AGENT_FOLDERS.isdisjoint(parent.split("/"))
