"""A process of ours that does one long job beside the daemon, at low priority, and tells how far it is as it goes.

It gets the job on standard input and answers in frames on standard output: four bytes of length, big-endian, and a body,
whose first byte tells an answer from the reason of a failure. It ends when its input does, so it never outlives the daemon,
not even one that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterable

_LENGTH = struct.Struct(">I")
_OK = b"\x01"
_FAILED = b"\x00"

ENDS_WITHIN = 2.0
"""Seconds that a process which closed its output has to end by itself."""


class HelperFailed(Exception):
    """The job could not be done, or the process died; the message says why, in plain words."""


async def answers(module: str, job: bytes) -> AsyncGenerator[bytes, None]:
    """Run ``python -m <module>`` on `job`, and yield each answer as it comes. Raises `HelperFailed`.

    The process is killed when the generator is closed or its task is cancelled: close it with `contextlib.aclosing`.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
        cwd="/",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(_LENGTH.pack(len(job)) + job)
            await process.stdin.drain()
        while True:
            try:
                (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                body = await process.stdout.readexactly(length)
            except asyncio.IncompleteReadError:
                break
            if body[:1] != _OK:
                raise HelperFailed(body[1:].decode())
            yield body[1:]
        # To kill it at once would reap it before asyncio reads its exit code.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), ENDS_WITHIN)
        if process.returncode:
            raise HelperFailed(f"the process ended with exit code {process.returncode}")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())


def serve(work: Callable[[bytes], Iterable[bytes]], *, nice: int = 10) -> None:
    """The main function of such a module: answer with what `work` yields for the job.

    An OSError or ValueError of it is told as the reason; what else it raises ends the process with a traceback on standard
    error, which is the daemon's log.
    """
    os.nice(nice)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    # Whoever reads the answers has gone: nobody is left to tell.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    def answer(body: bytes) -> None:
        sink.write(_LENGTH.pack(len(body)) + body)
        sink.flush()

    job = source.read(_LENGTH.unpack(source.read(_LENGTH.size))[0])
    threading.Thread(target=_until_closed, daemon=True).start()
    try:
        for body in work(job):
            answer(_OK + body)
    except (OSError, ValueError) as error:
        answer(_FAILED + (getattr(error, "strerror", None) or str(error)).encode("utf-8", "replace"))


def _until_closed() -> None:
    """End the process when the daemon is gone."""
    os.read(0, 1)
    os._exit(0)
