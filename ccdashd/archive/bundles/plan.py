"""What an import does with each session of a bundle, by what is here of it. Pure."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, NamedTuple

from ccdashd.archive.bundles.manifest import Log, Manifest
from ccdashd.store.bundles import Known

Conflict = Literal["skip", "replace", "keepBoth"]
Action = Literal["added", "same", "skipped", "replaced", "keptBoth"]

_NAMESPACE = uuid.UUID("5f1d3c0e-2b7a-5e64-9a43-0c8d6f2b9e17")
"""Of the ids of sessions that are kept beside others."""


class Place(NamedTuple):
    """A log of a bundle, with all its versions, and where it goes."""

    session: str
    path: str
    files: list[Log]


@dataclass
class Group:
    """A session with its sub-agents."""

    id: str
    title: str
    places: list[Place] = field(default_factory=list)

    @property
    def new_id(self) -> str:
        """The id that it gets beside another: the same whenever the same is imported."""
        hashes = "".join(file.sha256 for place in self.places for file in place.files)
        return str(uuid.uuid5(_NAMESPACE, f"{self.id}\n{hashlib.sha256(hashes.encode()).hexdigest()}"))


class Taken(NamedTuple):
    """A log that the archive gets."""

    path: str
    names: list[str]
    """Of its versions in the bundle, the newest last."""
    beside: bool
    """Older versions of a log that is there."""


class Done(NamedTuple):
    """What becomes of a session."""

    id: str
    title: str
    action: Action
    new_id: str | None


@dataclass
class Plan:
    """What is to be done."""

    sessions: list[Done] = field(default_factory=list)
    takes: list[Taken] = field(default_factory=list)
    drops: list[str] = field(default_factory=list)
    """Logs of which the archive is to keep nothing."""
    forgets: list[str] = field(default_factory=list)
    """Logs, and versions of logs, that are gone and of which the cache is to forget what it read."""

    @property
    def ids(self) -> dict[str, str | None]:
        """By main session: its id here; None where what was said of it is left out."""
        return {
            done.id: None if done.action == "skipped" else done.new_id if done.new_id is not None else done.id
            for done in self.sessions
        }


def groups(manifest: Manifest, folder: str) -> list[Group]:
    """The sessions of a bundle that have logs in it, which go below `folder`."""
    titles = {session.id: session.title for session in manifest.sessions}
    found: dict[str, Group] = {}
    for session in manifest.sessions:
        id = main_of(session.id)
        found.setdefault(id, Group(id, titles.get(id, session.title)))
    for _, versions in groupby(manifest.logs, lambda log: log.place):
        files = list(versions)
        place = Place(files[0].session, f"{folder}/{files[0].place}", files)
        found[main_of(place.session)].places.append(place)
    return [group for group in found.values() if group.places]


def main_of(session: str) -> str:
    """The main session of a session or sub-agent."""
    return session.partition("/")[0]


def kept_path(path: str, id: str) -> str:
    """Where a log goes whose session gets another id: readers take the id from the place."""
    parts = path.split("/")
    if not parts[-1].startswith("agent-"):
        return "/".join([*parts[:-1], f"{id}.jsonl"])
    if "subagents" not in parts[-5:-1]:
        return "/".join([*parts[:-1], id, "subagents", parts[-1]])
    session = len(parts) - 2 - parts[::-1].index("subagents")
    return "/".join([*parts[:session], id, *parts[session + 1 :]])


def plan(
    found: Sequence[Group],
    conflict: Conflict,
    known: Mapping[str, Sequence[Known]],
    held: set[str],
    is_here: Callable[[str], bool],
    is_there: Callable[[str], bool],
) -> Plan:
    """The plan for the groups of a bundle.

    `known` are the logs of each session here, `held` the files of the bundle of which all stands in one of them. `is_here`:
    whether cache, archive or disk have a log at a path; `is_there`: whether the disk has.
    """
    done = Plan()
    for group in found:
        action, new_id = _action(group, conflict, known, held, is_here)
        done.sessions.append(Done(group.id, group.title, action, new_id))
        if action in ("same", "skipped"):
            continue
        for place in group.places:
            names = [file.name for file in place.files]
            if new_id is not None:
                done.takes.append(Taken(kept_path(place.path, new_id), names, False))
            elif action == "added":
                done.takes.append(Taken(place.path, names, is_there(place.path)))
            elif not held.issuperset(names):
                done.takes.append(Taken(place.path, names, is_there(place.path)))
                gone = [log.path for log in known.get(place.session, ()) if log.gone]
                done.forgets += gone
                done.drops += [path for path in gone if path != place.path and "#" not in path]
    return done


def _action(
    group: Group,
    conflict: Conflict,
    known: Mapping[str, Sequence[Known]],
    held: set[str],
    is_here: Callable[[str], bool],
) -> tuple[Action, str | None]:
    files = [file.name for place in group.places for file in place.files]
    kept = group.new_id if conflict == "keepBoth" else None
    if held.issuperset(files):
        beside = kept is not None and any(is_here(kept_path(place.path, kept)) for place in group.places)
        return "same", kept if beside else None
    if not any(known.get(place.session) or is_here(place.path) for place in group.places):
        return "added", None
    if kept is not None:
        return "keptBoth", kept
    return ("replaced" if conflict == "replace" else "skipped"), None
