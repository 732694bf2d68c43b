"""``links/*``: how entities hang together."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from ccdashd.derive.links import Key
from ccdashd.edits.decisions import LinkEdit
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import acknowledged, decide
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import link_trees, links
from ccdashd.store.links import Link
from ccdashd.store.names import existing, look_up, name_of

MAX_NOTE = 64 * 1024
"""Bytes of a link's note."""

MAX_DEPTH = 10
"""Levels of children of a tree."""


@handles(methods.LINKS_LIST)
def links_list(call: ReadCall, params: t.LinksList) -> t.Page[t.Link]:
    """Links of one entity, the surest first."""
    if not 0.0 <= params.min_confidence <= 1.0:
        raise InvalidParams("minConfidence", "must be between 0 and 1", params.min_confidence)
    return links.page(call.conn, params, call.revision)


@handles(methods.LINKS_TREE)
def links_tree(call: ReadCall, params: t.LinksTree) -> t.LinkTree:
    """Parents, children and siblings of an entity."""
    if not 0 <= params.depth <= MAX_DEPTH:
        raise InvalidParams("depth", f"must be between 0 and {MAX_DEPTH}", params.depth)
    return link_trees.tree(call.conn, params, call.revision)


@handles(methods.LINKS_RELATED)
def links_related(call: ReadCall, params: t.RelatedParams) -> t.Related:
    """What hangs together with an entity, directly or over one other."""
    return link_trees.related(call.conn, params, call.revision)


@handles(methods.LINKS_AUDIT)
def links_audit(call: ReadCall, params: t.LinkId) -> t.LinkAudit:
    """The evidence for a link."""
    return links.audit(call.conn, params.id, call.revision)


@handles(methods.LINKS_CREATE)
async def links_create(call: Call, params: t.LinkCreate) -> t.Link:
    """Link two entities by hand. What is linked so already stays so."""
    size = len(params.note.encode())
    if size > MAX_NOTE:
        raise InvalidParams("note", f"has {size:,} bytes; at most {MAX_NOTE:,}", params.note[:100] + "…")
    if (params.source.type, params.source.id) == (params.target.type, params.target.id):
        raise InvalidParams("target", "is the source itself; a link needs two entities", params.target.id)

    def choose(connection: sa.Connection) -> tuple[LinkEdit | None, Key]:
        source = existing(connection, "source.id", params.source.type, params.source.id)
        target = existing(connection, "target.id", params.target.type, params.target.id)
        if params.link_type == "parent":
            source, target = target, source
        type_: t.LinkType = "child" if params.link_type == "parent" else params.link_type
        key = Key(source.type, source.id, target.type, target.id, type_)
        known = links.by_id(connection, key.id)
        if type_ == "related" and known is None:
            # It has no direction: where it is there the other way round, that is the link.
            known = links.by_id(connection, key.reversed.id)
            if known is not None:
                key, source, target = known.key, target, source
        if known is not None and known.state == "made" and params.note in ("", known.note):
            return None, key
        if type_ == "child":
            _refuse_cycle(connection, source, target)
        ends = (name_of(connection, source), name_of(connection, target))
        return LinkEdit(op="make", source=ends[0], target=ends[1], link_type=type_, note=params.note), key

    return await _answer(call, await decide(call, choose))


@handles(methods.LINKS_DELETE)
async def links_delete(call: Call, params: t.LinkId) -> t.Ok:
    """Remove a link that was made by hand."""

    def choose(connection: sa.Connection) -> tuple[LinkEdit, None]:
        known = _known(connection, params.id)
        if known.state != "made":
            raise InvalidParams("id", "the link was found, not made by hand; use links/dismiss", params.id)
        return _edit(connection, "remove", known.key), None

    await decide(call, choose)
    return acknowledged(call)


@handles(methods.LINKS_DISMISS)
async def links_dismiss(call: Call, params: t.LinkDismiss) -> t.Link:
    """Say that a link that was found is wrong, or take that back."""

    def choose(connection: sa.Connection) -> tuple[LinkEdit | None, Key]:
        known = _known(connection, params.id)
        if known.state == "made":
            raise InvalidParams("id", "the link was made by hand, not found; use links/delete", params.id)
        if params.undo:
            return _edit(connection, "restore", known.key) if known.state == "dismissed" else None, known.key
        return _edit(connection, "dismiss", known.key) if known.state is None else None, known.key

    return await _answer(call, await decide(call, choose))


def _known(connection: sa.Connection, id: str) -> Link:
    known = links.by_id(connection, id)
    if known is None:
        raise NotFound("link", id, "see links/list")
    return known


def _edit(connection: sa.Connection, op: Literal["remove", "dismiss", "restore"], key: Key) -> LinkEdit:
    source = look_up(connection, "id", key.source_type, key.source_id)
    target = look_up(connection, "id", key.target_type, key.target_id)
    names = (name_of(connection, source), name_of(connection, target))
    return LinkEdit(op=op, source=names[0], target=names[1], link_type=key.link_type)


def _refuse_cycle(connection: sa.Connection, parent: t.Entity, child: t.Entity) -> None:
    circle = link_trees.cycle(connection, (parent.type, parent.id), (child.type, child.id))
    if circle:
        named = " → ".join(f"{entity.type} {entity.title!r}" for entity in circle)
        raise InvalidParams("target", f"would be a parent of itself: {named}", child.id)


async def _answer(call: Call, key: Key) -> t.Link:
    def read(connection: sa.Connection, _: int) -> t.Link:
        return links.wire(connection, links.by_id(connection, key.id) or Link(key, key.id))

    return await call.app.database.read(read)
