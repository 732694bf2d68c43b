"""A parse worker: reads jobs from standard input, writes what it read of logs and planning files to standard output.

A frame is four bytes of length, big-endian, and MessagePack. The worker ends when its input does, so it never outlives the
daemon, not even one that was killed.
"""

from __future__ import annotations

import gc
import os
import struct
import sys
from typing import BinaryIO

import msgspec

from ccdashd.derive.plan_rows import PlanRows

LENGTH = struct.Struct(">I")


class LogJob(msgspec.Struct, array_like=True, tag="log"):
    """One log to be read whole. `path` is as the file system gives it, since a name need not be UTF-8."""

    path: bytes
    text_cap: int
    archive: bytes | None = None
    """The folder of the archive, where the copy in it is to be read."""


class PlansJob(msgspec.Struct, array_like=True, tag="plans"):
    """Planning files of a project, of at most `cap` bytes each."""

    project_id: str
    root: bytes
    paths: list[str]
    cap: int


Job = LogJob | PlansJob


class PlansRead(msgspec.Struct, array_like=True):
    """The answer to a `PlansJob`: what was read, and the paths at which there is nothing."""

    files: list[PlanRows]
    gone: list[str]


COLLECT = 4 * 1024 * 1024
"""Bytes of answers after which garbage is collected."""

OK = b"\x01"
FAILED = b"\x00"
"""First byte of an answer: what follows is an encoded `FileResult` or `PlansRead`, or the reason as text."""


def run(jobs: BinaryIO, results: BinaryIO) -> None:
    """Serve until `jobs` ends."""
    decode = msgspec.msgpack.Decoder(Job).decode
    # The collector would walk rows, of which none is garbage before its log is done: it runs between logs.
    gc.disable()
    gc.freeze()
    read = 0
    while header := jobs.read(LENGTH.size):
        job = decode(jobs.read(LENGTH.unpack(header)[0]))
        try:
            data = OK + (_log(job) if isinstance(job, LogJob) else _plans(job))
        except OSError as error:
            data = FAILED + (error.strerror or str(error)).encode()
        results.write(LENGTH.pack(len(data)))
        results.write(data)
        results.flush()
        read += len(data)
        if read > COLLECT:
            gc.collect()
            read = 0


_encode = msgspec.msgpack.Encoder().encode


# Readers are loaded when there is something for them to read, so that a worker starts fast.
def _log(job: LogJob) -> bytes:
    from ccdashd.archive.archive import Archive
    from ccdashd.ingest.parse import read_copy, read_log

    path = os.fsdecode(job.path)
    if job.archive is None:
        result = read_log(path, job.text_cap)
    else:
        result = read_copy(Archive(os.fsdecode(job.archive)), path, job.text_cap)
    # MessagePack's text is UTF-8, which a path need not be; `workers.decode` undoes this.
    result.path = job.path.decode("latin-1")
    return _encode(result)


def _plans(job: PlansJob) -> bytes:
    from ccdashd.ingest.read_plan import read_plans

    return _encode(PlansRead(*read_plans(job.project_id, os.fsdecode(job.root), job.paths, job.cap)))


def main() -> None:
    """The process: low priority, since what it does can wait for what people do."""
    os.nice(5)
    run(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
