"""``ccdash note`` and ``ccdash rate``: what the user thinks of an entity."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from typing import Any

from ccdash.client import Client
from ccdash.context import Context
from ccdash.entities import Entity, Finder, entity_argument, within_argument
from ccdash.errors import INVALID_PARAMS, Error, RpcError, UsageError
from ccdash.parser import Handler
from ccdash.sections import BEST, RATINGS, rated
from ccdash.text import clean, clean_lines

STDIN = "-"
EDITOR = "vi"
"""What edits a note where neither VISUAL nor EDITOR says."""


def configure_note(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser)
    parser.add_argument("text", metavar="TEXT", nargs="*", help=f"the new note; {STDIN} reads it from standard input")
    within_argument(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--edit", action="store_true", help="write it in the editor that VISUAL or EDITOR names")
    how.add_argument("--delete", action="store_true", help="delete it")


def run_note(context: Context) -> None:
    args = context.args
    if args.text and (args.edit or args.delete):
        raise UsageError(f"--{'edit' if args.edit else 'delete'} takes no text.")
    text = sys.stdin.read().rstrip("\n") if args.text == [STDIN] else " ".join(args.text)
    if args.text and not text.strip():
        raise UsageError("The note is empty. `--delete` deletes the one that is there.")
    with context.connect() as client:
        finder = Finder(context, client)
        entity = finder.find(args.entity, gone=args.delete or not (args.text or args.edit))
        if args.edit:
            _edit(context, client, finder, entity)
        elif args.delete and _note(client, entity):
            _save(context, client, finder, entity, None)
        elif args.text:
            _save(context, client, finder, entity, text)
        else:
            _show(context, client, finder, entity)


def _show(context: Context, client: Client, finder: Finder, entity: Entity) -> None:
    out, values = context.out, context.call(client, "metadata/get", {"entity": entity.ref, "key": "note"})
    if out.as_json:
        out.result(values)
    elif note := values["values"].get("note"):
        out.line(clean_lines(note))
    else:
        out.note(f"{finder.name(entity)} has no note.")


def _save(context: Context, client: Client, finder: Finder, entity: Entity, note: str | None) -> None:
    out = context.out
    try:
        values = context.call(client, "metadata/set", {"entity": entity.ref, "key": "note", "value": note})
    except RpcError as error:
        if error.code != INVALID_PARAMS:
            raise
        raise UsageError(f"The note {clean(error.details.get('problem'))}.") from error
    if out.as_json:
        out.result(values)
    else:
        out.line(f"{finder.name(entity)}: the note is {'deleted' if note is None else 'kept'}.")


def _edit(context: Context, client: Client, finder: Finder, entity: Entity) -> None:
    """Save what an editor makes of the note. Text that cannot be saved stays in the file that the error names."""
    before = _note(client, entity)
    handle, path = tempfile.mkstemp(prefix="ccdash-note-", suffix=".md")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{before}\n" if before else "")
    problem = _run_editor(path)
    with open(path, encoding="utf-8", errors="replace") as file:
        after = file.read().rstrip("\n")
    changed = after != before.rstrip("\n")
    if not problem and changed and _note(client, entity) != before:
        problem = "The note was changed elsewhere meanwhile, and is not overwritten."
    if not problem and changed:
        try:
            _save(context, client, finder, entity, after if after.strip() else None)
        except Error as error:
            problem = str(error)
    if problem and changed:
        raise Error(f"{problem} What you wrote is in {path}.")
    os.unlink(path)
    if problem:
        raise Error(problem)
    if not changed:
        context.out.note("The note is as it was.")


def _run_editor(path: str) -> str:
    """Edit a file in the user's editor; returns what went wrong, as a sentence."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or EDITOR
    try:
        code = subprocess.run([*shlex.split(editor), path], check=False).returncode
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return f"The editor {clean(editor)!r} cannot be run ({reason}). Set EDITOR to the command of yours."
    return f"The editor {clean(editor)!r} ended with {code}, so the note stays as it was." if code else ""


def _note(client: Client, entity: Entity) -> str:
    note: str = client.request("metadata/get", {"entity": entity.ref, "key": "note"})["values"].get("note", "")
    return note


def configure_rate(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser)
    parser.add_argument("rating", metavar="RATING", nargs="?", type=_scale, help=f"from 1 (bad) to {BEST} (good)")
    within_argument(parser)
    parser.add_argument("--friction", type=_scale, metavar="N", help=f"how hard it went, from 1 (smooth) to {BEST}")
    parser.add_argument("--clear", action="store_true", help="forget rating and friction")


def run_rate(context: Context) -> None:
    args, out = context.args, context.out
    given: dict[str, Any] = {name: getattr(args, name) for name in RATINGS if getattr(args, name)}
    if args.clear and given:
        raise UsageError("--clear forgets rating and friction; leave out what to rate.")
    with context.connect() as client:
        finder = Finder(context, client)
        entity = finder.find(args.entity, gone=args.clear or not given)
        if args.clear:
            given = dict.fromkeys(RATINGS)
        result = context.call(client, "metadata/get", {"entity": entity.ref}) if not given else None
        for key, value in given.items():
            result = context.call(client, "metadata/set", {"entity": entity.ref, "key": key, "value": value})
    if out.as_json:
        out.result(result)
    elif result is not None:
        out.line(f"{finder.name(entity)}: {rated(result['values']) or 'not rated'}.")


def _scale(text: str) -> int:
    """An argparse type: a whole number from 1 to `BEST`."""
    if text not in map(str, range(1, BEST + 1)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {BEST}")
    return int(text)


HANDLERS = {
    "note": Handler(
        configure_note,
        run_note,
        (
            "ccdash note checkout                          # show it",
            "ccdash note session:0f3c 'good prompt, keep'  # write it anew",
            "git log -1 | ccdash note checkout -",
            "ccdash note checkout --edit",
            "ccdash note checkout --delete",
        ),
    ),
    "rate": Handler(
        configure_rate,
        run_rate,
        (
            "ccdash rate session:0f3c 4 --friction 2",
            "ccdash rate checkout              # show it",
            "ccdash rate checkout --clear",
        ),
    ),
}
