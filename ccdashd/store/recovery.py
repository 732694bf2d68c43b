"""What older readers did not keep of logs that are gone, as far as the entries of their transcripts tell it."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.derive.slots import active, is_minute
from ccdashd.sources.log import pack_key
from ccdashd.sources.model import KINDS
from ccdashd.store.assemble import entries_of
from ccdashd.store.logs import FileState
from ccdashd.store.schema import session_events, session_minutes

_EVENTS = frozenset({"prompt", "steering", "command", "bash", "interrupt", "compaction"})


_SINCE = 3
"""The first reader that told events and active minutes."""


def lacks(state: FileState) -> bool:
    """Whether an older reader was the last to see a log."""
    return 0 < state.parser < _SINCE


def recover(connection: sa.Connection, file_id: int) -> bool:
    """Write the events and active minutes of a log that has neither; returns whether there are any. Errors of the API, and
    which records were copied from another session, are not known of it any more."""
    for table in (session_events, session_minutes):
        if connection.execute(sa.select(table.c.file_id).where(table.c.file_id == file_id).limit(1)).first() is not None:
            return False
    entries = entries_of(connection, file_id)
    events = [
        {"kind": KINDS[entry.kind], "time": entry.time, "key": pack_key(entry.uuid)}
        for entry in entries
        if entry.uuid is not None
        and KINDS[entry.kind] in _EVENTS
        and not (entry.sidechain and KINDS[entry.kind] == "prompt")
    ]
    if events:
        numbered = [
            {"file_id": file_id, "n": n, **event, "copied": False, "counted": True} for n, event in enumerate(events)
        ]
        connection.execute(sa.insert(session_events), numbered)
    minutes = {entry.time // 60_000 for entry in entries if entry.time is not None}
    masks = [
        {"file_id": file_id, "slot": slot, "minutes": mask} for slot, mask in active(filter(is_minute, minutes)).items()
    ]
    if masks:
        connection.execute(sa.insert(session_minutes), masks)
    return bool(events or masks)
