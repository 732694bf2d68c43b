"""Changes of files as Claude Code records them: the call of a tool, and what the tool answered. Pure.

Edit, MultiEdit and Write tell pieces or the whole file in their input. Their answers (``toolUseResult``) repeat it as it
was carried out, which differs where the user changed the proposal, and mostly hold the file as it was before:
``originalFile``, of MultiEdit ``originalFileContents``. NotebookEdit puts the source of a cell into a JSON file; later
versions answer with the file before and after (``original_file``, ``updated_file``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

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


class _Words(msgspec.Struct, gc=False):
    """The texts of an edit as they are encoded."""

    old_string: msgspec.Raw = msgspec.Raw()
    new_string: msgspec.Raw = msgspec.Raw()


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


_HEAD = 16_384
"""Bytes of an answer, beside the texts themselves, in which an edit is looked for: the whole file comes after it."""

_input = msgspec.json.Decoder(_Input).decode
_words = msgspec.json.Decoder(_Words).decode
_answer = msgspec.json.Decoder(_Answer).decode
_record = msgspec.json.Decoder(_Record).decode
_string = msgspec.json.Decoder(str).decode


def recorded(call: bytes, call_id: str, result: Callable[[int | None], bytes]) -> Edit | None:
    """The change that a call made: `call` is the record that holds it, `call_id` as the reader gave it; `result` gives the
    record that holds the answer, or its first bytes, also later. None where the records do not tell it."""
    given = _given(call, call_id)
    if given is None:
        return None
    name, raw = given
    try:
        tool = _input(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if name == "Write":
        return _written(tool, _answered(result(None)))
    if name == "Edit":
        if _repeated(raw, result):
            return _replaced([tool], lambda: _before(_answered(result(None))))
        answer = _answered(result(None))
        if answer.oldString is None or answer.newString is None:
            return _replaced([tool], lambda: _before(answer))
        return _replaced([_Piece(answer.oldString, answer.newString, answer.replaceAll)], lambda: _before(answer))
    if name == "MultiEdit":
        answer = _answered(result(None))
        return _replaced(answer.edits or tool.edits or [], lambda: _before(answer))
    if name == "NotebookEdit":
        return _cell_edited(tool, _answered(result(None)))
    return None


def _written(tool: _Input, answer: _Answer) -> Edit | None:
    content = _text(answer.content) if answer.content else tool.content
    created = answer.type == "create"
    return None if content is None else Edit(_plain(content), (), lambda: "" if created else _text(answer.originalFile))


def _replaced(pieces: Sequence[_Piece], before: Callable[[], str | None]) -> Edit | None:
    replacements = tuple(
        Replacement(_plain(piece.old_string), _plain(piece.new_string), piece.replace_all is True) for piece in pieces
    )
    if not replacements:
        return None
    if len(replacements) == 1 and not replacements[0].old:
        return Edit(replacements[0].new, (), lambda: "")  # how a file is made by Edit
    return Edit(None, replacements, before)


def _cell_edited(tool: _Input, answer: _Answer) -> Edit | None:
    if answer.updated_file is not None:
        return Edit(_plain(answer.updated_file), (), lambda: _text(answer.original_file))
    if tool.new_source and tool.edit_mode != "delete":
        return Edit(None, (Replacement("", _cell(tool.new_source)),))
    return None


def _repeated(given: msgspec.Raw, result: Callable[[int | None], bytes]) -> bool:
    """Whether the answer begins with the texts that were given: then none of the rest, which may be as long as the file,
    has to be read. Keys cannot stand within strings, where their quotes are escaped."""
    try:
        words = _words(given)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    old, new = bytes(words.old_string), bytes(words.new_string)
    head = result(_HEAD + len(old) + len(new))
    return bool(old and new) and b'"oldString":' + old + b"," in head and b'"newString":' + new + b"," in head


def _before(answer: _Answer) -> str | None:
    return _text(answer.originalFile or answer.originalFileContents)


def _given(call: bytes, call_id: str) -> tuple[str, msgspec.Raw] | None:
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
            return block.name or "", block.input
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
