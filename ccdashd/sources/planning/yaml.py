"""YAML text to values with places, by libyaml; the values of YAML 1.2's core schema where they lose nothing.

A plain scalar becomes a number only where its text can be had back from it (`text`): dates, versions, hashes with leading
zeros, ``1_000``, ``0o17``, ``12:30:00``, ``on`` and ``off`` stay what a person wrote. Numbers beyond 15 digits stay text
too, since clients read numbers as doubles. Anchors, aliases and merge keys are resolved. Depth and number of values are
bounded, so that no file can exhaust the memory or the stack.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Any, Final, TypeAlias

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = "tuple[str | int, ...]"
"""Keys of mappings and indexes of lists, from the root inwards."""

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 100_000
"""Values of one text, those behind an alias each time that it is used; text of more than 64 characters counts more."""

MAX_DUPLICATES: Final = 100

PLAIN: Final = "plain"
"""The tag that nodes have here if they are plain scalars without a tag of their own."""

_INT = re.compile(r"-?[1-9][0-9]{0,14}|0", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]{1,14}\.[0-9]{1,14}", re.ASCII)
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NUMERIC: Final = frozenset("-0123456789")

# Characters that libyaml refuses (controls, and halves of surrogate pairs, which here are bytes that were not UTF-8) or
# takes for line ends, as YAML 1.1 did (U+0085, U+2028, U+2029). They are parsed as others, for private use, that the text
# does not have: one for one, so that places stay right.
_HIDDEN: Final = "".join(
    map(chr, (*range(9), 11, 12, *range(14, 32), *range(127, 160), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF))
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOST: Final = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
SPECIAL = re.compile(f"[{_HIDDEN}\ud800-\udfff]")


def _hide(text: str) -> tuple[str, dict[int, int]]:
    """The text to parse, and how to show what was hidden in it."""
    taken = {ord(char) >> 8 for char in set(text)}
    page = next((page for page in range(0x10FE, 0xF00, -1) if page not in taken), 0x10FE)
    hidden = {ord(char): (page << 8) + n for n, char in enumerate(_HIDDEN)}
    return text.translate(hidden | _LOST), {code: char for char, code in hidden.items()}


class YamlError(Exception):
    """The text is no YAML, or more than is read. `index` is where it was noticed, `context_index` where that began what
    `context` names (a quoted scalar, a flow sequence); both count characters from 0."""

    def __init__(self, problem: str, index: int, context: str = "", context_index: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.index = index
        self.context = context
        self.context_index = context_index


class TooMuch(YamlError):
    """Nested too deep, or too many values. No repair helps."""


class _Rules:
    """What both parsers call while they compose nodes."""

    depth = 0

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        return PLAIN if kind is yaml.ScalarNode and implicit[0] else ""

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            # Here, not after: composing recurses on the C stack, without a check of its own.
            raise TooMuch(f"nested deeper than {MAX_DEPTH} levels", parent.start_mark.index if parent else 0)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class PureLoader(_Rules, Reader, Scanner, Parser, Composer):
    """For a PyYAML that was built without libyaml: ten times slower, otherwise the same."""

    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        if not node.value.isascii() and _SURROGATE.search(node.value):
            # Half a surrogate pair; libyaml refuses it itself.
            raise YamlError("found an escape that is no character", node.start_mark.index)
        return node


if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class Loader(_Rules, CParser):
        """libyaml."""

else:  # pragma: no cover
    Loader = PureLoader  # type: ignore[misc, assignment]


def parse(text: str) -> Yaml:
    """Raises YamlError."""
    parsed, shown = _hide(text) if SPECIAL.search(text) else (text, {})
    try:
        root = Loader(parsed).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark, context = error.problem_mark or error.context_mark, error.context_mark
        place = min(mark.index, len(text)) if mark else 0
        raise YamlError(error.problem or "", place, error.context or "", context.index if context else None) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: an escape that is no character
        raise YamlError(str(error).partition("\n")[0], 0) from None
    return Yaml(text, root, shown)


class Yaml:
    """One parsed text.

    Places are those of the text: of a mapping's value the place of its key, of a list's item where the item begins. What
    came by an alias or a merge is where it was written.
    """

    def __init__(self, text: str, root: yaml.Node | None, shown: dict[int, int]) -> None:
        self.text = text
        self.root = root
        self.duplicates: list[tuple[str, int]] = []
        """Keys that one mapping has twice, with the line of the later, which is the one that counts; the first
        MAX_DUPLICATES of them."""
        self._shown_as = shown
        self.special = bool(shown)
        """It holds characters that other parsers refuse."""
        self._left = MAX_VALUES
        self._pairs: dict[int, dict[str | int, tuple[yaml.Node, yaml.Node]]] = {}
        """Pairs of mappings that `find` passed, by the `id` of the mapping, which `root` keeps alive."""
        self.value: Value = None if root is None else self._value(root, 0)
        """Raises TooMuch while it is built."""

    def line_of(self, path: Path) -> int | None:
        """The line, counted from 1; None if there is no such value."""
        found = self.find(path)
        return None if found is None else self.line_at((found[0] or found[1]).start_mark.index)

    def line_at(self, index: int) -> int:
        return bisect_right(self.line_starts, index)

    @cached_property
    def line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def find(self, path: Path) -> tuple[yaml.Node | None, yaml.Node] | None:
        """The nodes of the key (None for an item of a list, and for the root) and of the value."""
        key, node = None, self.root
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pair = self._pair(node, step, 0)
                if pair is None:
                    return None
                key, node = pair
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
                key, node = None, node.value[step]
            else:
                return None
        return None if node is None else (key, node)

    def pairs(self, node: yaml.MappingNode, name: str) -> list[tuple[yaml.Node, yaml.Node]]:
        """Those of a mapping's own pairs whose key is that name: more than one if it is a duplicate."""
        return [(key, value) for key, value in node.value if self.key(key) == name]

    def key(self, node: yaml.Node) -> str:
        """A key as text: as it is written, if it is not."""
        if node.__class__ is not yaml.ScalarNode:
            return self.text[node.start_mark.index : node.end_mark.index].strip()
        return self._shown(node.value)

    def _pair(self, node: yaml.MappingNode, step: str | int, depth: int) -> tuple[yaml.Node, yaml.Node] | None:
        known = self._pairs.get(id(node))
        if known is None:
            known = self._pairs[id(node)] = {self.key(pair[0]): pair for pair in node.value if not _merges(*pair)}
        if step in known:
            return known[step]
        for key, merged in reversed(node.value) if depth < MAX_DEPTH else ():
            if _merges(key, merged):
                for source in merged.value if isinstance(merged, yaml.SequenceNode) else (merged,):
                    if (pair := self._pair(source, step, depth + 1)) is not None:
                        return pair
        return None

    def _value(self, node: yaml.Node, depth: int) -> Value:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise TooMuch(f"more than {MAX_VALUES} values, or an alias within itself", node.start_mark.index)
        kind = node.__class__
        if kind is yaml.ScalarNode:
            return self.scalar(node)
        depth += 1
        if kind is yaml.SequenceNode:
            return [self._value(item, depth) for item in node.value]
        values: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, value in node.value:
            if _merges(key, value):
                for source in reversed(value.value) if isinstance(value, yaml.SequenceNode) else (value,):
                    inner = self._value(source, depth)
                    assert isinstance(inner, dict)
                    merged |= inner
                continue
            name = self.key(key)
            if name in values and len(self.duplicates) < MAX_DUPLICATES:
                duplicate = name, self.line_at(key.start_mark.index)
                if duplicate not in self.duplicates:  # as it is behind an alias
                    self.duplicates.append(duplicate)
            values[name] = self._value(value, depth)
        return merged | values if merged else values

    def scalar(self, node: yaml.Node) -> Value:
        """The value of a scalar node."""
        text: str = node.value
        if node.tag is PLAIN or node.tag in _PLAIN_TAGS:
            if text in _WORDS:
                return _WORDS[text]
            if text[0] in _NUMERIC:
                if _INT.fullmatch(text):
                    return int(text)
                if _FLOAT.fullmatch(text) and repr(number := float(text)) == text:
                    return number
        if len(text) > 64:
            self._left -= len(text) // 64
        return self._shown(text)

    def _shown(self, text: str) -> str:
        return text.translate(self._shown_as) if self.special else text


_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))


def _merges(key: yaml.Node, value: yaml.Node) -> bool:
    if key.value != "<<" or key.tag is not PLAIN:
        return False
    sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
    return all(isinstance(source, yaml.MappingNode) for source in sources)


def text(value: Value) -> str:
    """A value as it was written: the digits of a number, ``true``; ``""`` for nothing, and for a list or mapping."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else ""


def texts(value: Value) -> list[str]:
    """The texts of a list, or the one text in place of a list; without empty ones, lists and mappings."""
    return [found for item in (value if isinstance(value, list) else [value]) if (found := text(item))]


def as_int(value: Value) -> int | None:
    """A whole number, also one in quotes; None for anything else."""
    number = as_float(value)
    return int(number) if number is not None and number.is_integer() else None


def as_float(value: Value) -> float | None:
    """A number, also one in quotes or with ``%`` behind it; None for anything else."""
    match = _NUMBER.fullmatch(text(value)) if not isinstance(value, bool) else None
    return float(match[1]) if match else None


_NUMBER = re.compile(r"\s*([-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*%?\s*", re.ASCII)
