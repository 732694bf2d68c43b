"""Transcripts as text: what each kind of entry looks like, in a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ccdash.blobs import described
from ccdash.client import Client
from ccdash.figures import clock, local
from ccdash.output import Output
from ccdash.text import clean, clean_lines, pad, wrap

SHORT_LINES = 12
"""Lines of an entry that are shown unless all are wanted."""

_LOOKS: dict[str, tuple[str, str]] = {
    "prompt": ("you", "bold green"),
    "command": ("you", "bold green"),
    "steering": ("you", "bold green"),
    "queued": ("you queue", "green"),
    "bash": ("you run", "bold green"),
    "assistant": ("agent", "bold blue"),
    "thinking": ("thinks", "dim"),
    "toolCall": ("calls", "cyan"),
    "toolResult": ("result", "dim"),
    "compactSummary": ("summary", "yellow"),
    "compaction": ("compacts", "yellow"),
    "interrupt": ("you stop", "bold yellow"),
    "teammate": ("teammate", "magenta"),
    "notification": ("notice", "magenta"),
}
_LABEL = 10
_INDENT = 8 + 2 + _LABEL + 1
"""Cells before the text: time of day and label."""

TEXT_MIN = 30
"""Cells that text needs to be worth breaking into lines."""


def look(kind: str) -> tuple[str, str]:
    """The word for a kind of entry, and its style."""
    return _LOOKS.get(kind, (kind, "dim"))


class Writer:
    """Writes entries one after the other; tells the date where it changes."""

    def __init__(self, out: Output, *, full: bool = False) -> None:
        self._out = out
        self._full = full
        self._day = ""

    def write(self, entry: dict[str, Any], blobs: Sequence[dict[str, Any]] = ()) -> None:
        """Write one entry: time and who, then its text, indented, and references to what it holds beside it."""
        out, kind = self._out, str(entry["kind"])
        label, style = look(kind)
        if kind == "toolResult" and entry["isError"]:
            label, style = "error", "red"
        text = clean_lines(entry["text"]).strip("\n")
        if not text and not self._full and kind in ("assistant", "thinking"):
            # What models send between two blocks, and thinking of which the log keeps only a signature.
            return
        day = local(entry["timestamp"])[:10]
        if entry["timestamp"] and day != self._day:
            self._day = day
            out.line(out.paint(f"--- {day} ---", "dim"))
        if kind == "toolCall" and entry["tool"]:
            text = f"{clean(entry['tool'])}  {text}"
        side = "↳ " * max(entry["depth"], entry["sidechain"])
        prefix = f"{out.paint(clock(entry['timestamp']), 'dim')}  {out.paint(pad(label, _LABEL), style)} {side}"
        indent = " " * _INDENT
        lines = text.split("\n")
        dropped = 0
        if not self._full and len(lines) > SHORT_LINES:
            dropped = len(lines) - SHORT_LINES
            lines = lines[:SHORT_LINES]
        room = None if out.columns is None else out.columns - _INDENT - len(side)
        if room is not None and room >= TEXT_MIN:
            lines = [part for line in lines for part in wrap(line, room)]
        body = "dim" if kind in ("thinking", "toolResult", "meta", "system", "attachment") else ""
        out.line(f"{prefix}{out.paint(lines[0], body)}".rstrip())
        for line in lines[1:]:
            out.line(f"{indent}{out.paint(line, body)}".rstrip())
        if dropped or (entry["truncated"] and not self._full):
            cut = f"{dropped} more {'line' if dropped == 1 else 'lines'}" if dropped else "cut"
            out.line(f"{indent}{out.paint(f'… {cut}; --full shows all', 'dim')}")
        for blob in blobs:
            out.line(f"{indent}{out.paint(described(entry, blob), 'dim')}")


def whole_text(client: Client, session: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with its whole text, which the daemon reads from the log where its own copy is cut."""
    if not entry["truncated"]:
        return entry
    payload = client.request("sessions/entry", {"id": session, "entry": entry["id"]})
    answered: dict[str, Any] = payload["entry"]
    if not answered["truncated"]:
        return answered
    # The kept text may end in a mark that says that it was cut, so a little less of it is looked for.
    start = entry["text"][: max(1, len(entry["text"]) - 16)]
    found = [text for text in _strings(payload["record"]) if text.startswith(start)]
    text = max(found, key=len, default=payload["raw"] or entry["text"])
    return {**entry, "text": text, "truncated": False}


def _strings(value: Any) -> list[str]:
    """Every string inside a JSON value."""
    found: list[str] = []
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return found
