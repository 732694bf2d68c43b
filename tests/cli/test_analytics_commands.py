"""Commands of analytics: what they ask for, and how the answers look; with hand-written answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from ccdash.analytics_tables import draw_breakdown, draw_trend, draw_usage
from ccdash.analytics_words import moment, seconds, until
from ccdash.commands.trends import chart, series_chart
from ccdash.commands.usage import told_burn
from ccdash.errors import NotThere, UsageError
from ccdash.scope import Registry, first_day
from ccdash.text import width
from ccdashd.derive.metrics import METRICS
from tests.cli.conftest import Done, Window
from tests.cli.daemon import Failure, FakeDaemon
from tests.protocol.samples import RESULTS, SESSION

Run = Callable[..., Done]
REGISTRY = Registry([json.loads(msgspec.json.encode(metric.wire())) for metric in METRICS.values()])
COMMANDS = (
    ("stats",), ("cost",), ("cost", "--by", "model"), ("cost", SESSION), ("usage",), ("usage", "blocks"),
    ("usage", "session"), ("trends",), ("trends", "--split", "model"), ("trends", "--distribution"), ("top",),
    ("top", "files"), ("tools",), ("models",),
)  # fmt: skip


def sample(method: str) -> Any:
    return json.loads(msgspec.json.encode(RESULTS[method]))


@pytest.fixture
def daemon(fake: FakeDaemon) -> FakeDaemon:
    """One that knows all metrics."""
    fake.answers["analytics/metrics"] = {"items": REGISTRY.items}
    return fake


def told(cost: float | None, **values: float | None) -> dict[str, Any]:
    sure = None if cost is None else {"usd": cost, "provenance": "computed", "unpricedModels": []}
    return {"values": {"cost": cost, **values}, "cost": sure}


def trend(*costs: float | None, **more: Any) -> dict[str, Any]:
    """Days from the first of March on."""
    days = [date(2026, 3, 1) + timedelta(days=at) for at in range(len(costs))]
    points = [
        {"start": f"{day}T00:00:00.000Z", "label": f"{day}", **told(cost)} for day, cost in zip(days, costs, strict=True)
    ]
    total = told(sum(cost or 0 for cost in costs))
    return {
        "period": {"start": f"{days[0]}T00:00:00.000Z", "end": None},
        "timeZone": "UTC",
        "step": "day",
        "series": [{"key": "", "label": "all", "points": points, "total": total}],
        "total": total,
        "undated": None,
        "previous": None,
        "previousPeriod": None,
        "revision": 1,
        **more,
    }


def breakdown(by: str, *items: tuple[str, float], **more: Any) -> dict[str, Any]:
    total = sum(cost for _, cost in items)
    return {
        "by": by,
        "period": {"start": None, "end": None},
        "timeZone": "UTC",
        "items": [
            {"key": key, "label": key, "entity": None, "share": cost / total if total else None, "sessions": 2, "shared": 1,
             "previous": None, **told(cost)} for key, cost in items
        ],
        "count": len(items),
        "total": told(total),
        "rest": None,
        "previous": None,
        "previousPeriod": None,
        "revision": 1,
        **more,
    }  # fmt: skip


COST = REGISTRY.by(["cost"])


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_form_of_every_command(run: Run, daemon: FakeDaemon, arguments: tuple[str, ...]) -> None:
    for form in ((), ("--json",), ("--csv",)):
        done = run(*arguments, *form)
        assert (done.code, "Traceback" in done.err) == (0, False)
        assert done.out
    assert run(*arguments, "--csv").out.partition(",")[0].isidentifier()


@pytest.mark.parametrize("columns", [60, 110])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_tables_and_charts_keep_to_the_terminal(
    run: Run, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    daemon.answers["analytics/trends"] = trend(*range(60))
    done = run(*arguments, "--no-color")
    assert done.code == 0
    assert 0 < max(map(width, done.out.splitlines())) <= columns


@pytest.mark.parametrize(
    ("arguments", "method", "params"),
    [
        (("cost",), "analytics/trends", {"step": "day", "since": first_day("day")}),
        (("cost", "--since", "all"), "analytics/trends", {"step": "day"}),
        (("cost", "--until", "2026-01-31"), "analytics/trends", {"step": "day", "until": "2026-01-31"}),
        (("cost", "--by", "month"), "analytics/trends", {"step": "month"}),
        (("cost", "--by", "feature", "--compare"), "analytics/breakdown", {"by": "feature", "compare": True, "limit": 20}),
        (
            ("cost", "--by", "model", "--since", "7d", "--agent", "a", "--branch", "b", "--model", "m",
             "--subagents", "only", "--hidden", "--time-zone", "Europe/Berlin", "--limit", "3", "--feature", "f",
             "--session", "s"),
            "analytics/breakdown",
            {"by": "model", "since": "7d", "agent": "a", "branch": "b", "model": "m", "subagents": "only",
             "includeHidden": True, "timeZone": "Europe/Berlin", "limit": 3, "feature": "f", "session": "s"},
        ),
        (("trends", "--split", "tool", "TOOL-calls", "--series", "3"), "analytics/trends",
         {"step": "day", "since": first_day("day"), "split": "tool", "series": 3, "metrics": ["toolCalls"]}),
        (("trends", "--heatmap"), "analytics/heatmap", {"metric": "activeSeconds"}),
        (("trends", "session_cost", "--distribution", "--bins", "5"), "analytics/distribution",
         {"metric": "cost", "bins": 5}),
        (("usage", "blocks", "--all"), "analytics/windows", {"kind": "fiveHours", "limit": 500}),
        (("usage", "--by", "week-window"), "analytics/windows", {"kind": "week", "limit": 20}),
        (("top", "--metric", "tokens", "--limit", "2"), "analytics/top", {"metric": "tokens", "limit": 2}),
        (("top", "skills"), "analytics/breakdown", {"by": "skill", "limit": 10, "metrics": ["toolCalls", "toolErrors"]}),
        (("tools", "--since", "week"), "analytics/tools", {"since": "week", "limit": 20}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_what_is_asked(
    run: Run, daemon: FakeDaemon, arguments: tuple[str, ...], method: str, params: dict[str, Any]
) -> None:
    assert run(*arguments).code == 0
    asked = next(asked for name, asked in daemon.asked if name == method)
    assert {name: asked[name] for name in asked if name != "metrics" or "metrics" in params} == params


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("cost", "s1", "--by", "model"), "--by is for costs of all: leave it out, or s1."),
        (("cost", "s1", "--since", "7d"), "A bill is of the whole session: leave out --since."),
        (("usage", "daily", "--by", "month"), "daily and --by month contradict each other: give one of them."),
        (("usage", "session", "--breakdown"), "--breakdown is for days, weeks and months"),
        (("trends", "--heatmap", "--split", "model"), "--heatmap is of one metric and all of the time: leave out --split."),
        (("trends", "cost", "tokens", "--distribution"), "--distribution is of one metric and all of the time"),
        (("trends", "--series", "3"), "--series is for --split."),
        (("trends", "--bins", "3"), "--bins is for --distribution."),
        (("trends", "cost", "--split", "tool"), "Cost cannot be told by tool. It can by hour, day, week, month, project,"),
        (("top", "tools", "--metric", "cost"), "Cost cannot be told by tool."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_what_cannot_be_meant_is_told(run: Run, daemon: FakeDaemon, arguments: tuple[str, ...], text: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"ccdash: {text}")


def test_a_metric_that_there_is_not_is_told_with_one_that_is_near(run: Run, daemon: FakeDaemon) -> None:
    done = run("trends", "tool-cals")
    assert done == Done(
        1, "", "ccdash: There is no metric 'tool-cals'; did you mean toolCalls? `ccdash trends --list` lists them.\n"
    )


def test_metrics_are_found_however_they_are_written() -> None:
    for name in ("cacheHitShare", "cache-hit-share", "CACHE_HIT_SHARE"):
        assert REGISTRY.find(name)["id"] == "cacheHitShare"
    assert REGISTRY.find("task_velocity")["id"] == "tasksDone"
    with pytest.raises(NotThere):
        REGISTRY.find("")
    with pytest.raises(UsageError):
        REGISTRY.hold(REGISTRY.find("filesChanged"), "model")


def test_a_daily_report_begins_with_a_whole_day() -> None:
    assert first_day("day", date(2026, 3, 30)) == "2026-03-01"
    assert first_day("hour", date(2026, 3, 30)) == "2026-03-30"
    assert first_day("week") is first_day("month") is None


def test_nothing_is_a_sentence_that_says_what_to_do(run: Run, daemon: FakeDaemon) -> None:
    daemon.answers["analytics/trends"] = trend(None, None)
    daemon.answers["analytics/breakdown"] = breakdown("model")
    daemon.answers["analytics/windows"]["items"] = []
    daemon.answers["analytics/top"]["items"] = []
    assert run("cost").err == "Nothing was used in this time. `--since all` tells of all time.\n"
    doctor = "No usage is known yet. `ccdash doctor` tells where logs are looked for, and what was found.\n"
    for arguments in (("cost", "--since", "all"), ("models",), ("usage", "blocks"), ("top",), ("usage", "--by", "project")):
        assert run(*arguments) == Done(0, "", doctor)
    filtered = "Nothing fits. Leave out a filter, or take a longer time: `--since all`.\n"
    assert run("models", "--branch", "x").err == filtered
    assert run("cost", "--model", "x").err == filtered


def test_cost_by_day(run: Run, daemon: FakeDaemon) -> None:
    daemon.answers["analytics/trends"] = trend(1.5, 0.0, 2.25)
    assert run("cost").out.splitlines() == [
        "Cost by day, 2026-03-01 to now (UTC)",
        "DAY              COST  TOKENS  SESSIONS  ACTIVE TIME",
        "2026-03-01 Sun  $1.50       -         -            -",
        "2026-03-02 Mon     $0       -         -            -",
        "2026-03-03 Tue  $2.25       -         -            -",
        "",
        "total           $3.75       -         -            -",
    ]


def test_a_cost_that_is_not_all_says_so(run: Run, daemon: FakeDaemon) -> None:
    found = breakdown("model", ("claude-a-20250101", 3.0), ("", 1.0))
    found["items"][1]["cost"] |= {"provenance": "unpriced", "unpricedModels": ["grok"]}
    found["total"]["cost"] |= {"provenance": "lower_bound", "unpricedModels": ["grok"]}
    daemon.answers["analytics/breakdown"] = found
    done = run("cost", "--by", "model")
    rows = [line.split("  ") for line in done.out.splitlines()[2:]]
    assert [[cell.strip() for cell in row if cell][:2] for row in rows] == [
        ["a", "$3.00"], ["(unknown model)", "unpriced"], [], ["total", "≥ $4.00"],
    ]  # fmt: skip
    assert "No price is known of grok: what they used is not in the cost." in done.err
    assert '[prices."grok"]' in done.err


def test_a_comparison(run: Run, daemon: FakeDaemon) -> None:
    daemon.answers["analytics/trends"] = trend(3.0, previous=told(2.0))
    assert "Cost in the same time before: $2.00 (+50 % since).\n" in run("cost", "--compare").err
    daemon.answers["analytics/trends"] = trend(3.0)
    assert "There is no time before to compare with" in run("cost", "--compare").err


def test_pages_of_a_breakdown_are_put_together(run: Run, daemon: FakeDaemon) -> None:
    whole = breakdown("session", *((f"s{at:04}", 1.0) for at in range(1203)))

    def page(params: dict[str, Any]) -> dict[str, Any]:
        start = params.get("offset", 0)
        return {**whole, "items": whole["items"][start : start + params["limit"]]}

    daemon.answers["analytics/breakdown"] = page
    assert len(run("cost", "--by", "session", "--csv").out.splitlines()) == 1204
    assert [params.get("offset") for method, params in daemon.asked if method == "analytics/breakdown"] == [None, 500, 1000]
    assert len(run("cost", "--by", "session", "--csv", "--limit", "700").out.splitlines()) == 701


def test_pages_of_windows_go_back_in_time(run: Run, daemon: FakeDaemon) -> None:
    starts = [f"2026-01-01T00:00:00.{999 - at:03}Z" for at in range(701)]
    [window] = daemon.answers["analytics/windows"]["items"]

    def page(params: dict[str, Any]) -> dict[str, Any]:
        before = [start for start in starts if start < params.get("until", "3")]
        return {"items": [{**window, "start": start} for start in before[: params["limit"]]], "revision": 1}

    daemon.answers["analytics/windows"] = page
    for arguments, number in (((), 701), (("--limit", "600"), 600), (("--limit", "500"), 500)):
        rows = run("usage", "blocks", "--csv", *arguments).out.splitlines()[1:]
        assert [row.partition(",")[0] for row in rows] == starts[:number]


def test_the_bill_of_a_session(run: Run, daemon: FakeDaemon) -> None:
    lines = [
        {"model": "claude-opus-4-1", "kind": "output", "amount": 1_000_000, "usd": 75.0, "prices": [75.0]},
        {"model": "claude-opus-4-1", "kind": "cacheRead", "amount": 12, "usd": 0.000018, "prices": [1.5, 3.0]},
        {"model": "grok", "kind": "webSearch", "amount": 2, "usd": None, "prices": []},
    ]
    daemon.answers["analytics/sessionCost"] |= {"lines": lines, "bySubagentType": []}
    assert run("cost", "s1").out.splitlines()[5:] == [
        "By model and kind",
        "MODEL     KIND             AMOUNT         PRICE      COST",
        "opus-4-1  output        1,000,000         $75/M    $75.00",
        "opus-4-1  cache read           12  $1.5 or $3/M  <$0.0001",
        "grok      web searches          2                unpriced",
        "",
        "total                                             ≥ $1.25",
    ]


def test_what_is_no_session_is_a_feature(run: Run, daemon: FakeDaemon) -> None:
    def missing(params: object) -> None:
        raise Failure(-32001, "no session", {"type": "session", "id": "checkout"})

    daemon.answers["analytics/sessionCost"] = missing
    feature = daemon.answers["features/get"]
    found = breakdown("session", ("s1", 3.0))
    divided = breakdown("feature", (feature["id"], 1.25))
    daemon.answers["analytics/breakdown"] = lambda params: divided if params["by"] == "feature" else found
    done = run("cost", "checkout")
    assert (done.code, "cost by session, all time" in done.out) == (0, True)
    assert "1 of these sessions worked on other features, too." in done.err and "cost $1.25." in done.err
    assert daemon.params("analytics/breakdown")["feature"] == feature["id"]


def test_what_is_neither_session_nor_feature_is_told(run: Run, daemon: FakeDaemon) -> None:
    def missing(params: object) -> None:
        raise Failure(-32001, "nothing", {"type": "feature", "id": "nope"})

    daemon.answers |= {"analytics/sessionCost": missing, "features/get": missing}
    done = run("cost", "nope")
    assert done.code == 1
    assert done.err.startswith("ccdash: There is no session and no feature 'nope'")


def test_usage_names_the_models_of_each_day(run: Run, daemon: FakeDaemon) -> None:
    whole, by_model = trend(3.0, 0.0, 1.0), trend(3.0, 0.0, 1.0)
    [one] = by_model["series"]
    dear = {
        **one,
        "key": "claude-dear",
        "points": [{**point, **told(cost)} for point, cost in zip(one["points"], (2, 0, 0), strict=True)],
    }
    cheap = {
        **one,
        "key": "claude-cheap",
        "points": [{**point, **told(cost)} for point, cost in zip(one["points"], (1, 0, 1), strict=True)],
    }
    by_model["series"] = [cheap, dear]
    daemon.answers["analytics/trends"] = lambda params: by_model if "split" in params else whole
    assert [line.split()[:3] for line in run("usage").out.splitlines()[2:4]] == [
        ["2026-03-01", "dear,", "cheap"], ["2026-03-03", "cheap", "-"],
    ]  # fmt: skip
    assert [line.split()[0] for line in run("usage", "--breakdown").out.splitlines()[2:7]] == [
        "2026-03-01", "dear", "cheap", "2026-03-03", "cheap",
    ]  # fmt: skip
    answer = json.loads(run("usage", "--json").out)
    assert [point["models"] for point in answer["series"][0]["points"]] == [
        ["claude-dear", "claude-cheap"],
        [],
        ["claude-cheap"],
    ]
    assert run("usage", "--csv").out.splitlines()[1].split(",")[2] == "claude-dear claude-cheap"


def test_a_chart_of_one_series() -> None:
    assert chart(Window(40), trend(0.0, 1.0, 2.0), COST[0], 4) == [
        "$2.00 ┤                ███████",
        "      │                ███████",
        "$1.00 ┤        ███████ ███████",
        "      │        ███████ ███████",
        "   $0 └────────────────────────",
        "       03-01   03-02   03-03",
        "total $3.00, most $2.00 (2026-03-03)",
    ]


def test_days_that_have_no_room_share_a_column() -> None:
    lines = chart(Window(40), trend(*[1.0] * 90), COST[0], 4)
    assert lines[-1] == "total $90.00, most $1.00 (2026-03-01); a column is 4 days"
    assert max(map(width, lines[:-1])) <= 40


def test_series_are_to_one_scale() -> None:
    found = trend(4.0, 8.0)
    [other] = trend(1.0, 0.0)["series"]
    found["series"].append({**other, "key": "…", "label": "others"})
    assert series_chart(Window(60), found, COST[0], "model")[:2] == [
        "(unknown model)  ▄▄▄▄████  $12.00",
        "others           ▁▁▁▁       $1.00",
    ]
    assert width(series_chart(Window(30), trend(*[1.0] * 90), COST[0], "model")[0]) <= 30


def test_bars_are_for_terminals_alone() -> None:
    found = breakdown("project", ("shop", 3.0), ("depot", 1.0))
    terminal, pipe = Window(80), Window(None)
    for out in (terminal, pipe):
        draw_breakdown(out, found, COST)
    assert any("█" in line for line in terminal.text) and not any("█" in line for line in pipe.text)
    assert pipe.text == [
        "PROJECT   COST   SHARE",
        "shop     $3.00  75.0 %",
        "depot    $1.00  25.0 %",
        "",
        "total    $4.00",
    ]


def test_what_is_not_shown_is_one_row() -> None:
    out = Window(None)
    draw_breakdown(out, breakdown("feature", ("", 3.0), count=5, rest=told(7.0)), COST)
    assert out.text[1:3] == ["(no feature)  $3.00  100 %       2       1", "(4 more)      $7.00      -       -       -"]


def test_what_has_no_time_is_a_row() -> None:
    out = Window(None)
    draw_trend(out, trend(3.0, undated=told(1.0)), COST)
    assert [line.split() for line in out.text] == [
        ["DAY", "COST"], ["2026-03-01", "Sun", "$3.00"], ["undated", "$1.00"], [], ["total", "$3.00"],
    ]  # fmt: skip


def test_a_single_row_needs_no_total() -> None:
    out = Window(None)
    draw_usage(out, [("total", "", told(1.0), 0)], "DAY")
    assert len(out.text) == 2


def test_how_fast_a_window_goes() -> None:
    now = datetime.now(UTC)
    burn = {"usdPerHour": 2.5, "tokensPerMinute": 1500.0, "projectedUsd": 9.0, "limitUsd": 6.0, "exhaustedAt": None}
    window = {"burn": burn, "end": (now + timedelta(hours=2, seconds=30)).isoformat()}
    [alone] = told_burn(window)
    assert alone.startswith("$2.50 an hour, 1.50k tokens a minute: about $9.00 when it ends, ")
    assert alone.endswith(", in 2h 00m.")
    burn["exhaustedAt"] = (now + timedelta(hours=1, seconds=30)).isoformat()
    assert told_burn(window)[1].endswith("in 1h 00m at this pace.")
    burn["exhaustedAt"] = (now - timedelta(hours=1)).isoformat()
    assert told_burn(window)[1] == "The most that one cost before, $6.00, was passed."


def test_times() -> None:
    noon = "2026-03-29T12:00:00.000Z"
    assert moment(noon, "Europe/Berlin") == "2026-03-29 14:00"
    assert moment(None) == until(None) == "-"
    assert moment(noon, "Nowhere/Land") == moment(noon)
    assert [seconds(number) for number in (None, 0.123, 12.34, 80)] == ["-", "0.12s", "12.3s", "1m 20s"]


def test_the_overview(run: Run, daemon: FakeDaemon) -> None:
    overview = sample("analytics/overview")
    overview |= {"today": told(3.0, tokens=1500), "previousDay": told(2.0, tokens=1500), "window": None, "alerts": 2}
    daemon.answers["analytics/overview"] = overview
    done = run("stats")
    assert done.out.splitlines()[1].split() == ["today", "$3.00", "+50", "%", "1.50k", "-"]
    assert "month ahead  about $7.75 at the end of 2026-03, at $0.25 a day as in the last 5 days" in done.out
    assert "2 alerts are firing: `ccdash alerts`." in done.err
    daemon.answers["analytics/overview"] = {**overview, "total": told(None)}
    assert run("stats").err.startswith("No usage is known yet.")
