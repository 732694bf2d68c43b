"""``ccdash lsp``: the daemon, at the other end of a language server's standard streams. Only bytes go through."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from ccdash.context import Context
from ccdash.parser import Handler

CHUNK = 1 << 16
"""Bytes that are taken at a time."""

LINGER = 2.0
"""Seconds that the daemon has to say its last, once the editor has nothing more to say."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Be a language server on standard input and output, for editors that start one:\n"
        "connect them to the daemon, and start that where none runs."
    )
    parser.add_argument("--stdio", action="store_true", help="as editors may say; there is nothing else")


def run(context: Context) -> int:
    if sys.stdin.isatty():
        context.out.note("This is for editors, which speak the Language Server Protocol. Ctrl-C ends it.")
    # There is nothing to put in order, and Python's own handler may come too late for a thread that begins to wait.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    pump(context.connect().detach(), sys.stdin.fileno(), sys.stdout.fileno())
    return 0


def pump(daemon: socket.socket, source: int, target: int) -> None:
    """Copy from `source` to the daemon, and from the daemon to `target`, until either end is closed."""
    daemon.settimeout(None)
    for descriptor in (source, target):
        # An editor may have it otherwise for its own end, which may be ours as well.
        os.set_blocking(descriptor, True)
    ended: SimpleQueue[Thread] = SimpleQueue()

    def copied(read: Callable[[], bytes], write: Callable[[bytes], object]) -> Thread:
        def copy() -> None:
            try:
                while data := read():
                    write(data)
            except OSError:
                pass  # whoever is at one end is gone
            ended.put(thread)

        # A read that waits does not keep the process.
        thread = Thread(target=copy, daemon=True)
        thread.start()
        return thread

    said = copied(lambda: os.read(source, CHUNK), daemon.sendall)
    heard = copied(lambda: daemon.recv(CHUNK), lambda data: write_all(target, data))
    if ended.get() is said:
        try:
            daemon.shutdown(socket.SHUT_WR)
        except OSError:
            return
        heard.join(LINGER)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


HANDLERS = {
    "lsp": Handler(
        configure,
        run,
        (
            "ccdash lsp                 # the command of a language server, for editors",
            "ccdash lsp --profile work  # with the daemon of another profile",
        ),
    ),
}
