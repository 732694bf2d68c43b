"""`ccdash alerts`: rules as people write them, on the real daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdash.alert_rules import read_bound, read_number, read_rule, written
from ccdash.errors import UsageError
from tests.cli.conftest import Done
from tests.cli.world import World

Run = Callable[..., Done]


# --- rules as text ---


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("cost > 20", {"metric": "cost", "operator": ">", "threshold": 20}),
        ("cost>$20.50 per day", {"metric": "cost", "operator": ">", "threshold": 20.5, "period": "day"}),
        ("  toolSuccessRate < 70%  per session ", {"metric": "toolSuccessRate", "operator": "<", "threshold": 0.7,
         "scope": "session"}),
        ("cost >= 1,000 per month per project", {"metric": "cost", "operator": ">=", "threshold": 1000, "period": "month",
         "scope": "project"}),
        ("cost > 9 per project in total", {"metric": "cost", "operator": ">", "threshold": 9, "scope": "project",
         "period": "total"}),
        ("contextPeak<=160k per window", {"metric": "contextPeak", "operator": "<=", "threshold": 160_000,
         "scope": "window"}),
    ],
)  # fmt: skip
def test_rules_are_read(text: str, params: dict[str, Any]) -> None:
    assert read_rule(text) == pytest.approx(params)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is no rule."),
        ("cost", "is no rule. A rule is a metric, one of >= <= > <, and a number."),
        ("cost = 3", "is no rule"),
        ("cost > 3 a day", "is no rule"),
        ("cost > much", "'much' is no number. Use 20, $20, 80%"),
        ("cost > -3", "'-3' is no number"),
        ("cost > 3 per year", "per year: a rule is looked at per hour, day, week, month, project"),
        ("cost > 3 per day per month", "names day and month; one of them is enough"),
        ("cost > 3 per day in total", "names day and total; one of them is enough"),
    ],
)
def test_what_is_no_rule_is_told(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_rule(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "number"),
    [("20", 20), ("$1_000.5", 1000.5), (".5", 0.5), ("80%", 0.8), ("80 %", 0.8), ("160k", 160e3), ("1.5M", 1.5e6),
     ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)],
)  # fmt: skip
def test_numbers_are_read(text: str, number: float) -> None:
    assert read_number(text) == pytest.approx(number)


def test_bounds_are_read() -> None:
    assert read_bound("> 30") == (">", 30) and read_bound("<=5%") == ("<=", 0.05)
    with pytest.raises(UsageError, match="'30' is no bound"):
        read_bound("30")


@pytest.mark.parametrize(
    "text", ["cost > $20.00 per day", "toolErrors >= 25 per session", "cost < $3.00 in total",
             "cost > $1.00 per month per project", "toolSuccessRate < 70.0 % per window"],
)  # fmt: skip
def test_a_rule_is_written_as_it_is_read(text: str) -> None:
    params = read_rule(text.replace(" %", "%"))
    unit = {"cost": "usd", "toolErrors": "count"}.get(params["metric"], "share")
    assert written({"scope": "all", "period": "total", **params}, unit) == text


# --- on the real daemon ---


@pytest.fixture
def at_home(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The shop, with seeded rules only in the end."""
    world.enter(monkeypatch)
    yield world
    for rule in world.ask("alerts/list")["items"]:
        world.ask("alerts/delete", id=rule["id"])


@pytest.fixture
def home(at_home: World) -> Path:
    """The daemon's home in place of an empty one."""
    return at_home.daemon.home


def added(run: Run, *arguments: str) -> str:
    """Make a rule; returns its id."""
    done = run("alerts", "add", *arguments, "--json")
    assert done.err == ""
    return str(json.loads(done.out)["id"])


def test_seeded_rules_are_listed(run: Run, at_home: World) -> None:
    done = run("alerts")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "RULE", "FOR", "TELLS", "STATE", "FIRED", "LAST"]
    assert lines[1].split("  ")[0] == "session-cost" and "cost > $5.00 per session" in lines[1]
    assert run("alerts", "list", "--json").out == run("alerts", "--json").out
    assert json.loads(run("alerts", "--json").out)["items"] == at_home.ask("alerts/list")["items"]
    assert run("alerts", "--state", "firing") == Done(0, "", "No rule is in state firing.\n")
    assert run("alerts", "list", "--state", "off").out.count("\n") == 3


