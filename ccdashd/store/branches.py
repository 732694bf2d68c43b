"""``sessions/branches``: the branches of a session's transcript, with what was first said on each."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.protocol import types as t
from ccdashd.sources.log import title
from ccdashd.store.outlines import Outline, outline


def of_session(connection: sa.Connection, session_id: str, revision: int) -> t.Branches:
    """The branches in the order in which they begin."""
    own = outline(connection, session_id)
    found = own.branches
    items = [_wire(connection, own, number) for number in range(len(found.items))]
    current = items[found.current].id if found.current is not None else None
    return t.Branches(session_id=session_id, items=items, current=current, revision=revision)


def _wire(connection: sa.Connection, own: Outline, number: int) -> t.Branch:
    branch, span = own.branches.items[number], own.spans[number]
    prompt = own.read(connection, span.prompt, span.prompt + 1)[0].text if span.prompt is not None else None
    return t.Branch(
        id=own.id(branch.first),
        kind=branch.kind,
        parent=own.branch(branch.at) if branch.at is not None else None,
        parent_entry=own.id(branch.at) if branch.at is not None else None,
        joined=branch.joined,
        first=own.id(branch.first),
        last=own.id(branch.last),
        start=branch.first,
        end=branch.last,
        entries=branch.entries,
        unjoined=branch.unjoined,
        total=branch.before + branch.entries,
        prompt=title(prompt) if prompt is not None else None,
        started_at=iso(span.started_at),
        ended_at=iso(span.ended_at),
        current=number == own.branches.current,
    )
