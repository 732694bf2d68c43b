"""Words that no text holds, by which entries are found by what they are: column ``tags`` of ``entries_text``. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def kind(number: int) -> str:
    """The word of a kind of entries, by its place in `sources.model.KINDS`."""
    return f"k{number}"


def tool(id: int) -> str:
    """The word of a tool, by its id in the table ``names``."""
    return f"t{id}"


def model(id: int) -> str:
    """The word of a model, by its id in the table ``names``."""
    return f"m{id}"


def of(kind_number: int, tool_id: int, model_id: int) -> str:
    """The words of an entry; ids are 0 where it has no tool, or no model."""
    return f"{kind(kind_number)} {tool(tool_id)} {model(model_id)}"


def any_of(words: Iterable[str]) -> str:
    """The FTS5 expression that entries with any of these words fit. There must be some."""
    return f"tags : ({' OR '.join(words)})"
