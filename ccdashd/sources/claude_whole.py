"""What an entry of a transcript says, whole, from its record: of long texts, readers of logs keep the beginning. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ccdashd.sources import prompts
from ccdashd.sources.model import KINDS, Entry

_BINARY = ("image", "document")
_BLOCKS = frozenset({"assistant", "thinking", "toolCall", "toolResult"})


class Whole(msgspec.Struct, frozen=True):
    """An entry without cuts."""

    text: str
    """What a person reads; in place of images and documents stands ``[image]`` or ``[document]``."""
    input: Any = None
    """Of a tool call its input, of what is not understood all of it: any JSON value."""
    part: Any = None
    """The part of the record that the entry is, which may name binary content."""


def whole(record: Any, entry: Entry) -> Whole:
    """The whole of an entry from its record, a JSON value. Of a record of another shape than expected, what is kept."""
    kept = Whole(entry.text)
    if not isinstance(record, dict):
        return kept
    kind = KINDS[entry.kind]
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if kind in _BLOCKS or (kind == "unknown" and isinstance(content, list)):
        return _block(content, entry) or kept
    if kind == "unknown":
        return Whole(entry.text, record, record)
    if isinstance(content, (str, list)):
        return _said(content, kept)
    if isinstance(record.get("attachment"), dict):
        return _attachment(record["attachment"], kept)
    for name in ("content", "summary"):
        if isinstance(record.get(name), str) and record[name].startswith(entry.text[:_SURE]):
            return Whole(record[name])
    return kept


_SURE = 100
"""Characters by which a text is known to be the one that was kept."""


def _block(content: Any, entry: Entry) -> Whole | None:
    if isinstance(content, str):
        return Whole(content)
    block = content[entry.block] if isinstance(content, list) and entry.block < len(content) else None
    if not isinstance(block, dict):
        return None
    kind = block.get("type")
    if kind == "tool_use":
        return Whole(entry.text, block.get("input"))
    if kind == "tool_result":
        return Whole(_texts(block.get("content")), part=block.get("content"))
    text = block.get("thinking" if kind in ("thinking", "redacted_thinking") else "text")
    if isinstance(text, str):
        return Whole(text)
    return Whole(entry.text, block, block) if KINDS[entry.kind] == "unknown" else None


def _said(content: str | Sequence[Any], kept: Whole) -> Whole:
    """What was typed, beside which there may be results of tools."""
    if isinstance(content, str):
        text, part = content, None
    else:
        blocks = [block for block in content if isinstance(block, dict)]
        text = "\n".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")
        part = [block for block in blocks if block.get("type") in _BINARY]
    typed = prompts.typed(text)
    # Of what the agent's host wrote, all is kept, with its tags.
    words = typed if typed.startswith(kept.text[:_SURE]) else text
    return Whole(words if words.startswith(kept.text[:_SURE]) else kept.text, part=part)


def _attachment(attachment: Mapping[str, Any], kept: Whole) -> Whole:
    for name in ("prompt", "content"):
        if isinstance(attachment.get(name), str):
            return Whole(attachment[name])
    rest = {name: value for name, value in attachment.items() if name != "type"}
    return Whole(kept.text, rest or None, rest)


def _texts(content: Any) -> str:
    """The output of a tool: a text, or blocks."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    blocks = [block for block in content if isinstance(block, dict)]
    return "\n".join(
        str(block.get("text") or "") if block.get("type") == "text" else f"[{block.get('type') or '?'}]" for block in blocks
    )
