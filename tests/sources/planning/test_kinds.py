from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning.kinds import boxes_of, classify, phase_of, type_of

PLANS = "docs/project_plans/"


@pytest.mark.parametrize(
    ("path", "doc_type", "slug", "boxes"),
    [
        (".claude/progress/auth-v1/phase-1-progress.md", "progress", "auth-v1", "tasks"),
        (".claude/progress/auth-v1/all-phases-progress.md", "progress", "auth-v1", "tasks"),
        (".claude/progress/auth-v1/phase-2-completion.md", "progress", "auth-v1", "tasks"),
        (".claude/progress/auth-v1/README.md", "readme", "auth-v1", "none"),
        (".claude/progress/auth-v1/performance-report.md", "report", "auth-v1", "none"),
        (".claude/progress/auth-v1/evidence/T4-003-smoke-report.md", "report", "auth-v1", "none"),
        (".claude/progress/entities-exploration.md", "exploration", "entities-exploration", "criteria"),
        (".claude/progress/quick-features/dark-mode.md", "quick_feature", "dark-mode", "tasks"),
        (".claude/worknotes/auth-v1/context.md", "context", "auth-v1", "none"),
        (".claude/worknotes/auth-v1/analysis/hashes.md", "worknote", "auth-v1", "none"),
        (".claude/worknotes/bug-fixes-2026-01.md", "worknote", "", "none"),
        (PLANS + "PRDs/features/auth-v1.md", "prd", "auth-v1", "criteria"),
        (PLANS + "PRDs/auth-v1.md", "prd", "auth-v1", "criteria"),
        (PLANS + "PRDs/init/ph2/adr-0001-merge.md", "adr", "ph2", "criteria"),
        (PLANS + "PRDs/init/ph2/phase2-implementation-plan.md", "implementation_plan", "ph2", "criteria"),
        (PLANS + "implementation_plans/features/auth-v1.md", "implementation_plan", "auth-v1", "criteria"),
        (PLANS + "implementation_plans/features/auth-v1/phase-2-api.md", "phase_plan", "auth-v1", "criteria"),
        (PLANS + "implementation_plans/phase-2-api.md", "implementation_plan", "phase-2-api", "criteria"),
        (PLANS + "implementation_plans/features/phase-2-api.md", "implementation_plan", "phase-2-api", "criteria"),
        (PLANS + "implementation_plans/auth-v1/phase-2-api.md", "phase_plan", "auth-v1", "criteria"),
        (PLANS + "implementation_plans/features/auth-v1/wireframes/brief.md", "design_spec", "auth-v1", "criteria"),
        (PLANS + "implementation_plans/features/auth-v1/auth-v1.md", "implementation_plan", "auth-v1", "criteria"),
        (PLANS + "implementation_plans/features/IMPLEMENTATION_SUMMARY.md", "report", "IMPLEMENTATION_SUMMARY", "none"),
        (PLANS + "SPIKEs/auth-spike.md", "spike", "auth", "criteria"),
        (PLANS + "design-specs/auth-v1.md", "design_spec", "auth-v1", "criteria"),
        (PLANS + "architecture/ADRs/adr-008-tiers.md", "adr", "", "criteria"),
        (PLANS + "reports/audit.md", "report", "", "none"),
        (PLANS + "ideas/later.md", "idea", "", "none"),
        (".claude/plans/simplify.md", "implementation_plan", "simplify", "tasks"),
        ("docs/plans/auth/phase-1.md", "phase_plan", "auth", "tasks"),
        ("docs/superpowers/plans/2026-08-16-tray.md", "implementation_plan", "2026-08-16-tray", "tasks"),
        ("docs/superpowers/specs/2026-08-16-tray-design.md", "design_spec", "2026-08-16-tray", "criteria"),
        ("openspec/changes/add-tests/proposal.md", "prd", "add-tests", "criteria"),
        ("openspec/changes/add-tests/tasks.md", "task_list", "add-tests", "tasks"),
        ("openspec/changes/add-tests/specs/parser/spec.md", "spec", "add-tests", "criteria"),
        ("openspec/changes/archive/2026-02-04-add-more/design.md", "design_spec", "2026-02-04-add-more", "criteria"),
        ("openspec/specs/parser/spec.md", "spec", "", "criteria"),
        ("specs/003-user-auth/spec.md", "prd", "003-user-auth", "criteria"),
        ("specs/003-user-auth/tasks.md", "task_list", "003-user-auth", "tasks"),
        ("PLAN.md", "implementation_plan", "", "tasks"),
        ("TODO.md", "task_list", "", "tasks"),
        ("README.md", "readme", "", "none"),
        ("CHANGELOG.md", "changelog", "", "none"),
        ("CLAUDE.md", "instructions", "", "none"),
        ("docs/agents.md", "document", "", "none"),
        ("notes.md", "document", "", "none"),
        (".claude/skills/pdf/SKILL.md", "skill", "", "none"),
        (".claude/skills/pdf/references/forms.md", "reference", "", "none"),
        (".claude/skills/plan/templates/prd-template.md", "template", "", "none"),
        (".claude/agents/dev/coder.md", "agent", "", "none"),
        (".claude/commands/dev/execute-phase.md", "command", "", "none"),
        (".claude/rules/web/testing.md", "rule", "", "none"),
        (".claude/templates/pm/spike-document-template.md", "template", "", "none"),
        (".specify/templates/spec-template.md", "template", "", "none"),
    ],
)
def test_a_path_tells_the_type_and_the_feature(path: str, doc_type: str, slug: str, boxes: str) -> None:
    kind = classify(path)
    assert (kind.doc_type, kind.slug, kind.boxes) == (doc_type, slug, boxes)


