"""Images and other content of transcripts that is no text: references to it, and the bytes."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path
from typing import Any

from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import ConnectionLost, RpcError, UsageError
from ccdash.export import replace
from ccdash.figures import short_id, size
from ccdash.text import clean


def references(client: Client, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """What an entry holds beside its text; empty where the daemon cannot read its record any more."""
    if not entry["hasBlobs"]:
        return []
    try:
        payload = client.request("sessions/entry", {"id": entry["sessionId"], "entry": entry["id"]})
    except RpcError:
        return []
    found: list[dict[str, Any]] = payload["blobs"]
    return found


def described(entry: dict[str, Any], blob: dict[str, Any]) -> str:
    """A reference on one line, with the command that gets the bytes."""
    got = f"ccdash show {clean(short_id(entry['sessionId']))} --blob {clean(blob['id'])}"
    return f"{clean(blob['mediaType'])}, {size(blob['bytes'])}: {got}"


def save(context: Context, client: Client, session: str, blob: str, path: str | None) -> None:
    """Write the bytes of a blob into a file, which appears whole or not at all, or to standard output.

    Raises `UsageError` where that is a terminal, OSError where the file cannot be written.
    """
    out = context.out
    if path is None and out.terminal:
        raise UsageError("Binary content would do no good to this terminal: name a file with -o FILE.")
    data = bytearray()
    start: int | None = 0
    while start is not None:
        piece = context.call(client, "sessions/blob", {"id": session, "blob": blob, "start": start})
        data += base64.b64decode(piece["data"])
        start = piece["next"]
    told = piece["blob"]
    if hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise ConnectionLost("What came is not what was announced: the log may have changed meanwhile. Try again.")
    if path is None:
        out.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    replace(Path(path).expanduser(), bytes(data))
    out.note(f"Wrote {told['mediaType']}, {size(told['bytes'])}, to {clean(path)}.")
