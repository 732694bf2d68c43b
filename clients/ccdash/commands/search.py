"""``ccdash search``: words in everything that was said, done and planned."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ccdash.arguments import PAGE, positive, project_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import INVALID_PARAMS, Error, NotThere, RpcError, UsageError
from ccdash.figures import size
from ccdash.hits import draw_facets, draw_hits
from ccdash.output import Output
from ccdash.pager import paged
from ccdash.parser import Handler
from ccdash.progress import ProgressLine
from ccdash.text import clean
from ccdash.transcripts import Writer, whole_text

PLACES = ("prompt", "answer", "thinking", "tool", "doc", "title", "note")
"""Where a word may be, as the filter ``in:`` has it."""

_AT_ONCE = 100
"""Hits that the daemon gives at once."""

_AROUND = 10
"""Entries before and after a hit that `--open` shows."""

_LOOK_AGAIN = 0.2
"""Seconds between two looks at an index that is waited for."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="+",
        metavar="QUERY",
        help='words, "phrases", prefix*, -not, a OR b, and filters such as tool:Bash, file:src/app.py or after:7d; '
        "in the quotes of the shell where it has quotes, parentheses or a word with - before it",
    )
    which = parser.add_argument_group("which hits")
    which.add_argument("--in", dest="places", action="append", choices=PLACES, help="only in these; repeatable")
    which.add_argument("--project", metavar="P", help="of a project: its name, id, or a path in it (`.` for here)")
    order = parser.add_argument_group("order and number")
    order.add_argument("--newest", action="store_true", help="the newest first, not what fits best")
    order.add_argument("--limit", type=positive, default=20, metavar="N", help="at most N (20)")
    show = parser.add_argument_group("what is shown")
    show.add_argument("--context", type=_characters, default=240, metavar="N", help="N characters around a match (240)")
    show.add_argument("--facets", action="store_true", help="also how many there are by project, agent, model and so on")
    show.add_argument("--open", type=positive, metavar="N", help="show the transcript around the N-th hit")
    show.add_argument("--wait", action="store_true", help="wait until all texts are in the index")


def _characters(text: str) -> int:
    number = positive(text)
    if not 40 <= number <= 2000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of characters from 40 to 2000")
    return number