def test_a_rule_is_made(run: Run, at_home: World) -> None:
    done = run("alerts", "add", "cost > 20 per day", "--for", "10m", "--resolve", "$15", "--desktop", "--name", "Budget")
    id = done.out.partition(":")[0]
    assert done == Done(0, f"{id}: Budget: cost > $20.00 per day, for 10m 00s; on.\n", "")
    (rule,) = (rule for rule in at_home.ask("alerts/list")["items"] if rule["id"] == id)
    assert (rule["forSeconds"], rule["resolve"], rule["desktop"], rule["command"]) == (600.0, 15.0, True, False)
    line = next(line for line in run("alerts").out.splitlines() if line.startswith(id))
    assert "10m 00s" in line and "desktop" in line


def test_a_rule_of_a_project(run: Run, at_home: World) -> None:
    id = added(run, "cost > 3 per month", "--project", ".")
    (rule,) = (rule for rule in at_home.ask("alerts/list")["items"] if rule["id"] == id)
    assert (rule["scope"], rule["project"], rule["period"]) == ("project", "shop-" + rule["project"][5:], "month")
    assert f"cost > $3.00 per month per project in {rule['project']}" in run("alerts").out


def test_rules_are_changed_by_id_beginning_or_name(run: Run) -> None:
    id = added(run, "cost > 20 per day", "--name", "Budget")
    assert run("alerts", "set", id[:5], "> 30", "--desktop").out == f"{id}: Budget: cost > $30.00 per day; on.\n"
    assert run("alerts", "set", "budget", "--name", "Limit", "--no-desktop").out.startswith(f"{id}: Limit: ")
    assert run("alerts", "off", id).out == f"{id}: Limit: cost > $30.00 per day; off.\n"
    assert run("alerts", "on", id).out == f"{id}: Limit: cost > $30.00 per day; on.\n"
    assert json.loads(run("alerts", "off", id, "--json").out)["state"] == "off"
    assert run("alerts", "rm", id) == Done(0, f"Removed {id}: Limit.\n", "")
    assert run("alerts", "rm", id).err == f"ccdash: There is no rule '{id}'. `ccdash alerts` lists them.\n"


def test_a_seeded_rule_is_never_gone(run: Run) -> None:
    run("alerts", "set", "day-cost", "> 30")
    assert "cost > $30.00 per day" in run("alerts").out
    done = run("alerts", "rm", "day-cost")
    assert done.out == "day-cost is what it was. `ccdash alerts off day-cost` turns it off.\n"
    assert "cost > $50.00 per day" in run("alerts").out
    assert json.loads(run("alerts", "rm", "day-cost", "--json").out)["ok"] is True


def test_without_alerts_there_is_no_history(run: Run) -> None:
    assert run("alerts", "history") == Done(0, "", "There is no alert yet.\n")
    assert json.loads(run("alerts", "history", "costly day", "--json").out)["items"] == []
    assert run("alerts", "history", "zzz") == Done(1, "", "ccdash: no alert 'zzz'. `ccdash alerts` lists them.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", "cost"), 2, "'cost' is no rule."),
        (("add", "costs > 3"), 1, "metric: is no metric; did you mean cost"),
        (("add", "cost > 3", "--for", "soon"), 2, "'soon' is no length of time."),
        (("add", "cost > 3", "--resolve", "x"), 2, "'x' is no number."),
        (("add", "cost > 3", "--resolve", "4"), 1, "resolve: must not be above the threshold"),
        (("add", "cost > 3", "--command"), 1, "command: there is none to run; name it in the setting alert_command first"),
        (("add", "cost > 3", "--project", "zzz"), 1, "There is no project 'zzz'."),
        (("add", "featureProgress > 3 per session"), 1, "scope: featureProgress is not known of a session"),
        (("add",), 2, "the following arguments are required: RULE"),
        (("set", "day-cost"), 2, "What is to change?"),
        (("set", "zzz", "> 3"), 1, "There is no rule 'zzz'."),
        (("set", "session-", "> 3"), 2, "'session-' fits 3 rules: session-cost, session-tool-errors, session-context."),
        (("on", ""), 1, "There is no rule ''."),
        (("nonsense",), 2, "there is no 'nonsense'"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_mistakes_are_told(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = run("alerts", *arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err and done.err.count("\n") == 1
