"""What the user says of entities: ``tags/*``, ``externalLinks/*``, ``metadata/*``. All of it is kept in the journal."""

from __future__ import annotations

from typing import Any, Literal

from ccdashd.protocol.types.base import Params, Wire
from ccdashd.protocol.types.entities import EntityRef, EntityType

LinkCategory = Literal["vcs", "issue_tracker", "docs", "chat", "ci", "design", "other"]


class ExternalLink(Wire, frozen=True):
    """A link from an entity to the web."""

    id: str
    entity: EntityRef
    url: str
    label: str
    """Given by the user, else made of the URL (``GitHub PR #42``)."""
    category: LinkCategory
    created_at: str


class ExternalLinksList(Params, frozen=True):
    """Links of one entity, or all."""

    type: EntityType | None = None
    id: str | None = None
    category: LinkCategory | None = None
    offset: int = 0
    limit: int = 100
    """At most 500."""


class ExternalLinkCreate(Params, frozen=True):
    entity: EntityRef
    url: str
    """http, https or mailto."""
    label: str | None = None
    category: LinkCategory | None = None
    """By default recognised from the URL."""


class ExternalLinkId(Params, frozen=True):
    id: str


class Tag(Wire, frozen=True):
    name: str
    color: str
    """``#rrggbb``, or empty."""
    count: int
    """Entities that have it."""


class TagsList(Params, frozen=True):
    """All tags, or those of one entity."""

    type: EntityType | None = None
    id: str | None = None


class Tags(Wire, frozen=True):
    items: list[Tag]
    revision: int


class TagCreate(Params, frozen=True):
    """Make a tag, or give one another color."""

    name: str
    color: str = ""
    """``#rrggbb`` or ``#rgb``, or the name of one of CSS's sixteen basic colors."""


class TagUse(Params, frozen=True):
    """Give a tag to an entity, or take it away. A tag that does not exist is made."""

    name: str
    entity: EntityRef


class TagRename(Params, frozen=True):
    """Where there is a tag of the new name already, the two become one."""

    name: str
    new_name: str


class TagName(Params, frozen=True):
    name: str


class MetadataGet(Params, frozen=True):
    entity: EntityRef
    key: str | None = None
    """Only this one."""


class MetadataSet(Params, frozen=True):
    """Set one key of an entity. ``note`` is text, ``rating`` a number from 1 to 5, ``friction`` likewise; any other key
    takes any JSON."""

    entity: EntityRef
    key: str
    """Letters, digits, ``.``, ``_``, ``-``; at most 100."""
    value: Any = None
    """At most 256 KiB as JSON; null removes the key."""


class Metadata(Wire, frozen=True):
    entity: EntityRef
    values: dict[str, Any]
    revision: int
