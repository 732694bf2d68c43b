"""From what a person types to a tree of words, and the filters beside it. Pure.

    query   any of several parts, joined by ``OR``
    part    items, all of which must be there
    item    a word, a "phrase", a prefix*, (a query without filters), or a filter such as project:shop; with a ``-`` before
            it, what must not be there

What is no syntax is text: a word may hold any character. Which characters tell words apart is the tokenizer's business.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from ccdashd.errors import InvalidParams

MOST_CHARACTERS: Final = 1_000
MOST_WORDS: Final = 64
"""Words and phrases of a query, at most."""

DEEPEST: Final = 16
"""Parentheses within each other, at most."""

FILTERS: Final = {
    "agent": "claude-code",
    "model": "opus",
    "project": "shop",
    "session": "3f2a9c1b",
    "tool": "Bash",
    "file": "src/app.py",
    "branch": "main",
    "before": "2026-01-31",
    "after": "7d",
    "in": "prompt",
}
"""Every filter, with an example of its value."""

PLACES: Final = ("prompt", "answer", "thinking", "tool", "doc", "title", "note")
"""Values of the filter ``in:``."""

_ONCE: Final = ("before", "after")
_NAME: Final = re.compile(r"([a-z]+):(?![:/])")
"""What may be a filter: not ``std::vector``, nor ``https://…``."""


@dataclass(frozen=True, slots=True)
class Words:
    """A word, or several that stand next to each other. `column` is its place in the query, counted from 1."""

    text: str
    column: int
    quoted: bool = False
    prefix: bool = False
    """Whether the last word is the beginning of one."""


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of these; at least two."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these; at least two."""

    nodes: tuple[Node, ...]


Node = Words | Not | And | Or


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, which holds for the whole query."""

    name: str
    value: str
    column: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for; `node` is None where there are filters alone."""

    text: str
    node: Node | None
    filters: tuple[Filter, ...]

    def values(self, name: str, *, negated: bool = False) -> list[Filter]:
        """The filters of that name, those with a ``-`` or those without."""
        return [one for one in self.filters if one.name == name and one.negated == negated]


