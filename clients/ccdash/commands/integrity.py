"""``ccdash verify``, ``backup``, ``vacuum`` and ``migrate``: that what ccdash keeps stays whole."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccdash.arguments import absolute, positive
from ccdash.client import Client
from ccdash.commands.daemon import stop
from ccdash.context import Context
from ccdash.errors import Error, UsageError
from ccdash.figures import duration, local, size
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.progress import ProgressLine
from ccdash.spawn import spawn_environment
from ccdash.table import Column, draw
from ccdash.text import clean, clean_lines, sentences

PARTS = {
    "cache": "cache",
    "text": "index of texts",
    "archive": "archive",
    "journal": "journal",
    "counters": "counters",
    "backups": "backup",
    "files": "log",
    "plans": "planning file",
}
"""Where a fault is, as people read it."""


# --- verify ---


def configure_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repair", action="store_true", help="do for each fault what repairs it, and check again")


def run_verify(context: Context) -> int:
    out = context.out
    with context.connect() as client:
        result = context.work_call(client, "cache/verify", {"repair": context.args.repair}, label="Checking")
    if out.as_json:
        out.result(result)
        return 0 if result["ok"] else 1
    left = [fault for fault in result["faults"] if not fault["repaired"]]
    verdict = out.paint("All is as it should be", "green") if result["ok"] else _number(len(left), "fault")
    copies = f" and {_number(result['checkedCopies'], 'piece')} of the archive" if result["checkedCopies"] else ""
    out.line(f"{verdict}: {_number(result['checkedFiles'], 'file')}{copies} checked in {duration(result['seconds'])}.")
    for fault in result["faults"]:
        _tell_fault(out, fault)
    for path in result["kept"]:
        out.note(f"What was damaged is kept as {clean(path)}. Delete it when you do not want to look into it.")
    if left and not context.args.repair:
        out.note("`ccdash verify --repair` repairs what can be repaired.")
    return 0 if result["ok"] else 1


def _tell_fault(out: Output, fault: Mapping[str, Any]) -> None:
    done = fault["repaired"]
    place = f"{PARTS.get(fault['part'], clean(fault['part']))}: {clean(fault['where'])}"
    mark = out.paint("repaired", "green") if done else out.paint("fault", "red")
    said = "done: " if done else "repair: "
    out.line(f"{mark} {place}: {sentences(clean(fault['problem']), said + clean(fault['repair']))}")


def _number(count: int, name: str) -> str:
    return f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"


# --- backup ---


def configure_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", metavar="FOLDER", help="make it in this folder, by default in ccdash's own data folder")
    parser.add_argument("--archive", action="store_true", help="with the copies of logs, linked where that is possible")
    parser.add_argument("--keep", type=positive, metavar="N", help="delete all but the N newest backups in that folder")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--list", action="store_true", help="list the backups in the folder")
    other.add_argument(
        "--restore", metavar="BACKUP", help="put this backup back; stops the daemon, and keeps what is there"
    )


def run_backup(context: Context) -> None:
    args = context.args
    if args.restore is not None:
        if args.folder or args.archive or args.keep:
            raise UsageError("--restore takes the folder of one backup, and no other options.")
        _restore(context)
        return
    if args.list:
        _list(context)
        return
    params: dict[str, Any] = {"archive": args.archive, "keep": args.keep}
    if args.folder is not None:
        params["folder"] = absolute(args.folder)
    with context.connect() as client:
        result = context.work_call(client, "cache/backup", params, label="Copying")
    out = context.out
    if out.as_json:
        out.result(result)
        return
    out.line(clean(result["path"]))
    files = _number(result["files"], "file")
    out.note(f"{files}, {size(result['bytes'])}, each read again and compared, in {duration(result['seconds'])}.")
    for path in result["deleted"]:
        out.note(f"Deleted {clean(path)}.")


def _list(context: Context) -> None:
    args, out = context.args, context.out
    folder = Path(absolute(args.folder)) if args.folder is not None else context.paths.backups
    found = [backup for path in sorted(folder.glob("ccdash-*Z*"), reverse=True) if (backup := _read(path)) is not None]
    if out.as_json:
        out.result(found)
        return
    if not found:
        out.note(f"There are no backups in {clean(folder)}. `ccdash backup` makes one.")
        return
    columns = [Column("MADE"), Column("SIZE", right=True), Column("FILES", right=True), Column("BACKUP", flexible=True)]
    rows = [[local(one["createdAt"]), size(one["bytes"]), f"{one['files']:,}", clean(one["path"])] for one in found]
    draw(out, columns, rows)


def _read(path: Path) -> dict[str, Any] | None:
    """What the list of a backup says; None for what is none."""
    try:
        held = json.loads((path / "backup.json").read_bytes())
        files = held["files"]
        return {
            "path": str(path),
            "createdAt": str(held["created_at"]),
            "version": str(held["version"]),
            "bytes": sum(int(file["bytes"]) for file in files),
            "files": len(files),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _restore(context: Context) -> None:
    out, paths = context.out, context.paths
    folder = absolute(context.args.restore)
    stop(context)
    with ProgressLine(out, "Restoring") as progress:
        progress.waited(1.0)
        done = subprocess.run(
            [sys.executable, "-m", "ccdashd.integrity.restore", os.fspath(folder)],
            env=spawn_environment(paths),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise Error(f"Not restored: {clean_lines(done.stderr.strip())}.")
    result = json.loads(done.stdout)
    if out.as_json:
        out.result(result)
        return
    for path in result["restored"]:
        out.line(f"restored {clean(path)}")
    for path in result["kept"]:
        out.note(f"What was there is kept as {clean(path)}. Delete it when you do not need it any more.")
    out.note("The daemon was stopped; the next command starts it.")


# --- vacuum ---


def configure_vacuum(parser: argparse.ArgumentParser) -> None:
    """Has no arguments of its own."""


def run_vacuum(context: Context) -> None:
    out = context.out
    with context.connect() as client:
        result = context.work_call(client, "cache/vacuum", {}, label="Giving space back")
    if out.as_json:
        out.result(result)
        return
    freed = max(result["before"] - result["after"], 0)
    out.line(f"{size(freed)} given back in {duration(result['seconds'])}: {size(result['after'])} are in use.")


# --- migrate ---


def configure_migrate(parser: argparse.ArgumentParser) -> None:
    choices = ("status", "up", "down")
    parser.add_argument("what", metavar="WHAT", nargs="?", choices=choices, default="status", help="status, up or down")
    parser.add_argument("version", metavar="VERSION", nargs="?", help="the version to go down to")


def run_migrate(context: Context) -> None:
    args, out = context.args, context.out
    if (args.what == "down") != (args.version is not None):
        raise UsageError("Name the version to go down to." if args.what == "down" else "Only `down` takes a VERSION.")
    with context.connect() as client:
        left_alone = args.what == "up" and _is_left_alone(context, client)
    if left_alone:
        stop(context)
    with context.connect() as client:
        result = context.call(client, "cache/migrate", {"to": args.version}, label="Migrating", timeout=None)
    if out.as_json:
        out.result(result)
        return
    draw(
        out,
        [Column("VERSION"), Column("STATE"), Column("WHAT IT BROUGHT", flexible=True)],
        [
            [clean(one["version"]), "applied" if one["applied"] else "not applied", clean(one["title"])]
            for one in result["migrations"]
        ],
    )
    if result["backup"] is not None:
        out.note(f"A backup was made before: {clean(result['backup'])}.")
        out.note("The daemon leaves the cache alone now. Started anew, or by `ccdash migrate up`, it goes up again.")


def _is_left_alone(context: Context, client: Client) -> bool:
    """Whether the cache is closed; a daemon that starts brings it up to its own version."""
    return any(problem["part"] == "cache" for problem in context.call(client, "ccdash/status")["problems"])


HANDLERS = {
    "verify": Handler(
        configure_verify,
        run_verify,
        ("ccdash verify            # exit code 1 when something is wrong", "ccdash verify --repair"),
    ),
    "backup": Handler(
        configure_backup,
        run_backup,
        (
            "ccdash backup --keep 7",
            "ccdash backup --folder /media/disk/ccdash --archive",
            "ccdash backup --list",
            "ccdash backup --restore ~/.local/share/ccdash/backups/ccdash-20260301T120000Z",
        ),
    ),
    "vacuum": Handler(configure_vacuum, run_vacuum, ("ccdash vacuum            # all else goes on meanwhile",)),
    "migrate": Handler(
        configure_migrate,
        run_migrate,
        ("ccdash migrate", "ccdash migrate down 0004    # for an older ccdash; makes a backup first", "ccdash migrate up"),
    ),
}
