"""Readers of what agents write, one module per format, and the registry: which path belongs to which reader.

Readers are pure: bytes in, rows out; no clock, no database, no I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

PARSER = 4
"""Version of the readers. Raised when they would make other rows of the same bytes; older rows are then made anew."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Identity:
    """What the place of a log says about it. `session_id` is None where only its records can tell."""

    agent: str
    session_id: str | None
    agent_id: str | None = None
    parent_id: str | None = None


def identify(path: str) -> Identity | None:
    """Whose log this path is, by its place alone; None for what is no transcript.

    Claude Code's layouts: ``<slug>/<session>.jsonl``; a sub-agent's ``<slug>/agent-<id>.jsonl`` (2.0),
    ``<slug>/<session>/subagents/agent-<id>.jsonl`` (2.1.14) and ``…/subagents/workflows/<run>/agent-<id>.jsonl`` (2.1.2xx).
    """
    pure = PurePath(_readable(path))
    if pure.suffix != ".jsonl" and pure.name != ".jsonl":
        return None
    stem = pure.stem if pure.suffix == ".jsonl" else ""
    parts = pure.parts
    nested = "subagents" in parts[-5:-1]
    if stem.startswith("agent-"):
        parent = parts[len(parts) - 2 - parts[::-1].index("subagents")] if nested else None
        return Identity("claude-code", None, stem.removeprefix("agent-"), parent)
    if nested or "tool-results" in parts[-3:-1]:
        return None  # a workflow's journal and the like
    return Identity("claude-code", stem if _UUID.fullmatch(stem) else None)


def _readable(path: str) -> str:
    """The path with U+FFFD for what is not UTF-8: ids come from names, and must be fit to be stored and sent."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def accepts(path: str) -> bool:
    """Whether a change of this path can change what is known: a transcript, or what stands beside one."""
    return path.endswith((".jsonl", ".meta.json"))


def transcript_of(path: str) -> str:
    """The transcript that a changed path belongs to: itself, or the one that a ``.meta.json`` describes."""
    return path.removesuffix(".meta.json") + ".jsonl" if path.endswith(".meta.json") else path


def session_of(path: str, identity: Identity, session_ids: dict[str, int]) -> tuple[str, str | None]:
    """``(session id, parent's id)`` of a log, from its place and from the ids that its records carry.

    A sub-agent's session is ``<parent>/agent-<id>``.
    """
    most = max(sorted(session_ids), key=session_ids.__getitem__) if session_ids else None
    if identity.agent_id is not None:
        parent = identity.parent_id or most
        name = f"agent-{identity.agent_id}"
        return (f"{parent}/{name}" if parent else name), parent
    return identity.session_id or most or PurePath(_readable(path)).stem or "unnamed", None
