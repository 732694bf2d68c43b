"""Reads a bundle, and trusts nothing of it: what is not just as `writing` would have written it is refused."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO

from ccdashd.archive.bundles import manifest as manifests
from ccdashd.archive.bundles.frames import BLOCK, END, BadBundle, Stream, check_seal, padding, size_in
from ccdashd.archive.bundles.manifest import File, Manifest


class Reader:
    """A bundle that is open for reading, up to its manifest. Use it as a context."""

    def __init__(self, path: str) -> None:
        """Raises BadBundle, or OSError."""
        self._path = path
        # A pipe must not make anybody wait.
        self._file: BinaryIO = open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))  # noqa: SIM115
        try:
            status = os.fstat(self._file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadBundle("it is no regular file")
            self.size = status.st_size
            self._stream = Stream(self._file, self.size)
            size = size_in(self._stream.exactly(BLOCK), manifests.NAME)
            if size is None:
                raise BadBundle("it is no bundle of ccdash: it does not begin with a manifest")
            if size > manifests.MAX_BYTES:
                raise BadBundle(f"its manifest has {size:,} bytes; at most {manifests.MAX_BYTES:,}")
            data = self._stream.exactly(size)
            self._pad(size)
            try:
                self.manifest: Manifest = manifests.decode(data)
            except ValueError as error:
                raise BadBundle(str(error)) from None
            self.manifest_hash = hashlib.sha256(data).digest()
        except BaseException:
            self._file.close()
            raise

    def check_seal(self) -> None:
        """Compare the whole file with its seal, before anything else of it is read. Raises BadBundle, or OSError."""
        with open(self._path, "rb") as file:
            check_seal(file, self.size)

    def files(self) -> Iterator[tuple[File, Iterator[bytes]]]:
        """Every file with its bytes, which are to be read to their end: then they are what the manifest says.

        When the last was given, there is nothing more in the bundle. Raises BadBundle, or OSError.
        """
        for file in self.manifest.files():
            if size_in(self._stream.exactly(BLOCK), file.name) != file.size:
                raise BadBundle(f"it holds something else where its manifest has {file.name}")
            yield file, self._checked(file)
            self._pad(file.size)
        if self._stream.exactly(len(END)) != END or not self._stream.is_at_end():
            raise BadBundle("it holds more than its manifest names")

    def _checked(self, file: File) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for data in self._stream.pieces(file.size):
            digest.update(data)
            yield data
        if digest.hexdigest() != file.sha256:
            raise BadBundle(f"{file.name} in it is not what was exported")

    def _pad(self, size: int) -> None:
        expected = padding(size)
        if self._stream.exactly(len(expected)) != expected:
            raise BadBundle("it holds something between its files")

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
