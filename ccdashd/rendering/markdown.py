"""Entries of transcripts as Markdown. Pure.

What is shown was written by agents, by people and by web pages that agents read: it stands in indented code, out of which
nothing can lead, or is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from ccdashd.protocol import types as t
from ccdashd.rendering import words

WHO: Final[Mapping[str, str]] = {
    "prompt": "You",
    "command": "You",
    "steering": "You",
    "queued": "You",
    "bash": "You, in a shell",
    "assistant": "Agent",
    "thinking": "Agent, thinking",
    "toolCall": "Call",
    "toolResult": "Result",
}
"""Whose entries of a kind are; others are called by their kind."""


def who(item: t.Entry) -> str:
    """Whose an entry is, in a word or two."""
    if item.kind == "toolResult" and item.is_error:
        return "Result: an error"
    name = WHO.get(item.kind, item.kind)
    return f"{name} {item.tool}" if item.kind == "toolCall" and item.tool else name


def is_silent(item: t.Entry) -> bool:
    """Whether there is nothing to show: what models send between two blocks, and thinking of which the log keeps only a
    signature."""
    return item.kind in ("assistant", "thinking") and not item.text.strip() and not item.has_blobs


def entry(item: t.Entry, text: Iterable[str]) -> Iterator[str]:
    """The lines of an entry, with these lines of text, as `words.lines` gives them; the deeper the entry stands in
    sub-agents, the lower is its heading."""
    level = "#" * (2 + min(item.depth, 4))
    yield f"{level} {words.escaped(words.joined(who(item), 'sub-agent' if item.sidechain else '', moment(item.timestamp)))}"
    yield ""
    yield from code(text)
    yield ""


def code(lines: Iterable[str]) -> Iterator[str]:
    """Lines as indented code; they hold only what can be seen."""
    for line in lines:
        yield f"    {line}".rstrip()


def moment(stamp: str | None) -> str:
    """A time of the wire as local date and time; empty where there is none."""
    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M}" if stamp is not None else ""


def fields(given: Any) -> list[tuple[str, str]]:
    """The input of a tool by name, each value as people read it; what has no names has an empty one."""
    if not isinstance(given, dict):
        return [("", value(given))]
    return [(name, value(part)) for name, part in given.items()]


def value(part: Any) -> str:
    """A JSON value as people read it: text as it is."""
    return part if isinstance(part, str) else msgspec.json.format(msgspec.json.encode(part)).decode()


def field_lines(given: Any) -> Iterator[str]:
    """The input of a tool as lines: a value of several stands below its name."""
    for name, text in fields(given):
        lines = words.lines(text)
        if not name:
            yield from lines
        elif len(lines) == 1:
            yield f"{words.plain(name)}: {lines[0]}"
        else:
            yield f"{words.plain(name)}:"
            yield from (f"    {line}" for line in lines)
