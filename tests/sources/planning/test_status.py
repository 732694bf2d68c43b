from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning.model import STATUSES, Status
from ccdashd.sources.planning.status import MARKS, mark_for, near, parse_wanted, read_status, word_for

WORDS: dict[Status, list[str]] = {
    "todo": [
        "todo",
        "pending",
        "Pending (not started)",
        "not_started",
        "Not Started",
        "not-started",
        "draft",
        "Draft - MVP Definition",
        "DRAFT",
        "planning",
        "ready",
        "Ready for Implementation",
        "Ready for Phase 1",
        "approved",
        "Approved — Phase 1 Implemented",
        "accepted",
        "Proposed",
        "idea",
        "open",
        "stub",
        "0%",
        "Planning Complete, Implementation Pending",
    ],
    "in_progress": [
        "in_progress",
        "in-progress",
        "In Progress",
        " IN  PROGRESS ",
        "active",
        "research",
        "partial",
        "mostly-complete",
        "phase-5-complete",
        "Phase 1 Complete, Ready for Phase 2 Planning",
        "95% complete (7 phases complete)",
        "🚧 In Progress",
        "⏳",
        "not_completed",
    ],
    "review": [
        "review",
        "in-review",
        "Ready for Review",
        "completed-pending-verification",
        "pending_review",
        "awaiting code review",
        "testing",
    ],
    "done": [
        "done",
        "completed",
        "Completed",
        "COMPLETE ✅",
        "✅ COMPLETE",
        "✓ Complete",
        "**COMPLETE**",
        "`completed`",
        "✅",
        "✔️",
        "completed (2025-11-25)",
        "Complete - Architecture documented",
        "inferred_complete",
        "merged",
        "deviated",
        "spike-resolved",
        "research-complete",
        "resolved",
        "signed-off",
        "finalized",
        "concluded",
        "published",
        "Published",
        "stable",
        "current",
        "frozen",
        "reference",
        "decided",
        "authoritative",
        "100%",
        "x",
        "merged into TASK-2",
    ],
    "blocked": ["blocked", "Blocked", "blocked by API-1", "waiting for review of Ann", "failed", "❌"],
    "deferred": ["deferred", "Deferred to v2", "skipped", "future", "postponed", "on-hold"],
    "archived": [
        "archived",
        "superseded",
        "Superseded by x-v2",
        "won't do",
        "wont_fix",
        "cancelled",
        "obsolete",
        "deprecated",
    ],
    "unknown": [
        "",
        "   ",
        "unknown",
        "2025-12-17",
        "banana",
        "code semantics",
        "P4-001 COMPLETE ✅",
        "true",
        "x" * 1000,
        "***",
    ],
}


@pytest.mark.parametrize(("raw", "status"), [(raw, status) for status, words in WORDS.items() for raw in words])
def test_a_word_means_a_status(raw: str, status: Status) -> None:
    assert read_status(raw) == status


def test_a_word_behind_any_number_of_signs_means_what_it_says() -> None:
    assert read_status("🚧 " * 60 + "Completed") == "done"
    assert read_status("🚧 " * 60 + "nobody knows") == "in_progress"


def test_a_decision_that_is_accepted_is_done() -> None:
    assert read_status("Accepted", "adr") == "done"
    assert read_status("accepted", "prd") == "todo"
    assert read_status("proposed", "adr") == "todo"


@pytest.mark.parametrize(
    ("status", "like", "kind", "word"),
    [
        ("done", [], "task", "completed"),
        ("done", ["complete", "pending"], "task", "complete"),
        ("done", ["done", "done", "completed"], "task", "done"),
        ("done", ["inferred_complete", "draft"], "prd", "completed"),
        ("done", ["✅ done", "**complete**"], "task", "completed"),
        ("in_progress", ["in-progress"], "task", "in-progress"),
        ("in_progress", ["not-started", "completed"], "task", "in-progress"),
        ("in_progress", ["Not Started", "Done"], "task", "In Progress"),
        ("in_progress", ["PENDING", "COMPLETE"], "task", "IN_PROGRESS"),
        ("todo", ["completed"], "task", "pending"),
        ("todo", ["completed"], "prd", "draft"),
        ("todo", ["todo", "completed"], "task", "todo"),
        ("archived", ["Completed"], "prd", "Archived"),
    ],
)
def test_a_file_keeps_to_its_own_words(status: Status, like: list[str], kind: str, word: str) -> None:
    assert word_for(status, like, kind) == word


def test_a_status_that_is_not_known_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="no word for the status 'unknown'"):
        word_for("unknown", [])


@given(
    st.sampled_from([status for status in STATUSES if status != "unknown"]),
    st.lists(st.text(max_size=12)),
    st.text(max_size=5),
)
def test_the_word_that_is_written_means_the_status(status: Status, like: list[str], kind: str) -> None:
    assert read_status(word_for(status, like, kind)) == status


@pytest.mark.parametrize(
    ("status", "like", "mark"),
    [
        ("done", [" ", "X"], "X"),
        ("done", [], "x"),
        ("todo", ["x"], " "),
        ("in_progress", ["~"], "~"),
        ("in_progress", [], "/"),
    ],
)
def test_a_box_keeps_to_the_signs_of_its_file(status: Status, like: list[str], mark: str) -> None:
    assert mark_for(status, like) == mark
    assert MARKS[mark] == status


def test_a_box_cannot_say_everything() -> None:
    with pytest.raises(
        ValueError, match="a box cannot say 'archived'; it can say: todo, in_progress, done, blocked, deferred"
    ):
        mark_for("archived", [])


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("done", ("done", None)),
        ("in_progress", ("in_progress", None)),
        ("completed", ("done", "completed")),
        (" in-progress ", ("in_progress", "in-progress")),
        ("In Progress", ("in_progress", "In Progress")),
        ("superseded", ("archived", "superseded")),
    ],
)
def test_users_name_a_status_or_a_word_of_their_own(word: str, wanted: tuple[Status, str | None]) -> None:
    assert parse_wanted(word) == wanted


@pytest.mark.parametrize(
    "word", ["", "banana", "unknown", "done\nstatus: x", "done # really", "'done'", "✅", "- done", "done: yes"]
)
def test_users_are_told_of_a_word_that_means_nothing(word: str) -> None:
    with pytest.raises(ValueError, match="means no status; choose one of: todo, in_progress"):
        parse_wanted(word)


@given(st.text())
def test_any_text_means_some_status(raw: str) -> None:
    assert read_status(raw) in get_args(Status)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("compleeted", ["completed"]),
        ("In Progess", ["in_progress"]),
        ("Complete Analysis", ["complete"]),
        ("Draft design-spec for future planning", ["draft"]),
        ("Sparkling", []),
        ("", []),
        ("🎉", []),
        ("x" * 10_000, []),
    ],
)
def test_words_that_an_unknown_one_was_meant_for(raw: str, words: list[str]) -> None:
    assert near(raw)[: len(words)] == words
    assert all(read_status(word) != "unknown" for word in near(raw))
    if not words:
        assert near(raw) == []
