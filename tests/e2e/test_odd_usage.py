"""Figures over time of logs that no sane agent writes: each sum is that of the raw logs, and each answer is clear."""

from __future__ import annotations

import itertools
import json
import re
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import generate
from tests.e2e.oracle import Logs, cost, day, logs, read, tokens
from tests.helpers import Client, Daemon, RpcError, wait_until

MODEL = "claude-opus-4-5-20251101"
MOST = 10**12
"""The most tokens of a kind that a record may claim."""
SESSION = "5e000000-0000-4000-8000-{:012x}"
METRICS = ("cost", "inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")

_numbers = itertools.count(1)


def answer(at: str | None, *, model: str = MODEL, cwd: str = "/home/dev/app", session: int = 1, **usage: int) -> str:
    """A record of an API message of its own."""
    number = next(_numbers)
    counts = {"input": 10, "output": 20, "cache_read": 30, "cache_write": 0} | usage
    record: dict[str, Any] = {
        "type": "assistant",
        "uuid": f"aaaaaaaa-0000-4000-8000-{number:012x}",
        "parentUuid": None,
        "sessionId": SESSION.format(session),
        "cwd": cwd,
        "gitBranch": "main",
        "version": "2.1.60",
        "isSidechain": False,
        "requestId": f"req_{number}",
        "message": {
            "id": f"msg_{number}",
            "role": "assistant",
            "model": model,
            "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "Done."}],
            "usage": {
                "input_tokens": counts["input"],
                "output_tokens": counts["output"],
                "cache_read_input_tokens": counts["cache_read"],
                "cache_creation_input_tokens": counts["cache_write"],
            },
        },
    }
    if at is not None:
        record["timestamp"] = at
    return json.dumps(record)


def write(daemon: Daemon, lines: list[str], session: int = 1, folder: str = "-home-dev-app") -> Path:
    path = daemon.home / ".claude" / "projects" / folder / f"{SESSION.format(session)}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def client(idle_daemon: Daemon) -> Iterator[Client]:
    """Connected with a daemon that has read what the test wrote before it asked for this."""
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        yield client


@pytest.fixture
def truth(idle_daemon: Daemon) -> Logs:
    return read(logs(idle_daemon.home))


def values(figures: dict[str, Any]) -> tuple[float, ...]:
    return tuple(figures["values"][name] or 0 for name in METRICS)


def whole(truth: Logs) -> tuple[float, ...]:
    return float(cost(truth.messages)), *tokens(truth.messages).values()


@pytest.fixture
def jumping(idle_daemon: Daemon) -> None:
    """A clock that was wrong, and times that are none."""
    times = (
        "2026-03-01T10:00:00.000Z",
        "2099-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00.000Z",
        "1969-07-20T20:17:00Z",
        None,
    )
    damaged = ("[trimmed for fixture]", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "", "2026-02-30T00:00:00Z")
    write(idle_daemon, [answer(at) for at in (*times, *damaged)])


def test_clock_that_jumps(jumping: None, truth: Logs, client: Client) -> None:
    trend = client.request("analytics/trends", {"metrics": METRICS, "step": "month", "timeZone": "UTC"})
    assert values(trend["total"]) == whole(truth)
    points = [point for point in trend["series"][0]["points"] if any(values(point))]
    # A time that is still to come is the fault of a clock, unless somebody asks for it.
    assert [point["label"] for point in points] == ["1970-01", "2026-03"]
    assert added([trend["undated"], *points]) == whole(truth)
    future = {"metrics": ["messages"], "step": "month", "since": "2099-12-01", "until": "2100-01-31", "timeZone": "UTC"}
    points = client.request("analytics/trends", future)["series"][0]["points"]
    assert [(point["label"], point["values"]["messages"]) for point in points] == [("2099-12", 1), ("2100-01", 0)]
    heat = client.request("analytics/heatmap", {"metric": "outputTokens", "timeZone": "UTC"})
    assert heat["undated"] == trend["undated"]["values"]["outputTokens"]
    assert sum(map(sum, heat["cells"])) + heat["undated"] == heat["total"] == whole(truth)[2]
    march = {"metrics": METRICS, "since": "2026-03-01", "until": "2026-03-01", "timeZone": "UTC"}
    one = [message for message in truth.messages if day(message.time, "UTC") == "2026-03-01"]
    found = values(client.request("analytics/trends", march)["total"])
    assert (len(one), found) == (1, (float(cost(one)), *tokens(one).values()))
    for method in ("overview", "top", "distribution", "windows", "prometheus", "statusline", "tools"):
        client.request(f"analytics/{method}")


