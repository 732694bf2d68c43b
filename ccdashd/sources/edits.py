"""Recorded changes of files, in one shape for all agents. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Replacement(NamedTuple):
    """A piece of text that was replaced."""

    old: str
    new: str
    all: bool = False
    """Every occurrence, not only the first."""


def _unknown() -> str | None:
    return None


class Edit(NamedTuple):
    """A recorded change of one file. Texts have plain newlines."""

    content: str | None
    """The whole file after it; None where only pieces were replaced."""
    replacements: tuple[Replacement, ...] = ()
    before: Callable[[], str | None] = _unknown
    """The whole file before it, where the record holds that; asked for only when it is needed."""
