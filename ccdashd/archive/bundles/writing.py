"""Writes a bundle: first what goes into it, into a file without a name, then the bundle itself, of which the manifest is
the first file though it tells size and hash of all others."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, NamedTuple

from ccdashd.archive.bundles import manifest as manifests
from ccdashd.archive.bundles.frames import END, PIECE, compressor, frame, header, padding, seal
from ccdashd.archive.bundles.manifest import File
from ccdashd.archive.staging import sync_folder

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a file system without hard links says."""


class _Kept(NamedTuple):
    """A file whose frame is in the body."""

    file: File
    start: int
    end: int


class Writer:
    """One bundle on its way to `target`, beside which it is written, as ``<target>.part``. Use it as a context.

    What a killed writer leaves is that one file, which the next writer to the same target takes over.
    """

    def __init__(self, target: str) -> None:
        """Raises BlockingIOError where somebody else writes a bundle to the same target, or another OSError."""
        self._target = target
        self._folder = os.path.dirname(target)
        self._part = f"{target}.part"
        self._fd = _claim(self._part)
        self._kept: list[_Kept] = []
        try:
            # Without a name, so that nothing is left of it whatever happens.
            self._body: BinaryIO = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        except OSError:
            self._forget()
            raise

    def add(self, name: str, pieces: Iterable[bytes]) -> Generator[int, None, File]:
        """Put a file into the bundle; yields the length of each piece, and returns the file.

        What was added of a file whose pieces end with an error is taken back. Raises that error, or OSError.
        """
        start = self._body.tell()
        digest = hashlib.sha256()
        size = 0
        packer = compressor().compressobj()
        try:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                _write(self._body.fileno(), packer.compress(piece))
                yield len(piece)
            _write(self._body.fileno(), packer.compress(padding(size)) + packer.flush())
        except BaseException:
            self._body.seek(start)
            self._body.truncate()
            raise
        file = File(name=name, size=size, sha256=digest.hexdigest())
        self._kept.append(_Kept(file, start, self._body.tell()))
        return file

    def finish(self, manifest: bytes, *, replace: bool) -> int:
        """Put all together, bring it to disk, and under its name; returns its size.

        Raises FileExistsError where there is a file and it is not to be replaced, or another OSError.
        """
        if len(manifest) > manifests.MAX_BYTES:
            raise OSError(errno.EFBIG, "a bundle cannot hold so many logs: export projects one by one")
        digest = hashlib.sha256()

        def put(data: bytes) -> None:
            digest.update(data)
            _write(self._fd, data)

        put(frame(header(manifests.NAME, len(manifest)) + manifest + padding(len(manifest))))
        for file, start, end in self._kept:
            put(frame(header(file.name, file.size)))
            for at in range(start, end, PIECE):
                put(os.pread(self._body.fileno(), min(PIECE, end - at), at))
        put(frame(END))
        _write(self._fd, seal(digest.digest()))
        size = os.fstat(self._fd).st_size
        os.fsync(self._fd)
        if replace:
            os.rename(self._part, self._target)
        else:
            _move(self._part, self._target)
        sync_folder(self._folder)
        return size

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._body.close()
        self._forget()

    def _forget(self) -> None:
        # Gone already where all went well.
        with suppress(OSError):
            if os.stat(self._part).st_ino == os.fstat(self._fd).st_ino:
                os.unlink(self._part)
        os.close(self._fd)


def clear(target: str) -> None:
    """Remove what a writer to `target` left that was killed; nothing while one is at work."""
    with (
        suppress(OSError),
        open(f"{target}.part", "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW)) as file,
    ):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(file.name)


def _claim(path: str) -> int:
    """An empty file at `path`, open for this writer alone. Raises BlockingIOError where it is another's."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have given it its name, or removed it, since it was opened.
            if os.stat(path).st_ino == os.fstat(fd).st_ino:
                os.ftruncate(fd, 0)
                return fd
        except FileNotFoundError:
            pass
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _move(source: str, target: str) -> None:
    """Rename, unless there is something of that name."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "it is there already", target) from None
        os.rename(source, target)
    else:
        os.unlink(source)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
