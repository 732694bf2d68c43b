"""A parse worker: reads jobs from standard input, writes what it read of each log to standard output.

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

from ccdashd.ingest.parse import read_log

LENGTH = struct.Struct(">I")


class Job(msgspec.Struct, array_like=True):
    """One log to be read whole. `path` is as the file system gives it, since a name need not be UTF-8."""

    path: bytes
    text_cap: int


COLLECT = 16 * 1024 * 1024
"""Bytes of logs after which garbage is collected."""

OK = b"\x01"
FAILED = b"\x00"
"""First byte of an answer: what follows is an encoded `FileResult`, or the reason as text."""


def run(jobs: BinaryIO, results: BinaryIO) -> None:
    """Serve until `jobs` ends."""
    decode = msgspec.msgpack.Decoder(Job).decode
    encode = msgspec.msgpack.Encoder().encode
    # The collector would walk rows, of which none is garbage before its log is done: it runs between logs.
    gc.disable()
    gc.freeze()
    read = 0
    while header := jobs.read(LENGTH.size):
        job = decode(jobs.read(LENGTH.unpack(header)[0]))
        try:
            result = read_log(os.fsdecode(job.path), job.text_cap)
            # MessagePack's text is UTF-8, which a path need not be; `workers.decode` undoes this.
            result.path = job.path.decode("latin-1")
            data = OK + encode(result)
            read += result.size
            del result
        except OSError as error:
            data = FAILED + (error.strerror or str(error)).encode()
        results.write(LENGTH.pack(len(data)))
        results.write(data)
        results.flush()
        if read > COLLECT:
            gc.collect()
            read = 0


def main() -> None:
    """The process: low priority, since what it does can wait for what people do."""
    os.nice(5)
    run(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