def parse(text: str) -> Query:
    """The tree of a query. Raises InvalidParams of ``query`` that says at which column what is wrong."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidParams("query", f"has {len(text):,} characters; at most {MOST_CHARACTERS:,}", text)
    reader = _Reader(text)
    node = reader.either(depth=0)
    if node is None and not reader.filters:
        raise InvalidParams("query", "is empty; give a word, or a filter such as project:shop", text)
    for name in _ONCE:
        given = [one for one in reader.filters if one.name == name]
        if len(given) > 1:
            wrong(text, given[1].column, f"{name}: stands here a second time; give it once")
    return Query(text, node, tuple(reader.filters))


def wrong(text: str, column: int, problem: str) -> NoReturn:
    """Raise InvalidParams for what stands at `column` of a query, which `data` holds as well."""
    error = InvalidParams("query", f"column {column}: {problem}", text)
    error.data["column"] = column
    raise error


class _Reader:
    """Reads a query from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.words = 0
        self.filters: list[Filter] = []

    def either(self, depth: int) -> Node | None:
        """Parts joined by ``OR``, up to the end or the parenthesis that closes; None where there is no word."""
        parts: list[Node] = []
        expected = 0
        while True:
            part = self._part(depth)
            place, joined = self.at + 1, self._take_or()
            if part is not None:
                parts.append(part)
            elif expected or joined:
                what = "filters hold for the whole query, and are no side of an OR" if self.filters else 'quote it: "OR"'
                wrong(self.text, expected or place, f"OR needs a word on both sides; {what}")
            if not joined:
                break
            expected = place
        return Or(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None

    def _part(self, depth: int) -> Node | None:
        items: list[Node] = []
        while self._next() and not self._is_or() and not (depth and self.text[self.at] == ")"):
            item = self._item(depth)
            if item is not None:
                items.append(item)
        return And(tuple(items)) if len(items) > 1 else items[0] if items else None

    def _next(self) -> bool:
        """Go to what follows the white space; whether there is anything."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def _is_or(self) -> bool:
        follows = self.text[self.at + 2 : self.at + 3]
        return self.text.startswith("OR", self.at) and (not follows or follows.isspace() or follows in "()")

    def _take_or(self) -> bool:
        if self.at < len(self.text) and self._is_or():
            self.at += 2
            return True
        return False

    def _item(self, depth: int) -> Node | None:
        """One item; None for a filter, which is kept apart."""
        text, start = self.text, self.at
        # Two of them begin a word, such as --no-verify.
        negated = text[start] == "-" and text[start + 1 : start + 2] not in ("", "-") and not text[start + 1].isspace()
        self.at += negated
        first = text[self.at]
        if first == "(":
            node = self._group(depth)
        elif first == ")":
            wrong(text, self.at + 1, "nothing is open that this parenthesis could close; leave it out, or quote it")
        elif first == '"':
            node = self._phrase()
        elif (name := _NAME.match(text, self.at)) and self._is_filter(name[1]):
            self._filter(name[1], start, negated, depth)
            return None
        else:
            node = self._word(depth)
        return Not(node) if negated else node

    def _group(self, depth: int) -> Node:
        opened = self.at + 1
        if depth == DEEPEST:
            wrong(self.text, opened, f"parentheses stand in each other more than {DEEPEST} times")
        self.at += 1
        node = self.either(depth + 1)
        if self.at >= len(self.text):
            wrong(self.text, opened, "this parenthesis is never closed; add ) or quote it")
        self.at += 1
        if node is None:
            wrong(self.text, opened, "there is nothing between these parentheses")
        return node

    def _phrase(self) -> Words:
        opened = self.at + 1
        content = self._quoted()
        prefix = self.text.startswith("*", self.at)
        self.at += prefix
        return self._counted(Words(content, opened, quoted=True, prefix=prefix))

    def _quoted(self) -> str:
        opened = self.at
        end = self.text.find('"', opened + 1)
        if end < 0:
            wrong(self.text, opened + 1, 'this quote is never closed; add " where the phrase ends')
        self.at = end + 1
        return self.text[opened + 1 : end]

    def _word(self, depth: int) -> Words:
        start = self.at
        word = self._run(depth)
        prefix = len(word) > 1 and word.endswith("*")
        return self._counted(Words(word[:-1] if prefix else word, start + 1, prefix=prefix))

    def _run(self, depth: int) -> str:
        """What stands here up to white space, a quote, or the parenthesis that closes the group; at least a character."""
        start, open_here = self.at, 0
        while self.at < len(self.text):
            character = self.text[self.at]
            if character.isspace() or (character == '"' and self.at > start):
                break
            if character == ")" and depth and not open_here:
                break
            open_here += (character == "(") - (character == ")" and open_here > 0)
            self.at += 1
        return self.text[start : self.at]

    def _counted(self, words: Words) -> Words:
        self.words += 1
        if self.words > MOST_WORDS:
            wrong(self.text, words.column, f"there are more than {MOST_WORDS} words and phrases")
        return words

    def _is_filter(self, name: str) -> bool:
        if name in FILTERS:
            return True
        near = difflib.get_close_matches(name, FILTERS, n=1, cutoff=0.8)
        if near:
            wrong(
                self.text, self.at + 1, f'{name}: is no filter; did you mean {near[0]}: or the text "{name}:", in quotes?'
            )
        return False

    def _filter(self, name: str, start: int, negated: bool, depth: int) -> None:
        column = start + 1
        if depth:
            wrong(self.text, column, f"{name}: is a filter, which holds for the whole query; put it outside of parentheses")
        self.at += len(name) + 1
        quoted = self.text.startswith('"', self.at)
        value = (self._quoted() if quoted else self._run(depth)).strip()
        if not value:
            example = f"{name}:{FILTERS[name]}"
            wrong(self.text, column, f"{name}: needs a value right after it, such as {example}; or quote it")
        if name == "in" and value not in PLACES:
            wrong(self.text, column, f"in: takes {', '.join(PLACES)}; not {value!r}")
        self.filters.append(Filter(name, value, column, negated))