def added(parts: list[dict[str, Any]]) -> tuple[float, ...]:
    """The sum; of dollars in decimals, since binary fractions would not be exact."""
    return tuple(float(sum(Decimal(str(values(part)[place])) for part in parts)) for place in range(len(METRICS)))


@pytest.fixture
def enormous(idle_daemon: Daemon) -> None:
    times = [f"2026-03-01T10:{minute:02}:00.000Z" for minute in range(60)]
    write(idle_daemon, [answer(at, input=MOST, output=MOST, cache_read=MOST, cache_write=MOST) for at in times])


def test_more_tokens_than_there_are(enormous: None, truth: Logs, client: Client) -> None:
    """Picodollars of one such message alone exceed 64 bits."""
    trend = client.request("analytics/trends", {"metrics": METRICS})
    assert values(trend["total"]) == whole(truth) and whole(truth)[1] == 60 * MOST
    assert client.request("analytics/sessionCost", {"id": SESSION.format(1)})["cost"]["usd"] == whole(truth)[0]
    for method in ("overview", "top", "distribution", "heatmap", "windows", "prometheus", "statusline"):
        client.request(f"analytics/{method}")


ODD_NAMES = (
    "",
    " ",
    'a"b',
    "a\nb",
    '{x="1"}',
    "\u202emodel",
    "модель",
    "💸",
    "../../etc/passwd",
    "x" * 5000,
    "%s",
    "NULL",
    "a\\",
    "…",
)


@pytest.fixture
def odd_names(idle_daemon: Daemon) -> None:
    for number, name in enumerate(ODD_NAMES, 1):
        cwd = f"/home/dev/odd/{name.replace('/', '_')[:100]}{number}"
        write(
            idle_daemon, [answer("2026-03-01T10:00:00.000Z", model=name, cwd=cwd, session=number)], number, f"-odd-{number}"
        )


def test_names_with_odd_characters(odd_names: None, truth: Logs, client: Client) -> None:
    found = client.request("analytics/breakdown", {"by": "model", "metrics": ["messages"], "limit": 100})
    assert {row["key"] for row in found["items"]} == {message.model for message in truth.messages}
    assert [row["values"]["messages"] for row in found["items"]] == [1] * len(ODD_NAMES)
    for row in found["items"]:
        if row["key"]:
            alone = client.request("analytics/trends", {"metrics": ["messages"], "model": row["key"]})
            assert alone["total"]["values"]["messages"] == 1, row["key"]
    projects = client.request("analytics/breakdown", {"by": "project", "metrics": ["messages"], "limit": 100})
    assert sum(row["values"]["messages"] for row in projects["items"]) == len(ODD_NAMES)
    split = client.request("analytics/trends", {"metrics": METRICS, "split": "model", "series": 3})
    assert added([series["total"] for series in split["series"]]) == whole(truth)
    text = client.request("analytics/prometheus")["text"]
    assert all(re.fullmatch(r"(# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [0-9.e+-]+|# EOF)", line) for line in text.splitlines())


@pytest.fixture
def many_models(idle_daemon: Daemon) -> None:
    write(idle_daemon, [answer("2026-03-01T10:00:00.000Z", model=f"model-{number}") for number in range(10_000)])


def test_ten_thousand_models(many_models: None, truth: Logs, client: Client) -> None:
    found = client.request(
        "analytics/breakdown", {"by": "model", "metrics": ["outputTokens"], "limit": 500, "offset": 9_800}
    )
    assert (found["count"], len(found["items"])) == (10_000, 200)
    assert found["total"]["values"]["outputTokens"] == whole(truth)[2]
    trend = client.request("analytics/trends", {"metrics": METRICS, "split": "model", "series": 50})
    assert len(trend["series"]) == 51 and trend["series"][-1]["key"] == "…"
    assert added([series["total"] for series in trend["series"]]) == whole(truth)
    assert trend["total"]["cost"]["provenance"] == "unpriced"
    text = client.request("analytics/prometheus")["text"]
    assert len(text.splitlines()) < 2_000, "each model a label"


def test_nothing_at_all(client: Client) -> None:
    trend = client.request("analytics/trends", {"metrics": METRICS})
    assert (values(trend["total"]), trend["total"]["cost"], trend["undated"]) == ((0,) * len(METRICS), None, None)
    overview = client.request("analytics/overview")
    assert (overview["top"], overview["window"], overview["forecast"]["projected"]) == ([], None, 0)
    for metric in client.request("analytics/metrics")["items"]:
        for by in metric["dimensions"]:
            found = client.request("analytics/breakdown", {"by": by, "metrics": [metric["id"]]})
            assert (found["items"], found["count"]) == ([], 0), (metric["id"], by)
    assert client.request("analytics/distribution")["median"] is None
    assert client.request("analytics/windows")["items"] == []
    assert client.request("analytics/tools")["items"] == []
    heat = client.request("analytics/heatmap")
    assert (len(heat["cells"]), {len(row) for row in heat["cells"]}, heat["total"]) == (7, {24}, 0)


