"""Links of sessions, from what they did and what files say of them: to features, phases, documents, tasks, commits. Pure.

A session's evidence is its own and that of its sub-agents: their work is its work. A sub-agent has its own evidence, and
inherits from its parent the features, phases and tasks that the work is for, but not what the parent looked at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ccdashd.derive import phases
from ccdashd.derive.links import LEAST, Found, Key, confidence, strongest
from ccdashd.derive.session_refs import Ref, RefKind
from ccdashd.protocol import types as t

_INHERITED: Final = 0.64
_PHASE: Final = 0.92
"""A command that names the phase, in a feature that the session belongs to."""
_WRITTEN_PHASE: Final = 0.75
_COMMIT: Final = 0.9

_PLACES: Final[Mapping[RefKind, float]] = {
    "command": 0.96,
    "quick": 0.9,
    "recovery": 0.9,
    "write": 0.95,
    "mention": 0.84,
    "shell": 0.84,
    "read": 0.46,
}
"""Weights of what names a file."""

_NAMES: Final[Mapping[RefKind, float]] = {
    "command": 0.9,
    "quick": 0.7,
    "recovery": 0.72,
    "branch": 0.8,
    "worktree": 0.8,
}
"""Weights of what names a feature."""

_REQUEST: Final = 0.84
_OTHER_WRITE: Final = 0.8
_ASIDE: Final = 0.5

_TOLD: Final = frozenset(
    {"prd", "implementation_plan", "phase_plan", "progress", "quick_feature", "task_list", "feature_contract", "spec"}
)
"""Types of documents that carry a feature: to write to one is to work on the feature."""

_GENERAL: Final = frozenset(
    {
        "readme",
        "changelog",
        "instructions",
        "skill",
        "agent",
        "command",
        "rule",
        "template",
        "output_style",
        "hook",
        "prompt",
        "memory",
    }
)
"""Types of documents that every session may read: they say nothing of a feature, and little of the session."""

_COUNTED: Final = 4
"""How often one piece of evidence counts at most in shares."""

_DOCUMENTS_CAP: Final = 200
"""Documents that one session is linked with, the surest."""

_WHOLE: Final = frozenset({"branch", "worktree"})
"""Signals that are of a whole session, not of a place in it."""

INHERITABLE: Final = frozenset({"feature", "phase", "task"})
_AND: Final = re.compile(r"\s*(?:&|,|\+|\band\b)\s*", re.IGNORECASE)


class Target(NamedTuple):
    """A document that sessions may refer to."""

    id: str
    path: str
    doc_type: str
    feature_id: str | None


class Named(NamedTuple):
    """A task or document that names a session or a commit in its file."""

    type: t.EntityType
    id: str
    feature_id: str | None
    place: str
    line: int | None


class FeaturePhase(NamedTuple):
    """A phase of a feature; `alone` where its document has no other."""

    id: str
    phase: str
    document_id: str
    alone: bool


class World(NamedTuple):
    """What refs may lead to."""

    documents: Mapping[tuple[str, str], Target]
    """By project and path."""
    features: frozenset[str]
    phases: Mapping[str, Sequence[FeaturePhase]]
    """By feature."""
    requests: Mapping[tuple[str, str], Sequence[Target]]
    """Documents whose frontmatter names a request, by project and id of the request."""
    commits: Mapping[str, Sequence[Named]]
    """Who names a commit, by its id."""
    sessions: Mapping[str, Sequence[Named]]
    """Who names a session."""


def of_session(session_id: str, refs: Iterable[Ref], world: World, inherited: Iterable[Found] = ()) -> list[Found]:
    """The links of a session. `refs` are its own and its sub-agents', `inherited` the links of its parent."""
    gathered = _Gathered(session_id, world)
    whole: set[tuple[str, str]] = set()
    for ref in sorted(refs, key=lambda ref: (ref.session_id != session_id, ref[:5])):
        if ref.kind in _WHOLE:
            # Sub-agents run in the same place: that is not one more piece of evidence.
            if (ref.kind, ref.value) in whole:
                continue
            whole.add((ref.kind, ref.value))
        gathered.take(ref)
    for named in world.sessions.get(session_id, ()):
        gathered.named(named)
    return gathered.links(inherited)


