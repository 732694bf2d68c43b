"""Events, active minutes, and what messages tell beside their tokens."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from ccdashd.sources.log import pack_key
from ccdashd.sources.model import Event
from tests.sources.logs import OTHER, SESSION, USAGE, Read, Writer, call, line, read, text


def told(log: Read) -> list[tuple[str, bool]]:
    return [(event.kind, event.copied) for event in log.log.events]


def test_events_are_what_the_figures_of_a_log_count() -> None:
    w = Writer()
    log = read(
        w.user("Go on"),
        w.user("Do it", isSidechain=True),
        w.user("<command-name>/init</command-name>"),
        w.user("<bash-input>ls</bash-input>"),
        w.user("<bash-stdout>a</bash-stdout>"),
        w.user("[Request interrupted by user]"),
        w.user([{"type": "tool_result", "tool_use_id": "t1"}, text("no, not so")]),
        w.record("attachment", attachment={"type": "queued_command", "prompt": "and that", "origin": {"kind": "human"}}),
        w.record("attachment", attachment={"type": "queued_command", "prompt": "a task", "origin": {"kind": "task"}}),
        w.record("system", subtype="compact_boundary"),
        w.record("system", subtype="api_error"),
        w.record("system", subtype="turn_duration"),
        w.assistant(text("API Error"), id="e1", model="<synthetic>", isApiErrorMessage=True),
        w.assistant(text("No response requested."), id="e2", model="<synthetic>"),
    )
    stats = log.stats
    assert Counter(kind for kind, _ in told(log)) == {
        "prompt": stats.prompts,
        "command": stats.commands,
        "bash": stats.bash_inputs,
        "interrupt": stats.interrupts,
        "steering": stats.steering,
        "compaction": stats.compactions,
        "api_error": stats.api_errors,
    }
    assert (stats.prompts, stats.steering, stats.api_errors) == (1, 2, 2)


def test_an_event_has_the_time_and_the_key_of_its_record() -> None:
    w = Writer()
    record = w.user("Go on")
    assert read(record, record).log.events == [Event("prompt", 1767322801250, pack_key(record["uuid"]), False)]


@pytest.mark.parametrize("fields", [{"sessionId": OTHER}, {"forkedFrom": {"sessionId": OTHER}}])
def test_events_of_another_session_are_copies(fields: dict[str, Any]) -> None:
    w = Writer()
    log = read(w.user("Go on", **fields), w.user("Go on"))
    assert told(log) == [("prompt", True), ("prompt", False)]


def test_an_event_without_uuid_is_known_by_its_time_and_kind() -> None:
    w = Writer()
    records = [w.record("system", subtype=kind, uuid=...) for kind in ("api_error", "compact_boundary", "api_error")]
    first, again = read(*records), read(*records)
    assert len({event.key for event in first.log.events}) == 3
    assert first.log.events == again.log.events
    assert all(len(event.key) == 8 for event in first.log.events)


def minute(time: str) -> dict[str, Any]:
    return {"timestamp": f"2026-01-02T{time}.000Z"}


def test_minutes_are_those_of_records_that_the_session_wrote() -> None:
    w = Writer()
    log = read(
        w.user("a", **minute("03:00:00")),
        w.user("b", **minute("03:00:59")),
        w.record("mode", uuid=..., **minute("03:02:00")),
        w.user("copied", **minute("04:00:00"), sessionId=OTHER),
        w.user("forked", **minute("04:10:00"), forkedFrom={"sessionId": OTHER}),
        w.user("own", **minute("04:10:30")),
        w.user("earlier", **minute("02:59:00")),
        w.user("never", timestamp=None),
    )
    start = 1767322800 // 60
    assert log.log.minutes == {start - 1, start, start + 2, start + 70}


def test_in_the_log_of_an_agent_all_is_its_own() -> None:
    w = Writer()
    log = Read(line(w.user("a", sessionId=SESSION)) + line(w.user("b", sessionId=OTHER)), own_id=None)
    assert told(log) == [("prompt", False)] * 2
    assert len(log.log.minutes) == 1


def usage(**more: Any) -> dict[str, Any]:
    return USAGE | more


def test_searches_and_the_faster_mode() -> None:
    w = Writer()
    log = read(
        w.assistant(text("a"), id="m1", usage=usage(server_tool_use={"web_search_requests": 2, "web_fetch_requests": 9})),
        w.assistant(text("b"), id="m1", usage=usage(server_tool_use={"web_search_requests": 3}, speed="fast")),
        w.assistant(text("c"), id="m1", usage=usage(speed="standard")),
        w.assistant(text("d"), id="m2", usage=usage(server_tool_use=None, speed=None)),
    )
    assert [(message.web_searches, message.fast) for message in log.messages] == [(3, True), (0, False)]


@pytest.mark.parametrize(
    "odd",
    [
        {"server_tool_use": {"web_search_requests": -1}},
        {"server_tool_use": {"web_search_requests": 10**7}},
        {"server_tool_use": {"web_search_requests": "many"}},
        {"server_tool_use": [1]},
        {"speed": 3},
        {"speed": "warp"},
    ],
)
def test_odd_values_leave_the_tokens_alone(odd: dict[str, Any]) -> None:
    message = read(Writer().assistant(text("a"), usage=usage(**odd))).messages[0]
    assert (message.input, message.output, message.web_searches, message.fast) == (3, 5, 0, False)


@pytest.mark.parametrize(
    ("costs", "pico"),
    [
        (["0.012345678901"], 12_345_678_901),
        (["0.1"], 10**11),
        (["1e-12", "3E-2"], 3 * 10**10),
        (["0.5", "0.25"], 5 * 10**11),
        (["2", "null"], 2 * 10**12),
        (["0"], 0),
        (["0.0000000000005"], 0),
        (["0.0000000000015"], 2),
        (["100000"], 10**17),
        (["100000.000001"], None),
        (["-0.01"], None),
        (["1e999"], None),
        (["1e99999999999999999999"], None),
        (['"0.5"'], None),
        (["null"], None),
        (["true"], None),
        (["[1]"], None),
    ],
)
def test_what_the_agent_says_that_a_message_cost(costs: list[str], pico: int | None) -> None:
    w = Writer()
    data = b"".join(
        line(w.assistant(text("a"), costUSD=f"@{number}")).replace(json.dumps(f"@{number}").encode(), cost.encode())
        for number, cost in enumerate(costs)
    )
    log = Read(data)
    assert [message.reported for message in log.messages] == [pico]
    assert log.messages[0].output == 5
    assert log.stats.records == len(costs)


def test_a_call_names_its_message() -> None:
    w = Writer()
    log = read(
        w.result("t9"),
        w.assistant(text("a"), call("t1", "Bash", command="ls"), id="m1"),
        w.assistant(call("t2", "Read", file_path="/a"), id="m2"),
        w.assistant(call("t3", "Edit", file_path="/a"), id="m1"),
        w.assistant(call("t1", "Bash", command="again"), id="m2"),
        w.assistant(call("t4", "Bash", command="ls"), id="e", model="<synthetic>"),
    )
    messages = {call_id: call.message for call_id, call in log.log.tool_calls.items()}
    assert messages == {"t9": None, "t1": 0, "t2": 1, "t3": 0, "t4": None}
    assert [message.message_id for message in log.messages] == ["m1", "m2"]


def test_a_change_of_a_file_has_the_time_of_its_call() -> None:
    w = Writer()
    log = read(
        w.assistant(call("t1", "Edit", file_path="/a"), **minute("03:00:00")),
        w.result("t1", toolUseResult={"structuredPatch": [{"lines": ["+a"]}]}, **minute("03:05:00")),
        w.result("t2", toolUseResult={"structuredPatch": [{"lines": ["+a"]}]}, **minute("03:06:00")),
    )
    updates = {call_id: update.time for call_id, update in log.log.file_updates.items()}
    assert updates == {"t1": 1767322800000, "t2": None}
