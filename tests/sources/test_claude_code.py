from __future__ import annotations

from typing import Any

import pytest

from ccdashd.sources.claude_code import STATE_TYPES, ClaudeCodeReader, agent_meta
from ccdashd.sources.log import Log, canonical_key, pack_key
from ccdashd.sources.model import PAGE, Entry
from tests.sources.logs import OTHER, SESSION, USAGE, Read, Writer, call, line, read, text, write


def test_a_prompt_and_its_answer() -> None:
    w = Writer()
    prompt = w.user("Fix it")
    answer = w.assistant({"type": "thinking", "thinking": "hm"}, text("Done"))
    log = read(prompt, answer)
    assert log.kinds == ["prompt", "thinking", "assistant"]
    assert log.texts == ["Fix it", "hm", "Done"]
    first, second = len(line(prompt)), len(line(answer))
    assert [(entry.offset, entry.length, entry.block) for entry in log.entries] == [
        (0, first - 1, 0),
        (first, second - 1, 0),
        (first, second - 1, 1),
    ]
    assert [entry.uuid for entry in log.entries] == [prompt["uuid"], answer["uuid"], answer["uuid"]]
    assert log.entries[1].parent == prompt["uuid"]
    assert [entry.model for entry in log.entries] == [None, "claude-opus-4-5", "claude-opus-4-5"]
    stats = log.stats
    assert (stats.lines, stats.records, stats.entries, stats.prompts) == (2, 2, 3, 1)
    assert (stats.first_prompt, stats.first_prompt_at) == ("Fix it", stats.started_at)
    assert stats.ended_at == stats.started_at + 1000  # type: ignore[operator]
    assert stats.root_uuid == prompt["uuid"]
    assert (stats.cwd, stats.git_branch, stats.version) == ("/home/dev/app", "main", "2.1.30")
    assert stats.session_ids == {SESSION: 2}
    assert stats.record_types == {"user": 1, "assistant": 1}


def test_places_are_counted_by_record() -> None:
    w = Writer()
    log = read(w.user("a"), w.user("b", cwd="/b", gitBranch="x"), w.user("c", sessionId=OTHER), w.user("d", cwd=...))
    assert log.stats.cwds == {"/home/dev/app": 2, "/b": 1}
    assert log.stats.cwd == "/home/dev/app"
    assert log.stats.git_branches == {"main": 3, "x": 1}
    assert log.stats.session_ids == {SESSION: 3, OTHER: 1}


def test_usage_of_a_message_counts_once() -> None:
    w = Writer()
    early = w.assistant(text("a"), usage=USAGE | {"output_tokens": 1}, stop_reason=None)
    late = w.assistant(text("b"), usage=USAGE | {"output_tokens": 50})
    for records in ((early, late), (late, early)):
        (message,) = read(*records).messages
        assert (message.input, message.output, message.cache_read, message.cache_write) == (3, 50, 7, 11)
        assert (message.cache_write_5m, message.cache_write_1h) == (4, 7)
        assert not message.lower_bound


def test_requests_with_the_same_message_id_are_two() -> None:
    w = Writer()
    assert len(read(w.assistant(text("a")), w.assistant(text("a"), requestId="req_2")).messages) == 2


def test_usage_without_a_total_of_cache_writes() -> None:
    usage = {name: value for name, value in USAGE.items() if name != "cache_creation_input_tokens"}
    (message,) = read(Writer().assistant(text("a"), usage=usage)).messages
    assert message.cache_write == 11


def test_no_stop_reason_makes_a_lower_bound() -> None:
    (message,) = read(Writer().assistant(text("a"), stop_reason=None)).messages
    assert message.lower_bound


@pytest.mark.parametrize("fields", [{"sessionId": OTHER}, {"forkedFrom": {"sessionId": OTHER}}])
def test_messages_of_other_sessions_are_copies(fields: dict[str, Any]) -> None:
    (message,) = read(Writer().assistant(text("a"), **fields)).messages
    assert message.copied


def test_synthetic_messages_have_no_usage() -> None:
    log = read(Writer().assistant(text("API Error"), model="<synthetic>", isApiErrorMessage=True))
    assert log.messages == []
    assert (log.stats.synthetic, log.stats.api_errors) == (1, 1)
    assert log.entries[0].model is None


@pytest.mark.parametrize("result_first", [False, True])
def test_a_call_and_its_result(result_first: bool) -> None:
    w = Writer()
    use = w.assistant(call("t1", "Bash", command="ls", description="List"))
    result = w.result("t1", "a\nb", error=True)
    log = read(*([result, use] if result_first else [use, result]))
    (made,) = log.log.tool_calls.values()
    assert (made.name, made.target, made.status) == ("Bash", "ls", "error")
    at = len(line(result if result_first else use))
    assert (made.call_offset, made.result_offset) == ((at, 0) if result_first else (0, at))
    shown = next(entry for entry in log.entries if entry.text == "a\nb")
    assert (shown.tool, shown.tool_use_id, shown.is_error) == (None if result_first else "Bash", "t1", True)