class _Gathered:
    """Evidence by what it is for."""

    def __init__(self, session_id: str, world: World) -> None:
        self._id = session_id
        self._world = world
        self._features: defaultdict[str, list[t.Evidence]] = defaultdict(list)
        self._documents: defaultdict[str, list[t.Evidence]] = defaultdict(list)
        self._tasks: defaultdict[str, list[t.Evidence]] = defaultdict(list)
        self._commits: defaultdict[str, list[t.Evidence]] = defaultdict(list)
        self._phases: defaultdict[str, list[tuple[str, t.Evidence]]] = defaultdict(list)
        """By feature: phases as commands have them."""
        self._written: defaultdict[str, list[t.Evidence]] = defaultdict(list)
        """By progress file."""

    def take(self, ref: Ref) -> None:
        world = self._world
        if ref.kind == "commit":
            self._commit(ref)
            return
        target = world.documents.get((ref.project_id, ref.value))
        if target is not None and ref.kind in _PLACES:
            self._document(ref, target)
        feature_id = f"{ref.project_id}/{ref.value}"
        if ref.kind in _NAMES and feature_id in world.features:
            self._feature(feature_id, ref, _piece(ref, _NAMES[ref.kind]))
        for target in world.requests.get((ref.project_id, ref.value), ()):
            if target.feature_id is not None:
                self._feature(target.feature_id, ref, _piece(ref, _REQUEST))

    def _document(self, ref: Ref, target: Target) -> None:
        weight = _PLACES[ref.kind]
        general = target.doc_type in _GENERAL
        if ref.kind == "write" and target.doc_type not in _TOLD:
            weight = _OTHER_WRITE
        if not (general and ref.kind == "read"):
            self._documents[target.id].append(_piece(ref, min(weight, _ASIDE) if general else weight))
        if target.feature_id is None or general:
            return
        piece = _piece(ref, weight)
        self._feature(target.feature_id, ref, piece)
        if ref.kind == "write" and target.doc_type == "progress":
            self._written[target.id].append(piece)

    def _feature(self, feature_id: str, ref: Ref, piece: t.Evidence) -> None:
        self._features[feature_id].append(piece)
        _, _, phase = ref.detail.partition(" ")
        if ref.kind == "command" and phase:
            self._phases[feature_id].append((phase, piece))

    def _commit(self, ref: Ref) -> None:
        id = f"{ref.project_id}/{ref.value}"
        self._commits[id].append(_piece(ref, 1.0))
        for named in self._world.commits.get(id, ()):
            piece = _piece(ref, _COMMIT)
            (self._tasks if named.type == "task" else self._documents)[named.id].append(piece)
            if named.feature_id is not None:
                self._features[named.feature_id].append(piece)

    def named(self, named: Named) -> None:
        """A file names this session. Of documents that do, their own links tell."""
        piece = t.Evidence(signal="frontmatter", weight=1.0, place=named.place, line=named.line, detail=self._id)
        if named.type == "task":
            self._tasks[named.id].append(piece)
        if named.feature_id is not None:
            self._features[named.feature_id].append(piece)

    def links(self, inherited: Iterable[Found]) -> list[Found]:
        found = self._to_features()
        sure = {link.key.target_id: link.confidence for link in found}
        found += self._to_phases(sure)
        documents = [self._link("document", id, "references", pieces) for id, pieces in self._documents.items()]
        documents.sort(key=lambda link: (-link.confidence, link.key.target_id))
        found += documents[:_DOCUMENTS_CAP]
        found += (self._link("task", id, "implements", pieces) for id, pieces in self._tasks.items())
        found += (self._link("commit", id, "related", pieces) for id, pieces in self._commits.items())
        return _inherit(self._id, found, inherited)

    def _link(self, type: t.EntityType, id: str, link_type: t.LinkType, pieces: list[t.Evidence]) -> Found:
        pieces = strongest(pieces)
        return Found(Key("session", self._id, type, id, link_type), pieces[0].weight, pieces)

    def _to_features(self) -> list[Found]:
        effort = {
            id: sum(piece.weight * _times(piece) for piece in pieces if piece.signal != "read")
            for id, pieces in self._features.items()
        }
        total = sum(effort.values())
        found = []
        for id, pieces in self._features.items():
            sure = confidence(pieces, effort[id] / total if total else 1.0)
            if sure is not None:
                did = any(piece.signal in ("command", "write", "commit", "frontmatter") for piece in pieces)
                key = Key("session", self._id, "feature", id, "implements" if did else "references")
                found.append(Found(key, sure, strongest(pieces)))
        return found

    def _to_phases(self, features: Mapping[str, float]) -> list[Found]:
        """Phases that commands name, or whose own file was written, of features that the session belongs to."""
        pieces: defaultdict[str, list[t.Evidence]] = defaultdict(list)
        sure: dict[str, float] = {}
        for feature_id, belongs in features.items():
            for phase in self._world.phases.get(feature_id, ()):
                named = [piece for words, piece in self._phases.get(feature_id, ()) if _same_phase(words, phase.phase)]
                written = self._written.get(phase.document_id, []) if phase.alone else []
                if named or written:
                    pieces[phase.id] = [*named, *written]
                    sure[phase.id] = _PHASE if named else min(_WRITTEN_PHASE, belongs)
        return [
            Found(Key("session", self._id, "phase", id, "implements"), sure[id], strongest(found))
            for id, found in pieces.items()
        ]


def _piece(ref: Ref, weight: float) -> t.Evidence:
    signal = "command" if ref.kind in ("quick", "recovery") else ref.kind
    whole = ref.kind in _WHOLE
    return t.Evidence(
        signal=signal,
        weight=weight,
        place=ref.path,
        offset=None if whole else ref.offset,
        detail=ref.detail if whole else f"{ref.detail} {ref.value}".strip(),
        count=ref.number,
    )


def _times(piece: t.Evidence) -> int:
    """How often a piece of evidence counts in shares."""
    return _COUNTED if piece.signal in _WHOLE else min(piece.count, _COUNTED)


def _same_phase(words: str, phase: str) -> bool:
    """Whether phases as a command has them (``1-2``, ``1 & 3``, ``all``) hold a phase as its file has it."""
    wanted = set[str]().union(*map(phases.tokens, _AND.split(words)))
    there = phases.tokens(phase)
    return "all" in wanted or "all" in there or not wanted.isdisjoint(there)


def _inherit(session_id: str, own: list[Found], inherited: Iterable[Found]) -> list[Found]:
    known = {(link.key.target_type, link.key.target_id): link for link in own}
    for link in inherited:
        type, id = link.key.target_type, link.key.target_id
        sure = min(link.confidence, _INHERITED)
        if type not in INHERITABLE or sure < LEAST:
            continue
        piece = t.Evidence(signal="inherited", weight=sure, place=link.key.source_id, detail=f"{link.confidence:g}")
        mine = known.get((type, id))
        if mine is None:
            own.append(Found(Key("session", session_id, type, id, link.key.link_type), sure, [piece]))
        else:
            mine.confidence = max(mine.confidence, sure)
            mine.evidence = strongest([*mine.evidence, piece])
    return own
