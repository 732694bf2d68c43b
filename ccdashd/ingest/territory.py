"""Which files of which project are planning files: the roots that are looked at, and where a path lies in them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ccdashd.sources.planning.places import Places


class Place(NamedTuple):
    """A path in a project; `path` is relative to `root`, ``""`` for the root itself."""

    project_id: str
    root: str
    path: str


class Territory:
    """The roots of projects. A path belongs to the deepest root above it.

    `accepts` and `enters` may be called from any thread: `settle` replaces the roots in one step.
    """

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._places = Places(folders)
        self._ids: dict[str, str] = {}

    @property
    def roots(self) -> list[str]:
        """The roots that are looked at, sorted."""
        return sorted(self._ids)

    @property
    def projects(self) -> dict[str, str]:
        """Root by project id."""
        return {project_id: root for root, project_id in self._ids.items()}

    def settle(self, projects: Iterable[tuple[str, str]]) -> set[str]:
        """Look at these projects, pairs of id and root, from now on.

        Returns the ids of those whose files are others than before: new ones, and those around a root that came or went.
        """
        before = self._ids
        self._ids = {root: project_id for project_id, root in projects if _is_fit(root)}
        around = [self.place(os.path.dirname(root)) for root in before.keys() ^ self._ids.keys()]
        return (set(self._ids.values()) - set(before.values())) | {
            place.project_id for place in around if place is not None
        }

    def place(self, path: str) -> Place | None:
        """Where an absolute path lies; None outside every root."""
        ids, folder = self._ids, path
        while True:
            project_id = ids.get(folder)
            if project_id is not None:
                return Place(project_id, folder, path[len(folder) :].lstrip("/"))
            above = os.path.dirname(folder)
            if above == folder:
                return None
            folder = above

    def accepts(self, path: str) -> bool:
        """Whether an absolute path is that of a planning file."""
        place = self.place(path)
        return place is not None and self._places.accepts(place.path)

    def holds(self, project_id: str, path: str) -> bool:
        """Whether an absolute path is that of a planning file of that project."""
        place = self.place(path)
        return place is not None and place.project_id == project_id and self._places.accepts(place.path)

    def enters(self, folder: str) -> bool:
        """Whether there may be planning files below an absolute folder."""
        place = self.place(folder)
        return place is not None and (not place.path or self._places.enters(place.path))


def _is_fit(root: str) -> bool:
    """Whether the files of a root can be those of one project: not so for the home folder and those above it."""
    home = str(Path.home())
    return os.path.isabs(root) and not (home == root or home.startswith(root.rstrip("/") + "/"))
