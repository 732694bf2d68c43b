"""The archive: a folder with copies of logs, as they are and as they were.

    logs/<2 hex>/<32 hex>.json     a manifest for each log, named by the hash of its path
    chunks/<2 hex>/<64 hex>.zst    the pieces that logs are put together from, named by their hash
    tmp/                           what is being written
    lock                           held by who writes

A file never changes: it is replaced, or deleted, whole. So readers need no lock. No other part of ccdash knows these files.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ccdashd.archive import manifest as manifests
from ccdashd.archive.chunks import Chunk, Chunks, Damaged, Missing, Unreadable, entries, folders, on_disk
from ccdashd.archive.manifest import Manifest, Version
from ccdashd.archive.readme import explain
from ccdashd.archive.staging import Staging, Unwritable, sync_folder

__all__ = ["Archive", "Damaged", "InUse", "Manifest", "Missing", "Source", "Swept", "Unreadable", "Version"]


class InUse(OSError):
    """Somebody else writes into the archive."""


class Source(NamedTuple):
    """A version of a log in the archive."""

    manifest: Manifest
    version: Version


class Swept(NamedTuple):
    """What was deleted since nothing referred to it."""

    files: int
    bytes: int
    """On disk."""


class Archive:
    """The archive in `folder`, which need not exist. Reading is safe from any thread; to write, hold `writing`."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = os.fspath(folder)
        self.chunks = Chunks(f"{self.folder}/chunks")

    # --- manifests ---

    def manifest_path(self, path: str) -> str:
        """Where the manifest of the log at `path` is, or would be."""
        return f"{self.folder}/logs/{manifests.name(path)}"

    def manifest(self, path: str) -> Manifest | None:
        """What there is of the log at `path`. Raises Damaged, or another OSError."""
        return self.load(self.manifest_path(path))

    def manifests(self) -> Iterator[Manifest]:
        """Those of all logs, in no order; damaged ones, which `verify` names, are left out. Raises Unreadable."""
        for folder in self.manifest_folders():
            yield from self.manifests_in(folder)

    def manifest_folders(self) -> list[str]:
        """The folders that manifests are in. A manifest that is written or deleted changes the time of its folder.

        Raises Unreadable.
        """
        return folders(f"{self.folder}/logs")

    def manifests_in(self, folder: str) -> Iterator[Manifest]:
        """Those in one of the folders. Raises Unreadable."""
        for file in _manifest_files(folder):
            with suppress(OSError):
                if (found := self.load(file)) is not None:
                    yield found

    def manifest_files(self) -> Iterator[str]:
        """Where the manifests are. Raises Unreadable."""
        for folder in self.manifest_folders():
            yield from _manifest_files(folder)

    def load(self, file: str) -> Manifest | None:
        """The manifest in a file; None where there is none. Raises Damaged, or another OSError."""
        try:
            with open(file, "rb") as opened:
                data = opened.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            found = manifests.decode(data)
            if not file.endswith(manifests.name(found.log)):
                raise ValueError("it is that of another log")
        except ValueError as error:
            raise Damaged(f"{file} is damaged: {error}") from None
        return found

    def source(self, path: str) -> Source | None:
        """The newest version of the log at `path`, or the one that ``<path>#<id>`` names. Raises OSError."""
        log, id = manifests.split(path)
        found = self.manifest(log)
        version = None if found is None else found.newest if id is None else found.named(id)
        return Source(found, version) if found is not None and version is not None else None

    # --- bytes ---

    def read(self, version: Version, offset: int, length: int) -> bytes:
        """Bytes of a version from `offset` on, fewer at its end. Raises Missing, Damaged, or another OSError."""
        parts = []
        end = offset + length
        start = 0
        for chunk in version.chunks:
            if start >= end:
                break
            if start + chunk.size > offset:
                parts.append(self.chunks.read(chunk)[max(offset - start, 0) : end - start])
            start += chunk.size
        return b"".join(parts)

    def stream(self, version: Version) -> Iterator[bytes]:
        """All bytes of a version, piece by piece. Raises as `read`."""
        return map(self.chunks.load, version.chunks)

    def restore(self, version: Version, fd: int) -> None:
        """Write all bytes of a version to an open file. Raises as `read`."""
        for data in self.stream(version):
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]

    # --- writing ---

    @contextmanager
    def writing(self, *, wait: bool = False) -> Iterator[Staging]:
        """Be the one who writes. Raises InUse where another process does, and may go on for long, or `wait` for it;
        and Unwritable.

        What was put into the staging area, and not settled, is forgotten at the end.
        """
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            fd = os.open(f"{self.folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unwritable.of(error) from error
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse("the archive is being written by another process") from None
            with suppress(OSError):  # what is wrong will be told of what matters
                explain(self.folder)
            staging = Staging(f"{self.folder}/tmp")
            staging.clear()
            try:
                yield staging
            finally:
                staging.discard()
        finally:
            os.close(fd)

    def put(self, manifest: Manifest, staging: Staging) -> None:
        """Put a manifest into place, when the staging area is settled next. Its chunks must be settled before."""
        staging.put(self.manifest_path(manifest.log), manifests.encode(manifest))

    def delete(self, path: str) -> None:
        """Delete what there is of the log at `path`, all versions; `sweep` gives back the space. Raises OSError."""
        file = self.manifest_path(path)
        with suppress(FileNotFoundError):
            os.unlink(file)
            sync_folder(os.path.dirname(file))

    def sweep(self) -> Swept:
        """Delete chunks that no manifest refers to. Raises Damaged where a manifest cannot be read: its chunks stay."""
        used: set[str] = set()
        for file in self.manifest_files():
            if (found := self.load(file)) is not None:
                used.update(chunk.hash for version in found.versions for chunk in version.chunks)
        files = freed = 0
        for entry in self.chunks.all():
            if entry.name.removesuffix(".zst") not in used:
                size = on_disk(entry.stat(follow_symlinks=False))
                os.unlink(entry.path)
                files, freed = files + 1, freed + size
        return Swept(files, freed)

    # --- sizes ---

    def stored(self, chunks: set[Chunk]) -> int:
        """Bytes on disk of these chunks, as far as they are there."""
        total = 0
        for chunk in chunks:
            with suppress(OSError):
                total += on_disk(os.stat(self.chunks.path(chunk.hash)))
        return total

    def size(self) -> int:
        """Bytes on disk of all chunks and manifests."""
        total = sum(on_disk(entry.stat(follow_symlinks=False)) for entry in self.chunks.all())
        for file in self.manifest_files():
            with suppress(OSError):
                total += on_disk(os.stat(file))
        return total


def _manifest_files(folder: str) -> list[str]:
    return [entry.path for entry in entries(folder) if entry.name.endswith(".json")]