@pytest.mark.parametrize(
    ("name", "doc_type"),
    [
        ("design_spec", "design_spec"),
        ("design-spec", "design_spec"),
        ("design_doc", "design_spec"),
        ("Design", "design_spec"),
        ("meta-plan", "meta_plan"),
        ("worknotes", "worknote"),
        ("quick-feature", "quick_feature"),
        ("quick_feature_plan", "quick_feature"),
        ("Implementation Plan", "implementation_plan"),
        ("technical-analysis", "report"),
        ("something else", "document"),
        ("", "document"),
    ],
)
def test_the_frontmatter_names_the_type_in_many_spellings(name: str, doc_type: str) -> None:
    assert type_of(classify("docs/x.md"), [name]) == doc_type


def test_the_first_name_that_is_known_counts() -> None:
    kind = classify("docs/x.md")
    assert type_of(kind, ["banana", "prd", "report"]) == "prd"
    assert boxes_of(kind, "prd") == "criteria"


def test_a_template_stays_one_whatever_it_calls_itself() -> None:
    kind = classify(".claude/skills/plan/templates/prd-template.md")
    assert type_of(kind, ["prd"]) == "template"
    assert boxes_of(kind, "template") == "none"


@pytest.mark.parametrize(
    ("path", "phase"),
    [
        ("a/phase-1-progress.md", "1"),
        ("a/phase-1-2-progress.md", "1-2"),
        ("a/phases-3-5-x.md", "3-5"),
        ("a/phase-2.5-x.md", "2.5"),
        ("a/all-phases-progress.md", "all"),
        ("a/phase_3.md", "3"),
        ("a/phase-4-2026-notes.md", "4"),
        ("a/auth-phase-7.md", "7"),
        ("a/paraphase-7.md", ""),
        ("a/phase-2026.md", ""),
        ("phase-1/notes.md", ""),
    ],
)
def test_the_name_of_a_file_tells_its_phase(path: str, phase: str) -> None:
    assert phase_of(path) == phase


@given(st.text())
def test_any_path_is_of_some_kind(path: str) -> None:
    kind = classify(path)
    assert kind.doc_type
    assert "/" not in kind.slug
    assert isinstance(phase_of(path), str)
