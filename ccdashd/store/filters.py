"""Which part of the work is meant: from what a client asks for to conditions on the rows of roll-ups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from ccdashd.derive.periods import ALL, Range
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import finding, sessions
from ccdashd.store import projects as repository
from ccdashd.store.connection import raw_connection
from ccdashd.store.linked import linked

_LOGS = "SELECT f.id FROM sessions s JOIN sync_state f ON f.session_id = s.id WHERE"
_SUBAGENTS = f"x.file_id IN ({_LOGS} s.agent_id IS NOT NULL)"
_HIDDEN = "s.project_id IN (SELECT id FROM projects WHERE hidden)"
_SESSIONS = """
(s.id IN (SELECT value FROM json_each(:sessions))
 OR s.agent_id IS NOT NULL AND s.parent_id IN (SELECT value FROM json_each(:sessions)))
"""
_MODELS = "SELECT DISTINCT model FROM usage_slots"

Parameters = dict[str, str | int]


@dataclass(frozen=True)
class Filter:
    """Which rows of roll-ups count. By default all but those of hidden projects."""

    first: int | None = None
    """The first slot; None: all, also what has no time."""
    end: int | None = None
    """The slot after the last; with it, too, what has no time is left out."""
    project_id: str | None = None
    models: tuple[str, ...] | None = None
    agent: str | None = None
    branch: str | None = None
    sessions: tuple[str, ...] | None = None
    """Main sessions, each with its sub-agents, or single sub-agents."""
    subagents: t.Subagents = "include"
    include_hidden: bool = False

    def during(self, range: Range) -> Filter:
        """The same at another time."""
        first, end = range.slots
        return replace(self, first=first, end=end)

    def where(self, *, usage: bool = False) -> tuple[str, Parameters]:
        """A condition on the rows ``x`` of a roll-up, those of messages if `usage`, and its parameters."""
        parts, parameters = self._slots()
        owners = self._owners(parameters)
        if owners:
            parts.append(f"x.file_id IN ({_LOGS} {' AND '.join(owners)})")
        if not self.include_hidden:
            parts.append(f"x.file_id NOT IN ({_LOGS} {_HIDDEN})")
        if self.subagents != "include":
            # What only copies in the parent's log tell of a sub-agent is its own.
            own = f"({_SUBAGENTS} OR x.mirror)" if usage else _SUBAGENTS
            parts.append(own if self.subagents == "only" else f"NOT {own}")
        if usage and self.models is not None:
            parts.append("x.model IN (SELECT value FROM json_each(:models))")
            parameters["models"] = json.dumps(self.models)
        return " AND ".join(parts) or "1", parameters

    def where_main(self) -> tuple[str, Parameters]:
        """A condition on main sessions ``s``, whenever they were, and its parameters."""
        parameters: Parameters = {}
        parts = ["s.agent_id IS NULL", *self._owners(parameters)]
        if not self.include_hidden:
            parts.append(f"NOT {_HIDDEN}")
        if self.subagents == "only":
            parts.append("0")
        return " AND ".join(parts), parameters

    def _owners(self, parameters: Parameters) -> list[str]:
        parts: list[str] = []
        for name, column in (("project_id", "s.project_id"), ("agent", "s.agent"), ("branch", "s.git_branch")):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{column} = :{name}")
                parameters[name] = value
        if self.sessions is not None:
            parts.append(_SESSIONS)
            parameters["sessions"] = json.dumps(self.sessions)
        return parts

    def during_slots(self) -> tuple[str, Parameters]:
        """The condition on the slot of ``x`` alone, and its parameters."""
        parts, parameters = self._slots()
        return " AND ".join(parts) or "1", parameters

    def _slots(self) -> tuple[list[str], Parameters]:
        parts: list[str] = []
        parameters: Parameters = {}
        if self.first is not None or self.end is not None:
            parts.append("x.slot >= :first")
            parameters["first"] = max(self.first or 0, 0)
        if self.end is not None:
            parts.append("x.slot < :end")
            parameters["end"] = self.end
        return parts, parameters


def resolve(connection: sa.Connection, scope: t.Scope, range: Range = ALL) -> Filter:
    """What a client asks for. Raises NotFound for a project, feature or session that is not there, InvalidParams where a
    name means several, or for a model that no message is of. What is asked for by name is not hidden."""
    project_id = None if scope.project is None else repository.find(connection, scope.project)
    chosen: set[str] | None = None
    if scope.feature is not None:
        id = finding.feature_id(connection, scope.feature, scope.project, field="feature")
        chosen = {link.id for link in linked(connection, "feature", id) if link.type == "session"}
    if scope.session is not None:
        session = sessions.find(connection, scope.session)
        chosen = {session} if chosen is None or session in chosen else set()
    # Where nothing is hidden, rows need not be looked at for it.
    shown = scope.include_hidden or project_id is not None or chosen is not None or not _hidden(connection)
    return Filter(
        project_id=project_id,
        models=None if scope.model is None else _models(connection, scope.model),
        agent=scope.agent,
        branch=scope.branch,
        sessions=None if chosen is None else tuple(sorted(chosen)),
        subagents=scope.subagents,
        include_hidden=shown,
    ).during(range)


def _hidden(connection: sa.Connection) -> bool:
    return raw_connection(connection).execute("SELECT 1 FROM projects WHERE hidden").fetchone() is not None


def _models(connection: sa.Connection, wanted: str) -> tuple[str, ...]:
    """The model of that name, or else all whose names contain it."""
    known = sorted(model for (model,) in raw_connection(connection).execute(_MODELS))
    found = [model for model in known if model == wanted] or [model for model in known if wanted.lower() in model.lower()]
    if not found and known:
        raise InvalidParams("model", f"no message is of such a model; there are {_some(known)}", wanted, known[:5])
    return tuple(found)


def _some(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
