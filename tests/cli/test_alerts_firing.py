"""`ccdash alerts` while something fires: on a daemon whose answers are made up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ccdashd.protocol import types as t
from tests.cli.conftest import Done
from tests.cli.daemon import FakeDaemon
from tests.protocol.figures import FIRED

Run = Callable[..., Done]

OVER = msgspec.structs.replace(FIRED, id="a2", resolved_at="2026-02-03T05:05:06.000Z", text="All\x1b[2J: cost is $60.00")


def wire(value: t.Wire) -> Any:
    return json.loads(msgspec.json.encode(value))


def test_what_fires_comes_first(run: Run, fake: FakeDaemon) -> None:
    done = run("alerts")
    assert done.out.splitlines()[0] == "Firing"
    assert re.fullmatch(r"[\d-]{10} \d\d:\d\d  Fix the till: cost is \$5.25, more than \$5.00", done.out.splitlines()[1])
    assert done.out.splitlines()[2:4] == ["", "Rules"]
    assert done.out.splitlines()[-1].startswith("session-cost  Dear session  cost > $5.00 per session")
    assert done.out.splitlines()[-1].split()[-3:-1] != ["ok", "0"] and " firing " in done.out.splitlines()[-1]
    assert "Firing" not in run("alerts", "--state", "ok").out
    fake.answers["alerts/list"]["firing"] = []
    assert "Firing" not in run("alerts").out


def test_the_history_is_told(run: Run, fake: FakeDaemon) -> None:
    fake.answers["alerts/history"] |= {"items": [wire(OVER), wire(FIRED)], "total": 9}
    done = run("alerts", "history", "--limit", "2")
    assert fake.params("alerts/history") == {"offset": 0, "limit": 2}
    assert done.err == "1-2 of 9 alerts.\n"
    head, over, firing = done.out.splitlines()
    assert head.split() == ["FIRED", "ENDED", "RULE", "ALERT"]
    assert over.endswith("All: cost is $60.00") and firing.split()[2] == "-"
    run("alerts", "history", "session-cost", "--json")
    assert fake.params("alerts/history")["rule"] == "session-cost"


@pytest.fixture
def watched(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    """A daemon that tells two alerts, and goes."""
    monkeypatch.setattr("ccdash.commands.alerts.RECONNECTS", 1)
    told = [
        t.AlertFiredNotification(alert=FIRED, revision=9),
        t.AlertFiredNotification(alert=OVER, revision=9, missed=True),
    ]
    fake.after["ccdash/subscribe"] = [("alerts/fired", wire(params)) for params in told]
    fake.close_after = "ccdash/subscribe"
    return fake


def test_alerts_are_printed_as_they_come(run: Run, watched: FakeDaemon) -> None:
    done = run("alerts", "watch")
    assert watched.params("ccdash/subscribe") == {"topics": ["alerts"]}
    lines = done.out.splitlines()
    assert re.fullmatch(r"\S{8} fired    Dear session: Fix the till: cost is \$5.25, more than \$5.00", lines[0])
    assert re.fullmatch(r"\S{8} resolved Dear session: All: cost is \$60.00", lines[1])
    # It connected once more, then gave up.
    assert len(lines) == 4 and done.code == 1
    first, missed, *_ = done.err.splitlines()
    assert first == "Watching for alerts; Ctrl-C ends it."
    assert missed == "Some alerts came too fast. `ccdash alerts history` has them."
    assert "The daemon closed the connection" in done.err.splitlines()[-1]


def test_alerts_are_printed_as_json(run: Run, watched: FakeDaemon) -> None:
    done = run("alerts", "watch", "--json")
    told = [json.loads(line) for line in done.out.splitlines()]
    assert told[:2] == [params for _, params in watched.after["ccdash/subscribe"]]


def test_a_rule_that_is_made_while_alerts_are_off(run: Run, fake: FakeDaemon) -> None:
    fake.answers["alerts/create"] |= {"state": "off"}
    done = run("alerts", "add", "cost > 5 per session")
    assert fake.params("alerts/create") == {"metric": "cost", "operator": ">", "threshold": 5.0, "scope": "session"}
    assert done.err == "The setting alerts is off, so no rule is looked at.\n"
