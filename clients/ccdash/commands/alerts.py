"""``ccdash alerts``: rules on metrics, what fires, what fired, and what fires while somebody watches."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from ccdash.alert_rules import read_bound, read_number, read_rule, written
from ccdash.arguments import project_id
from ccdash.client import Client
from ccdash.commands.tail import RECONNECTS, STEADY
from ccdash.context import Context
from ccdash.errors import ConnectionLost, NotThere, UsageError
from ccdash.figures import NOTHING, ago, clock, duration, local, read_seconds
from ccdash.lists import number_told, page_arguments, wanted_page
from ccdash.output import Output
from ccdash.parser import Handler, shared
from ccdash.table import Column, draw, heading
from ccdash.text import clean

STATES = {"firing": "red", "pending": "yellow", "ok": "green", "off": "dim"}
"""States of a rule, the worst first, and how they are shown."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", choices=tuple(STATES), help="list rules in this state only")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", description="by default: list")
    listing = actions.add_parser("list", help="list what fires, and all rules")
    listing.add_argument("--state", choices=tuple(STATES), default=argparse.SUPPRESS, help="rules in this state only")
    add = actions.add_parser("add", help="make a rule")
    add.add_argument("rule", metavar="RULE", help="a metric, >, >=, < or <=, and a number; then per what: see the examples")
    add.add_argument("--project", metavar="P", help="only this project: its name, id, or a path in it")
    _options(add)
    change = actions.add_parser("set", help="change a rule")
    _identifier(change)
    change.add_argument("bound", metavar="BOUND", nargs="?", help="the new operator and threshold, such as '> 30'")
    _options(change)
    for action, what in (
        ("on", "turn a rule on"),
        ("off", "turn a rule off"),
        ("rm", "remove a rule; a seeded one goes back to what it was"),
    ):
        _identifier(actions.add_parser(action, help=what))
    history = actions.add_parser("history", help="list alerts that fired, the newest first")
    history.add_argument("id", metavar="ID", nargs="?", help="of this rule only")
    page_arguments(history)
    actions.add_parser("watch", help="print alerts as they fire, until Ctrl-C")
    for below in actions.choices.values():
        shared(below)


