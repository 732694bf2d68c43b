"""Records of Claude Code that are events, each told from its copies in other logs by its uuid. Pure."""

from __future__ import annotations

import hashlib

from ccdashd.sources.claude_records import Record
from ccdashd.sources.log import Log, pack_key
from ccdashd.sources.model import Event


def is_copied(log: Log, record: Record) -> bool:
    """Whether a record was written by another session, whose beginning this one took over."""
    return record.forkedFrom is not None or bool(log.own_id and record.sessionId and record.sessionId != log.own_id)


def event(log: Log, record: Record, kind: str) -> None:
    """Note the event that a record is; see `Event` for the kinds."""
    if record.uuid is not None:
        key = pack_key(record.uuid)
    else:
        words = f"{log.time} {kind} {record.sessionId}"
        key = hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=8).digest()
    log.events.append(Event(kind, log.time, key, is_copied(log, record)))
