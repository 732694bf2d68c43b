"""Which feature a document belongs to, by names alone."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.slugs import Claim, assign, base, canonical, claim, relatives
from ccdashd.sources.planning.model import Document, Ref, Slug

PLANS = "docs/project_plans"
PRD = Claim("prd")
PLAN = Claim("implementation_plan")
PROGRESS = Claim("progress")
NOTE = Claim("context")


@pytest.mark.parametrize(
    ("written", "slug"),
    [
        ("Deployment Sets", "deployment-sets"),
        ("deployment-sets-v1", "deployment-sets"),
        ("deployment-sets-v1.0", "deployment-sets"),
        ("deployment_sets_V1", "deployment-sets"),
        ("deployment-sets-v2", "deployment-sets-v2"),
        ("memory-v1-1", "memory-v1-1"),
        ("versioning-v1.5", "versioning-v1-5"),
        ("v1", "v1"),
        ("PRD-001-scoring", "prd-001-scoring"),
        ("überblick", "überblick"),
        ("2026-02-04-add-login-v1", "add-login"),
        ("2026-02-04_2026-02-05_add", "add"),
        ("2026-02-04-v1", "2026-02-04"),
        ("2026-02-04", "2026-02-04"),
        ("1-2026-02-04-x", "1-2026-02-04-x"),
        ("---", ""),
    ],
)
def test_names_that_mean_the_same_have_one_slug(written: str, slug: str) -> None:
    assert canonical(written) == slug


@given(st.text(st.sampled_from("xV12-. _/ÄİßΣ"), max_size=12))
def test_a_slug_is_its_own_slug(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    assert base(canonical(text)) == "" or base(canonical(text))[0] != "-"


@pytest.mark.parametrize(
    ("slug", "without"), [("x-v2", "x"), ("x-v1-5", "x"), ("x", "x"), ("x-v2-beta", "x-v2-beta"), ("v2", "v2")]
)
def test_versions_have_a_name_in_common(slug: str, without: str) -> None:
    assert base(slug) == without


def test_a_claim_holds_what_a_document_says_of_its_feature() -> None:
    document = Document(
        path="docs/x.md",
        doc_type="report",
        title="X",
        slugs=[
            Slug(slug="Feature-X-v1", source="feature_slug"),
            Slug(slug="other", source="prd"),
            Slug(slug="from-path", source="path"),
        ],
        refs=[
            Ref(field="prd_ref", raw="PRDs/x.md", path="docs/PRDs/x.md"),
            Ref(field="plan_ref", raw="plans/x.md", path="docs/plans/x.md"),
            Ref(field="body", raw="y.md", path="docs/y.md"),
            Ref(field="plan_ref", raw="https://x.example"),
        ],
        supersedes=["old"],
        lineage_parent="docs/PRDs/older.md",
    )
    assert claim(document) == Claim(
        "report", "feature-x", ("other",), ("docs/plans/x.md", "docs/PRDs/x.md"), ("docs/PRDs/older.md", "old"), "from-path"
    )


def test_a_first_version_is_the_feature_and_later_ones_are_their_own() -> None:
    claims = {
        f"{PLANS}/PRDs/features/collections-navigation-v1.md": PRD,
        f"{PLANS}/implementation_plans/enhancements/collections-navigation-v1.md": PLAN,
        f"{PLANS}/implementation_plans/enhancements/collections-navigation-v1/phase-1-database.md": Claim(
            "phase_plan", "collections-navigation"
        ),
        ".claude/progress/collections-navigation/phase-1-progress.md": PROGRESS,
        ".claude/progress/collections-navigation-v1/phase-2-progress.md": PROGRESS,
        f"{PLANS}/implementation_plans/features/deployment-sets-v1.md": Claim("implementation_plan", "deployment-sets"),
        f"{PLANS}/implementation_plans/features/deployment-sets-v2.md": Claim("implementation_plan", "deployment-sets"),
        ".claude/progress/deployment-sets-v2/all-phases-progress.md": Claim("progress", "deployment-sets"),
    }
    assert list(assign(claims).values()) == [
        *["collections-navigation"] * 5,
        "deployment-sets",
        *["deployment-sets-v2"] * 2,
    ]


def test_each_quick_feature_is_one() -> None:
    claims = {
        ".claude/progress/quick-features/add-icons.md": Claim("quick_feature", "quick-features"),
        ".claude/progress/quick-features/fix-tab.md": Claim("progress"),
        ".claude/progress/quick-features/README.md": Claim("readme"),
    }
    assert list(assign(claims).values()) == ["add-icons", "fix-tab", None]


def test_quick_features_of_one_name_are_others_on_another_day() -> None:
    quick = Claim("quick_feature")
    claims = {f"quick-features/{day}-fix-tab.md": quick for day in ("2026-01-02", "2026-03-04")}
    assert list(assign(claims).values()) == ["2026-01-02-fix-tab", "2026-03-04-fix-tab"]


def test_a_date_and_a_word_for_the_kind_of_document_are_no_part_of_a_name() -> None:
    claims = {
        "docs/superpowers/plans/2026-08-13-fork-replay.md": PLAN,
        "docs/superpowers/specs/2026-08-13-fork-replay-design.md": Claim("design_spec", by_path="fork-replay"),
        "openspec/changes/archive/2026-02-04-add-login/proposal.md": PRD,
        "openspec/changes/archive/2026-02-04-add-login/tasks.md": Claim("task_list", by_path="add-login"),
        "docs/notes/other.md": Claim("worknote", by_path="elsewhere"),
    }
    assert list(assign(claims).values()) == ["fork-replay", "fork-replay", "add-login", "add-login", None]


class TestProgressFolders:
    def test_go_to_the_plan_of_their_name_whatever_files_say(self) -> None:
        files = {
            ".claude/progress/x/phase-1.md": Claim("progress", "phase-1", ("y",)),
            ".claude/progress/x/deep/a.md": NOTE,
        }
        assert assign({"plans/x.md": PLAN, "plans/y.md": PLAN, **files}) == {
            "plans/x.md": "x",
            "plans/y.md": "y",
            ".claude/progress/x/phase-1.md": "x",
            ".claude/progress/x/deep/a.md": "x",
        }

    @pytest.mark.parametrize(
        "said", [Claim("progress", "y"), Claim("progress", "phase-1", ("y",)), Claim("progress", refs=("plans/y.md",))]
    )
    def test_go_whole_to_the_plan_that_their_files_name(self, said: Claim) -> None:
        claims = {"plans/y.md": PLAN, "progress/part-two/phase-1.md": said, "progress/part-two/README.md": Claim("readme")}
        assert set(assign(claims).values()) == {"y"}

    def test_go_where_most_of_their_files_want_to(self) -> None:
        files = {f"progress/work/{n}.md": Claim("progress", slug) for n, slug in enumerate(["y", "z", "z"])}
        plans = {"plans/y.md": PLAN, "plans/z.md": PLAN}
        assert assign({**plans, **files})["progress/work/0.md"] == "z"
        in_doubt = {"progress/work/0.md": Claim("progress", "z"), "progress/work/1.md": Claim("progress", "y")}
        assert assign({**plans, **in_doubt})["progress/work/0.md"] == "y"

    def test_of_a_later_version_do_not_go_to_an_earlier_one(self) -> None:
        claims = {"plans/x.md": PLAN, "progress/x-v2/phase-1.md": Claim("progress", "x", ("x",))}
        assert assign(claims)["progress/x-v2/phase-1.md"] == "x-v2"

    def test_without_a_version_go_to_the_only_one_there_is(self) -> None:
        claims = {"plans/x-v2.md": PLAN, "progress/x/phase-1.md": PROGRESS}
        assert set(assign(claims).values()) == {"x-v2"}
        assert assign({"plans/x-v3.md": PLAN, **claims})["progress/x/phase-1.md"] == "x"

    def test_are_features_of_their_own_else(self) -> None:
        claims = {"progress/x/phase-1.md": Claim("progress", "phase-1", ("phase-1",)), "progress/stray.md": PROGRESS}
        assert assign(claims) == {"progress/x/phase-1.md": "x", "progress/stray.md": None}


class TestPlans:
    def test_in_the_folder_of_a_plan_belong_to_it(self) -> None:
        claims = {
            "plans/features/x-v2.md": PLAN,
            "plans/features/x-v2/phase-1-types.md": Claim("phase_plan", "x"),
            "plans/features/x-v2/ui.md": PLAN,
            "plans/refactors/tidy/tidy.md": PLAN,
            "plans/refactors/tidy/conventions.md": PLAN,
        }
        assert list(assign(claims).values()) == ["x-v2", "x-v2", "x-v2", "tidy", "tidy"]

    def test_beside_a_folder_come_before_those_in_it(self) -> None:
        claims = {
            "plans/x/x.md": Claim("implementation_plan", "inner"),
            "plans/x/part.md": PLAN,
            "plans/x.md": Claim("implementation_plan", "outer"),
        }
        assert set(assign(claims).values()) == {"outer"}

    def test_in_a_folder_with_progress_of_its_name_belong_together(self) -> None:
        claims = {
            "PRDs/init/ph2/AI_PRD.md": PRD,
            "PRDs/init/ph2/phase2-implementation-plan.md": PLAN,
            ".claude/progress/ph2/all-phases-progress.md": PROGRESS,
        }
        assert set(assign(claims).values()) == {"ph2"}

    def test_in_a_folder_of_many_features_are_their_own(self) -> None:
        claims = {
            "plans/features/a.md": PLAN,
            "plans/features/b.md": PLAN,
            ".claude/progress/a/phase-1.md": PROGRESS,
            ".claude/progress/features/phase-1.md": PROGRESS,
        }
        assert list(assign(claims).values()) == ["a", "b", "a", "features"]

    def test_of_a_name_that_says_their_kind_alone_have_that_of_their_folder(self) -> None:
        assert assign({"specs/001-login/plan.md": PLAN, "plan.md": PLAN}) == {
            "specs/001-login/plan.md": "001-login",
            "plan.md": "plan",
        }

    def test_that_name_another_feature_belong_to_it(self) -> None:
        claims = {"plans/x-v1.md": PLAN, "plans/x-v1-addendum.md": Claim("implementation_plan", "x")}
        assert set(assign(claims).values()) == {"x"}

    def test_have_no_slug_that_a_tool_made_of_a_path(self) -> None:
        claims = {"docs/PRDs/notes-v1.md": Claim("prd", canonical("docs-PRDs-notes-v1-md"))}
        assert assign(claims) == {"docs/PRDs/notes-v1.md": "notes"}

    def test_summaries_of_folders_make_no_feature(self) -> None:
        claims = {"plans/features/IMPLEMENTATION_PLAN_SUMMARY.md": PLAN, "plans/README.md": PLAN}
        assert set(assign(claims).values()) == {None}


class TestOtherDocuments:
    CLAIMS = {"PRDs/x.md": PRD, "PRDs/x-v2.md": PRD, "PRDs/y-v2.md": PRD, "plans/z.md": PLAN}

    @pytest.mark.parametrize(
        ("path", "said", "slug"),
        [
            ("docs/a.md", Claim("report", "x"), "x"),
            ("docs/a.md", Claim("report", "y"), "y-v2"),
            ("docs/a.md", Claim("report", "new"), "new"),
            ("docs/a.md", Claim("report", "x", ("z",)), "x"),
            ("docs/notes/x-v2/a.md", Claim("report", "x"), "x-v2"),
            ("docs/a.md", Claim("report", "", ("none", "z")), "z"),
            ("docs/a.md", Claim("report", refs=("PRDs/none.md", "plans/z.md")), "z"),
            ("docs/notes/z/context.md", NOTE, "z"),
            ("docs/notes/y/handoffs/context.md", NOTE, "y-v2"),
            ("docs/spikes/z.md", Claim("spike"), "z"),
            ("docs/z-report.md", Claim("report"), None),
            ("x.md", Claim("report"), "x"),
            ("z/a.md", NOTE, None),
            ("docs/notes/z/SKILL.md", Claim("skill", "z", ("z",)), None),
        ],
    )
    def test_go_where_they_say_else_where_they_lie(self, path: str, said: Claim, slug: str | None) -> None:
        assert assign({**self.CLAIMS, path: said})[path] == slug

    def test_that_make_a_feature_are_found_by_others(self) -> None:
        claims = {"docs/spike.md": Claim("spike", "new"), "docs/notes/new/a.md": NOTE}
        assert set(assign(claims).values()) == {"new"}


def test_features_know_their_versions_and_where_they_come_from() -> None:
    claims = {
        "PRDs/x.md": PRD,
        "PRDs/x-v2.md": PRD,
        "PRDs/y.md": Claim("prd", lineage=("PRDs/x.md", "gone", "y")),
        "PRDs/z.md": PRD,
    }
    assert relatives(claims, assign(claims)) == {"x": ["x-v2"], "x-v2": ["x"], "y": ["x"]}


_NAMES = st.sampled_from(["x", "x-v1", "x-v2", "y", "phase-1", "README", "features", "plan"])
_PATHS = st.builds(
    lambda top, folders, name: "/".join([top, *folders, f"{name}.md"]),
    st.sampled_from(["docs", "PRDs", ".claude/progress", "progress/quick-features"]),
    st.lists(_NAMES, max_size=2),
    _NAMES,
)
_CLAIMS = st.builds(
    Claim,
    st.sampled_from(["prd", "implementation_plan", "phase_plan", "progress", "context", "skill", "quick_feature"]),
    st.sampled_from(["", "x", "x-v2", "new"]),
    st.lists(st.sampled_from(["x", "y", "z"]), max_size=2).map(tuple),
    st.lists(_PATHS, max_size=1).map(tuple),
)


@given(st.dictionaries(_PATHS, _CLAIMS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_documents_is_of_no_matter(claims: dict[str, Claim], random: Random) -> None:
    paths = list(claims)
    random.shuffle(paths)
    shuffled = {path: claims[path] for path in paths}
    assigned = assign(claims)
    assert assign(shuffled) == assigned
    assert relatives(shuffled, assigned) == relatives(claims, assigned)
    assert assigned.keys() == claims.keys()
    assert "" not in assigned.values()
