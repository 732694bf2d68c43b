"""Set a value in a file's frontmatter, or tick a box, and leave every other byte as it is. Pure: bytes in, bytes out.

Only the characters of the value are replaced, in the quotes that it had. What was written is read again before it is given
back: exactly the one value differs, or the edit is refused. Where one would have to guess, it is refused in plain words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import yaml

from ccdashd.sources.planning.frontmatter import Frontmatter, read
from ccdashd.sources.planning.yaml import SPECIAL, Path, Value, Yaml, text


class EditRefused(Exception):
    """The edit cannot be made without guessing; the message says why, where, and what to do instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Edited:
    """`data` is the whole file; `line` (from 1) is where the value now stands in it. `before` is ``""`` where the value was
    empty or missing."""

    data: bytes
    line: int
    before: str
    after: str


def set_value(data: bytes, path: Path, new: str) -> Edited:
    """Set one value of the frontmatter. A key that is missing is added to its mapping, which has to exist.

    A number or an empty value takes any text as it is (``3`` becomes ``4``); a text stays a text, in quotes where it would
    be read as something else.

    Raises EditRefused.
    """
    try:
        new.encode()
    except UnicodeEncodeError:
        raise EditRefused(f"cannot set {_name(path)}: the new value holds half a character (a lone surrogate)") from None
    source = _Source(data)
    target = _find(source, path)
    old = None if target.value is None else source.yaml.scalar(target.value)
    before = text(old)
    if target.value is None:
        pieces = _insertions(source, target.mapping, path, new)
    elif before == new:
        return Edited(data, source.line_of(target.value), before, new)
    else:
        pieces = _replacements(source, target.value, new)
    for piece in pieces:
        at, end = source.offset(piece.start, path), source.offset(piece.end, path)
        changed = data[:at] + piece.text.encode() + data[end:]
        if _is_as_wanted(source, changed, path, new, old):
            # The text of a line that is inserted begins with the line end of the line before it.
            line = data.count(b"\n", 0, at) + 1 + piece.text.count("\n")
            return Edited(changed, line, before, new)
    why = f"{new!r} cannot be written there without changing more than this value; edit it by hand"
    raise _refused(path, why, source.line_of(target.value or target.mapping))


def set_values(data: bytes, edits: Iterable[tuple[Path, str]]) -> list[Edited]:
    """Set several values, one after the other: each `Edited` is made on the data that the one before it left, so the last
    has the whole.

    Raises EditRefused if any of them is refused.
    """
    done: list[Edited] = []
    for path, new in edits:
        done.append(set_value(done[-1].data if done else data, path, new))
    return done


_BOX: Final = re.compile(rb"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[(.[^\]\r\n]{0,3})\](?:[ \t\r]|$)")


def toggle_box(data: bytes, line: int, mark: str) -> Edited:
    """Write one character, such as ``x`` or a blank, into the box ``[ ]`` that a line of the body begins with.

    Raises EditRefused.
    """
    if len(mark) != 1 or not mark.isprintable() or mark == "]":
        raise EditRefused(f"{mark!r} is no mark for a box; give one character, such as x or a blank")
    lines = data.split(b"\n")
    if not 1 <= line <= len(lines):
        raise EditRefused(f"there is no line {line}: the file has {len(lines)} lines")
    match = _BOX.match(lines[line - 1])
    before = match[1].decode("utf-8", "replace") if match else ""
    if match is None or len(before) != 1 or line < read(data).body_line:
        raise EditRefused(
            f"line {line} is no item with a box, such as `- [ ] text`; read the file again, it may have changed"
        )
    start = sum(map(len, lines[: line - 1])) + line - 1 + match.start(1)
    return Edited(data[:start] + mark.encode() + data[start + len(match[1]) :], line, before, mark)


def unified_diff(before: bytes, after: bytes, path: str) -> str:
    """What an edit changes, with three lines of context; ``""`` if nothing. Bytes that are not UTF-8 show as U+FFFD."""
    lines = difflib.unified_diff(_lines(before), _lines(after), path, path)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(data: bytes) -> list[str]:
    # Not `splitlines`, which also cuts at form feeds and U+2028.
    *whole, last = data.decode("utf-8", "replace").split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])


class _Piece(NamedTuple):
    """Text to put in the place of what stands between two indexes of the parsed text."""

    start: int
    end: int
    text: str


class _Target(NamedTuple):
    """Where the value is, or the key is missing."""

    mapping: yaml.Node
    """What it is a value of."""
    value: yaml.ScalarNode | None


