"""All planning files of a real project, against what a simple reading of the same files finds by other means."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml

from ccdashd.settings import Settings
from ccdashd.sources.planning import documents
from ccdashd.sources.planning.model import Document
from ccdashd.sources.planning.places import Places

pytestmark = pytest.mark.corpus

CORPUS = os.environ.get("CCDASH_CORPUS")


class Read(NamedTuple):
    data: bytes
    document: Document
    strict: dict[str, Any] | None
    """The frontmatter by PyYAML, all scalars as text; None where there is none, or it is no YAML."""
    broken: int
    """The line where PyYAML gave up, else 0."""


def simple(data: bytes) -> tuple[dict[str, Any] | None, int]:
    match = re.match(rb"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*\r?(?:\n|\Z)", data, re.DOTALL)
    if match is None:
        return None, 0
    try:
        values = yaml.load(match[1], getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.MarkedYAMLError as error:
        assert error.problem_mark is not None
        return None, error.problem_mark.line + 2
    return (values, 0) if isinstance(values, dict) else (None, 0)


@pytest.fixture(scope="module")
def files() -> dict[str, Read]:
    if not CORPUS:
        pytest.skip("CCDASH_CORPUS names no folder")
    root = Path(CORPUS, "skillmeat")
    read = {}
    for path in sorted(root.rglob("*.md")):
        if not path.is_file():  # there is a folder with such a name
            continue
        name, data = path.relative_to(root).as_posix(), path.read_bytes()
        read[name] = Read(data, documents.read(name, data), *simple(data))
    return read


def of_lists_and_maps(document: Document) -> list[tuple[str, str]]:
    return [(task.task_id, task.raw_status) for task in document.tasks if task.form in ("list", "map")]


def test_every_markdown_file_of_the_project_is_a_planning_file(files: dict[str, Read]) -> None:
    places = Places(Settings().planning_folders)
    assert len(files) == 1542
    assert [path for path in files if not places.accepts(path)] == []
    assert [path for path in files if not places.enters(path.rpartition("/")[0])] == []


def test_tasks_of_frontmatter_are_those_of_a_simple_reading(files: dict[str, Read]) -> None:
    lists = maps = 0
    for path, (_, document, strict, _) in files.items():
        if strict is None or document.doc_type == "template":
            continue
        tasks = strict.get("tasks") or []
        if isinstance(tasks, dict):
            tasks = [{"id": name, **task} for name, task in tasks.items()]
            maps += len(tasks)
        else:
            lists += len(tasks)
        assert of_lists_and_maps(document) == [(task["id"], task["status"]) for task in tasks], path
        assert not document.recovered
    assert (lists, maps) == (2881, 35), "2,916 together"


def test_tasks_of_broken_files_are_recovered(files: dict[str, Read]) -> None:
    recovered = 0
    for path, (data, document, _, broken) in files.items():
        if not broken:
            continue
        assert document.recovered, path
        block = re.search(rb"\ntasks:\n(.*?)\n\w", data, re.DOTALL)
        ids = re.findall(r"^ *-? *id: \"?([\w.-]+)", block[1].decode(), re.MULTILINE) if block else []
        assert [task.task_id for task in document.tasks] == ids, path
        assert all(task.recovered for task in document.tasks)
        recovered += len(ids)
    assert recovered == 44


def test_each_broken_file_has_a_finding_where_it_breaks(files: dict[str, Read]) -> None:
    broken = {path: read for path, read in files.items() if read.broken}
    assert len(broken) == 9
    for path, read in broken.items():
        lines = {finding.line for finding in read.document.findings if finding.severity != "info"}
        # A conflict marker is text to YAML, which complains of the line that follows it.
        assert lines & {read.broken, read.broken - 1}, path
    others = {path: read.document for path, read in files.items() if not read.broken}
    assert [path for path, document in others.items() if document.recovered] == []
    assert [
        path for path, document in others.items() if any(found.severity == "error" for found in document.findings)
    ] == []


def test_a_task_begins_in_its_line(files: dict[str, Read]) -> None:
    for path, (data, document, _, _) in files.items():
        lines = data.decode("utf-8", "replace").split("\n")
        for task in document.tasks:
            line = lines[task.line - 1]
            assert task.task_id in line if task.task_id else task.form in ("checkbox", "numbered"), (path, task.line)
            if task.form == "checkbox":
                assert f"[{task.raw_status}]" in line, (path, task.line)
        keys = [task.key for task in document.tasks]
        assert len(set(keys)) == len(keys), path


def test_every_raw_status_is_kept(files: dict[str, Read]) -> None:
    for path, (_, document, strict, _) in files.items():
        if strict is not None and strict.get("status") not in (None, "", "null"):
            assert document.raw_status == strict["status"], path
            assert document.status not in (None, "unknown"), path
    words = Counter(task.raw_status for read in files.values() for task in read.document.tasks if task.form != "checkbox")
    del words[""]
    assert set(words) - {"\u2705"} == {
        *("completed", "complete", "pending", "deferred", "in-progress", "in_progress", "future", "partial", "deviated"),
    }
    unknown = {task.raw_status for read in files.values() for task in read.document.tasks if task.status == "unknown"}
    assert unknown == set()


def boxes_outside_code(data: bytes) -> list[int]:
    """Lines of boxes, found line by line."""
    found, fence, comment = [], "", False
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        stripped = line.strip()
        opening = re.match(r"(`{3,}|~{3,})([^`]*|(?<=~).*)$", stripped)
        if fence:
            if stripped and set(stripped) == {fence[0]} and len(stripped) >= len(fence):
                fence = ""
        elif comment or stripped.startswith("<!--"):
            comment = "-->" not in stripped
        elif opening:
            fence = opening[1]
        elif re.match(r"(?:[-*+]|\d+[.)])[ \t]+\[[ xX/~>!-]\][ \t]+\S", stripped):
            found.append(number)
    return found


def test_boxes_are_tasks_or_criteria_or_questions_or_told(files: dict[str, Read]) -> None:
    total = questions = 0
    for path, (data, document, _, _) in files.items():
        lines = boxes_outside_code(data)
        total += len(lines)
        first = min([line for line, _, _ in document.headings] + lines, default=0)
        of_text = [criterion.line for criterion in document.criteria if criterion.line >= first]
        told = sorted(of_text + [task.line for task in document.tasks if task.form == "checkbox"])
        assert set(told) <= set(lines), path
        if any(found.code == "boxes-not-read" for found in document.findings):
            assert told == []
        elif told and not document.frontmatter.get("tasks") and len(of_text) == len(document.criteria):
            headings = [(line, text) for line, _, text in document.headings]
            above = {line: next((text for at, text in reversed(headings) if at < line), "") for line in lines}
            asked = [line for line in lines if re.search("(?i)(open|unresolved) .*question", above[line])]
            assert told in (lines, [line for line in lines if line not in asked]), path
            questions += len(asked)
    assert questions == 172
    assert total == 17353


def test_every_document_is_of_a_kind_and_has_a_title(files: dict[str, Read]) -> None:
    kinds = Counter(read.document.doc_type for read in files.values())
    assert kinds["document"] <= 2
    assert {kind: kinds[kind] for kind in ("quick_feature", "phase_plan", "prd", "skill", "changelog", "instructions")} == {
        "quick_feature": 74,
        "phase_plan": 78,
        "prd": 79,
        "skill": 34,
        "changelog": 2,
        "instructions": 1,
    }
    assert 370 <= kinds["progress"] <= 390
    assert [path for path, read in files.items() if not read.document.title.strip()] == []


def test_references_of_frontmatter_are_resolved(files: dict[str, Read]) -> None:
    assert CORPUS
    root = Path(CORPUS, "skillmeat")
    refs = [
        ref
        for read in files.values()
        for ref in read.document.refs
        if ref.field in ("prd_ref", "plan_ref", "parent_plan", "related")
    ]
    planned = [ref for ref in refs if ref.path.startswith(("docs/project_plans/", ".claude/"))]
    there = sum((root / ref.path).exists() for ref in planned)
    assert there > 0.9 * len(planned) > 300


def test_documents_survive_the_way_to_the_cache_and_back(files: dict[str, Read]) -> None:
    for path, read in files.items():
        encoded = msgspec.json.encode(read.document)
        assert msgspec.json.encode(msgspec.json.decode(encoded, type=Document)) == encoded, path


@pytest.mark.parametrize("project", ["kenn-io+agentsview", "moredip+session-share"])
def test_other_conventions_are_read(project: str) -> None:
    if not CORPUS:
        pytest.skip("CCDASH_CORPUS names no folder")
    root = Path(CORPUS, "planning", project)
    read = {path: documents.read(path.relative_to(root).as_posix(), path.read_bytes()) for path in root.rglob("*.md")}
    assert len(read) == 8
    for path, document in read.items():
        if document.doc_type in ("task_list", "implementation_plan"):
            boxes = len(re.findall(rb"^\s*- \[[ x]\] ", path.read_bytes(), re.MULTILINE))
            assert sum(task.form == "checkbox" for task in document.tasks) == boxes > 0, path
        assert document.doc_type != "document"
        assert document.slugs or document.doc_type == "readme"
