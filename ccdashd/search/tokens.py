"""What the words of a text are, for the index and for whoever asks it: both sides use this module, and so agree.

A *word* is a run of letters and digits, without regard to case and diacritics, as SQLite's tokenizer cuts it
(https://www.sqlite.org/fts5.html#unicode61_tokenizer); every other character only divides words. Each character of Chinese,
Japanese and Korean is a word: they are written without spaces, and so a phrase of them is found anywhere.

An *identifier* is a word in which the case changes. It is a word as a whole, and has *parts*, which are indexed beside:

    text              words             parts
    getUserName       getusername       get user name
    HTTPServer2Go     httpserver2go     http server2 go
    get_user_name     get user name
    src/app/x.py      src app x py
    Größe, CAFÉ       große cafe
    日本語             日 本 語

So ``user`` finds ``getUserName``, by a part, and ``get_user_name``, by a word. ``getUserName`` and ``getusername`` find
``getUserName``, by the word. ``get_user_name`` finds it by neighbouring parts, and the other way round ``getUserName``, cut
into its parts, finds ``get_user_name`` by neighbouring words. Parts of different identifiers are no neighbours. A beginning
of a word, or of a part, is found as a prefix.
"""

from __future__ import annotations

import re
import threading
from itertools import pairwise
from typing import Final

import apsw

from ccdashd.search.matching import Span
from ccdashd.store.text.schema import TOKENIZE

BETWEEN: Final = "\ue000"
"""A word that stands between the parts of two identifiers: a character for private use, which nobody types."""

LONGEST: Final = 64
"""Characters of an identifier that has parts; what is longer is no name."""

MOST_KNOWN: Final = 65_536
"""Identifiers whose parts are remembered: most come again and again."""

ENCODED: Final = 256
"""Characters of base64 in a row from which on they are taken for binary content."""

MARK: Final = "\x01"
"""Stands in a folded text for a diacritic that is a character of its own."""

_CJK_RANGES: Final = (
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff"
)
_CJK = re.compile(f"[{_CJK_RANGES}]")
_BREAK = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(f"[{_CJK_RANGES}]|[^ {MARK}{_CJK_RANGES}][^ {_CJK_RANGES}]*")
"""A word of a folded text."""

_BASE64 = re.compile(f"[A-Za-z0-9+/]{{{ENCODED},}}={{0,2}}")

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789"
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BEYOND = bytes(range(0x80, 0x100))
_CASES = bytes(
    ord("l") if byte in _LETTERS else ord("U") if byte in _CAPITALS else ord("x") if byte in _BEYOND else ord(" ")
    for byte in range(256)
)
"""Classes of bytes by which changes of case are found: much faster than by looking at words."""

_IN_BASE64 = bytes(ord("w") if byte in _LETTERS + _CAPITALS + b"+/" else ord(" ") for byte in range(256))
_BASE64_RUN = b"w" * ENCODED
_CHANGES = (b"lU", b"UUl")
_BETWEEN = f" {BETWEEN} ".encode()
_NO_CJK = bytes(set(range(256)) - {0xE1, *range(0xE3, 0xEE), 0xEF, 0xF0})
"""Bytes that begin no character of `_CJK` in UTF-8."""


# --- for the index ---


def prepare(text: str, cap: int) -> tuple[str, str]:
    """What is indexed of a text, and the parts of its identifiers, each identifier once: ready for the tokenizer.

    Binary content is left out; of more than `cap` bytes of UTF-8, the head and the tail are taken.
    """
    data, parts = prepare_bytes(text, cap)
    return data.decode(), parts.decode()


def prepare_bytes(text: str, cap: int) -> tuple[bytes, bytes]:
    """`prepare`, in UTF-8."""
    data = text.encode()
    if b"\x00" in data:
        return b"", b""
    if len(data) > cap:
        half = cap // 2
        text = f"{data[:half].decode(errors='ignore')}\n{data[-half:].decode(errors='ignore')}"
        data = text.encode()
    if len(data) >= ENCODED and _BASE64_RUN in data.translate(_IN_BASE64):
        text = _BASE64.sub(" ", text)
        data = text.encode()
    parts = _parts(data)
    if len(data) != len(text) and data.translate(None, _NO_CJK):
        data = separate(text).encode()
    return data, parts


