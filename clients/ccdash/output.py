"""Where results go: standard output for results, standard error for notes, colour only where somebody sees it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any, TextIO

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_SHADES = (0, 95, 135, 175, 215, 255)
"""How bright a part of a colour is in the cube of 256 colours, as xterm has it."""


class Output:
    """The two streams of one run, and what they can show."""

    def __init__(self, *, as_json: bool = False, color: bool = True, profile: str | None = None) -> None:
        self.stream: TextIO = sys.stdout
        self.notes: TextIO = sys.stderr
        self.as_json = as_json
        self.profile = profile
        self.terminal = self.stream.isatty()
        dumb = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self.color = color and self.terminal and not dumb
        self.note_color = color and self.notes.isatty() and not dumb

    @property
    def columns(self) -> int | None:
        """Cells of a line; None in a pipe, where lines may be of any length."""
        return shutil.get_terminal_size((100, 24)).columns if self.terminal else None

    def shows(self, text: str) -> bool:
        """Whether the encoding of standard output has every character of `text`."""
        try:
            text.encode(self.stream.encoding or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def line(self, text: str = "") -> None:
        """Write one line of the result. The text must be clean (`ccdash.text`)."""
        self.stream.write(text + "\n")

    def result(self, value: Any) -> None:
        """Write a result as JSON: one line in a pipe, indented in a terminal. ASCII alone, so that none of it acts."""
        if self.terminal:
            self.stream.write(json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n")
        else:
            self.stream.write(json.dumps(value, separators=(",", ":")) + "\n")

    def hint(self, text: str) -> str:
        """`text` with the profile that the user named in the commands that it holds, so that they can be copied."""
        return text.replace("`ccdash ", f"`ccdash --profile {self.profile} ") if self.profile else text

    def note(self, text: str) -> None:
        """Tell something beside the result, on standard error."""
        self.flush()
        self.notes.write(paint(self.hint(text), "dim", self.note_color) + "\n")
        self.notes.flush()

    def error(self, text: str) -> None:
        """Tell what went wrong, on standard error."""
        self.flush()
        self.notes.write(f"{paint('ccdash:', 'red', self.note_color)} {self.hint(text)}\n")
        self.notes.flush()

    def paint(self, text: str, style: str) -> str:
        """`text` in a style (names joined by a space) where standard output shows colour."""
        return paint(text, style, self.color)

    def flush(self) -> None:
        """Write out what is buffered; raises BrokenPipeError when nobody reads any more."""
        self.stream.flush()


def paint(text: str, style: str, color: bool) -> str:
    """`text` with the escape sequences of a style, or as it is. A word of a style may be a colour: ``#rrggbb``."""
    if not color or not style or not text:
        return text
    return f"\x1b[{';'.join(_CODES.get(word) or _nearest(word) for word in style.split())}m{text}\x1b[0m"


def _nearest(color: str) -> str:
    """The code of the nearest colour that every terminal of 256 colours has: of a cube of six shades each."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    shades = [min(range(6), key=lambda at: abs(_SHADES[at] - part)) for part in (red, green, blue)]
    return f"38;5;{16 + 36 * shades[0] + 6 * shades[1] + shades[2]}"
