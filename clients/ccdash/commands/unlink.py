"""``ccdash unlink``: links of the user are deleted, links that were found are dismissed."""

from __future__ import annotations

import argparse
from typing import Any

from ccdash.arguments import all_items
from ccdash.client import Client
from ccdash.commands.links import LINK_TYPES, is_url
from ccdash.context import Context
from ccdash.entities import Finder, within_argument
from ccdash.errors import NOT_FOUND, NotThere, RpcError, UsageError
from ccdash.link_tables import TOUCH, sentence, signals
from ccdash.parser import Handler
from ccdash.text import clean

Link = dict[str, Any]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "a", metavar="A", help="a link's id, as `ccdash links` shows it; or an entity, as TYPE:ID or ID alone"
    )
    parser.add_argument("b", metavar="B", nargs="?", help="the entity, or the URL, that A is linked with")
    within_argument(parser)
    parser.add_argument("--type", choices=LINK_TYPES, help="of the links between A and B only that of this type")
    parser.add_argument("--undo", action="store_true", help="bring back what was dismissed")


def run(context: Context) -> None:
    args, out = context.args, context.out
    if args.type and (args.b is None or is_url(args.b)):
        raise UsageError("--type chooses between links of two entities; name both of them.")
    with context.connect() as client:
        unlinking = Unlinking(context, client)
        unlinking.run()
    if out.as_json:
        out.result(unlinking.done)
    else:
        for line in unlinking.said:
            out.line(out.hint(line))


class Unlinking:
    """One run of the command: what it did, as data and as sentences."""

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._client = client
        self._finder = Finder(context, client)
        self.done: dict[str, list[Link]] = {"deleted": [], "dismissed": [], "restored": []}
        self.said: list[str] = []

    def run(self) -> None:
        """Unlink what is meant. Raises UsageError where there is no such link."""
        args = self._context.args
        if args.b is None:
            self._by_id(args.a)
        elif is_url(args.b):
            entity = self._finder.find(args.a, gone=True)
            links = all_items(self._client, "externalLinks/list", entity.ref)
            found = [link for link in links if link["url"] == args.b.strip()]
            if not found:
                name = self._finder.name(entity)
                raise UsageError(
                    f"{name} is not linked to {clean(args.b)}. `ccdash links {name}` lists what it is linked to."
                )
            self._delete_external(found[0])
        else:
            for link in self._between(args.a, args.b):
                self._turn(link)

    def _by_id(self, id: str) -> None:
        link = self._audited(id)
        if link is not None:
            self._turn(link)
            return
        for external in all_items(self._client, "externalLinks/list", {}):
            if external["id"] == id:
                self._delete_external(external)
                return
        raise NotThere(
            f"There is no link {clean(id)!r}. `ccdash links ENTITY` lists the links of an entity with their ids; "
            "or name both entities, or an entity and a URL."
        )

    def _between(self, a: str, b: str) -> list[Link]:
        """The links of two entities that can be turned."""
        args, finder = self._context.args, self._finder
        one, other = finder.find(a, gone=True), finder.find(b, gone=True)
        params = {**one.ref, "otherType": other.type, "includeDismissed": True}
        between = [
            link
            for link in all_items(self._client, "links/list", params)
            if other in ((end["type"], end["id"]) for end in (link["source"], link["target"]))
            and self._is_of_type(link, one)
        ]
        links = [link for link in between if link["dismissed"] == args.undo]
        if links:
            free = [link for link in links if not link["id"].startswith(TOUCH)]
            return free or links
        names = f"{finder.name(one)} and {finder.name(other)}"
        if not between:
            raise UsageError(f"{names} are not linked{f' as {args.type}' if args.type else ''}.")
        raise UsageError(f"No link of {names} is dismissed." if args.undo else f"The link of {names} is dismissed already.")

    def _is_of_type(self, link: Link, one: tuple[str, str]) -> bool:
        wanted = self._context.args.type
        if wanted not in ("child", "parent"):
            return wanted in (None, link["linkType"])
        end = link["source" if wanted == "child" else "target"]
        return link["linkType"] == "child" and (end["type"], end["id"]) == one

    def _turn(self, link: Link) -> None:
        """Delete or dismiss a link, or bring it back. A link that was both made and found is deleted and dismissed."""
        said = sentence(self._finder, link)
        if link["id"].startswith(TOUCH):
            raise UsageError(f"{said}: what a session did to a file is told by its log, and cannot be unlinked.")
        if self._context.args.undo:
            self._restore(link, said)
            return
        if link["origin"] == "manual":
            self._call("links/delete", link)
            self.done["deleted"].append(link)
            self.said.append(f"Deleted: {said}.")
            found = self._audited(link["id"])
            if found is None or found["dismissed"]:
                return
            link = found
        elif link["dismissed"]:
            self.said.append(f"Dismissed already: {said}.")
            return
        self.done["dismissed"].append(self._call("links/dismiss", link))
        self.said.append(
            f"Dismissed: {said}, found by {signals(link)}. `ccdash unlink {link['id']} --undo` brings it back."
        )

    def _restore(self, link: Link, said: str) -> None:
        if not link["dismissed"]:
            raise UsageError(f"{said}: this link is not dismissed, there is nothing to bring back.")
        self.done["restored"].append(self._call("links/dismiss", link, undo=True))
        self.said.append(f"Brought back: {said}.")

    def _delete_external(self, link: Link) -> None:
        if self._context.args.undo:
            raise UsageError(f"{clean(link['url'])}: this link is there; --undo brings back what was dismissed.")
        self._call("externalLinks/delete", link)
        self.done["deleted"].append(link)
        name = self._finder.name(link["entity"])
        self.said.append(f"Deleted: {name} is linked to {clean(link['url'])} ({clean(link['label'])}).")

    def _audited(self, id: str) -> Link | None:
        try:
            link: Link = self._context.call(self._client, "links/audit", {"id": id})["link"]
        except RpcError as error:
            if error.code != NOT_FOUND:
                raise
            return None
        return link

    def _call(self, method: str, link: Link, **params: Any) -> Any:
        return self._context.call(self._client, method, {"id": link["id"], **params})


HANDLERS = {
    "unlink": Handler(
        configure,
        run,
        (
            "ccdash unlink 9d8756fb2446    # by the id that `ccdash links` shows",
            "ccdash unlink session:0f3c feature:checkout",
            "ccdash unlink session:0f3c feature:checkout --undo",
            "ccdash unlink checkout https://github.com/me/shop/pull/42",
        ),
    ),
}
