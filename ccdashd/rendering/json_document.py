"""Transcripts as one JSON object: the session as ``sessions/get`` answers it, and its entries, whole. Pure."""

from __future__ import annotations

import msgspec

from ccdashd.protocol import types as t
from ccdashd.store.whole_entries import WholeEntry

_encode = msgspec.json.Encoder().encode


def begin(session: t.Session, cost: t.Cost | None) -> str:
    """The object up to its first entry."""
    return f'{{"session":{_encode(session).decode()},\n"cost":{_encode(cost).decode()},\n"entries":[\n'


def end() -> str:
    """What follows the last entry."""
    return "\n]}\n"


def open_agent(agent: t.SessionRow | None, depth: int) -> str:
    """Nothing: each entry tells its session, and how deep it stands."""
    return ""


def close_agent(depth: int) -> str:
    """Nothing."""
    return ""


def entry(whole: WholeEntry) -> str:
    """One entry as ``sessions/transcript`` has it, with ``input`` and ``blobs``."""
    more = f',"input":{_encode(whole.input).decode()},"blobs":{_encode(whole.blobs).decode()}}}'
    return (",\n" if whole.entry.index else "") + _encode(whole.entry).decode()[:-1] + more