def run(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        params = _params(context, client)
        if args.wait:
            _wait(context, client, params)
        if args.open is not None:
            _open(context, client, params, args.open)
            return
        found = _search(context, client, params, args.limit)
        if out.as_json:
            out.result(found)
            return
        draw_hits(out, found["items"], in_order=args.newest)
        if found["facets"] is not None:
            draw_facets(out, found["facets"])
        _tell(out, found)


def _params(context: Context, client: Client) -> dict[str, Any]:
    args = context.args
    # Filters stand at the end, so that columns of errors are those of what was typed.
    filters = [f"in:{place}" for place in args.places or ()]
    if args.project:
        filters.append(f'project:"{project_id(client, args.project, path_in=True)}"')
    return {
        "query": " ".join([*args.query, *filters]),
        "order": "newest" if args.newest else "relevance",
        "snippet": args.context,
        "facets": args.facets,
    }


def _search(context: Context, client: Client, params: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """The first `limit` hits. Raises `Error` that shows where a query is wrong."""
    found: dict[str, Any] | None = None
    more: dict[str, Any] = {}
    while True:
        left = limit - len(found["items"]) if found else limit
        ask = {**params, **more, "limit": min(left, _AT_ONCE)}
        try:
            answer = context.call(client, "search/query", ask)
        except RpcError as error:
            raise _explained(error, str(params["query"])) from error
        if found is None:
            found = answer
        else:
            found = {**found, "items": found["items"] + answer["items"], "nextCursor": answer["nextCursor"]}
        assert found is not None
        if len(found["items"]) >= limit or found["nextCursor"] is None:
            return {**found, "limit": limit}
        more = {"cursor": found["nextCursor"], "facets": False}


def _explained(error: RpcError, query: str) -> Error:
    """The error, with the query and a mark below the place that is wrong."""
    column = error.details.get("column")
    if error.code != INVALID_PARAMS or not isinstance(column, int) or not query.isprintable():
        return error
    problem = clean(error.details.get("problem")).removeprefix(f"column {column}: ")
    return UsageError(f"{problem}.\n    {query}\n    {' ' * (column - 1)}^")


def _wait(context: Context, client: Client, params: Mapping[str, Any]) -> None:
    """Ask again, for one hit, until the index is complete: that costs the daemon least."""
    with ProgressLine(context.out, "Indexing texts") as progress:
        started = time.monotonic()
        while not _search(context, client, {**params, "facets": False}, 1)["index"]["complete"]:
            progress.waited(time.monotonic() - started)
            time.sleep(_LOOK_AGAIN)


def _tell(out: Output, found: Mapping[str, Any]) -> None:
    """Say beside the hits how many there are, and what is not in the index yet."""
    shown, total, index = len(found["items"]), found["total"], found["index"]
    if not shown:
        out.note("Nothing fits.")
    else:
        about = "" if found["totalExact"] else "more than "
        hits = "hit" if total == 1 else "hits"
        said = f"{shown:,} of {about}{total:,} {hits}" if shown < total else f"{total:,} {hits}"
        more = "; `--limit` shows more" if found["nextCursor"] is not None else ""
        out.note(f"{said}{more}; `--open N` shows the transcript around a hit.")
    if not index["complete"]:
        logs = index["logsMissing"]
        missing = f"; {logs:,} {'log is' if logs == 1 else 'logs are'} missing" if logs else ""
        missing += f" ({size(index['bytesMissing'])})" if logs and index["bytesMissing"] else ""
        out.note(f"The index is not complete{missing}: more may be found. `--wait` waits for it.")


# --- --open ---


def _open(context: Context, client: Client, params: Mapping[str, Any], number: int) -> None:
    out = context.out
    found = _search(context, client, {**params, "facets": False}, number)
    if len(found["items"]) < number:
        hits = len(found["items"])
        raise NotThere(f"There is no hit {number:,}: {hits:,} {'fits' if hits == 1 else 'fit'}.")
    hit = found["items"][number - 1]
    if hit["type"] not in ("entry", "session"):
        out.note(_elsewhere(hit))
        return
    chunks = [context.call(client, "sessions/transcript", ask) for ask in _around(client, hit)]
    items = {item["index"]: item for chunk in chunks for item in chunk["items"]}
    if out.as_json:
        out.result({**chunks[0], "items": [items[index] for index in sorted(items)]})
        return
    with paged(out):
        out.line(out.paint(clean(hit["title"]) or hit["id"], "bold"))
        writer = Writer(out)
        for index in sorted(items):
            item = items[index]
            if item["id"] == hit["entry"]:
                out.line(out.paint("─── the hit ───" if out.shows("─") else "--- the hit ---", "bold yellow"))
                Writer(out, full=True).write(whole_text(client, hit["id"], item))
            else:
                writer.write(item)


def _around(client: Client, hit: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What to ask for to see the entries around a hit."""
    if hit["entry"] is None:
        yield {"id": hit["id"], "start": 0, "limit": PAGE}
        return
    yield {"id": hit["id"], "from": hit["entry"], "direction": "backward", "limit": _AROUND + 1}
    yield {"id": hit["id"], "from": hit["entry"], "limit": _AROUND + 1}


def _elsewhere(hit: Mapping[str, Any]) -> str:
    """Which command shows a hit that is no transcript."""
    kind, id = hit["type"], clean(hit["id"])
    if kind == "note":
        return f"That is a note: `ccdash note {clean(hit['noteOn'])}:{id}` shows it."
    command = {"document": "doc", "task": "task", "feature": "feature"}[kind]
    return f"That is a {kind}: `ccdash {command} {id}` shows it."


HANDLERS = {
    "search": Handler(
        configure,
        run,
        (
            "ccdash search migration rollback                 # both words",
            "ccdash search '\"database is locked\" -test'       # a phrase, without a word",
            "ccdash search getUserName                        # also get_user_name",
            "ccdash search 'timeout (retry OR backoff)' --newest",
            "ccdash search tool:Bash npm after:7d             # what was run of late",
            "ccdash search file:src/app.py --project .        # all that was done to a file",
            "ccdash search deadlock --in answer --open 2      # around the second hit",
            "ccdash search deadlock --json | jq '.items[].entry'",
        ),
    ),
}