def _parts(data: bytes) -> bytes:
    cases = data.translate(_CASES)
    find, find_back, length = cases.find, cases.rfind, len(cases)
    words: set[bytes] = set()
    for change in _CHANGES:
        at = find(change)
        while at >= 0:
            end = find(b" ", at)
            if end < 0:
                end = length
            words.add(data[find_back(b" ", 0, at) + 1 : end])
            at = find(change, end)
    if not words:
        return b""
    # In an order of their own, so that the same text is always indexed alike.
    return _BETWEEN.join(sorted(set().union(*map(_parts_of, words))))


def separate(text: str) -> str:
    """The text with spaces around each character of Chinese, Japanese and Korean."""
    return _CJK.sub(r" \g<0> ", text)


def _parts_of(run: bytes) -> tuple[bytes, ...]:
    """The parts of each identifier in a run of letters, digits and what is not ASCII."""
    known = _known.get(run)
    if known is None:
        words = [run.decode()] if run.isascii() else _words(run.decode())
        split = [_BREAK.split(word) for word in words if len(word) <= LONGEST]
        known = tuple(" ".join(parts).encode() for parts in split if len(parts) > 1)
        if len(run) <= LONGEST and len(_known) < MOST_KNOWN:
            _known[run] = known
    return known


def _words(text: str) -> list[str]:
    """The words of a text as they are written."""
    return [text[match.start() : match.end()] for match in _WORD.finditer(fold(text))]


# --- for queries and snippets ---


def words(text: str) -> list[str]:
    """The words of a text as the index has them, in order."""
    return [word for match in _WORD.finditer(fold(text)) if (word := match[0].replace(MARK, "")) != BETWEEN]


def parts(text: str) -> list[str]:
    """The same, with the parts of each identifier in its place."""
    return [part.word for span in spans(text) for part in span.parts or (span,) if part.word != BETWEEN]


def spans(text: str) -> list[Span]:
    """The words of a text with their places in it, and the parts of identifiers."""
    folded = fold(text)
    found = []
    for match in _WORD.finditer(folded):
        start, end = match.span()
        word = match[0]
        # Only where capitals were folded can the case change.
        split = () if end - start > LONGEST or text.startswith(word, start) else _split(text, folded, start, end)
        found.append(Span(start, end, word.replace(MARK, ""), split))
    return found


def _split(text: str, folded: str, start: int, end: int) -> tuple[Span, ...]:
    breaks = [match.start() for match in _BREAK.finditer(text[start:end])]
    if not breaks:
        return ()
    places = [start, *(start + place for place in breaks), end]
    return tuple(Span(a, b, folded[a:b].replace(MARK, "")) for a, b in pairwise(places))


def fold(text: str) -> str:
    """The text, character by character: as the index compares it, a space for what divides words, or `MARK`."""
    return text.translate(_FOLDED)


_known: dict[bytes, tuple[bytes, ...]] = {}


class _Folded(dict[int, str]):
    """What each character becomes, found out from the tokenizer itself when it is met first."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._tokenizer = apsw.Connection(":memory:").fts5_tokenizer("unicode61", TOKENIZE.split()[1:])
        for code in range(128):
            self[code]

    def __missing__(self, code: int) -> str:
        character = chr(code)
        with self._lock:
            token = self._tokens(character)
            # Within a word, a diacritic belongs to it and leaves no trace.
            folded = token or (MARK if self._tokens(f"a{character}b") == "ab" else " ")
        self[code] = folded
        return folded

    def _tokens(self, text: str) -> str:
        found = self._tokenizer(text.encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False)
        return " ".join(str(token) for tokens in found for token in tokens)


_FOLDED: Final = _Folded()
