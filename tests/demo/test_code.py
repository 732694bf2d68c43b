"""The demo's file of code is what its sessions wrote, but for what a person did after them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import PRESETS, generate_preset
from ccdash.demo.code import PATH
from ccdashd.derive.blame import blame
from ccdashd.sources.edits import Edit, Replacement

MOMENT = 1_760_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    generate_preset(folder, PRESETS["demo"], seed=2, work=folder / "work", now=MOMENT)
    return folder


def changes(folder: Path) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The session, input and answer of each call that changed the file, in their order."""
    found: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
    for log in (folder / ".claude" / "projects").rglob("*.jsonl"):
        calls: dict[str, tuple[str, dict[str, Any]]] = {}
        for line in log.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            content = record.get("message", {}).get("content")
            for block in content if isinstance(content, list) else ():
                if block["type"] == "tool_use" and block["name"] != "Read":
                    if str(block["input"].get("file_path", "")).endswith(PATH):
                        calls[block["id"]] = record["timestamp"], block["input"]
                elif block["type"] == "tool_result" and block["tool_use_id"] in calls:
                    time, given = calls[block["tool_use_id"]]
                    found.append((time, log.stem, given, record["toolUseResult"]))
    return [change[1:] for change in sorted(found, key=lambda change: change[0])]


def test_the_file_is_what_sessions_wrote(folder: Path) -> None:
    (path,) = (folder / "work").rglob(PATH)
    text, edits = "", []
    made = changes(folder)
    for _, given, answer in made:
        assert Path(given["file_path"]) == path
        assert answer["originalFile"] == (text or None)
        if "content" in given:
            text = given["content"]
            edits.append(Edit(text))
        else:
            assert text.count(given["old_string"]) == 1
            text = text.replace(given["old_string"], given["new_string"])
            edits.append(Edit(None, (Replacement(given["old_string"], given["new_string"]),)))
    written = path.read_text(encoding="utf-8")
    lines = blame(edits, written)
    assert {line.origin for line in lines} == {-1, *range(len(made))}, "of each step something is left, and a person's"
    assert [line.fit for line in lines].count("changed") == 1
    assert len({session for session, _, _ in made}) > 1
    compile(written, PATH, "exec")


def test_it_is_not_younger_than_the_sessions(folder: Path) -> None:
    (path,) = (folder / "work").rglob(PATH)
    assert path.stat().st_mtime * 1000 <= MOMENT
