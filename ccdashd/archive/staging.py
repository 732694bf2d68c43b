"""Writes files such that each appears under its name only when all of it is on disk."""

from __future__ import annotations

import os
from contextlib import suppress


class Unwritable(OSError):
    """The archive cannot be written: the disk is full, or the folder may not be."""

    @classmethod
    def of(cls, error: OSError) -> Unwritable:
        return cls(error.errno, f"the archive cannot be written: {error.strerror or error}")


class Staging:
    """Files on their way: written below `folder` first, then brought to disk and renamed, many at a time.

    For one writer at a time. What a crash leaves in the folder is removed by `clear`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._waiting: dict[str, tuple[str, int]] = {}
        self.bytes = 0
        """Bytes that wait for `settle`."""
        self.settled_bytes = 0
        """Bytes that were settled."""

    def __contains__(self, target: str) -> bool:
        return target in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, target: str, data: bytes) -> None:
        """Write the file that is to be at `target` after the next `settle`. Raises Unwritable."""
        path = os.path.join(self._folder, os.path.basename(target))
        try:
            if not self._waiting:
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            self._waiting[target] = path, fd
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
        except OSError as error:
            raise Unwritable.of(error) from error
        self.bytes += len(data)

    def settle(self) -> None:
        """Bring what was put to disk, and under its names. Raises Unwritable; some files may be in place then."""
        folders: set[str] = set()
        try:
            for _, fd in self._waiting.values():
                os.fsync(fd)
            for target, (path, _) in self._waiting.items():
                folder = os.path.dirname(target)
                if folder not in folders:
                    os.makedirs(folder, mode=0o700, exist_ok=True)
                    folders.add(folder)
                os.rename(path, target)
            for folder in {*folders, *map(os.path.dirname, folders)}:
                sync_folder(folder)
            self.settled_bytes += self.bytes
        except OSError as error:
            raise Unwritable.of(error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Forget, and remove, what was put since the last `settle`."""
        waiting, self._waiting, self.bytes = self._waiting, {}, 0
        for path, fd in waiting.values():
            os.close(fd)
            with suppress(OSError):
                os.unlink(path)

    def clear(self) -> None:
        """Remove what an interrupted writer left."""
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                with suppress(OSError):
                    os.unlink(entry.path)


def sync_folder(path: str) -> None:
    """Bring the names in a folder to disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
