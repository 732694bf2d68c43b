"""Entities as a command line names them: ``TYPE:ID``, or the id alone where it fits one entity only.

An id is what the daemon takes (a slug, the start of a session's id, the end of a planning file's path, …), in the project
of the current folder first, then in all. What is printed of an entity can be typed again.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ccdash.arguments import absolute, all_items, project_id, session_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import INVALID_PARAMS, NOT_FOUND, NotThere, RpcError, UsageError
from ccdash.lookup import explained, named_project, near_features, phases_called, placed, placed_task, places, project
from ccdash.plan_figures import short_entity
from ccdash.text import clean

TYPES = {
    "session": "session",
    "feature": "feature",
    "phase": "phase",
    "task": "task",
    "doc": "document",
    "document": "document",
    "file": "file",
    "commit": "commit",
    "project": "project",
}
"""What may stand before the colon, and the type it means."""

NAMED = 5
"""Entities that an error names at most."""

_SHORT = {"document": "doc"}
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_LEAST = 4
"""Characters of the start of a session's id, from which on it is taken for one where no type is given."""


class Entity(NamedTuple):
    """An entity of the daemon."""

    type: str
    id: str

    @property
    def ref(self) -> dict[str, str]:
        """As parameters name it."""
        return {"type": self.type, "id": self.id}


def entity_argument(parser: argparse.ArgumentParser, name: str = "entity", **options: Any) -> None:
    """Add an argument that names an entity."""
    text = "TYPE:ID, or ID alone: feature:till, session:0f3c, task:T1-001, doc:docs/x.md, file:src/a.py, commit:ab12cd3"
    parser.add_argument(name, **{"metavar": name.upper(), "help": text} | options)


