"""The YAML block that a Markdown file begins with.

It opens with ``---`` on the first line and closes with the next line that is ``---`` or ``...``. A file that never closes
it has none: it begins with a horizontal rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from .model import Finding
from .yaml import Path, Value, Yaml, YamlError, parse

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
    repaired_lines: frozenset[int] = frozenset()
    yaml: Yaml | None = None
    """What was parsed, after repairs."""

    def line_of(self, path: Path) -> int:
        """The line of a value's key, or of a list's item; that of what encloses it where there is no such value."""
        while self.yaml is not None and path:
            line = self.yaml.line_of(path)
            if line is not None:
                return line + 1
            path = path[:-1]
        return 1

    def was_repaired(self, line: int) -> bool:
        return line in self.repaired_lines


def read(data: bytes) -> Frontmatter:
    """Read the frontmatter of a file. Never raises: what is wrong is in `findings`."""
    opening = _OPEN.match(data)
    closing = _CLOSE.search(data, opening.end()) if opening else None
    if opening is None or closing is None:
        return Frontmatter(exists=False, body_start=3 if data.startswith(b"\xef\xbb\xbf") else 0)
    start, end = opening.end(), closing.start()
    body_start = min(closing.end() + 1, len(data))
    found = Frontmatter(
        exists=True, start=start, end=end, body_start=body_start, body_line=data.count(b"\n", 0, body_start) + 1
    )
    text = data[start:end].decode("utf-8", "surrogateescape")
    try:
        found.yaml = parse(text)
    except YamlError as error:
        found.findings.append(
            Finding(code="yaml", severity="error", line=text.count("\n", 0, error.index) + 2, message=error.problem)
        )
        return found
    if isinstance(found.yaml.value, dict):
        found.values = found.yaml.value
    elif found.yaml.value is not None:
        return Frontmatter(exists=False)
    return found
