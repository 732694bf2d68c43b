"""Features as their documents tell them: phases, statuses, mismatches."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive import features, mismatches, phases, statuses
from ccdashd.sources.planning.model import (
    STATUSES,
    Blocker,
    Criterion,
    Document,
    PlannedPhase,
    Status,
    Task,
)


def _tasks(*words: Status, phase: str = "", first: int = 1) -> list[Task]:
    return [
        Task(key=f"{phase}.{n}", form="list", line=9 + n, task_id=f"{phase}.{n}", raw_status=word, status=word, phase=phase)
        for n, word in enumerate(words, first)
    ]


def _prd(status: Status | None = None, path: str = "PRDs/x.md") -> Document:
    return Document(path=path, doc_type="prd", title="PRD: The X", status=status, raw_status=status or "", status_line=2)


def _plan(status: Status | None = None, announced: list[str] | None = None, path: str = "plans/x.md") -> Document:
    planned = [PlannedPhase(phase=phase, line=20 + n, title=f"Do {phase}") for n, phase in enumerate(announced or [])]
    return Document(
        path=path,
        doc_type="implementation_plan",
        title="Implementation Plan: X",
        status=status,
        raw_status=status or "",
        status_line=3 if status else 0,
        phases=planned,
    )


def _progress(phase: str, status: Status | None = None, tasks: list[Task] | None = None, title: str = "") -> Document:
    return Document(
        path=f"progress/x/phase-{phase or 'none'}.md",
        doc_type="progress",
        title="Progress",
        phase=phase,
        phase_title=title,
        status=status,
        raw_status=status or "",
        status_line=4 if status else 0,
        tasks=tasks or [],
    )


def _build(*documents: Document) -> features.FeatureData:
    return features.build("app", "x", documents)


class TestStatus:
    @pytest.mark.parametrize(
        ("parts", "whole"),
        [
            ([], None),
            (["unknown"], None),
            (["done", "deferred", "archived"], "done"),
            (["deferred", "archived"], "deferred"),
            (["archived"], "archived"),
            (["done", "unknown"], "in_progress"),
            (["done", "todo"], "in_progress"),
            (["todo", "deferred"], "todo"),
            (["in_progress", "todo"], "in_progress"),
            (["review", "todo"], "in_progress"),
            (["review", "done"], "review"),
            (["blocked", "done"], "blocked"),
            (["blocked", "todo"], "todo"),
        ],
    )
    def test_of_a_whole_follows_from_its_parts(self, parts: list[Status], whole: Status | None) -> None:
        for order in itertools.permutations(parts):
            assert statuses.together(order) == whole

    @pytest.mark.parametrize(
        ("declared", "followed", "status"),
        [
            (None, None, "unknown"),
            ("unknown", None, "unknown"),
            (None, "todo", "todo"),
            ("todo", None, "todo"),
            ("todo", "in_progress", "in_progress"),
            ("done", "in_progress", "done"),
            ("in_progress", "done", "done"),
            ("deferred", "done", "deferred"),
            ("archived", "in_progress", "archived"),
            ("blocked", "in_progress", "blocked"),
            ("todo", "blocked", "blocked"),
            ("in_progress", "blocked", "in_progress"),
        ],
    )
    def test_is_the_more_advanced_of_what_is_declared_and_what_follows(
        self, declared: Status | None, followed: Status | None, status: Status
    ) -> None:
        assert statuses.furthest(declared, followed) == status

    def test_counts_are_in_the_order_of_statuses(self) -> None:
        counts = statuses.counts(["done", "todo", "done", "unknown"])
        assert dict(zip(STATUSES, counts, strict=True)) == {
            **dict.fromkeys(STATUSES, 0),
            "todo": 1,
            "done": 2,
            "unknown": 1,
        }
        assert statuses.closed(counts) == 2
        assert statuses.progress(counts, "todo") == 0.5
        assert statuses.progress([0] * 8, "done") == 1.0
        assert statuses.progress([0] * 8, "review") == 0.0

    def test_of_a_feature_is_held_by_its_prd_else_its_plan(self) -> None:
        assert _build(_plan("review"), _prd("todo")).details.holder == "app/PRDs/x.md"
        assert _build(_plan("review"), _prd("todo")).raw_status == "todo"
        assert _build(_plan("review"), _prd()).details.holder == "app/plans/x.md"
        assert _build(_plan(), _prd()).details.holder == "app/PRDs/x.md"
        assert _build(_plan("review", path="plans/x/part.md"), _plan("todo")).details.holder == "app/plans/x.md"

    def test_is_held_by_one_progress_file_for_all_phases_but_not_by_that_of_one(self) -> None:
        assert _build(_progress("all", "review")).details.holder == "app/progress/x/phase-all.md"
        assert _build(_progress("1", "review")).details.holder is None
        assert _build(_progress("all", "review"), _progress("1")).details.holder is None

    def test_is_held_by_the_only_document_that_has_one(self) -> None:
        spike = Document(path="spikes/x.md", doc_type="spike", title="X", status="done", raw_status="concluded")
        built = _build(spike, Document(path="notes/x.md", doc_type="context", title="Notes"))
        assert (built.details.holder, built.status, built.raw_status) == ("app/spikes/x.md", "done", "concluded")
        note = Document(path="notes/x.md", doc_type="context", title="Notes", status="in_progress", raw_status="active")
        assert _build(spike, note).details.holder is None

    def test_of_a_feature_is_the_furthest_of_holder_and_phases(self) -> None:
        assert _build(_prd("todo"), _progress("1", "done"), _progress("2", "todo")).status == "in_progress"
        assert _build(_prd("todo"), _progress("1", "done"), _progress("2", "done")).status == "done"
        assert _build(_prd("deferred"), _progress("1", "done")).status == "deferred"
        assert _build(_prd("todo"), _progress("1", "in_progress", _tasks("done", "done"))).status == "done"

    def test_of_a_phase_is_that_of_its_own_file(self) -> None:
        built = _build(_progress("1", "in_progress", _tasks("done")), _progress("2", None, _tasks("done", "todo")))
        assert [phase.status for phase in built.phases] == ["in_progress", "in_progress"]
        assert [phase.row.raw_status for phase in built.phases] == ["in_progress", ""]

    def test_has_evidence_of_every_file_that_says_something(self) -> None:
        built = _build(_prd("todo"), _progress("1", "done", _tasks("done", "todo", phase="1")))
        assert [(item.role, item.path, item.line, item.raw, item.status) for item in built.details.evidence] == [
            ("prd", "PRDs/x.md", 2, "todo", "todo"),
            ("progress", "progress/x/phase-1.md", 4, "done", "done"),
            ("tasks", "progress/x/phase-1.md", 11, "1 of 2 closed", "in_progress"),
        ]


class TestPhases:
    @pytest.mark.parametrize(
        ("title", "shown"),
        [("Phase 2: API", "API"), ("Phase 2", "Phase 2"), ("Phase 2 risks", "Phase 2 risks"), ("X", "X")],
    )
    def test_are_titled_as_their_files_without_the_phase(self, title: str, shown: str) -> None:
        progress = _progress("2")
        progress.title = title
        plan = Document(path="plans/x/phase-3.md", doc_type="phase_plan", title=title.replace("2", "3"), phase="3")
        assert [phase.title for phase in _build(progress, plan).phases] == [shown, shown.replace("2", "3")]
        progress.phase_title = "Told"
        assert _build(progress).phases[0].title == "Told"

    def test_are_in_the_order_of_their_numbers(self) -> None:
        names = ["M10", "all", "10", "2", "M1", "2.5", "1-2", "1", "3-5", "Phase 4"]
        built = _build(*map(_progress, names))
        assert [phase.phase for phase in built.phases] == [
            "1", "1-2", "2", "2.5", "3-5", "Phase 4", "10", "all", "M1", "M10",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("phase", "tokens"),
        [
            ("1", {"1"}),
            ("Phase 1", {"1"}),
            ("P1", {"1"}),
            ("1-3", {"1", "2", "3"}),
            ("1 & 2", {"1", "2"}),
            ("2.5", {"2.5"}),
            ("M1", {"m1"}),
            ("", {"all"}),
            ("ALL", {"all"}),
            ("phase", {"phase"}),
        ],
    )
    def test_stand_for_single_ones(self, phase: str, tokens: set[str]) -> None:
        assert phases.tokens(phase) == tokens

    @given(st.text(st.sampled_from("0129.-&, pPhase²٣"), max_size=12))
    def test_any_text_may_be_a_phase(self, phase: str) -> None:
        assert 1 <= len(phases.tokens(phase)) <= 60
        assert len(_build(_progress(phase), _plan(announced=[phase, "1"])).phases) in (1, 2)

    def test_of_one_file_for_all_are_those_of_its_tasks(self) -> None:
        tasks = [*_tasks("done", phase="2"), *_tasks("todo", "done", phase="1"), *_tasks("todo", phase="all")]
        built = _build(_progress("all", "done", tasks))
        assert [(phase.phase, phase.status, phase.tasks) for phase in built.phases] == [
            ("1", "in_progress", ["1.1", "1.2"]),
            ("2", "done", ["2.1"]),
            ("all", "todo", ["all.1"]),
        ]
        assert [phase.row.raw_status for phase in built.phases] == ["", "", ""], "the file's status is that of all of them"
        assert [item.code for item in built.details.mismatches] == ["status", "completed_with_open_tasks"]

    def test_of_two_files_are_two(self) -> None:
        other = _progress("1", "todo")
        other.path = "progress/x-v1/phase-1.md"
        assert [(phase.phase, phase.path) for phase in _build(_progress("1", "done"), other).phases] == [
            ("1", "progress/x-v1/phase-1.md"),
            ("1", "progress/x/phase-1.md"),
        ]

    def test_that_plans_announce_are_there_where_no_file_tells_them(self) -> None:
        plan = _plan("in_progress", ["P1", "P2", "P3", "P3"])
        of_plan = Document(
            path="plans/x/phase-3.md", doc_type="phase_plan", title="Third", phase="3", status="review", raw_status="review"
        )
        built = _build(plan, of_plan, _progress("1", "done"), _progress("4", "todo"))
        assert [(phase.phase, phase.path, phase.status, phase.row.planned) for phase in built.phases] == [
            ("1", "progress/x/phase-1.md", "done", False),
            ("P2", "plans/x.md", "todo", True),
            ("3", "plans/x/phase-3.md", "review", True),
            ("4", "progress/x/phase-4.md", "todo", False),
        ]
        assert [phase.row.line for phase in built.phases] == [4, 21, 0, 4]

    def test_of_a_plan_that_is_done_are_done(self) -> None:
        built = _build(_plan("done", ["1", "2"]))
        assert [phase.status for phase in built.phases] == ["done", "done"]
        assert built.details.mismatches == []

    def test_are_not_announced_where_a_file_is_for_all(self) -> None:
        assert [phase.phase for phase in _build(_plan("todo", ["1", "2"]), _progress("all", "todo")).phases] == ["all"]
        assert [phase.phase for phase in _build(_plan("todo", ["1", "2"]), _progress("1-2", "todo")).phases] == ["1-2"]

    def test_have_the_title_that_the_plan_gives_where_they_have_none(self) -> None:
        tasks = [*_tasks("todo", phase="1"), *_tasks("todo", phase="2")]
        built = _build(_plan(None, ["P1", "P2"]), _progress("all", None, tasks), _progress("3", None, title="Own"))
        assert [phase.title for phase in built.phases] == ["Do P1", "Do P2", "Own"]

    def test_and_ids_are_one_of_each_in_a_file(self) -> None:
        built = _build(_progress("", None, [*_tasks("todo", phase=""), *_tasks("todo", phase="all", first=5)]))
        assert len({(phase.path, phases.key(phase.phase)) for phase in built.phases}) == len(built.phases) == 1
        assert sum(map(len, (phase.tasks for phase in built.phases))) == 2


class TestMismatches:
    def test_a_file_that_says_done_with_open_tasks(self) -> None:
        (found,) = mismatches.of_document(_progress("1", "done", _tasks("done", "todo", "blocked", "unknown", phase="1")))
        assert (found.code, found.declared, found.computed) == ("completed_with_open_tasks", "done", "2 of 4")
        assert [(item.signal, item.line, item.detail) for item in found.evidence] == [
            ("status", 4, "status: done"),
            ("task", 11, "1.2: todo"),
            ("task", 12, "1.3: blocked"),
        ]

    def test_a_file_that_is_open_with_nothing_left(self) -> None:
        (found,) = mismatches.of_document(_progress("1", "in_progress", _tasks("done", "deferred")))
        assert (found.code, found.declared, found.computed) == ("open_with_all_tasks_done", "in_progress", "done")

    @pytest.mark.parametrize("status", [None, "unknown", "deferred", "archived"])
    def test_no_other_status_contradicts_tasks(self, status: Status | None) -> None:
        assert mismatches.of_document(_progress("1", status, _tasks("done", "done"))) == []
        assert mismatches.of_document(_progress("1", status, _tasks("todo"))) == []

    @pytest.mark.parametrize(
        ("total", "completed", "progress", "codes"),
        [
            (4, 1, 25, []),
            (4, 2, 50, []),
            (4, 1, 24.6, []),
            (5, 3, 60, ["total_tasks", "completed_tasks", "progress"]),
            (None, 0, None, ["completed_tasks"]),
            (None, None, 0.0, ["progress"]),
        ],
    )
    def test_counters_are_held_against_tasks(
        self, total: int | None, completed: int | None, progress: float | None, codes: list[str]
    ) -> None:
        document = _progress("1", "todo", _tasks("done", "deferred", "todo", "todo"))
        document.declared_total, document.declared_completed, document.declared_progress = total, completed, progress
        assert [item.code for item in mismatches.of_document(document)] == codes

    def test_counters_count_the_tasks_of_the_frontmatter(self) -> None:
        document = _progress("1", "todo", _tasks("todo"))
        document.tasks.append(Task(key="@1", form="checkbox", line=40, status="todo"))
        document.declared_total = 1
        assert mismatches.of_document(document) == []

    def test_progress_of_a_file_that_is_done_is_all(self) -> None:
        document = _progress("1", "done")
        document.declared_progress = 40
        (found,) = mismatches.of_document(document)
        assert (found.code, found.declared, found.computed) == ("progress", "40", "100")

    def test_a_feature_whose_documents_do_not_agree(self) -> None:
        built = _build(_prd("done"), _plan("todo"), _progress("1", "in_progress"))
        assert [(item.code, item.declared, item.computed) for item in built.details.mismatches] == [
            ("status", "done", "in_progress"),
            ("documents", "done", "todo"),
        ]
        assert built.mismatches == 2

    def test_a_draft_of_work_under_way_is_none(self) -> None:
        assert _build(_prd("todo"), _plan("in_progress"), _progress("1", "review")).mismatches == 0

    def test_a_quick_feature_contradicts_its_tasks_once(self) -> None:
        quick = Document(
            path="quick-features/x.md",
            doc_type="quick_feature",
            title="X",
            status="done",
            raw_status="done",
            tasks=_tasks("todo"),
        )
        assert [item.code for item in _build(quick).details.mismatches] == ["completed_with_open_tasks"]

    def test_those_of_phases_are_with_the_phases(self) -> None:
        built = _build(_prd("done"), _progress("1", "done", _tasks("todo")))
        assert built.details.mismatches == []
        assert [item.code for item in built.phases[0].row.mismatches] == ["completed_with_open_tasks"]
        assert built.mismatches == 1


def test_a_feature_has_what_its_documents_have() -> None:
    prd = _prd("todo")
    prd.owners, prd.tags, prd.category, prd.commits = ["ada"], ["UI"], "product", ["abc1234"]
    prd.description = "All of it"
    progress = _progress("1", None, _tasks("todo", "done", phase="1"))
    progress.owners, progress.tags, progress.priority = ["bob", "ada"], ["UI", "api"], "high"
    progress.commits = ["def5678", "abc1234"]
    progress.blockers = [Blocker(title="Wait", line=7), Blocker(title="Over", line=8, open=False)]
    progress.criteria = [Criterion(text="It works", line=9, met=True)]
    progress.questions = ["Why?", "Why?"]
    built = features.build("app", "x", [progress, prd], ["x-v2"])
    details = built.details
    assert (built.name, built.category, built.priority) == ("The X", "product", "high")
    assert details.description == "All of it"
    assert (details.owners, details.file_tags, details.commits) == (["ada", "bob"], ["UI", "api"], ["abc1234", "def5678"])
    assert [(item.title, item.open, item.path) for item in details.blockers] == [
        ("Wait", True, progress.path),
        ("Over", False, progress.path),
    ]
    assert built.open_blockers == 1
    assert [(item.text, item.met, item.line) for item in details.criteria] == [("It works", True, 9)]
    assert (details.criteria_total, details.criteria_unmet) == (1, 0)
    assert details.questions == ["Why?"]
    assert details.versions == ["app/x-v2"]
    assert sum(built.counts) == 2
    assert built.progress == 0.5


def test_of_many_criteria_those_are_kept_that_are_left() -> None:
    progress = _progress("1")
    progress.criteria = [Criterion(text=str(n), line=n, met=(True, False, None)[n % 3]) for n in range(1, 121)]
    details = features.build("app", "x", [progress]).details
    assert [item.met for item in details.criteria] == [False] * 40 + [None] * 10
    assert [item.line for item in details.criteria[:3]] == [1, 4, 7]
    assert (details.criteria_total, details.criteria_unmet) == (120, 40)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("PRD: Deployment Sets", "Deployment Sets"),
        ("Deployment Sets - PRD", "Deployment Sets"),
        ("Product Requirements Document: Deployment Sets", "Deployment Sets"),
        ("Deployment Sets Implementation Plan", "Deployment Sets"),
        ("Implementation Plan \u2014 Deployment Sets v2", "Deployment Sets v2"),
        ("PRD 2: Deployment Sets", "Deployment Sets"),
        ("PRD-001: Feature: Deployment Sets", "Deployment Sets"),
        ("PRD-001 Implementation Plan: Deployment Sets", "Deployment Sets"),
        ("Feature-based planning: a start", "Feature-based planning: a start"),
        ("Plan the future", "Plan the future"),
        ("PRD:", "Deployment sets"),
        ("SPIKE: Deployment Sets", "Deployment Sets"),
        ("Change: Deployment Sets", "Deployment Sets"),
        ("Change feature flags", "Change feature flags"),
        ("Deployment Sets - All Phases Progress", "Deployment Sets"),
        ("Deployment Sets: Progress Tracking", "Deployment Sets"),
        ("Show progress", "Show progress"),
        ("deployment-sets", "Deployment sets"),
    ],
)
def test_a_feature_is_named_by_its_title_without_the_kind_of_document(title: str, name: str) -> None:
    document = Document(path="PRDs/deployment-sets.md", doc_type="prd", title=title)
    assert features.build("app", "deployment-sets", [document]).name == name


def test_a_feature_without_a_plan_is_named_by_its_slug() -> None:
    assert features.build("app", "deployment-sets", [_progress("1"), _progress("2")]).name == "Deployment sets"
