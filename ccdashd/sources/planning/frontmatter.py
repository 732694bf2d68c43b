"""The YAML block that a Markdown file begins with.

It opens with ``---`` on the first line and closes with the next line that is ``---`` or ``...``. A file that never closes
it has none: it begins with a horizontal rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from .fixes import Fix
from .model import Finding
from .repair import recover
from .yaml import Path, TooMuch, Value, Yaml, YamlError, parse

MAX_BYTES: Final = 1 << 20
"""A longer block is not read."""

_OPEN = re.compile(rb"(?:\xef\xbb\xbf)?---[ \t]*\r?\n")
_CLOSE = re.compile(rb"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_KEY_LINE = re.compile(r"""^["']?\w[\w .\-/]*["']?[ \t]*:(?:[ \t]|\r?$)""", re.MULTILINE)


@dataclass(kw_only=True, slots=True)
class Frontmatter:
    """What `read` found. Lines count from 1 in the file, offsets are bytes."""

    exists: bool
    """There is a block; else all of the file is text."""
    values: dict[str, Value] = field(default_factory=dict)
    recovered: bool = False
    """The block is no YAML, and `values` are what was left after repairs."""
    findings: list[Finding] = field(default_factory=list)
    start: int = 0
    """Where the YAML begins: after the opening line."""
    end: int = 0
    """Where it ends: before the closing line."""
    body_start: int = 0
    body_line: int = 1
    repairs: list[Fix] = field(default_factory=list)
    """What made YAML of it, one after the other; their lines count from 0 behind the opening line."""
    repaired_lines: frozenset[int] = frozenset()
    yaml: Yaml | None = None
    """What was parsed, after repairs."""

    def line_of(self, path: Path) -> int:
        """The line of a value's key, or of a list's item; that of what encloses it where there is no such value."""
        while self.yaml is not None:
            line = self.yaml.line_of(path)
            if line is not None:
                return line + 1
            if not path:
                break
            path = path[:-1]
        return 1

    def was_repaired(self, line: int) -> bool:
        return line in self.repaired_lines


def read(data: bytes) -> Frontmatter:
    """Read the frontmatter of a file. Never raises: what is wrong is in `findings`."""
    opening = _OPEN.match(data)
    closing = _CLOSE.search(data, opening.end()) if opening else None
    text_only = Frontmatter(exists=False, body_start=3 if data.startswith(b"\xef\xbb\xbf") else 0)
    if opening is None or closing is None:
        return text_only
    start, end = opening.end(), closing.start()
    body_start = min(closing.end() + 1, len(data))
    body_line = data.count(b"\n", 0, body_start) + 1
    found = Frontmatter(exists=True, start=start, end=end, body_start=body_start, body_line=body_line)
    if end - start > MAX_BYTES:
        return _unread(found, 1, f"the frontmatter is longer than {MAX_BYTES >> 20} MiB, and was not read")
    text = data[start:end].decode("utf-8", "surrogateescape")
    try:
        found.yaml = parse(text)
    except TooMuch as error:
        return _unread(found, _line(text, error.index), f"the frontmatter was not read: {error.problem}")
    except YamlError as error:
        if not _KEY_LINE.search(text):
            return text_only
        _recover(found, text, error)
    else:
        if not isinstance(found.yaml.value, dict | None):
            return text_only
    if found.yaml is not None:
        found.values = found.yaml.value if isinstance(found.yaml.value, dict) else {}
        found.findings += _remarks(found.yaml, text)
        found.findings.sort(key=lambda finding: finding.line)
    return found


def _recover(found: Frontmatter, text: str, error: YamlError) -> None:
    found.recovered = True
    found.yaml, found.repairs = recover(text, error)
    found.repaired_lines = frozenset(line + 2 for repair in found.repairs for line in repair.changes)
    for repair in found.repairs:
        severity: Literal["error", "warning"] = "error" if repair.loses else "warning"
        found.findings.append(
            Finding(code=repair.code, severity=severity, line=repair.line + 2, message=repair.message, hint=repair.hint)
        )
    if found.yaml is None:
        _unread(found, _line(text, error.index), f"nothing of the frontmatter could be read: {error.problem}")


def _unread(found: Frontmatter, line: int, message: str) -> Frontmatter:
    found.findings.append(Finding(code="unreadable-frontmatter", severity="error", line=line, message=message))
    return found


def _remarks(parsed: Yaml, text: str) -> Iterator[Finding]:
    """What was understood, and is wrong all the same."""
    for key, line in parsed.duplicates:
        message = f"the key {key} is there twice; this one counts"
        yield Finding(code="duplicate-key", severity="warning", line=line + 1, message=message, hint="remove one of them")
    for code, pattern, message, hint in _BAD_CHARACTERS if parsed.special else ():
        if match := pattern.search(text):
            yield Finding(code=code, severity="warning", line=_line(text, match.start()), message=message, hint=hint)


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 2


_BAD_CHARACTERS: Final = (
    (
        "not-utf8",
        re.compile("[\ud800-\udfff]"),
        "bytes that are not UTF-8 are shown as \ufffd",
        "save the file as UTF-8",
    ),
    (
        "control-character",
        re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]"),
        "a control character, which other programs refuse here",
        "remove it",
    ),
)
