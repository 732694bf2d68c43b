"""``alerts/*`` over the wire: rules that make sense, errors that say what does not, and what subscribers get."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from ccdashd.analytics import alerting
from ccdashd.derive.alerts import SEEDED
from ccdashd.errors import Busy
from tests.analytics.alert_world import DOLLAR, stamp
from tests.helpers import Client, RpcError, wait_until
from tests.rpc.conftest import Served

RULE = {"metric": "cost", "operator": ">", "threshold": 20}


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.client() as client:
        yield client


def rules(client: Client) -> dict[str, Any]:
    return {rule["id"]: rule for rule in client.request("alerts/list")["items"]}


# --- rules ---


def test_seeded_rules_are_listed_first(client: Client) -> None:
    listed = client.request("alerts/list")
    assert [rule["id"] for rule in listed["items"]] == list(SEEDED) and listed["firing"] == []
    assert {rule["origin"] for rule in listed["items"]} == {"seeded"}
    assert {rule["state"] for rule in listed["items"]} == {"ok", "off"}
    off = client.request("alerts/list", {"state": "off"})["items"]
    assert {rule["id"] for rule in off} == {id for id, rule in SEEDED.items() if not rule.active}
    assert client.request("alerts/list", {"state": "firing"})["items"] == []


def test_a_rule_is_made_changed_and_removed(client: Client) -> None:
    rule = client.request("alerts/create", {**RULE, "metric": "session_cost", "desktop": True})
    assert rule == {
        "id": rule["id"],
        "name": "Cost per day > $20.00",
        "metric": "cost",
        "scope": "all",
        "period": "day",
        "project": None,
        "operator": ">",
        "threshold": 20.0,
        "resolve": 18.0,
        "forSeconds": 0.0,
        "desktop": True,
        "command": False,
        "active": True,
        "origin": "user",
        "state": "ok",
        "fired": 0,
        "lastFiredAt": None,
    }
    assert rules(client)[rule["id"]] == rule
    revision = client.request("ccdash/status")["revision"]
    assert client.request("alerts/update", {"id": rule["id"], "threshold": 20}) == rule
    assert client.request("ccdash/status")["revision"] == revision
    changed = client.request("alerts/update", {"id": rule["id"], "threshold": 30, "name": " Budget "})
    assert changed == {**rule, "threshold": 30.0, "resolve": 27.0, "name": "Budget"}
    changed = client.request("alerts/update", {"id": rule["id"], "resolve": 10, "active": False, "desktop": False})
    assert changed == {**rule, "threshold": 30.0, "resolve": 10.0, "name": "Budget", "desktop": False, "active": False,
                       "state": "off"}  # fmt: skip
    assert client.request("alerts/delete", {"id": rule["id"]})["ok"] is True
    assert rule["id"] not in rules(client)


def test_a_seeded_rule_goes_back_to_what_it_was(client: Client) -> None:
    before = rules(client)
    client.request("alerts/delete", {"id": "session-cost"})
    assert rules(client) == before
    changed = client.request("alerts/update", {"id": "session-cost", "threshold": 9, "desktop": True})
    assert changed == {**before["session-cost"], "threshold": 9.0, "resolve": 8.1, "desktop": True}
    client.request("alerts/delete", {"id": "session-cost"})
    assert rules(client) == before


FOLLOWS: list[tuple[dict[str, Any], str, str, float, str]] = [
    ({"metric": "toolSuccessRate", "operator": "<", "threshold": 0.95, "scope": "session"}, "session", "total", 1.0,
     "Tool success of a session < 95 %"),
    ({"metric": "turns", "operator": ">=", "threshold": 10, "period": "hour"}, "all", "hour", 9.0,
     "Prompts per hour >= 10"),
    ({"metric": "tokens", "threshold": 1e6, "scope": "window"}, "window", "total", 9e5,
     "Tokens of five hours > 1,000,000 tokens"),
    ({"metric": "featureProgress", "operator": ">=", "threshold": 1}, "all", "total", 0.9, "Progress >= 100 %"),
    ({"metric": "tasksDone", "threshold": 5, "scope": "project"}, "project", "day", 4.5,
     "Tasks done of a project per day > 5"),
    ({"metric": "activeSeconds", "threshold": 36000, "resolve": 0}, "all", "day", 0.0, "Active time per day > 10 h 00 min"),
]  # fmt: skip


def test_what_is_not_said_follows(client: Client) -> None:
    for given, scope, period, resolve, name in FOLLOWS:
        rule = client.request("alerts/create", {**RULE, **given})
        assert (rule["scope"], rule["period"], rule["name"]) == (scope, period, name)
        assert rule["resolve"] == pytest.approx(resolve)


SENSELESS: list[tuple[dict[str, Any], str]] = [
    ({"metric": "costs"}, "metric: is no metric; did you mean cost"),
    ({"threshold": -1}, "threshold: must be a number from 0 to 1e+15"),
    ({"threshold": 1e16}, "threshold: must be a number from 0 to 1e+15"),
    ({"threshold": None}, "threshold: must be a number, not null"),
    ({"metric": "toolSuccessRate", "threshold": 70}, "threshold: must be a number from 0 to 1"),
    ({"metric": "toolSuccessRate", "threshold": 1}, "threshold: toolSuccessRate > 1 is never so"),
    ({"operator": ">=", "threshold": 0}, "threshold: cost >= 0 is always so"),
    ({"operator": "<", "threshold": 0}, "threshold: cost < 0 is never so"),
    ({"operator": "=="}, "operator: must be one of >, >=, <, <="),
    ({"resolve": 21}, "resolve: must not be above the threshold, where the alert fires"),
    ({"operator": "<", "resolve": 19}, "resolve: must not be below the threshold, where the alert fires"),
    ({"forSeconds": -1}, "forSeconds: must be a number of seconds from 0 to below 86400"),
    ({"forSeconds": 3600, "period": "hour"}, "forSeconds: must be a number of seconds from 0 to below 3600"),
    ({"forSeconds": 18000, "scope": "window"}, "forSeconds: must be a number of seconds from 0 to below 18000"),
    ({"scope": "session", "period": "day"}, "period: a session is looked at as a whole: it must be total"),
    ({"scope": "window", "metric": "tasksDone"}, "scope: tasksDone is not known of a window"),
    ({"scope": "session", "metric": "featureProgress", "threshold": 0.5},
     "scope: featureProgress is not known of a session"),
    ({"metric": "taskCompletion", "threshold": 0.5, "period": "day"},
     "period: taskCompletion is what it is now: it must be total"),
    ({"scope": "window", "project": "/nowhere"}, "project: a window is that of all projects"),
    ({"project": "nowhere"}, "no project 'nowhere'"),
    ({"name": " "}, "name: is empty"),
    ({"name": "x" * 101}, "name: has 101 characters; at most 100"),
    ({"name": "a\x07b"}, "name: has control characters"),
    ({"command": True}, "command: there is none to run; name it in the setting alert_command first"),
    ({"period": "year"}, "period: must be one of total, hour, day, week, month"),
]  # fmt: skip


def test_rules_that_make_no_sense_are_refused(client: Client) -> None:
    for given, message in SENSELESS:
        with pytest.raises(RpcError) as caught:
            client.request("alerts/create", {**RULE, **given})
        assert message in caught.value.message and caught.value.code in (-32602, -32001), given
    assert len(rules(client)) == len(SEEDED)


def test_rules_that_are_not_there(client: Client) -> None:
    for method in ("alerts/update", "alerts/delete"):
        with pytest.raises(RpcError) as caught:
            client.request(method, {"id": "nowhere"})
        assert (caught.value.code, caught.value.message) == (-32001, "no alert 'nowhere'; see alerts/list")
    with pytest.raises(RpcError, match="no alert 'nowhere'"):
        client.request("alerts/history", {"rule": "nowhere"})
    assert client.request("alerts/history", {"rule": "session-cost"})["total"] == 0


def test_a_change_is_held_to_the_same_rules(client: Client) -> None:
    for given, message in (
        ({"threshold": 1e300}, "threshold: must be a number from 0 to 1e+15"),
        ({"resolve": 6}, "resolve: must not be above the threshold"),
        ({"operator": "<", "threshold": 0}, "is never so"),
        ({"forSeconds": 1e9}, "forSeconds: must be a number of seconds from 0 to below 604800"),
        ({"command": True}, "command: there is none to run"),
        ({"name": ""}, "name: is empty"),
    ):
        with pytest.raises(RpcError, match=message.replace("+", r"\+")):
            client.request("alerts/update", {"id": "session-cost", **given})


def test_there_are_not_endless_rules(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from ccdashd.rpc import alerts

    monkeypatch.setattr(alerts, "MAX_RULES", 2)
    for _ in range(2):
        client.request("alerts/create", RULE)
    with pytest.raises(RpcError, match="there are 2 rules already; remove one that is not needed"):
        client.request("alerts/create", RULE)
    client.request("alerts/update", {"id": "session-cost", "threshold": 6})


def test_rules_of_a_newer_version_are_listed_and_left_alone(client: Client, served: Served) -> None:
    rule = {"name": "n", "metric": "happiness", "scope": "all", "threshold": 1.0, "resolve": 0.5, "more": True}
    client.request("alerts/update", {"id": "day-cost", "threshold": 41})
    with served.paths.journal.open("a") as file:
        file.write(json.dumps({"type": "alert", "id": "new", "rule": rule}) + "\n")
    client.request("alerts/update", {"id": "day-cost", "threshold": 40})
    assert (rules(client)["new"]["metric"], rules(client)["new"]["state"]) == ("happiness", "ok")
    with pytest.raises(RpcError, match="metric: is no metric"):
        client.request("alerts/update", {"id": "new", "threshold": 2})
    client.request("alerts/delete", {"id": "new"})


def test_with_alerts_off_rules_are_off(serve: Callable[..., Served]) -> None:
    served = serve(alerts="false")
    with served.client() as client:
        assert {rule["state"] for rule in client.request("alerts/list")["items"]} == {"off"}
        assert client.request("alerts/create", RULE)["state"] == "off"


def test_before_the_cache_is_open_nothing_can_be_said_of_alerts(served: Served) -> None:
    app = served.app
    followers, app._followers = app._followers, None
    with pytest.raises(Busy):
        _ = app.alerting
    app._followers = followers


# --- what fires ---


def spend(served: Served, session: str, usd: float) -> None:
    """Let a session spend money now."""
    path = served.settings.claude_dirs[0] / "-work" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    number = len(path.read_text().splitlines()) if path.exists() else 0
    usage = {"input_tokens": 0, "output_tokens": round(usd * DOLLAR)}
    message = {"id": f"{session}-{number}", "role": "assistant", "model": "m", "content": [], "usage": usage}
    record = {"type": "assistant", "uuid": f"{session}-{number}", "sessionId": session, "cwd": "/work", "message": message}
    with path.open("a") as file:
        file.write(json.dumps({**record, "requestId": f"r{number}", "timestamp": stamp(round(time.time() * 1000))}) + "\n")


@pytest.fixture
def priced(short_folder: Any, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> Served:
    """A daemon that looks at once, and knows what the model costs."""
    from ccdashd.paths import resolve

    config = resolve(environ={"HOME": str(short_folder), "XDG_RUNTIME_DIR": str(short_folder)}).config_file
    config.parent.mkdir(parents=True)
    config.write_text("[prices.m]\ninput = 0.0\noutput = 5.0\n")
    monkeypatch.setattr(alerting, "SETTLE", 0.02)
    return serve()


def test_every_subscriber_is_told(priced: Served) -> None:
    with priced.client() as one, priced.client() as other, priced.client() as deaf:
        for client in (one, other):
            client.request("ccdash/subscribe", {"topics": ["alerts"]})
        deaf.request("ccdash/subscribe", {"topics": ["indexing"]})
        spend(priced, "s1", 6)
        told = one.notification("alerts/fired")
        assert told == other.notification("alerts/fired")
        assert (told["alert"]["rule"], told["alert"]["value"], told["missed"]) == ("session-cost", 6.0, False)
        assert one.request("alerts/list")["firing"] == [told["alert"]]
        assert one.request("alerts/history", {"limit": 1})["items"] == [told["alert"]]
        assert told["revision"] <= one.request("ccdash/status")["revision"]
        one.request("alerts/update", {"id": "session-cost", "threshold": 50})
        over = one.notification("alerts/fired")
        assert over == other.notification("alerts/fired")
        assert over["alert"] == {**told["alert"], "resolvedAt": over["alert"]["resolvedAt"]}
        assert over["alert"]["resolvedAt"] is not None and one.request("alerts/list")["firing"] == []
        deaf.request("ccdash/status")
        assert not [message for message in deaf.notifications if message["method"] == "alerts/fired"]


def test_who_reads_too_slowly_is_told_that_alerts_were_missed(priced: Served) -> None:
    from tests.protocol.figures import FIRED

    with priced.client() as client:
        client.request("ccdash/subscribe", {"topics": ["alerts"]})
        many = 30_000

        def flood() -> None:
            for _ in range(many):
                priced.app.events.alert(FIRED, 1)

        priced.soon(flood)
        got = [client.notification("alerts/fired")]
        while not got[-1]["missed"]:
            got.append(client.notification("alerts/fired"))
        assert len(got) < many
        assert got[-1]["alert"] == got[0]["alert"]
        priced.soon(priced.app.events.alert, FIRED, 2)
        assert client.notification("alerts/fired") == {**got[0], "revision": 2}


def spent(client: Client, usd: float) -> bool:
    """Whether the daemon knows that so much was spent."""
    rows = client.request("sessions/list")["items"]
    return int(sum(row["tokens"]["output"] for row in rows)) == round(usd * DOLLAR)


def test_an_alert_is_told_once_whatever_else_changes(priced: Served) -> None:
    with priced.client() as client:
        client.request("ccdash/subscribe", {"topics": ["alerts"]})
        for n in range(1, 5):
            spend(priced, "s1", 6)
            wait_until(partial(spent, client, 6 * n), "the message")
        client.notification("alerts/fired")
        client.request("alerts/create", {**RULE, "threshold": 1, "period": "day"})
        other = client.notification("alerts/fired")
        assert other["alert"]["scope"] == "all"
        assert client.request("alerts/history")["total"] == 2
