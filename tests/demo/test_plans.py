"""The demo's planning files are on disk, tell what the truth says, and are what its sessions worked on."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import PRESETS, Preset, Summary, generate_preset
from ccdash.demo.clock import DEFAULT_NOW, iso
from ccdashd.edits.decisions import DayEdit, decode

DEMO = PRESETS["demo"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    # Quotes in the name: paths stand in JSON, and must come out of it as they are.
    folder = tmp_path_factory.mktemp('a "home" of ours')
    return folder, generate_preset(folder / "home", DEMO, seed=1, work=folder / "work")


def _records(home: Path, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / path).read_text(encoding="utf-8").splitlines()]


def _calls(home: Path, path: str) -> list[dict[str, Any]]:
    contents = [record["message"]["content"] for record in _records(home, path) if record["type"] == "assistant"]
    return [block for content in contents for block in content if block["type"] == "tool_use"]


def test_sessions_run_where_the_plans_are(demo: tuple[Path, Summary]) -> None:
    folder, summary = demo
    assert {truth.cwd for truth in summary.sessions.values()} == summary.projects.keys()
    for root, project in summary.projects.items():
        assert Path(root).parent == folder / "work"
        assert (Path(root) / ".git").is_dir()
        assert len(list(Path(root).rglob("*.md"))) == project.documents
    for truth in summary.sessions.values():
        edited = {call["input"]["file_path"] for call in _calls(folder / "home", truth.path) if call["name"] != "Bash"
                  and "file_path" in call["input"]}  # fmt: skip
        assert set(truth.files_edited) <= edited
        assert all(path.startswith(f"{truth.cwd}/") for path in edited)


def test_tasks_are_those_in_the_files(demo: tuple[Path, Summary]) -> None:
    _, summary = demo
    for root, project in summary.projects.items():
        for feature in project.features.values():
            files = [path for path in Path(root).glob(".claude/progress/**/*.md") if feature.slug in path.as_posix()]
            text = "\n".join(path.read_text(encoding="utf-8") for path in files)
            rows = re.findall(r'^(?:- id: "|  [A-Z]+-\d\.\d: \{|- \[.\] )', text, re.MULTILINE)
            assert len(rows) == sum(feature.tasks.values()), feature.slug


def test_who_worked_on_a_feature_read_its_plan_edited_a_task_and_committed(demo: tuple[Path, Summary]) -> None:
    folder, summary = demo
    executed = [(root, feature) for root, project in summary.projects.items() for feature in project.features.values()]
    executed = [(root, feature) for root, feature in executed if feature.executed_by]
    assert len(executed) == 11
    for root, feature in executed:
        path = summary.sessions[feature.executed_by].path
        edits = [call["input"] for call in _calls(folder / "home", path) if call["name"] == "Edit"]
        (edit,) = [edit for edit in edits if "/.claude/progress/" in edit["file_path"]]
        assert feature.slug in edit["file_path"]
        written = Path(edit["file_path"])
        assert written.is_relative_to(root)
        assert edit["new_string"] in written.read_text(encoding="utf-8")
        records = (folder / "home" / path).read_text(encoding="utf-8")
        assert f" {feature.commit}] " in records
        assert re.search(rf"<command-args>[^<]*\b{feature.slug}\b", records)
        assert feature.commit in "".join(file.read_text(encoding="utf-8") for file in Path(root).rglob("*.md"))


def test_each_kind_of_plan_occurs(demo: tuple[Path, Summary]) -> None:
    _, summary = demo
    features = [feature for project in summary.projects.values() for feature in project.features.values()]
    assert {feature.status for feature in features} == {"todo", "in_progress", "review", "done", "blocked"}
    assert [feature.slug for feature in features if feature.mismatch] == ["charts"]
    assert sum(not feature.sessions for feature in features) == 1


def test_same_seed_same_plans(tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        generate_preset(tmp_path / "home", DEMO, seed=3, work=tmp_path / "work")
        contents.append({path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()})
    assert contents[0] == contents[1]
    plans = [path for path in contents[0] if path.suffix == ".md"]
    assert len(plans) > 40
    assert all(path.stat().st_mtime * 1000 <= DEFAULT_NOW for path in plans)


def test_sizes_without_a_story_have_no_plans(tmp_path: Path) -> None:
    summary = generate_preset(tmp_path / "home", Preset(2, 40_000), seed=1, work=tmp_path / "work")
    assert not summary.projects
    assert not (tmp_path / "work").exists()


def test_summary_with_plans_survives_json(demo: tuple[Path, Summary]) -> None:
    _, summary = demo
    assert Summary.from_json(summary.to_json()) == summary


def test_the_journal_leads_to_what_the_files_say(tmp_path: Path) -> None:
    path = tmp_path / "data/journal.jsonl"
    summary = generate_preset(tmp_path / "home", DEMO, seed=1, work=tmp_path / "work", journal=path)
    assert path.stat().st_mode & 0o777 == 0o600
    edits = [decode(line, "/home/me") for line in path.read_bytes().splitlines()]
    days = [edit for edit in edits if isinstance(edit, DayEdit)]
    assert len(days) == len(edits) - 1 >= 40
    assert all(edit.at <= iso(DEFAULT_NOW) for edit in edits)
    last: dict[str, DayEdit] = {}
    for edit in days:
        before = last.get(edit.root)
        assert before is None or (before.day < edit.day and before.features <= edit.features)
        last[edit.root] = edit
    assert last.keys() == summary.projects.keys()
    for root, project in summary.projects.items():
        of = project.features.values()
        edit = last[root]
        assert edit.tasks == dict(sum((Counter(feature.tasks) for feature in of), Counter()))
        assert edit.undated == sum(feature.completed.get("", 0) for feature in of)
        assert (edit.features, edit.features_done) == (len(of), sum(feature.status == "done" for feature in of))
        assert edit.tasks["done"] == sum(number for feature in of for number in feature.completed.values())
