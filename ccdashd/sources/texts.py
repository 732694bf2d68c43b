"""What can be searched of a record: the whole text of each of its entries, of which a transcript may show the head. Pure.

Which entries a record has is told by its reader (`claude_code` and what it calls), which numbers them as blocks; here is
what each says. Of a tool call that is every string of its input, of its answer the whole output; images and other binary
content are no text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ccdashd.sources import lines, prompts
from ccdashd.sources.claude_records import Record, ToolUseResult, lenient

_Scalar = str | list[Raw] | int | float | bool | None


class Text(NamedTuple):
    """What an entry says."""

    text: str
    path: str = ""
    """The file that a tool call, or its answer, is about, as it is written there."""


NOTHING = Text("")


class _Output(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    input: Raw = Raw()
    content: str | list[_Output] | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | list[_Block] | None = None


class _File(msgspec.Struct, gc=False):
    filePath: str | None = None


class _Answer(msgspec.Struct, gc=False):
    filePath: str | None = None
    notebook_path: str | None = None
    file: _File | _Scalar = None


class _Attachment(msgspec.Struct, gc=False):
    prompt: str | None = None
    content: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    type: str | None = None
    message: _Message | None = None
    toolUseResult: _Answer | _Scalar = None
    subtype: str | None = None
    content: Raw = Raw()
    summary: str | None = None
    attachment: _Attachment | None = None


_record = msgspec.json.Decoder(_Record).decode
_string = msgspec.json.Decoder(str).decode
_value = msgspec.json.Decoder().decode
_PATHS = ("file_path", "notebook_path", "path", "filePath")
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def texts(data: bytes | memoryview, blocks: Iterable[int]) -> list[Text]:
    """What the entries with these blocks, of the record that `data` is, say; nothing where there is no such entry."""
    record = _decode(data)
    return [NOTHING if record is None else _text(record, block) for block in blocks]


def text(data: bytes | memoryview, block: int) -> Text:
    """`texts` of one entry."""
    record = _decode(data)
    return NOTHING if record is None else _text(record, block)


def _decode(data: bytes | memoryview) -> _Record | None:
    try:
        return _record(data)
    except _UNDECODABLE:
        pass
    try:
        value = lines.loads(bytes(data))
    except ValueError:
        return None
    return _odd(lenient(value)) if isinstance(value, dict) else None


def _odd(read: Record) -> _Record:
    """A record as its reader takes it, without what does not fit."""
    said = read.message.content if read.message is not None else None
    if isinstance(said, list):
        content: str | list[_Block] | None = [
            _Block(block.type, block.text, block.thinking, block.input, _odd_output(block.content)) for block in said
        ]
    else:
        content = said
    answer, attachment = read.toolUseResult, read.attachment
    return _Record(
        read.type,
        _Message(content),
        _Answer(answer.file_path) if isinstance(answer, ToolUseResult) else None,
        read.subtype,
        read.content,
        read.summary,
        _Attachment(attachment.prompt, attachment.content) if attachment is not None else None,
    )


def _text(record: _Record, block: int) -> Text:
    kind = record.type
    if kind in ("user", "assistant"):
        content = record.message.content if record.message is not None else None
        if isinstance(content, list):
            return _said(content) if block >= len(content) else _block(content, block, record)
        return Text(content or "") if kind == "assistant" else Text(_typed(content or ""))
    if kind == "attachment":
        attachment = record.attachment or _Attachment()
        return Text(attachment.prompt or "\n".join(strings(attachment.content)))
    if kind == "summary":
        return Text(record.summary or "")
    if kind == "queue-operation" or record.subtype == "compact_boundary":
        return Text(_plain(record.content))
    if kind == "system":
        return Text(_plain(record.content) or record.subtype or kind)
    return Text(kind or "")


def _block(content: list[_Block], number: int, record: _Record) -> Text:
    block = content[number]
    if block.type == "tool_result":
        output = block.content
        if isinstance(output, list):
            output = "\n".join(part.text for part in output if part.type == "text" and part.text)
        return Text(output or "", _answered(record))
    if block.type == "tool_use":
        given = _loaded(block.input)
        found = next((given[name] for name in _PATHS if given.get(name)), "") if isinstance(given, dict) else ""
        return Text("\n".join(_strings(given)), found if isinstance(found, str) else "")
    if record.type == "user":
        return _said(content)  # what a person types is one entry, whatever it is made of
    return Text(block.text or block.thinking or block.type)


def _said(content: list[_Block]) -> Text:
    return Text(_typed("\n".join(block.text or "" for block in content if block.type == "text")))


def _typed(text: str) -> str:
    return prompts.typed(text) or text


def _answered(record: _Record) -> str:
    answer = record.toolUseResult
    if not isinstance(answer, _Answer):
        return ""
    inner = answer.file.filePath if isinstance(answer.file, _File) else None
    return answer.filePath or inner or answer.notebook_path or ""


def _odd_output(raw: Raw) -> str | list[_Output] | None:
    found = _loaded(raw)
    if not isinstance(found, list):
        return found if isinstance(found, str) else None
    texts = [block.get("text") for block in found if isinstance(block, dict) and block.get("type") == "text"]
    return [_Output("text", text) for text in texts if isinstance(text, str)]


def _plain(raw: Raw) -> str:
    """An encoded string; empty for another value."""
    if not lines.is_string(raw):
        return ""
    try:
        return _string(raw)
    except _UNDECODABLE:
        found = _loaded(raw)
        return found if isinstance(found, str) else ""


def strings(raw: Raw) -> list[str]:
    """Every string in an encoded value, in order; names of fields are none."""
    return _strings(_loaded(raw))


def _loaded(raw: Raw) -> Any:
    if not raw:
        return None
    try:
        return _value(raw)
    except _UNDECODABLE:
        pass
    try:
        return lines.loads(bytes(raw))
    except ValueError:
        return None


def _strings(value: Any) -> list[str]:
    found: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
    return found
