"""What the methods share by which the user says something: the way to the journal, and checks of what is said."""

from __future__ import annotations

import errno
import unicodedata
from typing import TypeVar

from ccdashd.edits.journal import JournalUnreadable
from ccdashd.errors import Busy, InvalidParams, ReadOnly
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call
from ccdashd.store.decisions import Choose

T = TypeVar("T")

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def decide(call: Call, choose: Choose[T]) -> T:
    """Note and carry out what `choose` gives; returns what it is about.

    Raises what `choose` raises, `Busy` where a disk is full, `ReadOnly` where the journal cannot be written or read.
    """
    try:
        return await call.app.pipeline.decide(choose)
    except JournalUnreadable as error:
        raise ReadOnly(f"nothing was changed, for the journal cannot be read: {error.reason}") from error
    except OSError as error:
        problem = f"nothing was changed, for it could not be written to the journal: {error.strerror or error}"
        if error.errno in _FULL:
            raise Busy(problem, reason="journal", retry_after=5.0) from error
        raise ReadOnly(problem) from error


def one_line(field: str, text: str, limit: int) -> str:
    """The text without spaces around it. Raises InvalidParams where it has more than `limit` characters, or one that
    cannot be shown."""
    text = text.strip()
    if len(text) > limit:
        raise InvalidParams(field, f"has {len(text):,} characters; at most {limit:,}", text[:limit] + "…")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise InvalidParams(field, "has control characters", text)
    return text


def one_entity(type: t.EntityType | None, id: str | None) -> t.EntityRef | None:
    """The entity that a list is asked of; None for all. Raises InvalidParams where only half of it is named."""
    if (type is None) != (id is None):
        raise InvalidParams("id" if id is None else "type", "give type and id of an entity, or neither for all", None)
    return t.EntityRef(type=type, id=id) if type is not None and id is not None else None


def acknowledged(call: Call) -> t.Ok:
    """The answer to what was decided just now."""
    return t.Ok(revision=call.app.database.revision)