def within_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--project``, in which entities are looked for."""
    where = "look in this project: its name, id, or a path in it; by default in that of the current folder, then in all"
    parser.add_argument("--project", metavar="P", help=where)


class Finder:
    """Finds entities by what users call them, and says what they are called."""

    def __init__(self, context: Context, client: Client) -> None:
        self._args = context.args
        self._client = client
        self._project = project(context, client)
        self._finders: dict[str, Callable[[str], list[Entity]]] = {
            "session": self._sessions,
            "feature": lambda name: self._asked("feature", "features/get", name),
            "phase": self._phases,
            "task": lambda name: self._asked("task", "tasks/get", placed_task(self._args, name)),
            "document": lambda name: self._asked("document", "documents/get", placed(self._args, name)),
            "file": lambda name: [Entity("file", absolute(name))],
            "commit": self._commits,
            "project": lambda name: [Entity("project", named_project(client, name))],
        }

    def find(self, text: str, *, gone: bool = False) -> Entity:
        """The entity that `text` names. One that may be `gone` is taken as it is named, by its type and id.

        Raises UsageError where several things are called so, NotThere or RpcError where nothing is.
        """
        kind, colon, name = text.partition(":")
        if not colon or kind not in TYPES:
            return self._only(text, self._guessed(text))
        if not name:
            raise UsageError(f"{clean(text)} names no {kind}. Write its id after the colon.")
        try:
            return self._only(text, self._finders[TYPES[kind]](name))
        except RpcError as error:
            told = explained(self._client, error, self._project)
            if not gone or error.code != NOT_FOUND or (kind == "feature" and told is not error):
                raise told from error
            return self._gone(TYPES[kind], name)

    def name(self, entity: Entity | Mapping[str, Any]) -> str:
        """An entity as it can be typed: without its project, where that is the one of this folder."""
        type_, id = entity if isinstance(entity, Entity) else (entity["type"], entity["id"])
        if type_ == "file":
            here = os.path.relpath(id)
            return clean(f"file:{id if here.startswith('../') else here}")
        return f"{_SHORT.get(type_, type_)}:{short_entity(type_, id, self._project)}"

    def _gone(self, type_: str, name: str) -> Entity:
        """An entity that may be known by what refers to it alone: of this project, where its id names none."""
        head = name.partition("/")[0]
        if type_ == "session" or not self._project or any(row["id"] == head for row in self._all_projects()):
            return Entity(type_, name)
        return Entity(type_, f"{self._project}/{name}")

    def _only(self, text: str, found: Sequence[Entity]) -> Entity:
        if len(found) == 1:
            return found[0]
        if not found:
            near = near_features(self._client, text, self._project)
            hint = f"Did you mean {near}?" if near else "A file that is gone is named as file:PATH."
            lists = "`ccdash features`, `ccdash tasks`, `ccdash docs` and `ccdash sessions` list what there is."
            raise NotThere(f"Nothing is called {clean(text)!r}. {lists} {hint}")
        named = ", ".join(map(self.name, found[:NAMED])) + (", …" if len(found) > NAMED else "")
        raise UsageError(f"{clean(text)!r} may mean {named}. Write which one.")

    def _guessed(self, text: str) -> list[Entity]:
        """All entities that are called so, of whatever type."""
        found: dict[Entity, None] = {}
        for type_, find in self._finders.items():
            try:
                fits = find(text) if type_ != "project" else self._named_projects(text)
            except RpcError as error:
                if error.code not in (NOT_FOUND, INVALID_PARAMS):
                    raise
            except (NotThere, UsageError):
                continue
            else:
                found.update(dict.fromkeys(entity for entity in fits if self._likely(text, entity, found)))
        return list(found)

    def _likely(self, text: str, entity: Entity, found: Mapping[Entity, None]) -> bool:
        """Whether an entity is meant that was named without its type, beside those that were found."""
        if entity.type == "session":
            return len(text) >= _LEAST or entity.id == text
        if entity.type == "file":
            return os.path.isfile(entity.id) and not any(other.type == "document" for other in found)
        return entity.type != "commit" or self._linked(entity)

    def _asked(self, type_: str, method: str, name: str) -> list[Entity]:
        """The entity for which a method that takes `id` and `project` answers, or those between which it cannot choose.

        Raises RpcError.
        """
        missing = None
        for place in places(name, self._project, there_only=bool(self._args.project)):
            try:
                return [Entity(type_, self._client.request(method, place)["id"])]
            except RpcError as error:
                if candidates := _candidates(error):
                    return [Entity(type_, id) for id in candidates]
                if error.code != NOT_FOUND:
                    raise
                missing = missing or error
        assert missing is not None
        raise missing

    def _sessions(self, name: str) -> list[Entity]:
        try:
            return [Entity("session", self._client.request("sessions/get", {"id": session_id(self._client, name)})["id"])]
        except RpcError as error:
            if candidates := _candidates(error):
                return [Entity("session", id) for id in candidates]
            raise

    def _phases(self, name: str) -> list[Entity]:
        """Phases by the file that tells them, or by their feature: ``phase-1-progress.md#phase-1``, ``till/1``."""
        path, mark, key = name.rpartition("#")
        if mark:
            documents = self._asked("document", "documents/get", placed(self._args, path))
            phases = [Entity("phase", f"{document.id}#{key}") for document in documents]
            if len(phases) == 1:
                self._client.request("links/list", {**phases[0].ref, "limit": 1})  # raises where there is none
            return phases
        slug, _, phase = name.rpartition("/")
        features = self._asked("feature", "features/get", slug)
        told = [row for id in features for row in self._client.request("features/get", {"id": id.id})["phases"]]
        return [Entity("phase", found) for found in phases_called(slug, told, phase)]

    def _commits(self, name: str) -> list[Entity]:
        """A commit of the project that is named before the slash; else that of this folder, else where it is linked."""
        place, slash, digits = name.lower().rpartition("/")
        if not _COMMIT.fullmatch(digits):
            raise UsageError(f"{clean(name)!r} is no commit. Write at least 7 of its hexadecimal digits.")
        if slash:
            own = project_id(self._client, place)
        elif self._project:
            own = self._project
        else:
            every = [Entity("commit", f"{row['id']}/{digits[:7]}") for row in self._all_projects()]
            found = [commit for commit in every if self._linked(commit)] or (every if len(every) == 1 else [])
            if not found:
                raise UsageError(f"Of which project is the commit? Write commit:PROJECT/{digits}, or use --project.")
            return found
        return [Entity("commit", f"{own}/{digits[:7]}")]

    def _named_projects(self, name: str) -> list[Entity]:
        found = [row["id"] for row in self._all_projects() if name.lower() in (row["id"], row["name"].lower())]
        return [Entity("project", id) for id in found]

    def _all_projects(self) -> list[dict[str, Any]]:
        return all_items(self._client, "projects/list", {"includeHidden": True})

    def _linked(self, entity: Entity) -> bool:
        """Whether anything is linked with an entity that is known by its links alone."""
        return bool(self._client.request("links/list", {**entity.ref, "limit": 1})["total"])


def _candidates(error: RpcError) -> list[str]:
    """Ids of what a name may mean, where the daemon could not tell which."""
    return list(error.details.get("candidates", ()))
