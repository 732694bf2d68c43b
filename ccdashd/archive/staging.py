"""Writes files such that each appears under its name only when all of it is on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress


class Unwritable(OSError):
    """The archive cannot be written: the disk is full, or the folder may not be."""

    @classmethod
    def of(cls, error: OSError) -> Unwritable:
        """The same, for people."""
        return cls(error.errno, f"the archive cannot be written: {error.strerror or error}")


class Staging:
    """Files on their way: written below `folder` first, then brought to disk and renamed, many at a time.

        put ──► flush: a thread brings them to disk, while more are put ──► settle: all are there, and stay

    For one writer at a time, on one thread. What a crash leaves in the folder is removed by `clear`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._waiting: dict[str, tuple[str, int]] = {}
        """By the final path of a file: where it is now, and the descriptor by which it is open."""
        self._flying: dict[str, tuple[str, int]] = {}
        self._flight: Future[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._folders: set[str] = set()
        """Those that got files since the last `settle`."""
        self.bytes = 0
        """Bytes that were put since the last `flush`."""
        self.written = 0
        """Bytes that were put."""

    def __contains__(self, target: str) -> bool:
        return target in self._waiting or target in self._flying

    def __len__(self) -> int:
        """Files that were put since the last `flush`."""
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
        self.written += len(data)

    def flush(self) -> None:
        """Begin to bring what was put to disk, once that of the `flush` before is there. Raises Unwritable."""
        self._land()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "ccdash-staging")
        self._flying, self._waiting, self.bytes = self._waiting, {}, 0
        self._flight = self._thread.submit(self._bring, self._flying)

    def settle(self, folders: Iterable[str] = ()) -> None:
        """Bring all that was put to disk, and under its names, and whatever names there are in `folders`.

        Raises Unwritable; some files may be in place then.
        """
        self.flush()
        self._land()
        self._folders.update(folders)
        try:
            for folder in {*self._folders, *map(os.path.dirname, self._folders)}:
                sync_folder(folder)
        except OSError as error:
            raise Unwritable.of(error) from error
        self._folders.clear()

    def _land(self) -> None:
        flight, self._flight = self._flight, None
        try:
            if flight is not None:
                flight.result()
        except OSError as error:
            raise Unwritable.of(error) from error
        finally:
            self._flying = {}

    def _bring(self, files: Mapping[str, tuple[str, int]]) -> None:
        try:
            for _, fd in files.values():
                os.fsync(fd)
            for target, (path, _) in files.items():
                folder = os.path.dirname(target)
                if folder not in self._folders:
                    os.makedirs(folder, mode=0o700, exist_ok=True)
                    self._folders.add(folder)
                os.rename(path, target)
        except OSError:
            _unlink(files)
            raise
        finally:
            _close(files)

    def discard(self) -> None:
        """Forget, and remove, what was put since the last `flush`; what that brings to disk gets there."""
        waiting, self._waiting, self.bytes = self._waiting, {}, 0
        _unlink(waiting)
        _close(waiting)
        with suppress(Unwritable):
            self._land()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def clear(self) -> None:
        """Remove what an interrupted writer left."""
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                with suppress(OSError):
                    os.unlink(entry.path)


def _unlink(files: Mapping[str, tuple[str, int]]) -> None:
    for path, _ in files.values():
        with suppress(OSError):
            os.unlink(path)


def _close(files: Mapping[str, tuple[str, int]]) -> None:
    for _, fd in files.values():
        os.close(fd)


def sync_folder(path: str) -> None:
    """Bring the names in a folder to disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
