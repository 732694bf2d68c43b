"""What the daemon says that work cost, against an arithmetic of its own over the raw logs, and against what is known."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import Summary, generate
from tests.e2e.genuine import install
from tests.e2e.oracle import KINDS, Logs, Message, cost, day, logs, read, tokens
from tests.helpers import Client, Daemon, wait_until

CORPUS = os.environ.get("CCDASH_CORPUS")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu")
METRICS = ("cost", "inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "messages")

Figures = tuple[float | int, ...]
"""Values of `METRICS`."""
NOTHING: Figures = (0, 0, 0, 0, 0, 0)


def indexed(daemon: Daemon) -> Client:
    daemon.start()
    client = daemon.client()
    wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
    return client


def expected(messages: Iterable[Message]) -> Figures:
    listed = list(messages)
    return float(cost(listed)), *tokens(listed).values(), len(listed)


def told(values: dict[str, Any] | None) -> Figures:
    """The metrics of an answer; those without anything are 0 here, on the wire null or 0."""
    return NOTHING if values is None else tuple(values["values"][name] or 0 for name in METRICS)


def grouped(messages: Iterable[Message], key: Any) -> dict[str, Figures]:
    groups: defaultdict[str, list[Message]] = defaultdict(list)
    for message in messages:
        groups[key(message)].append(message)
    return {name: expected(group) for name, group in groups.items()}


def rows(client: Client, by: str, **params: object) -> dict[str, Figures]:
    """A whole breakdown by key, page by page."""
    found: dict[str, Figures] = {}
    while True:
        asked = {"by": by, "metrics": METRICS, "limit": 100, "offset": len(found), "includeHidden": True, **params}
        page = client.request("analytics/breakdown", asked)
        found |= {row["key"]: told(row) for row in page["items"]}
        if len(found) >= page["count"]:
            return found


def total(figures: Iterable[Figures]) -> Figures:
    """The sum; of dollars in decimals, since each part was rounded for itself."""
    columns = list(zip(*figures, strict=True))
    return float(sum(Decimal(str(usd)) for usd in columns[0])), *(sum(column) for column in columns[1:])


def check(client: Client, truth: Logs) -> None:
    """Days of several zones, and all that it can be broken down by, against the raw logs: to the last token and the last
    millionth of a dollar."""
    whole = expected(truth.messages)
    for zone in ZONES:
        asked = {"metrics": METRICS, "timeZone": zone, "includeHidden": True}
        trend = client.request("analytics/trends", {**asked, "step": "day"})
        days = grouped(truth.messages, lambda message, zone=zone: day(message.time, zone))
        undated = days.pop("", NOTHING)
        assert {p["label"]: told(p) for p in trend["series"][0]["points"] if told(p) != NOTHING} == days, zone
        assert (told(trend["undated"]), told(trend["total"])) == (undated, whole)
        overview = client.request("analytics/overview", {"timeZone": zone, "includeHidden": True})
        assert overview["total"]["cost"]["usd"] == whole[0]
        assert (
            rows(client, "month", timeZone=zone).items()
            >= grouped(
                (message for message in truth.messages if message.time),
                lambda message, zone=zone: day(message.time, zone)[:7],
            ).items()
        )
    assert rows(client, "model") == grouped(truth.messages, lambda message: message.model)
    sessions = {session["id"]: session for session in listed(client)}
    of_log = {path: session for session in sessions.values() for path in session["sourceFiles"]}
    main = {path: session["id"].partition("/agent-")[0] for path, session in of_log.items()}
    by_session = grouped(truth.messages, lambda message: main[message.log])
    assert {key: row for key, row in rows(client, "session").items() if row != NOTHING} == by_session
    for key, mine in by_session.items():
        answer = client.request("analytics/sessionCost", {"id": key})
        assert (answer["cost"]["usd"], *(answer["tokens"][kind] for kind in KINDS), answer["messages"]) == mine
        lines = [Decimal(str(line["usd"])) for line in answer["lines"] if line["usd"] is not None]
        # Each line was rounded for itself.
        assert abs(sum(lines) - Decimal(str(mine[0]))) <= Decimal("0.0000005") * (len(lines) + 1)
    # Of a sub-agent whose session's log is not there, its own session tells the project.
    owner = {log: sessions.get(id, of_log[log]) for log, id in main.items()}
    in_project = grouped(truth.messages, lambda message: owner[message.log]["projectId"])
    assert {key: row for key, row in rows(client, "project").items() if row != NOTHING} == in_project
    for by in ("project", "agent", "branch", "session", "subagentType", "feature"):
        parts = total(rows(client, by).values())
        assert parts[1:] == whole[1:], by
        assert parts[0] == pytest.approx(whole[0], abs=0.000001 * len(sessions)), by
    own = rows(client, "session", subagents="exclude"), rows(client, "session", subagents="only")
    assert total([*own[0].values(), *own[1].values()])[1:] == whole[1:]
    calls = Counter(call.name for call in truth.calls)
    used = client.request("analytics/tools", {"limit": 500, "includeHidden": True})
    assert {tool["name"]: tool["calls"] for tool in used["items"]} == calls
    assert (used["total"]["calls"], used["total"]["errors"]) == (
        len(truth.calls),
        sum(c.error is True for c in truth.calls),
    )


def listed(client: Client) -> Iterator[dict[str, Any]]:
    """Every session, with its logs."""
    params = {"limit": 500, "includeSubagents": True, "includeEmpty": True, "includeHidden": True, "cursor": None}
    while True:
        page = client.request("sessions/list", params)
        for row in page["items"]:
            yield client.request("sessions/get", {"id": row["id"]})
        params["cursor"] = page.get("nextCursor")
        if params["cursor"] is None:
            return


def test_generated_logs(idle_daemon: Daemon) -> None:
    summary = generate(idle_daemon.home, sessions=30, bytes_target=2_000_000, seed=3, faults=True)
    truth = read(logs(idle_daemon.home))
    assert tokens(truth.messages) | {"messages": len(truth.messages)} == summary.totals
    with indexed(idle_daemon) as client:
        check(client, truth)
        check_events(client, summary)


def check_events(client: Client, summary: Summary) -> None:
    """Prompts and the like, of sessions of which no other holds copies, as the generator states them."""
    forked = {truth.forked_from for truth in summary.sessions.values() if truth.forked_from}
    names = ("prompts", "commands", "interrupts", "compactions", "steering")
    page = client.request("analytics/breakdown", {"by": "session", "metrics": names, "limit": 500, "subagents": "exclude"})
    answers = {row["key"]: tuple(row["values"][name] or 0 for name in names) for row in page["items"]}
    checked = 0
    for truth in summary.sessions.values():
        if truth.id not in forked and truth.forked_from is None:
            figures = (truth.prompts, truth.commands, truth.interrupts, truth.compactions, truth.steering)
            assert answers.get(truth.id, (0,) * len(names)) == figures, truth
            checked += any(figures)
    assert checked > 10


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_genuine_logs(idle_daemon: Daemon) -> None:
    for path, known in install(Path(CORPUS or ""), idle_daemon.home).items():
        alone = tokens(message for message in read([path]).messages if not message.mirror)
        readings = [known[reading]["tokens"] for reading in ("strict", "lenient") if reading in known]
        assert alone | {"cache_read": alone.pop("cacheRead"), "cache_creation": alone.pop("cacheWrite")} in readings
    with indexed(idle_daemon) as client:
        check(client, read(logs(idle_daemon.home)))
