"""Sizes, shapes and sameness of generated logs."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from ccdash.demo import PRESETS, Preset, Summary, generate, generate_preset
from ccdash.demo.__main__ import main
from ccdash.demo.clock import DEFAULT_NOW, MINUTE, iso

SMALL = PRESETS["small"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    home = tmp_path_factory.mktemp("home")
    return home, generate_preset(home, SMALL, seed=1)


def _kinds(home: Path) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for path in home.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            record = json.loads(line)
            kinds[record["type"]] += 1
            for part in ("data", "attachment"):
                if part in record:
                    kinds[f"{record['type']}/{record[part]['type']}"] += 1
            if "subtype" in record:
                kinds[f"system/{record['subtype']}"] += 1
    return kinds


def test_size_is_as_asked(small: tuple[Path, Summary]) -> None:
    _, summary = small
    assert len(summary.sessions) == SMALL.sessions
    assert abs(summary.bytes / SMALL.bytes_target - 1) < 0.05
    assert len(summary.agents) > 4 * SMALL.sessions


def test_proportions_are_those_of_real_logs(small: tuple[Path, Summary]) -> None:
    home, summary = small
    kinds = _kinds(home)
    assert 0.2 < kinds["progress"] / summary.records < 0.33
    assert 2000 < summary.bytes / summary.records < 3500


def test_every_shape_occurs(tmp_path: Path) -> None:
    generate(tmp_path / "many", sessions=250, bytes_target=30_000_000, seed=1)
    # Only long sessions are compacted.
    generate(tmp_path / "long", sessions=4, bytes_target=16_000_000, seed=1)
    kinds = _kinds(tmp_path)
    for wanted in (
        "summary", "ai-title", "custom-title", "agent-name", "last-prompt", "pr-link", "queue-operation", "mode",
        "permission-mode", "atis-latch", "file-history-snapshot", "file-history-delta",
        "progress/bash_progress", "progress/hook_progress", "progress/agent_progress", "progress/mcp_progress",
        "progress/query_update", "progress/search_results_received",
        "system/compact_boundary", "system/microcompact_boundary", "system/stop_hook_summary", "system/turn_duration",
        "system/local_command", "attachment/hook_success", "attachment/queued_command", "attachment/skill_listing",
        "attachment/total_tokens_reminder",
    ):  # fmt: skip
        assert kinds[wanted], wanted


def test_sub_agents_have_all_layouts(small: tuple[Path, Summary]) -> None:
    home, summary = small
    places = Counter()
    for truth in summary.agents.values():
        folders = Path(truth.path).parts[3:-1]
        places["workflow" if "workflows" in folders else "nested" if "subagents" in folders else "beside"] += 1
    assert places.keys() == {"workflow", "nested", "beside"}
    inline = [truth for truth in summary.sessions.values() if truth.sidechain_prompts]
    assert inline
    assert all(truth.version.startswith("1.0") for truth in inline)
    for meta in home.rglob("*.meta.json"):
        link = json.loads(meta.read_text())
        truth = summary.agents[f"{_session(meta)}/{meta.name[len('agent-') : -len('.meta.json')]}"]
        assert link["toolUseId"] == truth.parent_tool_use_id


def _session(path: Path) -> str:
    return path.parts[path.parts.index("subagents") - 1]


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        generate(tmp_path / name, sessions=6, bytes_target=900_000, seed=seed)
    contents = {name: _contents(tmp_path / name) for name in "abc"}
    assert contents["a"] == contents["b"]
    assert contents["a"].keys().isdisjoint(contents["c"])


def _contents(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_files_carry_the_time_of_their_last_record(small: tuple[Path, Summary]) -> None:
    home, summary = small
    for truth in summary.sessions.values():
        assert iso(round(os.stat(home / truth.path).st_mtime * 1000)) == truth.ended_at


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    summary = generate(
        tmp_path, sessions=3, bytes_target=300_000, seed=1, progress=lambda done, total: seen.append((done, total))
    )
    assert len(seen) == 3
    assert seen[-1] == (summary.bytes, 300_000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_demo_is_alive(tmp_path: Path) -> None:
    summary = generate_preset(tmp_path, PRESETS["demo"], seed=1, now=DEFAULT_NOW)
    ends = sorted(truth.ended_at or "" for truth in summary.sessions.values())
    assert iso(DEFAULT_NOW - MINUTE) < ends[-1] <= iso(DEFAULT_NOW)
    assert ends[-3] > iso(DEFAULT_NOW - 120 * MINUTE)
    assert len({truth.cwd for truth in summary.sessions.values()}) == 5
    assert len({truth.title for truth in summary.sessions.values()}) >= 30


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "truth.json"
    assert main(["--preset", "demo", "--truth", str(truth), str(tmp_path / "home")]) == 0
    logs = [path for path in (tmp_path / "home").rglob("*.jsonl") if path.name != "journal.jsonl"]
    assert Summary.from_json(truth.read_text()).files == len(logs)
    assert "40 sessions" in capsys.readouterr().out


def test_command_line_says_what_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").write_text("a file")
    assert main([str(tmp_path / "home")]) == 1
    assert "cannot write the logs" in capsys.readouterr().err


def test_presets_have_the_sizes_they_are_named_for() -> None:
    assert PRESETS["seed"] == Preset(459, 2_800_000_000)
    assert PRESETS["many"].sessions == 10 * PRESETS["seed"].sessions
