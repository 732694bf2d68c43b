"""What entries say and which words that is, told the plain way: record by record, character by character."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

from ccdashd.sources.model import KINDS, Entry

_SCRIPTS = ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "HANGUL")


def said(record: bytes, entry: Entry) -> str:
    """The text of an entry of a well-formed record."""
    value = json.loads(record)
    kind = KINDS[entry.kind]
    if kind == "toolCall":
        return "\n".join(_strings(value["message"]["content"][entry.block]["input"]))
    if kind == "toolResult":
        content = value["message"]["content"][entry.block].get("content", "")
        return content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)
    if kind == "unknown":
        return str(value.get("type", ""))
    if value["type"] == "summary":
        return str(value["summary"])
    if value["type"] == "assistant":
        return str(value["message"]["content"][entry.block]["text"])
    if value["type"] == "user":
        content = value["message"]["content"]
        if isinstance(content, str):
            return content.strip()
        return "\n".join(block["text"] for block in content if block["type"] == "text").strip()
    return str(value.get("content") or value.get("subtype"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def rows(text: str) -> Iterator[list[str]]:
    """Rows of words that stand next to each other: those of the text, then the parts of each identifier."""
    written = _written(text)
    yield [_plain(word) for word in written]
    for word in written:
        parts = [""]
        for place, character in enumerate(word):
            before, after = word[place - 1 : place], word[place + 1 : place + 2]
            if _capital(character) and (_small(before) or (_capital(before) and _small(after) and not after.isdigit())):
                parts.append("")
            parts[-1] += character
        if len(parts) > 1:
            yield [_plain(part) for part in parts]


def _written(text: str) -> list[str]:
    """Words as they stand in the text."""
    words = [""]
    for character in text:
        if unicodedata.category(character) == "Mn":
            words[-1] += character if words[-1] else ""
        elif unicodedata.category(character)[0] not in "LN":
            words.append("")
        elif unicodedata.name(character).startswith(_SCRIPTS):
            words += [character, ""]
        else:
            words[-1] += character
    return [word for word in words if word]


def _plain(word: str) -> str:
    return "".join(letter for character in word.lower() for letter in _letters(character))


def _letters(character: str) -> list[str]:
    """A character without its diacritics; one that is a diacritic itself leaves nothing."""
    latin = unicodedata.name(character, "").startswith("LATIN")
    parts = unicodedata.normalize("NFD", character) if latin else character
    return [part for part in parts if unicodedata.category(part) != "Mn"]


def _capital(character: str) -> bool:
    return character.isascii() and character.isupper()


def _small(character: str) -> bool:
    return character.isascii() and (character.islower() or character.isdigit())
