"""``ccdash blame``: which session and prompt wrote each line of a file, beside git's commit where there is one."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ccdash import amounts
from ccdash.arguments import absolute
from ccdash.context import Context
from ccdash.errors import NotThere, UsageError
from ccdash.figures import ago, short_id, short_model
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.text import clean, clean_lines, clip, pad, width

FILE_CAP = 8 * 1024 * 1024
"""Bytes of a file; the daemon looks at no larger ones."""

_STYLES = ("cyan", "green", "yellow", "magenta", "blue")
_RANGE = re.compile(r"(\d{0,9})(?:,(\+?)(\d{0,9}))?")
_PROMPT = 30
_CODE = 40
"""Cells of a prompt's beginning, and of a line of the file, that are worth showing."""

_AUTHOR = 16
_UNCOMMITTED = re.compile(r"0+")


class _Beside(NamedTuple):
    """What stands beside a line."""

    session: str = ""
    prompt: str = ""
    model: str = ""
    time: str = ""
    cost: str = ""
    commit: str = ""
    style: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file, absolute or from here")
    parser.add_argument(
        "-L",
        dest="lines",
        metavar="A,B",
        help="only lines A to B; `A,+N` for N lines, `A,` to the end, `,B` from the beginning",
    )
    parser.add_argument(
        "--git",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="tell the commit of each line, where the file is in a git repository (the default)",
    )


def run(context: Context) -> None:
    args, out = context.args, context.out
    path = absolute(args.file)
    text = _read(path, args.file)
    params: dict[str, Any] = {"path": path, "text": text, "git": args.git}
    if args.lines is not None:
        params |= _lines(args.lines, text.count("\n") + (not text.endswith("\n") and text != ""))
    with context.connect() as client:
        found = context.call(client, "files/blame", params)
        if out.as_json:
            out.result(found)
            return
        if not found["recorded"]:
            out.note(f"No session is known to have changed {clean(args.file)}. `ccdash files` tells who read it.")
        else:
            shown = range(params.get("start", 1), min(params.get("end", found["lines"]), found["lines"]) + 1)
            _write(out, found, text.split("\n"), shown)
            out.note(_sum(found, len(shown)))
        context.note_indexing(client)


def _read(path: str, named: str) -> str:
    """What the file holds. Raises `NotThere` and `UsageError`."""
    if os.path.isdir(path):
        raise UsageError(f"{clean(named)} is a folder; only files can be blamed.")
    try:
        if not os.path.isfile(path):
            raise FileNotFoundError
        with open(path, "rb") as file:
            data = file.read(FILE_CAP + 1)
    except FileNotFoundError:
        raise NotThere(f"There is no file {clean(named)}. `ccdash files` tells who touched one that is gone.") from None
    except OSError as error:
        raise UsageError(f"{clean(named)} cannot be read: {error.strerror}.") from error
    if len(data) > FILE_CAP:
        raise UsageError(f"{clean(named)} is larger than {FILE_CAP // 2**20} MiB; such files are not blamed.")
    if b"\0" in data:
        raise UsageError(f"{clean(named)} is not text.")
    return data.decode("utf-8", "replace")


def _lines(given: str, count: int) -> dict[str, int]:
    """First and last line of ``-L``. Raises `UsageError`."""
    match = _RANGE.fullmatch(given.strip())
    if match is None or given.strip() in ("", ","):
        raise UsageError(f"{given!r} names no lines. Use 10,20 or 10,+5 or 10, or ,20.")
    start = int(match[1] or 1)
    end = int(match[3]) if match[3] else None
    if end is not None and match[2]:
        end = start + end - 1
    if start < 1 or (end is not None and end < start):
        raise UsageError(f"{given!r} names no lines: they count from 1, and the last does not stand before the first.")
    if start > max(count, 1):
        raise UsageError(f"The file has {count:,} lines; {start:,} is not among them.")
    return {"start": start} if end is None else {"start": start, "end": end}


def _write(out: Output, found: Mapping[str, Any], lines: Sequence[str], numbers: range) -> None:
    """Write these lines, by number, each with what stands beside it."""
    beside = _besides(found)
    shown = [beside.get(number, _Beside()) for number in numbers]
    widths = [max((width(one[column]) for one in shown), default=0) for column in range(6)]
    digits = len(str(numbers.stop - 1))
    if out.columns is not None:
        others = sum(cells + 1 for column, cells in enumerate(widths) if cells and column != 1) + digits + 3
        room = out.columns - others - _CODE
        widths[1] = min(widths[1], room) if room >= 8 else 0
    for number, one in zip(numbers, shown, strict=True):
        cells = [
            pad(clip(cell, cells), cells, right=column == 4)
            for column, (cell, cells) in enumerate(zip(one[:6], widths, strict=True))
            if cells
        ]
        told = out.paint(" ".join(cells), one.style) if one.session else " ".join(cells)
        code = clean_lines(lines[number - 1].rstrip("\r")).replace("\n", " ")
        out.line(f"{told} {number:>{digits}}) {code}".rstrip())


def _besides(found: Mapping[str, Any]) -> dict[int, _Beside]:
    """What is known of lines, by number."""
    styles: dict[str, str] = {}
    known: dict[int, _Beside] = {}
    for block in found["blocks"]:
        change = found["changes"][block["change"]]
        style = styles.setdefault(change["sessionId"], _STYLES[len(styles) % len(_STYLES)])
        one = _Beside(
            session=clean(short_id(change["sessionId"])),
            prompt=clip(
                clean(change["prompt"]["text"]) if change["prompt"] is not None else clean(change["title"]), _PROMPT
            ),
            model=clean(short_model(change["model"])),
            time=ago(change["time"]),
            cost=amounts.cost(change["cost"]),
            style=style,
        )
        known |= dict.fromkeys(range(block["start"], block["end"] + 1), one)
    for commit in found["commits"] or ():
        hash = "(not yet)" if _UNCOMMITTED.fullmatch(commit["hash"]) else commit["hash"][:8]
        author = "" if _UNCOMMITTED.fullmatch(commit["hash"]) else clip(clean(commit["author"]), _AUTHOR)
        for number in range(commit["start"], commit["end"] + 1):
            known[number] = known.get(number, _Beside())._replace(commit=f"{hash} {author}".rstrip())
    return known


def _sum(found: Mapping[str, Any], shown: int) -> str:
    sessions = len({change["sessionId"] for change in found["changes"]})
    told = f"{found['agentLines']:,} of {shown:,} lines were written by agents"
    if sessions:
        told += f", in {sessions:,} session{'' if sessions == 1 else 's'}"
    if found["unread"]:
        which = f"{found['unread']:,} of {found['recorded']:,} recorded changes"
        told += f"; {which} cannot be read any more, and their lines are nobody's"
    return f"{told}. `ccdash show` with the id shows a session."


HANDLERS = {
    "blame": Handler(
        configure,
        run,
        (
            "ccdash blame src/app.py             # session, prompt, cost, commit",
            "ccdash blame src/app.py -L 10,+20   # twenty lines from line 10 on",
            "ccdash blame src/app.py --no-git    # without asking git",
            "ccdash blame src/app.py --json | jq '.changes[].prompt.text'",
        ),
    ),
}
