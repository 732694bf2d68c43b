"""What editors are told is wrong in planning files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.lsp import diagnostics
from tests.lsp.desk import Desk
from tests.lsp.real import paths
from tests.store.plans import cache
from tests.store.shop import BROKEN, FILES, LOOSE, PHASE_1, PHASE_2, PLAN, PRD, QUICK

PROGRESS = ".claude/progress/{}/phase-{}-progress.md"
PLANS = "docs/project_plans/implementation_plans"
REAL = {
    ".claude/agents/ai/gemini-orchestrator.md": [3],
    PROGRESS.format("manage-collection-page-refactor-v1", 5): [14, 15, 19, 20, 23],
    ".claude/progress/marketplace-sources-crud-enhancement/all-phases-progress.md": [
        *(652, 659, 666, 671, 677, 681, 688, 694, 700, 707, 715, 721, 725),
    ],
    "docs/project_plans/PRDs/features/similar-artifacts-v1.md": [81],
    f"{PLANS}/bugs/marketplace-embedded-artifacts-v1.md": [2, 9, 16, 22],
    f"{PLANS}/features/skillbom-attestation-v1/phase-5-6-git-crypto.md": [35],
    f"{PLANS}/refactors/enterprise-repo-parity-v2/phase-2-schema.md": [22, 23],
    f"{PLANS}/refactors/enterprise-repo-parity-v2/phase-3-4-core-repos.md": [16, 17],
    f"{PLANS}/refactors/enterprise-repo-parity-v2/phase-7-testing.md": [17, 25],
}
"""Lines of the real project that are no YAML."""

REPAIRED = frozenset({"unquoted-text", "text-after-quote", "key-in-list", "merge-conflict"})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with cache() as connection:
        desk = Desk(connection, tmp_path / "shop")
        desk.add()
        yield desk


def found(desk: Desk, path: str) -> list[tuple[int, str]]:
    return [(item.range.start.line, item.code) for item in desk.diagnostics(path)]


def marked(desk: Desk, path: str, code: str) -> list[str]:
    """The parts of the text that diagnostics of a code are about."""
    lines = desk.plan(path).reading.lines
    parts = []
    for item in desk.diagnostics(path):
        start, end = item.range.start, item.range.end
        assert start.line == end.line
        if item.code == code:
            units = lines[start.line].encode("utf-16-le")
            parts.append(units[2 * start.character : 2 * end.character].decode("utf-16-le"))
    return parts


def test_frontmatter_that_is_no_yaml(desk: Desk) -> None:
    assert found(desk, BROKEN) == [(3, "unquoted-text"), (4, "unclosed-bracket")]
    first, _ = desk.diagnostics(BROKEN)
    assert (first.source, first.severity) == ("ccdash", diagnostics.WARNING)
    assert first.message.endswith('write: notes: "- `a` is: b"')
    assert marked(desk, BROKEN, "unquoted-text") == ["notes: - `a` is: b"]


def test_what_is_left_out_is_an_error(desk: Desk) -> None:
    desk.open(BROKEN, "---\nlist:\n  - a\n  key: b\nstatus: done\n---\n")
    (item,) = desk.diagnostics(BROKEN)
    assert (item.code, item.severity, item.range.start.line) == ("key-in-list", diagnostics.ERROR, 3)


def test_what_stands_against_itself(desk: Desk) -> None:
    assert found(desk, PHASE_1) == [(5, "completed_with_open_tasks"), (7, "completed_tasks"), (22, "unknown-task")]
    assert found(desk, QUICK) == [(2, "completed_with_open_tasks")]
    assert found(desk, PHASE_2) == found(desk, PLAN) == found(desk, LOOSE) == []


def test_it_is_told_of_the_text_at_hand(desk: Desk) -> None:
    desk.open(PHASE_1, FILES[PHASE_1].replace("status: pending", "status: completed").replace(", T9-999", ""))
    assert found(desk, PHASE_1) == []


def test_what_other_files_contradict_is_told_where_the_feature_has_its_status(tmp_path: Path) -> None:
    done = FILES[PRD].replace("status: in-progress", "status: completed")
    with cache() as connection:
        desk = Desk(connection, tmp_path / "shop")
        desk.add({**FILES, PRD: done})
        assert found(desk, PRD)[:2] == [(3, "status"), (3, "documents")]
        assert marked(desk, PRD, "status") == ["status: completed"]
        assert "status" not in {code for _, code in found(desk, PLAN)}
        # What is being written now is not what the cache has seen.
        desk.open(PRD, FILES[PRD])
        assert "status" not in {code for _, code in found(desk, PRD)}


def test_references_that_lead_nowhere(desk: Desk) -> None:
    assert marked(desk, PRD, "dangling-reference") == ["docs/gone.md", "../outside.md"]
    text = "# Notes\n\n🎉 [a](gone.md), [b](loose.md), `also-gone.md`, [c](https://example.org/x.md), [d](../README.md)\n"
    desk.open("docs/notes.md", text)
    assert marked(desk, "docs/notes.md", "dangling-reference") == ["gone.md"]
    (desk.root / "docs/gone.md").write_text("#\n")
    assert marked(desk, "docs/notes.md", "dangling-reference") == []
    assert marked(desk, PRD, "dangling-reference") == ["../outside.md"]


def test_tasks_that_are_waited_for_and_not_there(desk: Desk) -> None:
    assert marked(desk, PHASE_1, "unknown-task") == ["T9-999"]
    text = FILES[PHASE_2].replace("dependencies: [T1-002]", "dependencies:\n    - T1-002\n    - T7-001\n    - phase 1 done")
    desk.open(PHASE_2, text)
    assert marked(desk, PHASE_2, "unknown-task") == ["T7-001"]
    # The cache still knows it, but it is not here any more.
    desk.open(PHASE_1, FILES[PHASE_1].replace("id: T1-001", "id: T1-003"))
    assert marked(desk, PHASE_1, "unknown-task") == ["T9-999"], "the other file has a task of that id"


def test_words_that_mean_no_status(desk: Desk) -> None:
    text = "---\ntype: report\nstatus: 🎉 party  # for now\ntasks:\n- {id: T1, status: dunno}\n- id: T2\n  status:\n---\n"
    desk.open("docs/notes.md", text)
    assert found(desk, "docs/notes.md") == [(2, "unknown-status"), (4, "unknown-status"), (6, "unknown-status")]
    assert marked(desk, "docs/notes.md", "unknown-status") == ["🎉 party", "dunno", "status:"]


def test_ids_that_two_tasks_have(desk: Desk) -> None:
    text = "---\ntype: progress\ntasks:\n- id: T1\n  title: T1\n- title: T1\n  id: T1\n- {id: T1, status: done}\n---\n"
    desk.open(PHASE_2, text)
    duplicates = [item for item in desk.diagnostics(PHASE_2) if item.code == "duplicate-task-id"]
    assert [item.range.start.line for item in duplicates] == [6, 7]
    assert "T1~2" in duplicates[0].message
    assert marked(desk, PHASE_2, "duplicate-task-id") == ["T1", "T1"]


def test_a_file_full_of_faults_tells_the_first(desk: Desk) -> None:
    tasks = "".join(f"- {{id: T{n}, status: dunno}}\n" for n in range(1_000))
    desk.open(PHASE_2, f"---\ntasks:\n{tasks}---\n")
    assert [line for line, _ in found(desk, PHASE_2)] == list(range(2, 2 + diagnostics.MOST))


def test_places_are_in_the_text_whatever_is_wrong_in_it(desk: Desk) -> None:
    for text in (
        "",
        "---",
        "---\n---\n",
        "---\n\t- : [\n---",
        "---\nstatus: '\n---\n",
        "---\ntasks: 3\n---\n",
        "\ufeff---\na: :\n",
    ):
        desk.open(BROKEN, text)
        lines = text.split("\n")
        for item in desk.diagnostics(BROKEN):
            assert item.range.end.line < len(lines)
            assert item.range.end.character <= len(lines[item.range.end.line])


@pytest.mark.corpus
def test_the_broken_files_of_a_real_project(real: Desk) -> None:
    broken: dict[str, list[int]] = {}
    codes: set[Any] = set()
    for path in paths(real.root):
        told = real.diagnostics(path)
        codes.update(item.code for item in told)
        lines = [item.range.start.line + 1 for item in told if item.code in REPAIRED]
        if lines:
            broken[path] = lines
    assert broken == REAL
    assert codes >= REPAIRED | {"unknown-status", "dangling-reference", "status", "progress", "unknown-task"}