class _Source:
    """A file, and how the places of what was parsed lie in it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.found: Frontmatter = read(data)
        if not self.found.exists:
            raise EditRefused("the file has no frontmatter, so there is nothing to set; add it, between two lines `---`")
        if self.found.yaml is None:
            finding = self.found.findings[0]
            raise EditRefused(f"{finding.message} (line {finding.line}); correct it by hand")
        self.yaml: Yaml = self.found.yaml

    def line_of(self, node: yaml.Node) -> int:
        """The line of the file that a node begins in."""
        return self.yaml.line_at(node.start_mark.index) + 1

    def file_line(self, line: int) -> str:
        """A line of the frontmatter as it is written."""
        lines = self.data[self.found.start : self.found.end].split(b"\n")
        return lines[line - 2].decode("utf-8", "replace")

    def offset(self, index: int, path: Path) -> int:
        """The byte that an index of the parsed text is at. Raises EditRefused if its line was repaired, since what was
        parsed is not what is written there."""
        line = self.yaml.line_at(index)
        if self.found.was_repaired(line + 1):
            why = next((finding.message for finding in self.found.findings if finding.line == line + 1), "it is no YAML")
            raise _refused(path, f"its line was understood only after a repair ({why}); correct that first", line + 1)
        column = self.yaml.text[self.yaml.line_starts[line - 1] : index]
        start = self.found.start
        for _ in range(line - 1):
            start = self.data.index(b"\n", start) + 1
        return start + len(column.encode("utf-8", "surrogateescape"))


def _find(source: _Source, path: Path) -> _Target:
    """Follow a path to where it leads unmistakably."""
    root = source.yaml.root
    if root is None:
        raise _refused(path, "the frontmatter is empty; add the line by hand", 1)
    mapping = node = root
    shared = _shared(root)
    for depth, step in enumerate(path):
        here, line = _name(path[:depth]), source.line_of(node)
        mapping = node
        if isinstance(node, yaml.MappingNode) and isinstance(step, str):
            pairs = source.yaml.pairs(node, step)
            if len(pairs) > 1:
                lines = " and ".join(str(source.line_of(key)) for key, _ in pairs)
                raise _refused(path, f"the key {step} is there more than once, in lines {lines}; remove all but one")
            if not pairs:
                if source.yaml.find(path[: depth + 1]) is not None:
                    raise _refused(path, f"{step} comes from elsewhere by a merge key (<<); write it out by hand", line)
                if depth < len(path) - 1:
                    raise _refused(path, f"{here} has no {step}", line)
                for left_out in sorted(source.found.repaired_lines):
                    if step in source.file_line(left_out):
                        raise _refused(path, f"it may stand in line {left_out}, which is no YAML; correct that first")
                return _Target(node, None)
            node = pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if not 0 <= step < len(node.value):
                raise _refused(path, f"{here} has no item {step}, counted from 0, but {len(node.value)} items", line)
            node = node.value[step]
        else:
            kind = (
                "a single value"
                if isinstance(node, yaml.ScalarNode)
                else "a mapping"
                if isinstance(step, int)
                else "a list"
            )
            raise _refused(path, f"{here} is {kind}, and has no {step}", line)
        if id(node) in shared:
            why = "it is shared with another place by an anchor (&) or alias (*); write it out by hand"
            raise _refused(path, why, source.line_of(node))
    return _Target(mapping, _replaceable(source, node, path))


def _replaceable(source: _Source, node: yaml.Node, path: Path) -> yaml.ScalarNode:
    line = source.line_of(node)
    if not isinstance(node, yaml.ScalarNode):
        raise _refused(path, "it is a list or a mapping, not a single value", line)
    written = source.yaml.text[node.start_mark.index : node.end_mark.index]
    if written[:1] in ("&", "!"):
        raise _refused(path, "it has an anchor (&) or a tag (!); edit it by hand", line)
    if node.style in ("|", ">") or "\n" in written or "\r" in written:
        raise _refused(path, "its text has several lines; edit it by hand", line)
    return node


def _shared(root: yaml.Node) -> set[int]:
    """Nodes that stand in more than one place."""
    seen: set[int] = set()
    twice: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            twice.add(id(node))
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value
    return twice


def _replacements(source: _Source, node: yaml.ScalarNode, new: str) -> Iterator[_Piece]:
    start, end = node.start_mark.index, node.end_mark.index
    if start < end:
        for written in _written(new, node.style):
            yield _Piece(start, end, written)
        return
    # An empty value is behind its colon or dash, if there is one: {status} has none.
    before = source.yaml.text[:start].rstrip(" \t\r\n")
    glue, at = (" ", len(before)) if before.endswith((":", "-")) else (": ", start)
    for written in _written(new, None):
        yield _Piece(at, at, glue + written)


def _insertions(source: _Source, mapping: yaml.Node, path: Path, new: str) -> Iterator[_Piece]:
    assert isinstance(mapping, yaml.MappingNode)
    key_style = mapping.value[0][0].style if mapping.flow_style and mapping.value else None
    entries = [f"{key}: {value}" for key in _written(str(path[-1]), key_style) for value in _written(new, key_style)]
    if mapping.flow_style:
        inside = source.yaml.text[: mapping.end_mark.index - 1].rstrip()
        glue = {"{": "", ",": " "}.get(inside[-1:], ", ")
        at = len(inside)
    else:
        key, at = _line_beside(source, mapping, path)
        ending = "\r\n" if source.yaml.text[at] == "\r" else "\n"
        glue = ending + " " * (
            key.start_mark.index - source.yaml.line_starts[source.yaml.line_at(key.start_mark.index) - 1]
        )
    for entry in entries:
        yield _Piece(at, at, glue + entry)


def _line_beside(source: _Source, mapping: yaml.MappingNode, path: Path) -> tuple[yaml.Node, int]:
    """The first key of a block mapping whose value is in the same line, and where that line ends."""
    for key, value in mapping.value:
        line = source.yaml.line_at(key.start_mark.index)
        if value.style in ("|", ">") if isinstance(value, yaml.ScalarNode) else not value.flow_style:
            continue
        # An alias is where its anchor is.
        if key.start_mark.index <= value.start_mark.index and source.yaml.line_at(value.end_mark.index) == line:
            match = re.compile("\r?\n").search(source.yaml.text, value.end_mark.index)
            if match:
                return key, match.start()
    raise _refused(
        path, "it is missing, and no line beside it shows where it belongs; add it by hand", source.line_of(mapping)
    )


_OTHER_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off"))
"""Words that other programs take for true or false, by YAML 1.1."""


def _written(new: str, style: str | None) -> Iterator[str]:
    """Ways to write a text, the wanted one first; whether one reads back as the text is for the caller to see."""
    if not SPECIAL.search(new) and "\n" not in new and "\r" not in new:
        if not style and new.lower() not in _OTHER_WORDS and new == new.strip():
            yield new
        if style != "'" and "\\" not in new and '"' not in new:
            yield f'"{new}"'
        if style != '"':
            yield "'" + new.replace("'", "''") + "'"
    yield '"' + _ESCAPED.sub(_escape, new) + '"'


_ESCAPED: Final = re.compile(rf'["\\\n\r\t]|{SPECIAL.pattern}')
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in '"\\':
        return "\\" + char
    code = ord(char)
    return _ESCAPES.get(char) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def _is_as_wanted(source: _Source, changed: bytes, path: Path, new: str, old: Value) -> bool:
    """The file reads as before, with this one value."""
    found, now = source.found, read(changed)
    if now.yaml is None or len(changed) - now.body_start != len(source.data) - found.body_start:
        return False
    if len(now.repaired_lines) != len(found.repaired_lines) or _remarks(now) != _remarks(found):
        return False
    place = now.yaml.find(path)
    if place is None or not isinstance(place[1], yaml.ScalarNode):
        return False
    value = now.yaml.scalar(place[1])
    if value != new and (isinstance(old, str) or text(value) != new):
        return False
    return _same(_with(found.values, path, value), now.values)


def _remarks(found: Frontmatter) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in found.findings]


def _with(values: Value, path: Path, new: Value) -> Value:
    if not path:
        return new
    step = path[0]
    if isinstance(values, list) and isinstance(step, int):
        return [_with(item, path[1:], new) if n == step else item for n, item in enumerate(values)]
    if isinstance(values, dict):
        return values | {str(step): _with(values.get(str(step)), path[1:], new)}
    return new


def _same(one: Value, other: Value) -> bool:
    """Equal, and of equal types: not 1 and true."""
    return msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(other, order="deterministic")


def _name(path: Path) -> str:
    """``tasks[3].status``"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") or "the frontmatter"


def _refused(path: Path, why: str, line: int | None = None) -> EditRefused:
    return EditRefused(f"cannot set {_name(path)}{f' (line {line})' if line else ''}: {why}")