@pytest.mark.parametrize(
    ("name", "given", "target", "action"),
    [
        ("Read", {"file_path": "/a", "offset": 3}, "/a", "read"),
        ("Write", {"file_path": "/a", "content": "x" * 999}, "/a", "write"),
        ("MultiEdit", {"file_path": "/a"}, "/a", "edit"),
        ("NotebookEdit", {"notebook_path": "/n"}, "/n", "edit"),
        ("Grep", {"pattern": "x", "path": "/a"}, "x", None),
        ("Task", {"description": "d", "subagent_type": "s"}, "d", None),
        ("mcp__x", {"filePath": "/f"}, "/f", None),
        ("Bash", {"command": 5, "description": "odd"}, "odd", None),
        ("Bash", "no object", "", None),
        ("Bash", None, "", None),
    ],
)
def test_targets(name: str, given: Any, target: str, action: str | None) -> None:
    log = read(Writer().assistant({"type": "tool_use", "id": "t", "name": name, "input": given}))
    assert log.texts == [target]
    assert [(update.path, update.action) for update in log.log.file_updates.values()] == (
        [(target, action)] if action else []
    )


def test_a_call_without_input_or_id() -> None:
    log = read(Writer().assistant({"type": "tool_use", "name": "Bash"}, {"type": "tool_use"}))
    assert [made.name for made in log.log.tool_calls.values()] == ["Bash", "?"]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"structuredPatch": [{"lines": ["+a", "+b", "-c", " d"]}, {"lines": ["-e"]}]}, (2, 2, False)),
        ({"type": "create", "content": "a\nb", "structuredPatch": []}, (2, 0, True)),
        ({"type": "create", "content": "a\nb\n"}, (2, 0, True)),
        ({"type": "update", "structuredPatch": [], "content": "a\n"}, (0, 0, False)),
    ],
)
def test_lines_of_a_patch(result: dict[str, Any], expected: tuple[int, int, bool]) -> None:
    w = Writer()
    log = read(w.assistant(call("t", "Write", file_path="/a")), w.result("t", toolUseResult=result))
    (update,) = log.log.file_updates.values()
    assert (update.additions, update.deletions, update.created) == expected


@pytest.mark.parametrize("result", ["Error: no", [{"type": "text"}], 5, 1.5, True, None, {"structuredPatch": "odd"}])
def test_odd_tool_use_results(result: Any) -> None:
    log = read(Writer().result("t", toolUseResult=result))
    assert log.kinds == ["toolResult"]
    assert log.log.file_updates == {}


@pytest.mark.parametrize(
    ("content", "shown", "cut"),
    [
        ("short", "short", False),
        ("x" * 2000, "x" * 400, True),
        ("é" * 2000, "é" * 199, True),
        ([text("a"), text("b")], "a\nb", False),
        ([text("a"), {"type": "image", "source": {}}], "a\n[image]", True),
        ([text("x" * 2000)] * 3, "x" * 400 + "\n" + "x" * 399, True),
        (["odd"], "", True),
        ({"odd": 1}, "", False),
        (None, "", False),
    ],
)
def test_text_of_results(content: Any, shown: str, cut: bool) -> None:
    (entry,) = read(Writer().result("t", content)).entries
    assert (entry.text, entry.truncated) == (shown, cut)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ([text("look"), {"type": "image"}, {"type": "document"}], "look\n[image]\n[document]"),
        ([{"type": "image"}, {"type": "image"}], "[image]\n[image]"),
        ([{"type": "image"}, text("<system-reminder>a</system-reminder>")], "[image]"),
    ],
)
def test_images_and_documents_of_prompts_stand_as_marks(content: Any, shown: str) -> None:
    log = read(Writer().user(content))
    assert log.kinds == ["prompt"]
    assert log.texts == [shown]
    assert log.stats.first_prompt == ("look" if shown.startswith("look") else "[image]")


def test_text_beside_results_is_steering() -> None:
    w = Writer()
    blocks = [
        {"type": "tool_result", "tool_use_id": "t", "content": "x"},
        text("stop <system-reminder>a</system-reminder>"),
    ]
    log = read(w.user(blocks), w.user(blocks, isMeta=True))
    assert log.kinds == ["toolResult", "steering", "toolResult"]
    assert log.entries[1].text == "stop"
    assert log.stats.steering == 1


