"""The kinds of lines of the journal: what the user decides, and what happened that nobody could compute later.

Entities are named such that a journal means the same on another machine, and for another user: a session by its id, all
others by the root of their project and what comes after the project in their id. On disk, the home folder is ``~`` in
roots; in memory they are absolute.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ccdashd.derive.alerts import Rule
from ccdashd.derive.retention import Policy
from ccdashd.edits.seal import is_sealed, seal
from ccdashd.protocol.types.alerts import AlertOperator, AlertScope
from ccdashd.protocol.types.entities import EntityType
from ccdashd.protocol.types.links import LinkType
from ccdashd.protocol.types.tags import LinkCategory


class Name(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An entity. `root` is empty for a session; `key` is empty for a project, and the path below `root` for a file."""

    type: EntityType
    root: str = ""
    key: str = ""

    @property
    def path(self) -> str:
        """Of a file: its absolute path."""
        return os.path.join(self.root, self.key)

    @property
    def identity(self) -> tuple[str, str, str]:
        """Equal for all names of one entity: a file, say, may be named below several roots."""
        match self.type:
            case "session":
                return self.type, "", self.key
            case "project":
                return self.type, self.root, ""
            case "file":
                return self.type, "", self.path
            case _:
                return self.type, self.root, self.key


class Edit(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="type"):
    """One decision, one line."""

    at: str = ""
    """When it was made: UTC, ISO 8601."""


class ProjectEdit(Edit, frozen=True, tag="project"):
    """A project was added, changed, or left to what its sessions say of it. An empty name is that of the folder."""

    op: Literal["add", "update", "remove"]
    root: str
    name: str | None = None
    hidden: bool | None = None


class LinkEdit(Edit, frozen=True, tag="link"):
    """A link was made by hand, or removed; one that was found was dismissed, or taken back."""

    op: Literal["make", "remove", "dismiss", "restore"]
    source: Name
    target: Name
    link_type: LinkType
    note: str = ""


class ExternalLinkEdit(Edit, frozen=True, tag="externalLink"):
    """An entity was linked to the web, or is no more. An entity has one link to a URL: the last that was made."""

    op: Literal["create", "delete"]
    entity: Name
    url: str
    label: str = ""
    category: LinkCategory = "other"


class TagEdit(Edit, frozen=True, tag="tag"):
    """A tag was made or got another color, was renamed, or deleted. Names differ by more than case."""

    op: Literal["set", "rename", "delete"]
    name: str
    color: str = ""
    """``#rrggbb``; empty leaves it as it is."""
    new_name: str = ""


class TagUse(Edit, frozen=True, tag="tagged"):
    """An entity got a tag, which is made where there is none, or lost it."""

    op: Literal["add", "remove"]
    name: str
    entity: Name


class MetadataEdit(Edit, frozen=True, tag="metadata"):
    """A note, a rating or any other value of an entity was set; null removes it."""

    entity: Name
    key: str
    value: Any = None


class AlertEdit(Edit, frozen=True, tag="alert"):
    """An alert rule was made or changed; null removes it, and makes a seeded one what it was."""

    id: str
    rule: Rule | None = None


class AlertFiredEdit(Edit, frozen=True, tag="alerted"):
    """An alert began, was resolved, or its subject went quiet; see `derive.alerts`. Only the first of these lines says
    more than the alert's id, and it says all: its rule may change or go."""

    op: Literal["fired", "resolved", "quieted"]
    id: str
    rule: str = ""
    """The rule's id."""
    name: str = ""
    metric: str = ""
    scope: AlertScope = "all"
    operator: AlertOperator = ">"
    threshold: float = 0.0
    value: float = 0.0
    entity: Name | None = None
    """The session, feature or project; null for a window or all."""
    part: str = ""
    """The period or window that it is about; empty for all time."""
    label: str = ""
    """The subject as it was called then."""


Count = Annotated[int, Meta(ge=0, le=2**31)]