BAD: tuple[tuple[str, dict[str, object], str], ...] = (
    ("trends", {"metrics": ["costs"]}, "costs"),
    ("trends", {"metrics": []}, "metrics"),
    ("trends", {"since": "yesteryear"}, "yesteryear"),
    ("trends", {"since": "2026-02-30"}, "2026-02-30"),
    ("trends", {"since": "2026-03-02", "until": "2026-03-01"}, "2026-03-0"),
    ("trends", {"since": "2099-01-01"}, "future"),
    ("trends", {"timeZone": "Mars/Olympus"}, "Mars/Olympus"),
    ("trends", {"timeZone": "../../etc/passwd"}, "etc/passwd"),
    ("trends", {"step": "hour", "since": "1970-01-01", "until": "2099-01-01"}, "points"),
    ("trends", {"series": -1, "split": "model"}, "series"),
    ("trends", {"split": "day"}, "split"),
    ("trends", {"project": "no such project"}, "no such project"),
    ("breakdown", {"by": "colour"}, "colour"),
    ("breakdown", {"by": "model", "limit": 10**9}, "limit"),
    ("breakdown", {"by": "model", "offset": -1}, "offset"),
    ("breakdown", {"by": "tool", "metrics": ["cost"]}, "tool"),
    ("heatmap", {"metric": "no such"}, "no such"),
    ("distribution", {"bins": 0}, "bins"),
    ("top", {"limit": 0}, "limit"),
    ("sessionCost", {"id": "no-such-session"}, "no-such-session"),
    ("windows", {"kind": "month"}, "month"),
)


def test_bad_questions(client: Client) -> None:
    """Each error says which part of the question is wrong, and how."""
    for method, params, named in BAD:
        with pytest.raises(RpcError) as raised:
            client.request(f"analytics/{method}", params)
        assert named in raised.value.message or named in json.dumps(raised.value.data), (method, params, raised.value)
        assert raised.value.code in (-32602, -32001), (method, params, raised.value)


def test_asked_while_everything_is_read_for_the_first_time(idle_daemon: Daemon) -> None:
    generate(idle_daemon.home, sessions=12, bytes_target=1_500_000, seed=5)
    truth = read(logs(idle_daemon.home))
    idle_daemon.start()
    seen = []
    with idle_daemon.client() as client:
        while not client.request("ccdash/status")["indexing"]["complete"]:
            seen.append(values(client.request("analytics/trends", {"metrics": METRICS})["total"]))
            client.request("analytics/overview")
        # Nothing falls while more is read.
        assert seen == sorted(seen) and all(figures <= whole(truth) for figures in seen)
        assert values(client.request("analytics/trends", {"metrics": METRICS})["total"]) == whole(truth)


def test_prices_that_the_user_changes(idle_daemon: Daemon) -> None:
    """What is known is priced anew, and no log is read again."""
    write(idle_daemon, [answer("2026-03-01T10:00:00.000Z", model=model) for model in ("mine", "mine", MODEL)])
    truth = read(logs(idle_daemon.home))
    known = float(cost(truth.messages))
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        before = client.request("analytics/trends", {"metrics": ["cost"]})["total"]
        assert before["cost"] == {"usd": known, "provenance": "lower_bound", "unpricedModels": ["mine"]}
        counters = counted(client.request("analytics/prometheus")["text"])
    idle_daemon.kill(signal.SIGTERM)
    settings = idle_daemon.paths.config_file
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[prices.mine]\ninput = 1000000.0\noutput = 0.0\ncache_read = 0.0\n", encoding="utf-8")
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        wanted = known + 2 * 10
        asked = ("analytics/trends", {"metrics": ["cost"]})
        wait_until(lambda: client.request(*asked)["total"]["values"]["cost"] == wanted, "the new price")
        after = client.request(*asked)["total"]
        assert after["cost"] == {"usd": wanted, "provenance": "computed", "unpricedModels": []}
        status = client.request("cache/status")
        assert status["filesParsed"] == 0, status
        again = counted(client.request("analytics/prometheus")["text"])
        assert all(again.get(name, 0) >= value for name, value in counters.items() if "_total" in name)


def counted(text: str) -> dict[str, float]:
    """The samples of Prometheus' text format."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