@pytest.mark.parametrize(
    ("content", "fields", "kind", "count"),
    [
        ("hello", {}, "prompt", "prompts"),
        ([text("a"), {"type": "image"}], {}, "prompt", "prompts"),
        ([{"type": "image"}], {}, "prompt", "prompts"),
        ("<command-name>/init</command-name>", {}, "command", "commands"),
        ("<bash-input>ls</bash-input>", {}, "bash", "bash_inputs"),
        ("[Request interrupted by user]", {}, "interrupt", "interrupts"),
        ("<task-notification>a", {}, "notification", "notifications"),
        ("<teammate-message id=1>", {}, "teammate", "teammate_messages"),
        ("<local-command-stdout>a", {}, "meta", "meta"),
        ("hello", {"isMeta": True}, "meta", "meta"),
        ("<system-reminder>a</system-reminder>", {}, "meta", "meta"),
        ("hello", {"isSidechain": True}, "prompt", "sidechain_prompts"),
        ("hello", {"isCompactSummary": True}, "compactSummary", None),
        ("hello", {"isVisibleInTranscriptOnly": True}, "compactSummary", None),
    ],
)
def test_kinds_of_user_records(content: Any, fields: dict[str, Any], kind: str, count: str | None) -> None:
    log = read(Writer().user(content, **fields))
    assert log.kinds == [kind]
    names = (
        "prompts",
        "commands",
        "bash_inputs",
        "interrupts",
        "notifications",
        "teammate_messages",
        "meta",
        "sidechain_prompts",
    )
    assert [name for name in names if getattr(log.stats, name)] == ([count] if count else [])


def test_the_first_prompt_is_the_earliest() -> None:
    w = Writer()
    early, late = w.user("early"), w.user("late")
    assert read(late, early).stats.first_prompt == "early"


def test_commands() -> None:
    w = Writer()
    command = "<command-name>/review</command-name><command-args>12</command-args>"
    log = read(w.user(command), w.user(command))
    assert log.stats.command_names == {"/review": 2}
    assert log.stats.first_command == "/review 12"


def test_a_side_chain_begins_with_an_agents_prompt() -> None:
    w = Writer()
    log = read(w.user("Explore", isSidechain=True), w.user("more", isSidechain=True))
    assert (log.stats.agent_prompt, log.stats.sidechain_roots, log.stats.sidechain_prompts) == ("Explore", 1, 2)
    assert all(entry.sidechain for entry in log.entries)


def test_long_texts_are_cut() -> None:
    w = Writer()
    log = Read(write(w.user("x" * 30), w.assistant(text("y" * 30)), w.result("t", "z" * 30)), text_cap=10)
    assert log.texts == ["x" * 10, "y" * 10, "z" * 10]
    assert all(entry.truncated for entry in log.entries)


def test_a_record_that_stands_twice_counts_once() -> None:
    w = Writer()
    prompt, answer = w.user("a"), w.assistant(text("b"))
    larger = answer | {"message": answer["message"] | {"usage": USAGE | {"output_tokens": 99}}}
    log = read(prompt, answer, prompt, larger)
    assert log.kinds == ["prompt", "assistant"]
    assert (log.stats.duplicates, log.stats.prompts, log.stats.records) == (2, 1, 4)
    assert log.messages[0].output == 99


def mirrored(w: Writer, **data: Any) -> dict[str, Any]:
    inner = w.assistant(text("a"), id="msg_agent", requestId="req_agent")
    progress = {"type": "agent_progress", "agentId": "a1", "message": inner} | data
    return w.record("progress", data=progress, parentToolUseID="t")


def test_progress_mirrors_the_usage_of_an_agent() -> None:
    w = Writer()
    log = read(w.assistant(call("t", "Task", description="d")), mirrored(w))
    assert log.kinds == ["toolCall"]
    assert [(message.message_id, message.mirror) for message in log.messages] == [("msg_1", False), ("msg_agent", True)]
    assert log.log.tool_calls["t"].agent_id == "a1"
    assert log.stats.agent_ids == {"a1": 1}


def test_progress_that_tells_its_type_late_mirrors_too() -> None:
    """As agents write it: the message first, which may be long, and a prompt of any length last."""
    w = Writer()
    inner = w.assistant(text("a" * 999), id="msg_agent", requestId="req_agent")
    data = {"message": inner, "type": "agent_progress", "prompt": "p" * 9999, "agentId": "a1"}
    log = read(w.record("progress", data=data, parentToolUseID="t"))
    assert [(message.message_id, message.mirror) for message in log.messages] == [("msg_agent", True)]


def test_other_progress_only_counts() -> None:
    w = Writer()
    log = read(w.record("progress", data={"type": "hook_progress", "x": "y" * 999}), w.record("progress", data=...))
    assert (log.entries, log.stats.record_types, log.findings) == ([], {"progress": 2}, [])


