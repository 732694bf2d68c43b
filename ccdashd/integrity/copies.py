"""Is the archive what was put into it? Reads every manifest and every chunk, and mends what can be mended."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container, Iterator
from contextlib import suppress
from typing import NamedTuple

from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive, Damaged, Manifest
from ccdashd.archive.chunks import Chunk
from ccdashd.edits.seal import mend
from ccdashd.integrity.messages import Found

Place = tuple[str, int]
"""A log, and the offset of a chunk in it."""


class Read(NamedTuple):
    """A file of the archive that was read."""

    bytes: int
    """Of the log."""


class CopiesCheck:
    """One check of an archive."""

    def __init__(self, archive: Archive, since: float) -> None:
        """What was written after `since`, in seconds since the epoch, may be waiting for its manifest."""
        self._archive = archive
        self._since = since
        self._places: defaultdict[Chunk, list[Place]] = defaultdict(list)
        self.chunks = 0
        """That were read."""
        self.total = 0
        """Bytes that all chunks hold, once the manifests were read."""
        self.damaged_logs: set[str] = set()
        """Logs of whose copies something is damaged or missing."""
        self.damaged_manifests: list[str] = []
        """Files of manifests that cannot be read."""

    def run(self) -> Iterator[Found | Read]:
        """Faults, and what was read. Raises OSError where the archive cannot be looked at."""
        yield from self._manifests()
        self.total = sum(chunk.size for chunk in self._places)
        for chunk, places in self._places.items():
            problem = _problem(self._archive, chunk)
            if problem is not None and self._is_used(chunk, places):
                yield self._damaged(chunk, places, problem)
            self.chunks += 1
            yield Read(chunk.size)
        if not self.damaged_manifests:
            yield from self._unused()

    def _manifests(self) -> Iterator[Found]:
        for file in self._archive.manifest_files():
            try:
                manifest = self._archive.load(file)
            except Damaged as error:
                self.damaged_manifests.append(file)
                repair = (
                    "where one bit is another, it is set right; else the log is copied again. Where it is gone, only what "
                    "the cache holds of it stays: delete the file to forget the copy"
                )
                yield Found("archive", file, str(error).removeprefix(f"{file} is "), repair, "archive")
                continue
            except OSError as error:
                repair = "make it readable"
                yield Found("archive", file, f"it cannot be read: {error.strerror or error}", repair, "")
                continue
            if manifest is not None:
                self._note(manifest)

    def _is_used(self, chunk: Chunk, places: list[Place]) -> bool:
        """Whether a copy refers to the chunk still: logs are copied and pruned meanwhile."""
        for log in {log for log, _ in places}:
            manifest = self._archive.manifest(log)
            if manifest is not None and any(chunk in version.chunks for version in manifest.versions):
                return True
        return False

    def _note(self, manifest: Manifest) -> None:
        for version in manifest.versions:
            offset = 0
            for chunk in version.chunks:
                self._places[chunk].append((manifest.log, offset))
                offset += chunk.size

    def _damaged(self, chunk: Chunk, places: list[Place], problem: str) -> Found:
        self.damaged_logs.update(log for log, _ in places)
        log, offset = places[0]
        there = [path for path, _ in places if os.path.exists(path)]
        if there:
            repair = "it is copied again from the log, where that is still the same"
        else:
            repair = "nothing: the log is gone. What the cache holds of these bytes stays; prune the session to forget them"
        others = f" and in {len(places) - 1} other places" if len(places) > 1 else ""
        held = f"it holds {chunk.size:,} bytes of {os.fsencode(log).decode('utf-8', 'replace')} from {offset:,} on{others}"
        return Found(
            "archive", self._archive.chunks.path(chunk.hash), f"{problem}; {held}", repair, "archive" if there else ""
        )

    def _unused(self) -> Iterator[Found]:
        used = {chunk.hash for chunk in self._places}
        for entry in self._archive.chunks.all():
            if entry.name.removesuffix(".zst") not in used and entry.stat().st_ctime < self._since:
                yield Found("archive", entry.path, "no copy of a log refers to it", "it is deleted", "archive")


def _problem(archive: Archive, chunk: Chunk) -> str | None:
    try:
        archive.chunks.load(chunk)
    except Damaged:
        return "it is damaged"
    except OSError as error:
        return f"it cannot be read: {error.strerror}" if error.strerror else "it is missing"
    return None


def mend_manifests(archive: Archive, files: list[str], replaceable: Container[str]) -> list[str]:
    """Set right single flipped bits of these files; move others aside that are `replaceable`, since their log can be copied
    again. Returns where these are now. Raises OSError."""
    kept = []
    with archive.writing(wait=True) as staging:
        for file in files:
            with open(file, "rb") as opened:
                mended = mend(opened.read(), _is_whole)
            if mended is not None:
                staging.put(file, mended)
            elif file in replaceable:
                os.rename(file, f"{file}.damaged")
                kept.append(f"{file}.damaged")
        staging.settle()
    return kept


def sweep(archive: Archive) -> None:
    """Delete what no manifest refers to, unless one cannot be read. Raises OSError."""
    with archive.writing(wait=True), suppress(Damaged):
        archive.sweep()


def _is_whole(data: bytes) -> bool:
    try:
        manifests.decode(data)
    except ValueError:
        return False
    return True
