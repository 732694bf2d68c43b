"""``externalLinks/*``: links from entities to the web."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.derive import urls
from ccdashd.derive.link_ids import external_link_id
from ccdashd.edits.decisions import ExternalLinkEdit
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import acknowledged, decide, one_entity, one_line
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import user
from ccdashd.store.names import existing, look_up, name_of


@handles(methods.EXTERNAL_LINKS_LIST)
def external_links_list(call: ReadCall, params: t.ExternalLinksList) -> t.Page[t.ExternalLink]:
    """Links of one entity, or all; the oldest first."""
    entity = one_entity(params.type, params.id)
    page = user.external_links_page(call.conn, params, call.revision)
    if entity is not None and not page.total:
        existing(call.conn, "id", entity.type, entity.id)
    return page


@handles(methods.EXTERNAL_LINKS_CREATE)
async def external_links_create(call: Call, params: t.ExternalLinkCreate) -> t.ExternalLink:
    """Link an entity to the web. A second link to the same URL takes the place of the first, if it says something new."""
    try:
        url = urls.check(params.url)
    except ValueError as error:
        raise InvalidParams("url", str(error), params.url[:200]) from None
    label = one_line("label", params.label or "", urls.MAX_LABEL)

    def choose(connection: sa.Connection) -> tuple[ExternalLinkEdit | None, str]:
        entity = existing(connection, "entity.id", params.entity.type, params.entity.id)
        id = external_link_id(entity.type, entity.id, url)
        known = user.external_link(connection, id)
        if known is not None and label in ("", known.label) and params.category in (None, known.category):
            return None, id
        recognised = urls.recognise(url) if known is None else urls.Recognised(known.label, known.category)
        edit = ExternalLinkEdit(
            op="create",
            entity=name_of(connection, entity),
            url=url,
            label=label or recognised.label,
            category=params.category or recognised.category,
        )
        return edit, id

    id = await decide(call, choose)
    return await call.app.database.read(lambda connection, _: _get(connection, id))


@handles(methods.EXTERNAL_LINKS_DELETE)
async def external_links_delete(call: Call, params: t.ExternalLinkId) -> t.Ok:
    """Remove a link to the web."""

    def choose(connection: sa.Connection) -> tuple[ExternalLinkEdit, None]:
        link = _get(connection, params.id)
        entity = look_up(connection, "id", link.entity.type, link.entity.id)
        return ExternalLinkEdit(op="delete", entity=name_of(connection, entity), url=link.url), None

    await decide(call, choose)
    return acknowledged(call)


def _get(connection: sa.Connection, id: str) -> t.ExternalLink:
    link = user.external_link(connection, id)
    if link is None:
        raise NotFound("external link", id, "see externalLinks/list")
    return link
