"""Make YAML of text that nearly is: one line at a time, so that one bad line does not cost the others.

Each repair is tried, and kept only if the parser then gets further; what cannot be repaired is left out. Everything is
reported.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from . import fixes
from .fixes import Fix, place
from .yaml import TooMuch, Yaml, YamlError, parse

MAX_REPAIRS: Final = 50
MAX_PARSED: Final = 4 << 20
"""Characters parsed in all attempts at one text: about a second."""


def recover(text: str, error: YamlError) -> tuple[Yaml | None, list[Fix]]:
    """Repair a text that `parse` refused with that error. None if nothing of it could be read."""
    attempt = _Attempt(text.split("\n"), error)
    done = list(islice(fixes.conflict_markers(attempt.lines), MAX_REPAIRS))
    if done:
        attempt = attempt.after(*done)
    left = MAX_PARSED
    while attempt.broken and len(done) < MAX_REPAIRS and left > 0:
        assert attempt.error is not None
        number, _ = attempt.cause
        for fix in fixes.likely(attempt.lines, number, place(attempt.lines, attempt.error.index)):
            then = attempt.after(fix)
            left -= len(text)
            # A quote that opened further up is at fault even if the line that ended it is broken without it, too.
            if then.is_further_than(attempt) or (fix.code == "unclosed-quote" and then.cause >= attempt.cause):
                break
        else:
            fix = fixes.leave_out(attempt.lines, number)
            then = attempt.after(fix)
            left -= len(text)
            for other in fixes.last_resorts(attempt.lines, number):
                instead = attempt.after(other)
                left -= len(text)
                if instead.is_further_than(attempt) and (instead.cause, not other.loses) > (then.cause, not fix.loses):
                    fix, then = other, instead
        done.append(fix)
        attempt = then
    if attempt.broken:
        done.append(fixes.leave_out(attempt.lines, attempt.cause[0], to_end=True))
        attempt = attempt.after(done[-1])
    return attempt.yaml, done


_OPENS: Final = re.compile("quoted scalar|flow|simple key|alias|anchor|tag|directive|block scalar")
"""What the parser was about, where the beginning of that is the cause."""


class _Attempt:
    """Lines, and what the parser says of them."""

    def __init__(self, lines: list[str], error: YamlError | None = None) -> None:
        self.lines = lines
        self.error = error
        self.yaml: Yaml | None = None
        if error is None:
            try:
                self.yaml = parse("\n".join(lines))
            except YamlError as found:
                self.error = found
        self.cause = self._cause()
        """Line and column of what to repair."""

    @property
    def broken(self) -> bool:
        return self.error is not None and not isinstance(self.error, TooMuch)

    def after(self, *fixes: Fix) -> _Attempt:
        lines = self.lines.copy()
        for fix in fixes:
            for number, line in fix.changes.items():
                lines[number] = line + "\r" * lines[number].endswith("\r")
        return _Attempt(lines)

    def is_further_than(self, other: _Attempt) -> bool:
        number, column = self.cause
        if not self.broken:
            return True
        # What was written into the line (quotes, a space) moved the rest of it, which is no progress.
        return (number, column - len(self.lines[number]) + len(other.lines[number])) > other.cause

    def _cause(self) -> tuple[int, int]:
        if self.error is None:
            return len(self.lines), 0
        index, context = self.error.index, self.error.context
        # A quote or bracket that never closes is to be repaired where it opened.
        if self.error.context_index is not None and _OPENS.search(context):
            index = self.error.context_index
        return place(self.lines, index)
