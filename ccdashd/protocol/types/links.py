"""``links/*``: how entities hang together."""

from __future__ import annotations

from typing import Literal

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.entities import Entity, EntityRef, EntityType, Evidence, TreeNode

LinkType = Literal["related", "child", "blocks", "implements", "references"]
"""From source to target: ``child``: the target is a child of the source; ``blocks``: the target waits for the source."""


class Link(Wire, frozen=True):
    """A link between two entities. `origin` is ``auto`` (found, with evidence) or ``manual`` (made by the user)."""

    id: str
    source: Entity
    target: Entity
    link_type: LinkType
    origin: Literal["auto", "manual"]
    confidence: float
    """From 0 to 1; 1 for manual links."""
    signals: list[str]
    """Kinds of its evidence."""
    dismissed: bool
    """True where the user said that it is wrong; such links are nowhere but in lists that ask for them."""
    note: str
    """Of a manual link."""
    created_at: str | None
    """Of a manual link."""


class LinksList(Params, frozen=True):
    """Links of one entity, the surest first."""

    type: EntityType
    id: str
    direction: Literal["both", "out", "in"] = "both"
    link_type: LinkType | None = None
    other_type: EntityType | None = None
    """Only links with entities of this type."""
    origin: Literal["auto", "manual"] | None = None
    min_confidence: float = 0.0
    include_dismissed: bool = False
    offset: int = 0
    limit: int = 100
    """At most 500."""
    min_revision: int | None = None
    """Wait until the cache is at least at this revision."""


class LinkCreate(Params, frozen=True):
    source: EntityRef
    target: EntityRef
    link_type: LinkType | Literal["parent"] = "related"
    """``parent``: the same as ``child`` the other way round."""
    note: str = ""
    """At most 64 KiB."""


class LinkId(Params, frozen=True):
    id: str


class LinkDismiss(Params, frozen=True):
    id: str
    undo: bool = False
    """Take the dismissal back."""


class LinkAudit(Wire, frozen=True):
    """A link with its evidence."""

    link: Link
    evidence: list[Evidence]
    """The weightiest first, at most 50."""
    revision: int


class LinksTree(Params, frozen=True):
    type: EntityType
    id: str
    depth: int = 3
    """Levels of children, at most 10."""


class LinkTree(Wire, frozen=True):
    """`parents` from the entity's own parent up to the root; an entity with several parents has its surest here."""

    parents: list[Entity]
    node: TreeNode
    """The entity with its children."""
    siblings: list[Entity]
    """Other children of its parent, at most 200."""
    revision: int


class RelatedParams(Params, frozen=True):
    type: EntityType
    id: str
    limit: int = 50
    """At most 500."""


class RelatedEntity(Wire, frozen=True):
    entity: Entity
    score: float
    """From 0 to 1: of a direct link its confidence; over one entity in between, the product of both."""
    via: Entity | None
    """The entity in between."""
    link_type: LinkType


class Related(Wire, frozen=True):
    items: list[RelatedEntity]
    revision: int
