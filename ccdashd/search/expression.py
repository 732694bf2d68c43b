"""From the tree of a query to what the index is asked: an FTS5 expression of quoted words only. Pure.

What a person types is cut into words by the index' own tokenizer, so nothing of it can be taken for syntax
(https://www.sqlite.org/fts5.html#full_text_query_syntax).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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


def sought(node: Node | None, *, wanted: bool = True) -> Iterator[Words]:
    """Those of which a hit may hold some: not those after a ``-``."""
    match node:
        case Words():
            if wanted:
                yield node
        case Not():
            yield from sought(node.node, wanted=not wanted)
        case And() | Or():
            for part in node.nodes:
                yield from sought(part, wanted=wanted)


def fits_without(node: Node | None, terms: Terms) -> bool | None:
    """Whether a text fits in which none of the words stand; None where the tree says nothing."""
    match node:
        case Words():
            return False if terms[node] else None
        case Not():
            inner = fits_without(node.node, terms)
            return None if inner is None else not inner
        case And() | Or():
            parts = [fits for part in node.nodes if (fits := fits_without(part, terms)) is not None]
            return (all(parts) if isinstance(node, And) else any(parts)) if parts else None
    return None


def is_steady(node: Node | None) -> bool:
    """Whether FTS5 tells the same places of words of the same text in whichever row it stands.

    It tells those of an ``AND`` or ``NOT`` within an ``OR`` only of some rows, depending on those before.
    """
    match node:
        case Not():
            return is_steady(node.node)
        case And():
            return all(map(is_steady, node.nodes))
        case Or():
            return all(isinstance(part, Words) for part in node.nodes)
    return True


class Expression(NamedTuple):
    """An expression, and the words that each of its phrases stands for, in order; None where that tells no relevance."""

    text: str
    phrases: tuple[Words | None, ...]


def expression(node: Node | None, terms: Terms, columns: Columns, everything: Expression) -> Expression | None:
    """The FTS5 expression of a tree; None where it says nothing, as it holds no letter and no digit.

    `everything` is an expression that all fit: FTS5 can only leave out what another expression found.
    """
    match node:
        case Words():
            return _term(node, terms[node], columns)
        case Not():
            return without(everything, expression(node.node, terms, columns, everything))
        case Or():
            return joined("OR", [expression(part, terms, columns, everything) for part in node.nodes])
        case And():
            some = [expression(part, terms, columns, everything) for part in node.nodes if not isinstance(part, Not)]
            none = [expression(part.node, terms, columns, everything) for part in node.nodes if isinstance(part, Not)]
            found, unwanted = joined("AND", some), joined("OR", none)
            return found if unwanted is None else without(found or everything, unwanted)
    return None


def joined(operator: str, expressions: Sequence[Expression | None]) -> Expression | None:
    """Expressions joined by ``AND`` or ``OR``; those that say nothing are passed over."""
    given = [one for one in expressions if one is not None]
    if len(given) < 2:
        return given[0] if given else None
    text = f" {operator} ".join(one.text for one in given)
    return Expression(f"({text})", tuple(phrase for one in given for phrase in one.phrases))


def without(found: Expression, unwanted: Expression | None) -> Expression | None:
    """What fits the first expression and not the second; None where there is no second."""
    if unwanted is None:
        return None
    return Expression(f"({found.text} NOT {unwanted.text})", (*found.phrases, *([None] * len(unwanted.phrases))))


def phrase(words: Sequence[str], column: str, *, prefix: bool = False) -> str:
    """Words that stand next to each other in some columns."""
    # Words of the tokenizer hold letters, digits and marks alone; quotes are doubled for all that.
    quoted = " ".join(words).replace('"', '""')
    return f'{column} : "{quoted}"{" *" * prefix}'


def _term(words: Words, term: Term, columns: Columns) -> Expression | None:
    texts = [
        phrase(reading.words, columns.parts if reading.parts else columns.words, prefix=reading.prefix) for reading in term
    ]
    return joined("OR", [Expression(text, (words,)) for text in texts])
