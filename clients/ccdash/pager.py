"""Long output through the user's pager, where somebody looks at it."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ccdash.output import Output


@contextmanager
def paged(out: Output) -> Iterator[None]:
    """Send what is written within through the pager of the variable ``PAGER``, by default ``less``, in a terminal.

    Written as it is in a pipe, and where there is no pager. Colours stay, and what fits the screen is not waited for.
    """
    pager = _started() if out.terminal and not out.as_json else None
    if pager is None or pager.stdin is None:
        yield
        return
    stream = out.stream
    out.stream = io.TextIOWrapper(pager.stdin, encoding=stream.encoding, errors="replace")
    try:
        # Whoever leaves the pager early wants no more of it.
        with suppress(BrokenPipeError):
            yield
    finally:
        with suppress(BrokenPipeError):
            out.stream.close()
        out.stream = stream
        while True:
            try:
                pager.wait()
                break
            except KeyboardInterrupt:  # it is the pager's
                continue


def _started() -> subprocess.Popen[bytes] | None:
    try:
        command = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quote that is not closed
        return None
    if not command or command == ["cat"]:
        return None
    # As git sets them: quit if one screen, colours, no clearing.
    environment = {"LESS": "FRX", **os.environ}
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    except OSError:
        return None
