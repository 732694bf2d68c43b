"""What the lists of planning files share: which project they are of, which page, and what is told beside them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Literal

from ccdash.arguments import PAGE, natural, pages, positive, project_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import NOT_FOUND, RpcError
from ccdash.lookup import explained, here
from ccdash.plan_figures import CLOSED, OPEN, STATUSES
from ccdash.text import clean

Order = Literal["asc", "desc"]

ALL_HINT = "`--all` shows every one"


def which_arguments(parser: argparse.ArgumentParser, what: str) -> argparse._ArgumentGroup:
    """Add the filters that all lists have; returns their group for more. `what` is what is listed, in the plural."""
    which = parser.add_argument_group(f"which {what}")
    which.add_argument("text", nargs="?", metavar="TEXT", help="with each of these words in name or title")
    project_argument(which)
    which.add_argument("--everywhere", action="store_true", help="of all projects, wherever this is called")
    which.add_argument("--hidden", action="store_true", help="also those of hidden projects")
    state = which.add_mutually_exclusive_group()
    state.add_argument(
        "--status", action="append", choices=STATUSES, metavar="S", help=f"in this state: {', '.join(STATUSES)}; repeatable"
    )
    state.add_argument("--open", action="store_true", help=f"in none of these states: {', '.join(CLOSED)}")
    return which


def project_argument(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add ``--project``."""
    parser.add_argument(
        "--project", metavar="P", help="of a project: its name, id, or a path in it; by default that of the current folder"
    )


def order_arguments(parser: argparse.ArgumentParser, sorts: Mapping[str, Order]) -> None:
    """Add the options of order and number. `sorts` has the ways to sort and their directions, the default first."""
    order = parser.add_argument_group("order and number")
    default = next(iter(sorts))
    order.add_argument("--sort", choices=tuple(sorts), default=default, help=f"by this ({default})")
    order.add_argument("--reverse", action="store_true", help="the other way round")
    page_arguments(order)


def page_arguments(parser: argparse.ArgumentParser | argparse._ArgumentGroup, limit: int = 50) -> None:
    """Add the options for how many are shown: `limit` by default."""
    parser.add_argument("--limit", type=positive, default=limit, metavar="N", help=f"at most N ({limit})")
    parser.add_argument("--offset", type=natural, default=0, metavar="N", help="leave out the first N")
    parser.add_argument("--all", action="store_true", help="no limit")


def wanted_page(context: Context, client: Client, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The rows that the options of `page_arguments` ask for: in one request where that can be."""
    args = context.args
    if args.all or args.limit > PAGE:
        return pages(client, method, dict(params), args.offset, None if args.all else args.limit)
    page: dict[str, Any] = context.call(client, method, {**params, "offset": args.offset, "limit": args.limit})
    return page


def number_told(page: Mapping[str, Any], nouns: tuple[str, str], *, filtered: bool, of: str = "") -> str:
    """How many rows there are, where not all of them are shown; else empty. `nouns` are the words for one and for
    many; `of` says of what they are."""
    (one, many), shown, total = nouns, len(page["items"]), page["total"]
    if total == 0:
        return f"No {one}{of} fits" if filtered else f"There is no {one}{of} yet"
    if shown == 0:
        return f"There are only {_number(total, nouns)}{of} that fit"
    if shown < total:
        first, last = page["offset"] + 1, page["offset"] + shown
        return f"{first:,}{f'-{last:,}' if first < last else ''} of {total:,} {many}{of}"
    return ""


class Listing:
    """One list: its filters and order, as the daemon wants them, and the words for what it shows."""

    def __init__(self, context: Context, client: Client, nouns: tuple[str, str], sorts: Mapping[str, Order]) -> None:
        self._context = context
        self._client = client
        self._nouns = nouns
        args = context.args
        self.here: dict[str, Any] | None = None
        """The project of the current folder, where the list is of that one because nothing else was said."""
        self.params: dict[str, Any] = {"sort": args.sort, "order": sorts[args.sort]}
        if args.reverse:
            self.params["order"] = "asc" if sorts[args.sort] == "desc" else "desc"
        self._unfiltered = len(self.params)
        self.add(text=args.text, status=OPEN if args.open else args.status, includeHidden=args.hidden)
        if args.project:
            self.add(project=project_id(client, args.project, path_in=True))
        elif not args.everywhere:
            self.here = here(client)

    def add(self, **filters: Any) -> None:
        """Filter by what was given; the daemon's defaults hold for the rest."""
        self.params |= {name: value for name, value in filters.items() if value not in (None, False, "", [])}

    def page(self, method: str) -> dict[str, Any]:
        """The rows that were asked for: of all projects, where this one does not have what they are to be of."""
        params = {**self.params, **({"project": self.here["id"]} if self.here else {})}
        try:
            return wanted_page(self._context, self._client, method, params)
        except RpcError as error:
            if error.code == NOT_FOUND and self.here:
                self.here = None
                return self.page(method)
            raise explained(self._client, error, params.get("project")) from error

    def tell(self, page: Mapping[str, Any]) -> None:
        """Tell beside the rows how many there are, and how to see more of them."""
        of = f" in {clean(self.here['name'])}" if self.here else ""
        hints = ["`--everywhere` shows those of all projects"] if self.here else []
        if 0 < len(page["items"]) < page["total"]:
            hints.insert(0, ALL_HINT)
        said = number_told(page, self._nouns, filtered=len(self.params) > self._unfiltered, of=of)
        if not said and self.here:
            said = f"{_number(page['total'], self._nouns)}{of}"
        if said:
            self._context.out.note("; ".join([said, ", ".join(hints)] if hints else [said]) + ".")
        self._context.note_indexing(self._client)


def _number(number: int, nouns: tuple[str, str]) -> str:
    return f"{number:,} {nouns[number != 1]}"
