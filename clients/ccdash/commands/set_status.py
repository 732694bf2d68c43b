"""``ccdash set-status``: a status written into the file that holds it, after the user has seen what changes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import CONFLICT, INVALID_PARAMS, NOT_FOUND, Error, NotThere, RpcError, UsageError
from ccdash.feature_page import told_status
from ccdash.lists import project_argument
from ccdash.lookup import explained, lookup, near_features, phases_called, placed, placed_task, project
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.plan_figures import STATUSES, slug, status_style
from ccdash.text import clean, clean_lines

METHODS = {"feature": "features/setStatus", "phase": "features/setPhaseStatus", "task": "tasks/setStatus"}
PHASE_MARK = "#phase-"
"""What stands in the id of a phase between its document and its name."""

ABORTED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a feature's slug, a task's id, or phase:2 with --feature; feature:NAME and task:NAME where both have a name",
    )
    words = ", ".join(status for status in STATUSES if status != "unknown")
    parser.add_argument("status", metavar="STATUS", help=f"{words}; or a word for one, written as it is, such as completed")
    parser.add_argument("--feature", metavar="SLUG", help="the feature of the phase or task")
    project_argument(parser)
    also = parser.add_argument_group("what is written besides")
    also.add_argument("--cascade", action="store_true", help="of a feature: also its other plans and phases")
    also.add_argument("--counters", action="store_true", help="also the counters of tasks that the file has")
    also.add_argument("--updated", action="store_true", help="also today as `updated`, where the file has it")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    how.add_argument("--yes", action="store_true", help="do not ask; needed to write without a terminal")


def run(context: Context) -> int | None:
    args, out = context.args, context.out
    if not (args.yes or args.dry_run or context.asks):
        raise UsageError("Nobody can be asked here. Say --yes to write, or --dry-run to see what would change.")
    with context.connect() as client:
        kind, params = _target(context, client)
        preview = _preview(context, client, kind, params)
        if not out.as_json:
            draw_edits(out, preview["files"])
        if not preview["files"] or args.dry_run:
            _tell_unwritten(out, kind, preview)
            return None
        if not args.yes and not context.confirmed("Write this?"):
            out.note("Nothing was written.")
            return ABORTED
        result = _apply(context, client, kind, params, preview)
        state = _state(context, client, kind, result)
    if out.as_json:
        out.result(result)
    else:
        out.line(f"Written. {_named(kind, result)} is {state}.")
    return None


def draw_edits(out: Output, files: list[dict[str, Any]]) -> None:
    """Write what an edit changes, as a diff."""
    styles = {"+++": "bold", "---": "bold", "@@ ": "cyan"}
    for file in files:
        for line in clean_lines(file["diff"]).rstrip("\n").split("\n"):
            style = styles.get(line[:3]) or {"+": "green", "-": "red"}.get(line[:1], "")
            out.line(out.paint(line, style))


def _target(context: Context, client: Client) -> tuple[str, dict[str, Any]]:
    """The type of what is meant, and the parameters that set its status. Raises UsageError."""
    args = context.args
    named, colon, name = args.target.partition(":")
    if not colon or named not in METHODS:
        named, name = "phase" if PHASE_MARK in args.target else "", args.target
    params = {"status": args.status, **{option: True for option in ("counters", "updated") if getattr(args, option)}}
    if named == "phase":
        kind, params["id"] = "phase", _phase_id(context, client, name)
    else:
        within = project(context, client)
        name = placed_task(args, name)
        params |= {"id": name} | ({"project": within} if within else {})
        kind = named or _kind(context, client, name, within)
        if kind == "task" and args.feature:
            params["feature"] = args.feature
    if args.cascade and kind != "feature":
        raise UsageError(f"--cascade is for features, and {clean(name)} is a {kind}.")
    if args.cascade:
        params["cascade"] = True
    if args.feature and kind == "feature":
        raise UsageError("--feature tells tasks and phases apart; name the feature itself as TARGET.")
    return kind, params


def _kind(context: Context, client: Client, name: str, within: str | None) -> str:
    """Whether a name is that of a feature or of a task. Raises UsageError where it is both, NotThere where neither."""
    args = context.args
    params = {"id": name, **({"project": within} if within else {})}
    of_task = {"feature": args.feature} if args.feature else {}
    tries = [("feature", "features/get", params), ("task", "tasks/get", params | of_task)]
    if args.feature:
        del tries[0]
    found = []
    for kind, method, wanted in tries:
        try:
            context.call(client, method, wanted)
        except RpcError as error:
            if error.code == NOT_FOUND and error.details.get("type") == kind:
                continue
        found.append(kind)
    if len(found) > 1:
        raise UsageError(f"{clean(name)!r} is a feature and a task. Say feature:{clean(name)} or task:{clean(name)}.")
    if not found:
        where = f" of {clean(args.feature)}" if args.feature else f" in {clean(within)}" if within else ""
        near = "" if args.feature else near_features(client, name, within)
        lists = "`ccdash features` and `ccdash tasks` list them." + _elsewhere(context, within)
        hint = f"Did you mean {near}?" if near else lists
        raise NotThere(f"There is no {'task' if args.feature else 'feature or task'} {clean(name)!r}{where}. {hint}")
    return found[0]


def _phase_id(context: Context, client: Client, name: str) -> str:
    """The id of a phase, from that id or from what its feature calls it. Raises UsageError."""
    feature = context.args.feature
    if PHASE_MARK in name:
        path, _, phase = name.partition(PHASE_MARK)
        document = lookup(context, client, "documents/get", id=placed(context.args, path))
        return f"{document['id']}{PHASE_MARK}{phase}"
    if not feature:
        raise UsageError(f"Say of which feature: `ccdash set-status phase:{clean(name)} STATUS --feature SLUG`.")
    phases = lookup(context, client, "features/get", id=feature)["phases"]
    found = phases_called(feature, phases, name)
    if len(found) > 1:
        choices = ", ".join(map(clean, found))
        raise UsageError(f"{clean(feature)} has {len(found)} phases {clean(name)!r}: {choices}. Use one of these ids.")
    return found[0]


def _preview(context: Context, client: Client, kind: str, params: dict[str, Any]) -> Any:
    """What would be written. Raises UsageError for a word that means no status; else as `lookup` does."""
    try:
        return context.call(client, METHODS[kind], params)
    except RpcError as error:
        if error.code == INVALID_PARAMS and error.details.get("field") == "status":
            raise UsageError(f"{clean(error.details.get('problem'))}.") from error
        within = params.get("project")
        told = explained(client, error, within)
        if told is error and error.code == NOT_FOUND and (other := _elsewhere(context, within)):
            what = f"{clean(error.details.get('type'))} {clean(error.details.get('id'))!r}"
            raise NotThere(f"There is no {what} in {clean(within)}.{other}") from error
        raise told from error


def _elsewhere(context: Context, within: str | None) -> str:
    """How something of another project than that of this folder is set: it has to be named."""
    return " Those of other projects are set with --project." if within and not context.args.project else ""


def _tell_unwritten(out: Output, kind: str, preview: Mapping[str, Any]) -> None:
    if out.as_json:
        out.result(preview)
    elif preview["files"]:
        out.note("Nothing was written.")
    else:
        out.line(f"{_named(kind, preview)}: its file says so already, there is nothing to write.")


def _apply(context: Context, client: Client, kind: str, params: Mapping[str, Any], preview: Mapping[str, Any]) -> Any:
    """Write what was previewed. Raises Error where a file is another one by now."""
    hashes = {file["path"]: file["hash"] for file in preview["files"]}
    try:
        return context.call(client, METHODS[kind], {**params, "apply": True, "hashes": hashes})
    except RpcError as error:
        if error.code != CONFLICT:
            raise
        written = ", ".join(map(clean, error.details.get("written", []))) or "nothing"
        path = clean(error.details.get("path", "The file"))
        raise Error(f"{path} changed since the preview; written: {written}. Run it again.") from error


def _state(context: Context, client: Client, kind: str, result: Mapping[str, Any]) -> str:
    """The status that the target has now. That of a feature may be another one than was written: then it says why."""
    entity, out = result["entity"], context.out
    if kind == "feature":
        return told_status(out, context.call(client, "features/get", {"id": entity["id"]}))
    return out.paint(entity["status"], status_style(entity["status"]))


def _named(kind: str, result: Mapping[str, Any]) -> str:
    """The target in a sentence: the slug of a feature, the title of a phase, the id of a task in its file."""
    entity = result["entity"]
    if kind == "phase":
        return clean(entity["title"])
    return slug(entity["id"]) if kind == "feature" else clean(entity["id"]).rpartition("#")[2]


HANDLERS = {
    "set-status": Handler(
        configure,
        run,
        (
            "ccdash set-status checkout in_progress    # a feature, in its PRD or plan",
            "ccdash set-status checkout done --cascade --dry-run",
            "ccdash set-status T2-001 done --feature checkout      # a task",
            "ccdash set-status phase:2 review --feature checkout   # a phase",
            "ccdash set-status T2-001 done --counters --updated --yes",
        ),
    ),
}
