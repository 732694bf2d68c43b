"""What keys of dimensions are called, and which entities they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.entities import entities

_ENTITIES: Final[Mapping[t.Dimension, t.EntityType]] = {
    "project": "project",
    "session": "session",
    "feature": "feature",
    "task": "task",
    "file": "file",
}
_NOTHING: Final[Mapping[t.Dimension, str]] = {
    "project": "no project",
    "model": "no model",
    "agent": "no agent",
    "branch": "no branch",
    "session": "no session",
    "subagentType": "main sessions",
    "feature": "no feature",
    "task": "no task",
    "file": "no path",
    "tool": "no name",
    "skill": "no name",
}

OTHERS: Final = "…"
"""The key of all others together."""


class Label(NamedTuple):
    """How a key is shown."""

    text: str
    entity: t.EntityRef | None = None


def labels(connection: sa.Connection, by: t.Dimension, keys: Iterable[str]) -> dict[str, Label]:
    """The label of each key. What is not there any more is called by its key."""
    wanted = list(keys)
    found = {key: Label(key or _NOTHING.get(by, "no time")) for key in wanted}
    type_ = _ENTITIES.get(by)
    if type_ is not None:
        known = entities(connection, [(type_, key) for key in wanted if key])
        for key in wanted:
            if key:
                found[key] = Label(known[type_, key].title, t.EntityRef(type=type_, id=key))
    if OTHERS in found:
        found[OTHERS] = Label("others")
    return found