def _identifier(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the rule's id, the beginning of one, or its name")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--for", dest="lasting", metavar="TIME", help="only when it holds so long: 90s, 10m, 2h")
    parser.add_argument(
        "--resolve", metavar="N", help="where it ends, so that a value that swings fires once; by default a tenth away"
    )
    parser.add_argument("--name", metavar="NAME", help="what to call it")
    yes_or_no = argparse.BooleanOptionalAction
    parser.add_argument("--desktop", action=yes_or_no, help="also show it on the desktop")
    parser.add_argument(
        "--command", dest="runs", action=yes_or_no, help="also run the command of the setting alert_command"
    )


def run(context: Context) -> None:
    action = context.args.action or "list"
    if action == "watch":
        _watch(context)
        return
    with context.connect() as client:
        _ACTIONS[action](context, client)


def _list(context: Context, client: Client) -> None:
    args, out = context.args, context.out
    result = context.call(client, "alerts/list", {"state": args.state})
    if out.as_json:
        out.result(result)
        return
    if result["firing"] and args.state in (None, "firing"):
        out.line(out.paint("Firing", "bold"))
        for alert in result["firing"]:
            out.line(f"{out.paint(_moment(alert['firedAt']), 'dim')}  {clean(alert['text'])}")
        heading(out, "Rules")
    if result["items"]:
        _draw_rules(out, result["items"], _units(client))
    else:
        out.note(f"No rule is in state {args.state}." if args.state else "There is no rule.")
    context.note_indexing(client)


def _draw_rules(out: Output, rules: list[dict[str, Any]], units: Mapping[str, str]) -> None:
    columns = (
        Column("ID", style="cyan"),
        Column("NAME", flexible=True, drop=3),
        Column("RULE", flexible=True, least=24),
        Column("FOR", drop=4),
        Column("TELLS", drop=5),
        Column("STATE", style=lambda cell: STATES.get(cell, "")),
        Column("FIRED", right=True, drop=2),
        Column("LAST", right=True, drop=1),
    )
    draw(out, columns, [_cells(rule, units) for rule in rules])


def _cells(rule: Mapping[str, Any], units: Mapping[str, str]) -> tuple[str, ...]:
    only = f" in {clean(rule['project'])}" if rule["project"] else ""
    tells = [way for way in ("desktop", "command") if rule[way]]
    return (
        clean(rule["id"]),
        clean(rule["name"]),
        clean(written(rule, units.get(rule["metric"], "count"))) + only,
        duration(rule["forSeconds"]) if rule["forSeconds"] else NOTHING,
        ", ".join(tells) or NOTHING,
        rule["state"],
        f"{rule['fired']:,}",
        ago(rule["lastFiredAt"]),
    )


def _units(client: Client) -> dict[str, str]:
    return {metric["id"]: metric["unit"] for metric in client.request("analytics/metrics")["items"]}


def _add(context: Context, client: Client) -> None:
    args = context.args
    params = {**read_rule(args.rule), **_given(args)}
    if args.project:
        params["project"] = project_id(client, args.project, path_in=True)
    _told(context, client, context.call(client, "alerts/create", params))


def _set(context: Context, client: Client) -> None:
    args = context.args
    params = _given(args)
    if args.bound is not None:
        params |= read_bound(args.bound)._asdict()
    if not params:
        raise UsageError(f"What is to change? Such as: `ccdash alerts set {clean(args.id)} '> 30' --desktop`.")
    _told(context, client, context.call(client, "alerts/update", {"id": _find(client, args.id), **params}))


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The parameters of those options that were given."""
    given: dict[str, Any] = {"name": args.name, "desktop": args.desktop, "command": args.runs}
    if args.lasting is not None:
        given["forSeconds"] = read_seconds(args.lasting)
    if args.resolve is not None:
        given["resolve"] = read_number(args.resolve)
    return {name: value for name, value in given.items() if value is not None}


def _switch(context: Context, client: Client) -> None:
    on = context.args.action == "on"
    params = {"id": _find(client, context.args.id), "active": on}
    _told(context, client, context.call(client, "alerts/update", params))


def _told(context: Context, client: Client, rule: dict[str, Any]) -> None:
    out = context.out
    if out.as_json:
        out.result(rule)
        return
    units = _units(client)
    text = written(rule, units.get(rule["metric"], "count"))
    lasting = f", for {duration(rule['forSeconds'])}" if rule["forSeconds"] else ""
    out.line(f"{clean(rule['id'])}: {clean(rule['name'])}: {clean(text)}{lasting}; {'on' if rule['active'] else 'off'}.")
    if rule["active"] and rule["state"] == "off":
        out.note("The setting alerts is off, so no rule is looked at.")


def _remove(context: Context, client: Client) -> None:
    args, out = context.args, context.out
    rule = _rule(client, args.id)
    result = context.call(client, "alerts/delete", {"id": rule["id"]})
    if out.as_json:
        out.result(result)
    elif rule["origin"] == "seeded":
        out.line(f"{clean(rule['id'])} is what it was. `ccdash alerts off {clean(rule['id'])}` turns it off.")
    else:
        out.line(f"Removed {clean(rule['id'])}: {clean(rule['name'])}.")


def _find(client: Client, wanted: str) -> str:
    return str(_rule(client, wanted)["id"])


def _rule(client: Client, wanted: str) -> dict[str, Any]:
    """The rule of that id or name, or the only one whose id begins so. Raises `NotThere` or `UsageError`."""
    rules: list[dict[str, Any]] = client.request("alerts/list")["items"]
    for found in (
        [rule for rule in rules if rule["id"] == wanted],
        [rule for rule in rules if rule["name"].casefold() == wanted.casefold()],
        [rule for rule in rules if wanted and rule["id"].startswith(wanted)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(clean(rule["id"]) for rule in found)
            raise UsageError(f"{wanted!r} fits {len(found)} rules: {ids}. Use the id.")
    raise NotThere(f"There is no rule {wanted!r}. `ccdash alerts` lists them.")


def _history(context: Context, client: Client) -> None:
    args, out = context.args, context.out
    page = wanted_page(context, client, "alerts/history", {"rule": _past(client, args.id)} if args.id else {})
    if out.as_json:
        out.result(page)
        return
    columns = (
        Column("FIRED", style="dim"),
        Column("ENDED", style="dim", drop=2),
        Column("RULE", style="cyan", drop=1),
        Column("ALERT", flexible=True, least=30),
    )
    rows = [
        (_moment(alert["firedAt"]), _moment(alert["resolvedAt"]), clean(alert["rule"]), clean(alert["text"]))
        for alert in page["items"]
    ]
    if rows:
        draw(out, columns, rows)
    said = number_told(page, ("alert", "alerts"), filtered=False)
    if said:
        out.note(f"{said}.")


def _past(client: Client, wanted: str) -> str:
    """The id of a rule, which may be gone: then only the history knows it."""
    try:
        return _find(client, wanted)
    except NotThere:
        return wanted


def _moment(stamp: str | None) -> str:
    """A time of the wire, without seconds."""
    return local(stamp)[: -len(":00")] if stamp else NOTHING


def _watch(context: Context) -> None:
    """Print alerts as they come; a daemon that is restarted is found again."""
    out, failures, seen = context.out, 0, False
    while True:
        began = time.monotonic()
        try:
            with context.connect() as client:
                client.request("ccdash/subscribe", {"topics": ["alerts"]})
                if not seen and not out.as_json:
                    out.note("Watching for alerts; Ctrl-C ends it.")
                seen = True
                for notification in client.notifications():
                    if notification.method == "alerts/fired":
                        _print(out, notification.params)
        except ConnectionLost:
            failures = failures + 1 if time.monotonic() - began < STEADY else 1
            if not seen or failures > RECONNECTS:
                raise


def _print(out: Output, told: Mapping[str, Any]) -> None:
    alert = told["alert"]
    if out.as_json:
        out.line(json.dumps(told, separators=(",", ":")))
    else:
        if told["missed"]:
            out.note("Some alerts came too fast. `ccdash alerts history` has them.")
        ended = alert["resolvedAt"] is not None
        state = out.paint("resolved", "green") if ended else out.paint("fired   ", "red")
        at = clock(alert["resolvedAt"] if ended else alert["firedAt"])
        out.line(f"{out.paint(at, 'dim')} {state} {clean(alert['name'])}: {clean(alert['text'])}")
    out.flush()


_ACTIONS = {
    "list": _list,
    "add": _add,
    "set": _set,
    "on": _switch,
    "off": _switch,
    "rm": _remove,
    "history": _history,
}

HANDLERS = {
    "alerts": Handler(
        configure,
        run,
        (
            "ccdash alerts                            # what fires, and all rules",
            "ccdash alerts add 'cost > 20 per day' --desktop",
            "ccdash alerts add 'cost > 100 per month' --project shop --name Budget",
            "ccdash alerts add 'toolSuccessRate < 70% per session' --for 10m",
            "ccdash alerts add 'contextPeak >= 160k per session' --resolve 100k",
            "ccdash alerts set day-cost '> 30'",
            "ccdash alerts off session-cost",
            "ccdash alerts rm day-cost                # a seeded rule is what it was",
            "ccdash alerts history --limit 10",
            "ccdash alerts watch --json               # one JSON object a line",
        ),
    ),
}
