"""``ccdash tag``, ``untag`` and ``tags``: words of the user's own on entities of any type."""

from __future__ import annotations

import argparse
from typing import Any

from ccdash.client import Client
from ccdash.context import Context
from ccdash.entities import Finder, entity_argument, within_argument
from ccdash.errors import UsageError
from ccdash.figures import NOTHING
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import Column, draw
from ccdash.text import clean

ACTIONS = {"rename": "TAG NEW-NAME", "delete": "TAG", "color": "TAG COLOR"}
"""What `ccdash tags` does beside listing, and the arguments of each."""

SWATCH = "■"


def configure_tag(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser)
    parser.add_argument(
        "tags", metavar="TAG", nargs="+", help="a word or more, at most 100 characters; made where it is new"
    )
    within_argument(parser)


def configure_untag(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser)
    parser.add_argument("tags", metavar="TAG", nargs="+", help="a tag that it has")
    within_argument(parser)


def run_tag(context: Context) -> None:
    _use(context, "tags/add", gone=False)


def run_untag(context: Context) -> None:
    _use(context, "tags/remove", gone=True)


def _use(context: Context, method: str, *, gone: bool) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        finder = Finder(context, client)
        entity = finder.find(args.entity, gone=gone)
        for tag in args.tags:
            result = context.call(client, method, {"name": tag, "entity": entity.ref})
    if out.as_json:
        out.result(result)
        return
    names = ", ".join(clean(tag["name"]) for tag in result["items"])
    out.line(f"{finder.name(entity)} has {f'the tags: {names}' if names else 'no tag'}.")


def configure_tags(parser: argparse.ArgumentParser) -> None:
    actions = "; ".join(f"{action} {arguments}" for action, arguments in ACTIONS.items())
    parser.add_argument(
        "words",
        metavar="WORD",
        nargs="*",
        help=f"nothing: list all tags; an entity, as TYPE:ID or ID alone: list its tags; or one of {actions}",
    )
    within_argument(parser)
    parser.add_argument("--yes", action="store_true", help="delete without asking")


def run_tags(context: Context) -> int | None:
    action, *words = context.args.words or [""]
    if action in ACTIONS and len(words) != len(ACTIONS[action].split()):
        raise UsageError(f"That is said so: `ccdash tags {action} {ACTIONS[action]}`.")
    if action not in ACTIONS and words:
        raise UsageError(f"`ccdash tags` lists the tags of one entity only; actions are {', '.join(ACTIONS)}.")
    with context.connect() as client:
        if action == "rename":
            _rename(context, client, *words)
        elif action == "delete":
            return _delete(context, client, *words)
        elif action == "color":
            _color(context, client, *words)
        else:
            _list(context, client, action)
    return None


def _list(context: Context, client: Client, named: str) -> None:
    out, entity = context.out, Finder(context, client).find(named, gone=True) if named else None
    result = context.call(client, "tags/list", entity.ref if entity else {})
    if out.as_json:
        out.result(result)
    elif result["items"]:
        _draw(out, result["items"])
    elif entity:
        out.note(f"{clean(named)} has no tag.")
    else:
        out.note("There is no tag yet. `ccdash tag ENTITY TAG` gives an entity one.")


def _rename(context: Context, client: Client, name: str, new_name: str) -> None:
    merged = _known(client, new_name) is not None and _key(name) != _key(new_name)
    tag = context.call(client, "tags/rename", {"name": name, "newName": new_name})
    if context.out.as_json:
        context.out.result(tag)
        return
    verb = "is now part of" if merged else "is now called"
    context.out.line(f"{clean(name)} {verb} {clean(tag['name'])}, on {_entities(tag['count'])}.")


def _delete(context: Context, client: Client, name: str) -> int | None:
    out, tag = context.out, _known(client, name)
    if tag is not None and not context.args.yes:
        what = f"the tag {clean(tag['name'])!r} of {_entities(tag['count'])}"
        if not context.asks:
            raise UsageError(f"That would delete {what}. Nobody can be asked here; say --yes.")
        if not context.confirmed(f"Delete {what}?"):
            out.note("Nothing was deleted.")
            return 1
    result = context.call(client, "tags/delete", {"name": name})
    if out.as_json:
        out.result(result)
    elif tag is not None:
        out.line(f"Deleted the tag {clean(tag['name'])!r} of {_entities(tag['count'])}.")
    return None


def _color(context: Context, client: Client, name: str, color: str) -> None:
    out, tag = context.out, context.call(client, "tags/create", {"name": name, "color": color})
    if out.as_json:
        out.result(tag)
    else:
        out.line(f"{clean(tag['name'])} is {out.paint(_swatch(out, tag['color']), _paint_of(tag['color']))}.")


def _known(client: Client, name: str) -> dict[str, Any] | None:
    """The tag of that name, whatever its case."""
    return next((tag for tag in client.request("tags/list")["items"] if _key(tag["name"]) == _key(name)), None)


def _key(name: str) -> str:
    return name.strip().casefold()


def _entities(number: int) -> str:
    return f"{number:,} {'entity' if number == 1 else 'entities'}"


def _draw(out: Output, tags: list[dict[str, Any]]) -> None:
    columns = (
        Column("TAG", flexible=True, style="bold"),
        Column("COLOR", style=_paint_of),
        Column("ENTITIES", right=True),
    )
    draw(out, columns, [(clean(tag["name"]), _swatch(out, tag["color"]), f"{tag['count']:,}") for tag in tags])


def _swatch(out: Output, color: str) -> str:
    """A colour as text, with a patch of it where it can be seen."""
    return f"{SWATCH} {color}" if color and out.color else color or NOTHING


def _paint_of(cell: str) -> str:
    """The colour that a swatch names, as a style."""
    return cell[-7:] if "#" in cell else ""


HANDLERS = {
    "tag": Handler(
        configure_tag,
        run_tag,
        (
            "ccdash tag checkout urgent 'needs review'",
            "ccdash tag session:0f3c good-example",
            "ccdash tag file:src/till.py hot",
        ),
    ),
    "untag": Handler(configure_untag, run_untag, ("ccdash untag checkout urgent",)),
    "tags": Handler(
        configure_tags,
        run_tags,
        (
            "ccdash tags                       # every tag, and how many entities have it",
            "ccdash tags feature:checkout      # those of one entity",
            "ccdash tags rename urgent soon    # where soon is a tag, the two become one",
            "ccdash tags color soon '#d33'     # or a name, such as red",
            "ccdash tags delete soon --yes",
        ),
    ),
}
