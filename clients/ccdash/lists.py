"""What the lists of planning files share: which project they are of, which page, and what is told beside them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Literal

from ccdash.arguments import PAGE, natural, pages, positive, project_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import RpcError
from ccdash.lookup import explained, here
from ccdash.plan_figures import CLOSED, OPEN, STATUSES
from ccdash.text import clean

Order = Literal["asc", "desc"]


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
    order.add_argument("--limit", type=positive, default=50, metavar="N", help="at most N (50)")
    order.add_argument("--offset", type=natural, default=0, metavar="N", help="leave out the first N")
    order.add_argument("--all", action="store_true", help="no limit")


class Listing:
    """One list: its filters and order, as the daemon wants them, and the words for what it shows."""

    def __init__(self, context: Context, client: Client, nouns: tuple[str, str], sorts: Mapping[str, Order]) -> None:
        self._context = context
        self._client = client
        self._one, self._many = nouns
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
        """The rows that were asked for."""
        args = self._context.args
        params = {**self.params, **({"project": self.here["id"]} if self.here else {})}
        try:
            if args.all or args.limit > PAGE:
                return pages(self._client, method, params, args.offset, None if args.all else args.limit)
            some = {"offset": args.offset, "limit": args.limit}
            page: dict[str, Any] = self._context.call(self._client, method, {**params, **some})
        except RpcError as error:
            raise explained(self._client, error, params.get("project")) from error
        return page

    def tell(self, page: Mapping[str, Any]) -> None:
        """Tell beside the rows how many there are, and how to see more of them."""
        out, shown, total = self._context.out, len(page["items"]), page["total"]
        of = f" in {clean(self.here['name'])}" if self.here else ""
        hints = ["`--everywhere` shows those of all projects"] if self.here else []
        if total == 0:
            fits = len(self.params) > self._unfiltered
            said = f"No {self._one}{of} fits" if fits else f"There is no {self._one}{of} yet"
        elif shown == 0:
            said = f"There are only {_number(total, self._one, self._many)}{of} that fit"
        elif shown < total:
            first, last = page["offset"] + 1, page["offset"] + shown
            range_ = f"{first:,}" if first == last else f"{first:,}-{last:,}"
            said = f"{range_} of {total:,} {self._many}{of}"
            hints.insert(0, "`--all` shows every one")
        elif self.here:
            said = f"{_number(total, self._one, self._many)}{of}"
        else:
            said = ""
        if said:
            out.note("; ".join([said, ", ".join(hints)] if hints else [said]) + ".")
        self._context.note_indexing(self._client)


def _number(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
