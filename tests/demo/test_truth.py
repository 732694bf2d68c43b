"""The truth that the generator states equals what a plain reader counts in the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import SessionTruth, Summary, generate

EDIT_TOOLS = {"Edit", "Write", "MultiEdit", "NotebookEdit"}
COMMAND_TAGS = ("<command-name>", "<command-message>")
MACHINE_TAGS = (
    *COMMAND_TAGS,
    "<local-command-stdout>",
    "<bash-input>",
    "<bash-stdout>",
    "<task-notification>",
    "<teammate-message",
    "[Request interrupted by user",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    home = tmp_path_factory.mktemp("home")
    return home, generate(home, sessions=120, bytes_target=24_000_000, seed=7)


class Count:
    """A plain reading of one strict file, by the rules of the shape catalogue; shares no code with the generator."""

    def __init__(self, path: Path) -> None:
        self.records = 0
        self.prompts = self.commands = self.bash = self.interrupts = self.compactions = 0
        self.usage: dict[tuple[str, str], dict[str, Any]] = {}
        self.tools: dict[str, str] = {}
        self.failed: set[str] = set()
        self.answered: set[str] = set()
        self.edits: dict[str, str] = {}
        self.times: list[str] = []
        self.session_ids: set[str] = set()
        self.titles: dict[str, str] = {}
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                self.record(json.loads(line))

    def record(self, record: dict[str, Any]) -> None:
        self.records += 1
        if "timestamp" in record:
            self.times.append(record["timestamp"])
        if "sessionId" in record:
            self.session_ids.add(record["sessionId"])
        kind = record["type"]
        if kind == "user":
            self.user(record)
        elif kind == "assistant" and record["message"]["model"] != "<synthetic>":
            message = record["message"]
            self.usage[message["id"], record["requestId"]] = message
            for block in message["content"]:
                if block["type"] == "tool_use":
                    self.tools[block["id"]] = block["name"]
                    if block["name"] in EDIT_TOOLS:
                        self.edits[block["id"]] = block["input"]["file_path"]
        elif record.get("subtype") == "compact_boundary":
            self.compactions += 1
        elif kind in ("custom-title", "ai-title"):
            self.titles[kind] = record.get("customTitle") or record["aiTitle"]

    def user(self, record: dict[str, Any]) -> None:
        content = record["message"]["content"]
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        results = [block for block in blocks if block["type"] == "tool_result"]
        self.answered |= {block["tool_use_id"] for block in results}
        self.failed |= {block["tool_use_id"] for block in results if block.get("is_error")}
        if results or record.get("isMeta") or record.get("isCompactSummary") or record["isSidechain"]:
            return
        texts = [block["text"] for block in blocks if block["type"] == "text" and not block["text"].startswith("<ide_")]
        text = "\n".join(texts)
        self.commands += text.startswith(COMMAND_TAGS)
        self.bash += text.startswith("<bash-input>")
        self.interrupts += text.startswith("[Request interrupted")
        self.prompts += not text.startswith(MACHINE_TAGS)

    def tokens(self) -> dict[str, int]:
        usages = [message["usage"] for message in self.usage.values()]
        return {
            "input": sum(usage["input_tokens"] for usage in usages),
            "output": sum(usage["output_tokens"] for usage in usages),
            "cacheRead": sum(usage["cache_read_input_tokens"] for usage in usages),
            "cacheWrite": sum(usage["cache_creation_input_tokens"] for usage in usages),
        }


def _logs(summary: Summary) -> list[SessionTruth]:
    return [*summary.sessions.values(), *summary.agents.values()]


def test_counts_of_every_log_are_true(corpus: tuple[Path, Summary]) -> None:
    home, summary = corpus
    for truth in _logs(summary):
        count = Count(home / truth.path)
        assert (count.records, count.prompts, count.commands) == (truth.records, truth.prompts, truth.commands), truth.path
        assert (count.bash, count.interrupts) == (truth.bash_inputs, truth.interrupts), truth.path
        assert count.compactions == truth.compactions, truth.path
        assert len(count.usage) == truth.assistant_messages
        assert count.tokens() == truth.tokens, truth.path
        by_name = {name: list(count.tools.values()).count(name) for name in set(count.tools.values())}
        assert by_name == truth.tools
        assert len(count.failed) == truth.tool_errors
        assert sorted(set(count.edits.values())) == truth.files_edited
        done = {path for call, path in count.edits.items() if call in count.answered - count.failed}
        assert sorted(done) == truth.files_changed
        assert (min(count.times), max(count.times)) == (truth.started_at, truth.ended_at)
        lower = sum(message["stop_reason"] is None for message in count.usage.values())
        assert lower == truth.output_lower_bound_messages


def test_totals_count_each_message_once(corpus: tuple[Path, Summary]) -> None:
    home, summary = corpus
    usage: dict[tuple[str, str], dict[str, Any]] = {}
    in_files = 0
    for truth in _logs(summary):
        count = Count(home / truth.path)
        in_files += len(count.usage)
        usage.update(count.usage)
    assert len(usage) == summary.totals["messages"] < in_files
    assert sum(message["usage"]["output_tokens"] for message in usage.values()) == summary.totals["output"]
    assert sum(message["usage"]["cache_read_input_tokens"] for message in usage.values()) == summary.totals["cacheRead"]


def test_files_and_bytes_are_those_on_disk(corpus: tuple[Path, Summary]) -> None:
    home, summary = corpus
    logs = [path for path in home.rglob("*.jsonl") if path.name != "journal.jsonl"]
    assert len(logs) == summary.files == len(_logs(summary))
    assert sum(path.stat().st_size for path in logs) == summary.bytes
    assert {str(path.relative_to(home)) for path in logs} == {truth.path for truth in _logs(summary)}


def test_titles_have_their_source(corpus: tuple[Path, Summary]) -> None:
    home, summary = corpus
    sources = {truth.title_source for truth in summary.sessions.values()}
    assert {"custom", "ai", "summary", "prompt"} <= sources
    for truth in summary.sessions.values():
        titles = Count(home / truth.path).titles
        if truth.title_source == "custom":
            assert titles["custom-title"] == truth.title
        elif truth.title_source == "ai":
            assert titles["ai-title"] == truth.title


def test_forks_share_messages_and_own_only_the_rest(corpus: tuple[Path, Summary]) -> None:
    home, summary = corpus
    forks = [truth for truth in summary.sessions.values() if truth.forked_from]
    assert forks
    for truth in forks:
        origin = Count(home / summary.sessions[str(truth.forked_from)].path)
        fork = Count(home / truth.path)
        shared = fork.usage.keys() & origin.usage.keys()
        assert shared
        assert truth.messages_own == truth.assistant_messages - len(shared)


def test_summary_survives_json(corpus: tuple[Path, Summary]) -> None:
    _, summary = corpus
    assert Summary.from_json(summary.to_json()) == summary
