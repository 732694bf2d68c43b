"""Numbers, money, statuses and times in words, and text of others that must not be taken for Markdown. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from ccdashd.protocol import types as t

_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")
# What makes a list, a heading or a rule of a line, or of the one before.
_LEADING: Final = re.compile(r"^(?:[-+=]|\d{1,9}(?=[.)]))")
# Controls but white space, marks that turn the direction of what follows, and halves of characters.
_ACTING: Final = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_BREAKING: Final = re.compile(r"[\n-\r\x1c-\x1f\x85\u2028\u2029]")
# All of these but newlines: few texts hold any.
_ODD: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# What terminals take for commands (ECMA-48): colours and moves, titles and links up to their end, others.
_SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
_DATED: Final = re.compile(r"-(20\d{6}|latest)$")
_SMALLEST: Final = 0.00005
"""Dollars below which money would be shown as nothing."""


def number(count: int, noun: str) -> str:
    """``1 session``, ``1,204 sessions``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def money(usd: float) -> str:
    """US dollars: ``$0.0042`` below a cent, ``$3.12``, ``$1,234`` from a thousand on; never ``$0`` where it is more."""
    if usd == 0:
        return "$0"
    if usd < _SMALLEST:
        return "<$0.0001"
    if usd < 0.01:
        return f"${usd:.4f}"
    return f"${usd:,.2f}" if round(usd, 2) < 1000 else f"${usd:,.0f}"


def cost(told: t.Cost | None) -> str:
    """``$3.12``, ``≥ $3.12`` where that is a lower bound, ``unpriced``; empty where no usage is known."""
    if told is None:
        return ""
    if told.provenance == "unpriced":
        return "unpriced"
    return f"{'≥ ' if told.provenance == 'lower_bound' else ''}{money(told.usd)}"


def model(id: str) -> str:
    """``sonnet-4`` for ``claude-sonnet-4-20250514``: without maker and date."""
    return _DATED.sub("", id).removeprefix("claude-")


def status(known: str) -> str:
    """``in progress``"""
    return known.replace("_", " ")


def ago(stamp: str | None) -> str:
    """How long ago a time of the wire was: ``now``, ``5 min ago``, ``3 h ago``, ``6 d ago``, then the date; empty where
    none is known."""
    if stamp is None:
        return ""
    moment = datetime.fromisoformat(stamp)
    seconds = (datetime.now(UTC) - moment).total_seconds()
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600:.0f} h ago"
    return f"{seconds // 86_400:.0f} d ago" if seconds < 28 * 86_400 else f"{moment.astimezone():%Y-%m-%d}"


def joined(*parts: str) -> str:
    """Those that say something, on one line."""
    return " · ".join(part for part in parts if part)


def plain(text: str) -> str:
    """One line of what can be seen."""
    return " ".join(_ACTING.sub("", text).split())


def visible(line: str) -> str:
    """A line with its spaces and tabs, and what else of it can be seen."""
    return _BREAKING.sub(" ", _ACTING.sub("", line))


def lines(text: str) -> list[str]:
    """The lines of a text that may have been written for a terminal, each as `visible` gives it."""
    if _ODD.search(text) is None:
        return text.split("\n")
    plain_text = _SEQUENCES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return [visible(line) for line in plain_text.split("\n")]


def short(text: str, limit: int) -> str:
    """One line of at most so many characters."""
    line = plain(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def escaped(text: str) -> str:
    """One line that stays as it is where Markdown is read."""
    return _LEADING.sub(_plainly, _MARKED.sub(r"\\\1", plain(text)))


def _plainly(leading: re.Match[str]) -> str:
    return f"{leading[0]}\\" if leading[0].isdigit() else f"\\{leading[0]}"
