"""All manifests of an archive, kept in memory while their folders do not change. Safe to use from several threads."""

from __future__ import annotations

import os
import threading
import time

from ccdashd.archive.archive import Archive
from ccdashd.archive.manifest import Manifest

SETTLED = 2_000_000_000
"""Nanoseconds after which a change of a folder can no longer hide behind the time of another."""


class Catalogue:
    """What the archive has, read again where it changed."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._folders: dict[str, tuple[int, list[Manifest]]] = {}
        """By folder: when it was changed last, and the manifests in it."""
        self._lock = threading.Lock()

    def all(self) -> list[Manifest]:
        """Every manifest that is whole; damaged ones, which `verify` names, are left out. Raises Unreadable."""
        with self._lock:
            known, self._folders = self._folders, {}
            for folder in self.archive.manifest_folders():
                try:
                    changed = os.stat(folder).st_mtime_ns
                except FileNotFoundError:
                    continue  # it was deleted this moment
                kept = known.get(folder)
                if kept is None or kept[0] != changed:
                    settled = time.time_ns() - changed > SETTLED
                    kept = (changed if settled else -1, list(self.archive.manifests_in(folder)))
                self._folders[folder] = kept
            return [manifest for _, manifests in self._folders.values() for manifest in manifests]
