"""From the tree of a query to what the index is asked: an FTS5 expression of quoted words only. Pure.

What a person types is cut into words by the index' own tokenizer, so nothing of it can be taken for syntax
(https://www.sqlite.org/fts5.html#full_text_query_syntax).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from ccdashd.search.query import And, Node, Not, Or, Words

Cut = Callable[[str], list[str]]
"""Words of a text, as the index has them."""


class Reading(NamedTuple):
    """Words that stand next to each other: one way to read what was typed."""

    words: tuple[str, ...]
    prefix: bool
    """Whether the last word is the beginning of one."""
    parts: bool
    """Whether parts of identifiers are words, too."""


Term = tuple[Reading, ...]
"""What was typed as one word or phrase: any of its readings fits. Empty where it holds no letter and no digit."""

Terms = Mapping[Words, Term]


class Columns(NamedTuple):
    """Where in a table words are looked for: those that stand there, and parts of identifiers, too."""

    words: str
    parts: str


ENTRIES: Final = Columns("{text}", "{text parts}")
ITEMS: Final = Columns("{title text path}", "{title text parts path}")
TITLES: Final = Columns("{title}", "{title}")
PATHS: Final = Columns("{path}", "{path}")


def term(words: Words, cut: Cut, parts: Cut) -> Term:
    """How a word or phrase may be read.

    Quoted words are only themselves. Of others, parts of identifiers fit as well: ``userName`` and ``user_name`` are found
    by each other.
    """
    whole = tuple(cut(words.text))
    if not whole:
        return ()
    prefix = words.prefix and words.text[-1:].isalnum()
    if words.quoted:
        return (Reading(whole, prefix, parts=False),)
    found = [Reading(whole, prefix, parts=True)]
    split = tuple(parts(words.text))
    if split != whole:
        found.append(Reading(split, prefix, parts=True))
    return tuple(found)


def leaves(node: Node | None) -> Iterator[Words]:
    """The words and phrases of a tree, in order."""
    match node:
        case Words():
            yield node
        case Not():
            yield from leaves(node.node)
        case And() | Or():
            for part in node.nodes:
                yield from leaves(part)


def wanted(node: Node | None) -> Iterator[Words]:
    """Those of which a hit may hold some: not those after a ``-``."""
    match node:
        case Words():
            yield node
        case And() | Or():
            for part in node.nodes:
                yield from wanted(part)


def expression(node: Node | None, terms: Terms, columns: Columns, everything: str) -> str | None:
    """The FTS5 expression of a tree; None where it says nothing, as it holds no letter and no digit.

    `everything` is an expression that all fit: FTS5 can only leave out what another expression found.
    """
    match node:
        case Words():
            return _term(terms[node], columns)
        case Not():
            unwanted = expression(node.node, terms, columns, everything)
            return None if unwanted is None else f"({everything} NOT {unwanted})"
        case Or():
            return _joined(" OR ", [expression(part, terms, columns, everything) for part in node.nodes])
        case And():
            some = [expression(part, terms, columns, everything) for part in node.nodes if not isinstance(part, Not)]
            none = [expression(part.node, terms, columns, everything) for part in node.nodes if isinstance(part, Not)]
            found, unwanted = _joined(" AND ", some), _joined(" OR ", none)
            return found if unwanted is None else f"({found or everything} NOT {unwanted})"
    return None


def _term(term: Term, columns: Columns) -> str | None:
    return _joined(" OR ", [_reading(reading, columns) for reading in term])


def _reading(reading: Reading, columns: Columns) -> str:
    # Words of the tokenizer hold letters, digits and marks alone; quotes are doubled for all that.
    phrase = " ".join(reading.words).replace('"', '""')
    return f'{columns.parts if reading.parts else columns.words} : "{phrase}"{" *" * reading.prefix}'


def _joined(operator: str, expressions: list[str | None]) -> str | None:
    given = [one for one in expressions if one is not None]
    return f"({operator.join(given)})" if len(given) > 1 else given[0] if given else None
