"""The process that checks a bundle, and puts its logs into the archive; see `helper`.

Chunks of logs are written as they are read. Nothing refers to them until all of the bundle was read and found to be sound:
only then are the manifests of logs written. Whatever ends the process before, the archive says what it said.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Iterator
from contextlib import suppress

import msgspec

from ccdashd import helper
from ccdashd.archive import manifest as manifests
from ccdashd.archive.archive import Archive, Version
from ccdashd.archive.bundles.comparison import Comparison
from ccdashd.archive.bundles.frames import BadBundle
from ccdashd.archive.bundles.manifest import Log
from ccdashd.archive.bundles.messages import Checked, CheckJob, Refused, Take, TakeJob, Taken, Work, answers, encode
from ccdashd.archive.bundles.reading import Reader
from ccdashd.archive.chunks import Chunk, cut
from ccdashd.archive.staging import Staging
from ccdashd.logfile import guard_of

BATCH_BYTES = 32 * 1024 * 1024
BATCH_FILES = 200
"""What may wait in the staging area, each file open, until it is brought to disk."""

RESERVE = 64 * 1024 * 1024
"""Bytes that an import leaves free."""

MAX_JOURNAL = 256 * 1024 * 1024
"""Bytes of a journal in a bundle."""

_decode = msgspec.msgpack.Decoder(CheckJob | TakeJob).decode


def work(data: bytes) -> Iterator[bytes]:
    """Do the job. Raises OSError where the bundle cannot be read, or the archive cannot be written."""
    job = _decode(data)
    try:
        with Reader(os.fsdecode(job.path)) as reader:
            if reader.manifest_hash != job.manifest:
                raise BadBundle("it was replaced while it was read")
            total = sum(file.size for file in reader.manifest.files())
            yield from answers(_check(job, reader) if isinstance(job, CheckJob) else _take(job, reader), total)
    except BadBundle as error:
        yield encode(Refused("bundle", str(error)))


def _check(job: CheckJob, reader: Reader) -> Work:
    """Read all of a bundle, and compare its logs."""
    reader.check_seal()
    archive = Archive(os.fsdecode(job.archive))
    wanted = {compared.name: [os.fsdecode(path) for path in compared.paths] for compared in job.compared}
    held: list[str] = []
    lines: list[bytes] = []
    for file, pieces in reader.files():
        if file is reader.manifest.journal:
            if file.size > MAX_JOURNAL:
                raise BadBundle(f"its journal has {file.size:,} bytes; at most {MAX_JOURNAL:,}")
            lines = b"".join(pieces).split(b"\n")
            continue
        comparison = Comparison(archive, wanted.get(file.name, ()))
        for piece in comparison.through(pieces):
            yield len(piece)
        if comparison.end():
            held.append(file.name)
    return Checked(held, lines)


def _take(job: TakeJob, reader: Reader) -> Work:
    """Put logs of a bundle into the archive."""
    archive = Archive(os.fsdecode(job.archive))
    wanted = {name for take in job.takes for name in take.names}
    taken: dict[str, Version] = {}
    with archive.writing(wait=True) as staging:
        try:
            for file, pieces in reader.files():
                if isinstance(file, Log) and file.name in wanted:
                    chunks = yield from _chunks(archive, staging, pieces)
                    taken[file.name] = _version(file, chunks, job.now)
                else:
                    for piece in pieces:
                        yield len(piece)
            # A manifest must not name a chunk that a crash could still take away.
            _settle(archive, staging)
            for take in job.takes:
                archive.put(_manifest(archive, take, taken), staging)
                if len(staging) >= BATCH_FILES:
                    _settle(archive, staging)
            _settle(archive, staging)
        except BaseException:
            staging.discard()
            with suppress(OSError):
                archive.sweep()
            raise
        for path in job.drops:
            archive.delete(os.fsdecode(path))
    return Taken(sum(version.size for version in taken.values()))


def _chunks(archive: Archive, staging: Staging, pieces: Iterator[bytes]) -> Generator[int, None, list[Chunk]]:
    """Put the bytes of a log into the store; yields the length of each piece."""
    chunks: list[Chunk] = []
    rest = b""

    def put(data: bytes) -> None:
        chunks.append(archive.chunks.put(data, staging, anew=True))

    for piece in pieces:
        data, begin = rest + piece, 0
        while (end := cut(data, begin)) is not None:
            put(data[begin:end])
            begin = end
        rest = data[begin:]
        if staging.bytes >= BATCH_BYTES or len(staging) >= BATCH_FILES:
            _settle(archive, staging)
        yield len(piece)
    if rest:
        put(rest)
    return chunks


def _settle(archive: Archive, staging: Staging) -> None:
    """Bring to disk what waits, unless that would fill it."""
    space = os.statvfs(archive.folder)
    free, size = space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize
    if free < min(RESERVE, size // 50):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    staging.settle()


def _version(file: Log, chunks: list[Chunk], now: str) -> Version:
    return Version(size=file.size, mtime_ns=file.mtime_ns, guard=b"", archived_at=now, chunks=tuple(chunks), meta=file.meta)


def _manifest(archive: Archive, take: Take, taken: dict[str, Version]) -> manifests.Manifest:
    """What the archive has of a log from now on. All chunks are on disk by now."""
    path = os.fsdecode(take.path)
    known = archive.manifest(path) if take.beside else None
    versions = {version.id: version for version in (_sealed(archive, taken[name]) for name in take.names)}
    if known is not None:
        # Put last, for the newest is what the log goes on from.
        for version in known.versions:
            versions.pop(version.id, None)
            versions[version.id] = version
    return manifests.of(path, tuple(versions.values()))


def _sealed(archive: Archive, version: Version) -> Version:
    guard = guard_of(lambda length, offset: archive.read(version, offset, length), version.size)
    return msgspec.structs.replace(version, guard=guard)


if __name__ == "__main__":
    helper.serve(work)
