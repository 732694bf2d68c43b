"""Transcripts as documents: Markdown, HTML or JSON that the daemon renders piece by piece, written as it comes."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import Error, UsageError
from ccdash.output import Output
from ccdash.progress import ProgressLine
from ccdash.text import clean

FORMATS = {"md": "markdown", "html": "html", "json": "json"}
"""What the daemon calls the formats."""


def render(context: Context, client: Client, session: str) -> None:
    """Write the document that the options ask for to a file, or to standard output.

    Raises `UsageError` where that is a terminal that would not show it, `Error` where a file is there already, and OSError.
    """
    args, out = context.args, context.out
    if args.output is None and out.terminal and args.format != "md":
        raise UsageError(
            f"A document of {args.format.upper()} would do no good to this terminal: name a file with -o FILE."
        )
    ask = {
        "id": session,
        "format": FORMATS[args.format],
        "subagents": args.subagents,
        "redact": args.redact,
    }
    with _file(args.output, force=args.force) as file:
        counts = _write(out, client, ask, file or out.stream)
    told = _told(counts) if args.redact else ""
    if args.output is not None:
        out.note(f"Wrote {clean(args.output)}.{told}")
    elif told:
        out.note(told.strip())


def _write(out: Output, client: Client, ask: Mapping[str, Any], stream: TextIO) -> Counter[str]:
    """Write all pieces; returns how often what was taken out."""
    counts: Counter[str] = Counter()
    start: int | None = 0
    seen = stream is out.stream and out.terminal  # how far it is shows by itself
    with ProgressLine(out, "Rendering") as progress:
        client.on_wait = progress.waited
        try:
            while start is not None:
                piece = client.request("sessions/render", {**ask, "start": start})
                stream.write(piece["text"])
                if piece["redactions"] is not None:
                    counts.update(piece["redactions"]["counts"])
                start = piece["next"]
                if start is not None and not seen:
                    progress.update("Rendering", start, piece["total"], f"{start:,} of {piece['total']:,} entries")
        finally:
            client.on_wait = None
    return counts


@contextmanager
def _file(path: str | None, *, force: bool) -> Iterator[TextIO | None]:
    """A file that only its owner may read, and that appears whole or not at all; None without a path."""
    if path is None:
        yield None
        return
    target = Path(path).expanduser()
    try:
        status = target.stat()
    except FileNotFoundError:
        status = None
    if status is not None and not stat.S_ISREG(status.st_mode):
        with target.open("w", encoding="utf-8") as device:
            yield device
        return
    if status is not None and not force:
        raise Error(f"{clean(path)} is there already. --force replaces it.")
    target = target.resolve()  # a link stays one: what it points to is replaced
    new = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            os.fchmod(fd, 0o600)
            yield file
            file.flush()
            os.fsync(fd)
        if force:
            new.replace(target)
        else:
            os.link(new, target)  # fails where somebody else has written it meanwhile
            new.unlink()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        with suppress(OSError):
            new.unlink()


def _told(counts: Counter[str]) -> str:
    """What was taken out, in a sentence, and what that means."""
    if not counts:
        return " Nothing was found that had to be taken out; what no rule knows is still in it."
    kinds = ", ".join(f"{number:,} {clean(kind)}" for kind, number in counts.most_common())
    return f" Taken out: {kinds}. What no rule knows is still in it, so read it before you give it away."
