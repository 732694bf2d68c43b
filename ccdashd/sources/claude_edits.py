"""Changes of files as Claude Code records them: the call of a tool, and what the tool answered. Pure.

Edit, MultiEdit and Write tell pieces or the whole file in their input. Their answers (``toolUseResult``) repeat it as it
was carried out, which differs where the user changed the proposal, and mostly hold the file as it was before:
``originalFile``, of MultiEdit ``originalFileContents``. NotebookEdit puts the source of a cell into a JSON file; later
versions answer with the file before and after (``original_file``, ``updated_file``).
"""

from __future__ import annotations

import json

import msgspec

from ccdashd.sources import lines
from ccdashd.sources.claude_records import decode_record, lenient
from ccdashd.sources.edits import Edit, Replacement


class _Piece(msgspec.Struct, gc=False):
    old_string: str = ""
    new_string: str = ""
    replace_all: bool | None = None


class _Input(_Piece, gc=False):
    content: str | None = None
    edits: list[_Piece] | None = None
    new_source: str | None = None
    edit_mode: str | None = None


class _Answer(msgspec.Struct, gc=False):
    type: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    oldString: str | None = None
    newString: str | None = None
    replaceAll: bool | None = None
    edits: list[_Piece] | None = None
    originalFile: msgspec.Raw = msgspec.Raw()
    originalFileContents: msgspec.Raw = msgspec.Raw()
    original_file: msgspec.Raw = msgspec.Raw()
    updated_file: str | None = None


class _Record(msgspec.Struct, gc=False):
    toolUseResult: msgspec.Raw = msgspec.Raw()


_input = msgspec.json.Decoder(_Input).decode
_answer = msgspec.json.Decoder(_Answer).decode
_record = msgspec.json.Decoder(_Record).decode
_string = msgspec.json.Decoder(str).decode


def recorded(call: bytes, call_id: str, result: bytes) -> Edit | None:
    """The change that a call made: `call` and `result` are the records that hold call and answer, `call_id` as the reader
    gave it. None where the records do not tell it."""
    given = _given(call, call_id)
    if given is None:
        return None
    name, tool = given
    answer = _answered(result)
    if name == "Write":
        content = _text(answer.content) if answer.content else tool.content
        created = answer.type == "create"
        before = (lambda: "") if created else (lambda: _text(answer.originalFile))
        return None if content is None else Edit(_plain(content), (), before)
    if name in ("Edit", "MultiEdit"):
        if name == "MultiEdit":
            pieces = answer.edits or tool.edits or []
        elif answer.oldString is not None and answer.newString is not None:
            pieces = [_Piece(answer.oldString, answer.newString, answer.replaceAll)]
        else:
            pieces = [tool]
        replacements = tuple(
            Replacement(_plain(piece.old_string), _plain(piece.new_string), piece.replace_all is True) for piece in pieces
        )
        if not replacements:
            return None
        if len(replacements) == 1 and not replacements[0].old:
            return Edit(replacements[0].new, (), lambda: "")  # how a file is made by Edit
        return Edit(None, replacements, lambda: _text(answer.originalFile or answer.originalFileContents))
    if name == "NotebookEdit":
        if answer.updated_file is not None:
            return Edit(_plain(answer.updated_file), (), lambda: _text(answer.original_file))
        if tool.new_source and tool.edit_mode != "delete":
            return Edit(None, (Replacement("", _cell(tool.new_source)),))
    return None


def _given(call: bytes, call_id: str) -> tuple[str, _Input] | None:
    """Name and input of the call in a record."""
    try:
        record = decode_record(call)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            value = lines.loads(call)
        except ValueError:
            return None
        if not isinstance(value, dict):
            return None
        record = lenient(value)
    content = record.message.content if record.message is not None else None
    if not isinstance(content, list):
        return None
    for number, block in enumerate(content):
        # A call without an id has one that ends with the number of its block.
        if block.type == "tool_use" and (block.id == call_id if block.id else call_id.endswith(f".{number}")):
            try:
                return block.name or "", _input(block.input)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
    return None


def _answered(result: bytes) -> _Answer:
    try:
        return _answer(_record(result).toolUseResult)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Answer()  # an error, or a record that was lost: the call says what was meant


def _text(raw: msgspec.Raw) -> str | None:
    """A string that was left encoded; None for null and for what is none."""
    try:
        return _plain(_string(raw))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _cell(source: str) -> str:
    """The source of a cell as it stands in a notebook's JSON: a list with a string for each line."""
    parts = [json.dumps(line, ensure_ascii=False) for line in _plain(source).splitlines(keepends=True)]
    return ",\n".join(parts)