class DayEdit(Edit, frozen=True, tag="day"):
    """How far the plans of a project were on a day, as far as it was known then. The last line of a day counts."""

    root: str
    day: date
    """Of the daemon's time zone."""
    tasks: dict[str, Count] = {}
    """By status; a status that is not named has none."""
    undated: Count = 0
    """Done tasks whose file does not say when."""
    features: Count = 0
    features_done: Count = 0
    progress: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Mean of the features, to six digits."""


class RetentionEdit(Edit, frozen=True, tag="retention"):
    """A policy of retention was made or changed; null removes it."""

    id: str
    policy: Policy | None = None


class PruneEdit(Edit, frozen=True, tag="prune"):
    """ccdash's own copies of a session go, with those of its sub-agents; or what was pruned may be copied again, since its
    log grew, or since nothing is left of it. Only the first of these lines says more than the session."""

    op: Literal["prune", "release"]
    session: Name
    title: str = ""
    reason: str = ""
    """Which limit it was over, in words."""
    bytes: Annotated[int, Meta(ge=0, le=2**62)] = 0
    """Of its copies on disk."""
    size: Annotated[int, Meta(ge=0, le=2**62)] = 0
    """Of those of its logs that are still there: it is copied again once they are larger."""


UserEdit = LinkEdit | ExternalLinkEdit | TagEdit | TagUse | MetadataEdit
"""What the user says of entities."""

AnyAlertEdit = AlertEdit | AlertFiredEdit
"""Rules of alerts, and what they said."""

AnyEdit = ProjectEdit | UserEdit | AnyAlertEdit | DayEdit | RetentionEdit | PruneEdit

_decode = msgspec.json.Decoder(AnyEdit).decode
_encode = msgspec.json.Encoder().encode


def encode(edit: AnyEdit, home: str) -> bytes:
    """The edit as a line of the journal of the user whose home folder is `home`."""
    return seal(_encode(_relocated(edit, lambda root: portable(root, home))))


def decode(line: bytes, home: str) -> AnyEdit:
    """The edit of a line. Raises `msgspec.DecodeError` where it is damaged, or holds none that this version knows."""
    if is_sealed(line) is False:
        raise msgspec.DecodeError("the checksum of the line does not fit it")
    try:
        return _relocated(_decode(line), lambda root: expanded(root, home))
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def _relocated(edit: AnyEdit, place: Callable[[str], str]) -> AnyEdit:
    def moved(name: Name) -> Name:
        return msgspec.structs.replace(name, root=place(name.root)) if name.root else name

    match edit:
        case ProjectEdit() | DayEdit():
            return msgspec.structs.replace(edit, root=place(edit.root))
        case LinkEdit():
            return msgspec.structs.replace(edit, source=moved(edit.source), target=moved(edit.target))
        case TagEdit():
            return edit
        case AlertEdit(rule=rule):
            if rule is None or not rule.root:
                return edit
            return msgspec.structs.replace(edit, rule=msgspec.structs.replace(rule, root=place(rule.root)))
        case RetentionEdit(policy=policy):
            if policy is None or not policy.root:
                return edit
            return msgspec.structs.replace(edit, policy=msgspec.structs.replace(policy, root=place(policy.root)))
        case PruneEdit():
            return edit
        case AlertFiredEdit(entity=entity):
            return edit if entity is None else msgspec.structs.replace(edit, entity=moved(entity))
        case ExternalLinkEdit() | TagUse() | MetadataEdit():
            return msgspec.structs.replace(edit, entity=moved(edit.entity))


def portable(root: str, home: str) -> str:
    """A root as it stands in a journal of the user whose home folder is `home`."""
    home = home.rstrip("/")
    return "~" + root[len(home) :] if home and (root == home or root.startswith(home + "/")) else root


def expanded(root: str, home: str) -> str:
    """The absolute root that one in a journal stands for."""
    return home.rstrip("/") + root[1:] if root == "~" or root.startswith("~/") else root