def test_progress_of_an_odd_shape_is_told() -> None:
    assert read(mirrored(Writer(), message=5)).findings == ["odd-progress"]


def test_system_records() -> None:
    w = Writer()
    log = read(
        w.record("system", subtype="compact_boundary", content="Compacted", parentUuid=None, logicalParentUuid="p"),
        w.record("system", subtype="api_error", content=...),
        w.record("system", subtype="turn_duration", content={"odd": 1}),
        w.record("system", content="plain"),
    )
    assert log.kinds == ["compaction", "system", "system", "system"]
    assert log.texts == ["Compacted", "api_error", "turn_duration", "plain"]
    assert log.entries[0].parent == "p"
    assert (log.stats.compactions, log.stats.api_errors) == (1, 1)
    assert list(log.stats.record_types) == ["system/compact_boundary", "system/api_error", "system/turn_duration", "system"]


def test_attachments() -> None:
    w = Writer()
    log = read(
        w.record("attachment", attachment={"type": "queued_command", "prompt": "and this"}),
        w.record("attachment", attachment={"type": "queued_command", "prompt": "x", "origin": {"kind": "hook"}}),
        w.record("attachment", attachment={"type": "todo", "content": "x" * 999}),
        w.record("attachment", attachment={"type": "file", "content": {"a": 1}}),
        w.record("attachment"),
    )
    assert log.kinds == ["steering", "attachment", "attachment", "attachment"]
    assert log.texts == ["and this", "x", "x" * 400, ""]
    assert [entry.tool for entry in log.entries] == [None, None, "todo", "file"]
    assert log.stats.steering == 1


def test_the_queue() -> None:
    w = Writer()
    put = w.record("queue-operation", operation="enqueue", content="next", uuid=...)
    log = read(put, put, w.record("queue-operation", operation="dequeue", uuid=...))
    assert (log.kinds, log.texts) == (["queued"], ["next"])
    assert log.stats.duplicates == 1
    assert log.findings == []


def test_summaries_titles_and_links() -> None:
    leaf = Writer(5).uuid()
    log = read(
        {"type": "summary", "summary": "Made  it", "leafUuid": leaf},
        {"type": "summary", "summary": "No leaf"},
        {"type": "custom-title", "customTitle": "Mine"},
        {"type": "ai-title", "aiTitle": "Its"},
        {"type": "pr-link", "prUrl": "https://example.org/1"},
    )
    assert [(summary.leaf, summary.text) for summary in log.log.summaries] == [
        (pack_key(leaf), "Made it"),
        (b"", "No leaf"),
    ]
    assert (log.stats.custom_title, log.stats.ai_title) == ("Mine", "Its")
    assert log.stats.pr_links == {"https://example.org/1": 1}


@pytest.mark.parametrize("type", sorted(STATE_TYPES))
def test_state_is_counted_and_not_shown(type: str) -> None:
    log = read({"type": type, "sessionId": SESSION})
    assert (log.entries, log.findings, log.stats.record_types) == ([], [], {type: 1})


def test_unknown_types_are_told_once_and_shown() -> None:
    log = read({"type": "novel"}, {"type": "novel"}, {"no": "type"})
    assert log.kinds == ["unknown"] * 3
    assert log.stats.unknown_types == {"novel": 2, "": 1}
    assert log.findings == ["unknown-type", "unknown-type"]


def test_fields_of_odd_types_are_dropped() -> None:
    odd = Writer().assistant(
        text("kept"), usage=USAGE | {"input_tokens": 2.0, "output_tokens": "x"}, isSidechain="no", cwd=5
    )
    log = read(odd)
    assert (log.texts, log.stats.cwds, log.entries[0].sidechain) == (["kept"], {}, False)
    (message,) = log.messages
    assert (message.input, message.output, message.cache_read) == (2, 0, 7)


def test_keys_fall_on_the_page_of_the_next_entry() -> None:
    w = Writer()
    records = [w.user(str(number)) for number in range(PAGE + 1)]
    pages: list[tuple[int, int, list[str]]] = []

    def turn(page: int, entries: list[Entry], keys: list[str]) -> None:
        pages.append((page, len(entries), keys))

    log = Log(turn=turn)
    ClaudeCodeReader(log).feed(write(*records), 0)
    log.close()
    keys = [canonical_key(record["uuid"]) for record in records]
    assert pages == [(0, PAGE, keys[:PAGE]), (1, 1, keys[PAGE:])]


def test_agent_meta() -> None:
    assert agent_meta(b'{"agentType":"Explore","toolUseId":"t"}').agentType == "Explore"
    assert agent_meta(b"{").agentType is None
