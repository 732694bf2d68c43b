"""The folders in which agents write logs: which files in them are logs, and what a scan finds there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ccdashd import sources
from ccdashd.ingest.scan import FileStat, Problem, scan
from ccdashd.protocol import types as t


class LogRoots:
    """These folders, and what the last scan found in them."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._prefixes = tuple(os.path.abspath(folder).rstrip("/") + "/" for folder in folders)
        self._found: dict[str, int] = {}
        self.skipped: list[str] = []
        """Files that look like logs, but are none that is read."""

    def accepts(self, path: str) -> bool:
        """Whether a path is that of a log. For any thread."""
        return path.startswith(self._prefixes) and sources.identify(path) is not None

    def enters(self, folder: str) -> bool:
        """Whether there may be logs below a folder. For any thread."""
        return (folder + "/").startswith(self._prefixes)

    def scan(self) -> tuple[list[FileStat], list[Problem]]:
        """All logs that are there, and what could not be looked at. Blocking."""
        problems: list[Problem] = []
        found: list[FileStat] = []
        skipped: list[str] = []
        for folder in self._folders:
            files = list(scan([folder], partial(_is_transcript, skipped), problems))
            self._found[str(folder)] = len(files)
            found += files
        self.skipped = skipped
        return list({file.path: file for file in found}.values()), problems

    def told(self) -> list[t.Root]:
        """The folders, as clients see them."""
        return [
            t.Root(path=str(root), agent="claude-code", exists=root.is_dir(), files=self._found.get(str(root), 0))
            for root in self._folders
        ]


def _is_transcript(skipped: list[str], path: str) -> bool:
    if sources.identify(path) is not None:
        return True
    if ".jsonl" in os.path.basename(path):
        skipped.append(path)
    return False
