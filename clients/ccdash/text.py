"""Text that others wrote, made safe to print, and measured in terminal cells.

Titles and transcripts come from logs: an escape sequence in them could move the cursor, set the window title or the
clipboard. So everything that is printed passes `clean` or `clean_lines` first, in a pipe as well.
"""

from __future__ import annotations

import re
import unicodedata

_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[P\]X^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC with their payload
    r"|\x1b[ -/]*[0-~]?"  # every other escape
    r"|\x9b[0-?]*[ -/]*[@-~]",  # CSI as one C1 character
    re.DOTALL,
)
# Controls but tab and newline; marks that turn the direction of what follows; surrogates that no UTF-8 can hold.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_TYPE = re.compile(r"[a-z]+:")
_SPACES = re.compile(r"\s+")
ELLIPSIS = "…"


def clean(text: object) -> str:
    """`text` on one line without control characters; runs of white space become one space."""
    line = str(text)
    if line.isascii() and line.isprintable() and "  " not in line:
        return line.strip()
    line = _SEQUENCES.sub("", line)
    return _UNSAFE.sub("", _SPACES.sub(" ", line)).strip()


def clean_part(text: str) -> str:
    """`text` as `clean` gives it, but with one space at an end where there is white space: a piece of a line."""
    bare = clean(text)
    return f"{' ' * text[0].isspace()}{bare}{' ' * text[-1].isspace()}" if bare else " " * bool(text)


def clean_lines(text: object) -> str:
    """`text` with its lines and tabs kept, without every other control character."""
    kept = _SEQUENCES.sub("", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", kept).expandtabs(4)


def sentences(*parts: object) -> str:
    """What a problem is and what to do about it, each a sentence of its own."""
    said = [part for part in map(clean, parts) if part]
    return " ".join(f"{part[0].upper()}{part[1:]}{'' if part[-1] in '.!?' else '.'}" for part in said)


def width(text: str) -> int:
    """Terminal cells that `text` takes: two for wide characters, none for marks that combine."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def clip(text: str, cells: int) -> str:
    """`text` cut to `cells` cells, ending with an ellipsis where something was cut."""
    if width(text) <= cells:
        return text
    if cells <= 0:
        return ""
    kept, used = [], 0
    for character in text:
        used += _cells(character)
        if used > cells - 1:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS


def clip_start(text: str, cells: int) -> str:
    """`text` cut to its last `cells` cells, beginning with an ellipsis: of a path, the end tells most.

    A type before it stays: ``doc:…/plan.md``.
    """
    if width(text) <= cells:
        return text
    if (named := _TYPE.match(text)) and cells > len(named[0]) + 1:
        return named[0] + clip_start(text[named.end() :], cells - len(named[0]))
    kept, used = "", 1
    for character in reversed(text):
        used += _cells(character)
        if used > cells:
            break
        kept = character + kept
    return ELLIPSIS + kept if cells > 0 else ""


def wrap(text: str, cells: int) -> list[str]:
    """One line as several of at most `cells` cells, broken at spaces where that leaves no line half empty."""
    lines = []
    while width(text) > cells:
        head = clip(text, cells + 1)[:-1] or text[0]
        space = head.rfind(" ") if text[len(head)] != " " else len(head)
        end = space if space > len(head) // 2 and head[:space].strip() else len(head)
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip(" ")
    return [*lines, text] if text or not lines else lines


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `cells` cells, to the left of it when `right`."""
    fill = " " * (cells - width(text))
    return fill + text if right else text + fill


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
