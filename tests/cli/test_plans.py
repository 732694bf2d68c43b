"""Features, tasks, planning files and their statuses, on two made-up projects and the real daemon."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from ccdash.text import width
from tests.cli import plans
from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import Failure, FakeDaemon
from tests.cli.world import World
from tests.helpers import wait_until

Run = Callable[..., Done]
PRD = "docs/project_plans/PRDs/{}-v1.md"
PLAN = "docs/project_plans/implementation_plans/{}-v1.md"
PHASE = ".claude/progress/{}/phase-{}-progress.md"


@pytest.fixture
def home(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The daemon's home in place of an empty one; the current folder is the shop."""
    return world.enter(monkeypatch)


@pytest.fixture
def depot(home: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The current folder is the depot."""
    monkeypatch.chdir(world.depot)
    return world


def lines(text: str) -> list[list[str]]:
    """The words of each line; ages are ``now``, however slow the machine is."""
    return [re.sub(r"\d+[mh] ago", "now", line).split() for line in text.splitlines()]


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, as a diff has them."""
    return [
        line for line in unified_diff(before.split("\n"), after.split("\n"), n=0) if line[:3] not in ("---", "+++", "@@ ")
    ]


@pytest.mark.parametrize(
    ("arguments", "method", "params"),
    [
        (("features",), "features/list", {"sort": "modifiedAt", "order": "desc", "project": "shop"}),
        (("feature", "checkout"), "features/get", {"id": "checkout"}),
        (("tasks", "--sort", "title"), "tasks/list", {"sort": "title", "project": "shop"}),
        (("task", "T2-002"), "tasks/get", {"id": "T2-002", "project": "shop"}),
        (("docs",), "documents/list", {"project": "shop"}),
        (("doc", "notes.md", "--content"), "documents/get", {"id": "notes.md", "content": True}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_json_is_the_result_as_it_came(
    run: Run, world: World, arguments: tuple[str, ...], method: str, params: dict[str, Any]
) -> None:
    done = run(*arguments, "--json")
    answer, expected = json.loads(done.out), world.ask(method, **params)
    revision = {"revision": answer["revision"]}  # which the other project of this daemon moves on
    assert answer == expected | revision
    assert (done.code, done.err) == (0, "")


def test_features_are_those_of_the_project_of_this_folder(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.shop / "docs")
    done = run("features", "--sort", "name")
    heading, *rows = lines(done.out)
    assert heading == ["STATUS", "NAME", "SLUG", "PHASES", "TASKS", "DONE", "SESSIONS", "BLOCKERS", "!", "CHANGED"]
    assert [row[:-1] for row in rows] == [
        ["in_progress", "Checkout", "checkout", "1/2", "2/4", "50", "%", "1", "1", "1"],
        ["todo", "Refunds", "refunds", "-", "-", "-", "0", "0", "0"],
    ]
    assert done.err == "2 features in shop; `--everywhere` shows those of all projects.\n"


def test_elsewhere_the_features_of_all_projects_are_listed(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = run("features", "--everywhere")
    monkeypatch.chdir("/")
    elsewhere = run("features")
    assert lines(elsewhere.out) == lines(everywhere.out)
    assert {row[1] for row in lines(elsewhere.out)[1:]} == {"shop", "depot"}
    assert "PROJECT" in elsewhere.out.splitlines()[0] and elsewhere.err == ""
    assert [row[1] for row in lines(run("features", "--project", "shop", "--sort", "name").out)[1:]] == [
        "Checkout",
        "Refunds",
    ]


@pytest.mark.parametrize(
    ("arguments", "slugs"),
    [
        (("--status", "todo"), ["refunds"]),
        (("--status", "todo", "--status", "in_progress"), ["checkout", "refunds"]),
        (("--status", "done"), []),
        (("--open",), ["checkout", "refunds"]),
        (("--category", "Features"), ["checkout"]),
        (("--tag", "money"), ["checkout"]),
        (("--mismatch",), ["checkout"]),
        (("REFUND",), ["refunds"]),
        (("--reverse",), ["refunds", "checkout"]),
        (("--limit", "1", "--offset", "1"), ["refunds"]),
        (("--all",), ["checkout", "refunds"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_features_are_filtered_and_sorted(run: Run, arguments: tuple[str, ...], slugs: list[str]) -> None:
    page = json.loads(run("features", "--sort", "name", *arguments, "--json").out)
    assert [row["slug"] for row in page["items"]] == slugs


def test_lists_tell_how_many_there_are(run: Run) -> None:
    assert run("features", "--limit", "1").err.startswith("1 of 2 features in shop; `--all` shows every one, ")
    assert run("tasks", "--limit", "2", "--offset", "1").err.startswith("2-3 of 4 tasks in shop; `--all`")
    assert run("tasks", "--offset", "9").err.startswith("There are only 4 tasks in shop that fit; ")
    assert run("docs", "--type", "novel").err.startswith("No planning file in shop fits; ")
    assert run("docs", "--everywhere", "--type", "novel").err == "No planning file fits.\n"


def test_a_project_without_plans_is_said_so(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    world.ask("projects/add", root=str(empty))
    monkeypatch.chdir(empty)
    done = run("features")
    assert (done.code, done.out) == (0, "")
    assert done.err == "There is no feature in empty yet; `--everywhere` shows those of all projects.\n"


def test_a_feature_is_shown_with_all_that_belongs_to_it(run: Run) -> None:
    done = run("feature", "checkout-v1")
    assert (done.code, done.err) == (0, "")
    page = done.out
    assert page.startswith("Checkout\nfeature   checkout in shop\n")
    for wanted in (
        r"status    in_progress, as its phases and tasks say \('draft' in docs/project_plans/PRDs/checkout-v1.md:4\)",
        r"progress  50 %, 2 of 4 tasks: 1 todo, 2 done, 1 blocked",
        r"sessions  1 in 0s, 1.50k tokens",
        r"\n\nLet people pay. They want to.\n",
        r"Phases: 1 of 2 closed",
        r"in_progress +2 +Payment +1/3 +33 % +\d +.claude/progress/checkout/phase-2-progress.md:6",
        r"The printer is broken \(high\)\n +.claude/progress/checkout/phase-2-progress.md:25",
        r"completed_tasks is 2, but 1 of 3 are done\n +.claude/progress/checkout/phase-2-progress.md.*completed_tasks: 2",
        r"Open questions\n- Which cards do we take\?",
        r"Sessions: 1\n.*\n0c0ffee0 +75 % +/dev:execute-phase 2 .* command +1.50k",
        r"Criteria not met: 1 of 1\n.claude/progress/checkout/phase-2-progress.md\n +27  Nobody pays twice",
        r"Other documents: 2\n",
    ):
        assert re.search(wanted, page), wanted
    assert "\x1b" not in page and "gotcha" not in page


def test_open_tasks_stand_below_their_phase_the_blocked_first(run: Run) -> None:
    page = run("feature", "checkout").out
    tasks = page[page.index("Open tasks: 2") :].split("\n\n")[0].splitlines()
    assert [line.split("  ")[0] for line in tasks[2:]] == ["Phase 2: Payment", "blocked", "todo"]


def test_a_feature_of_one_document_has_no_empty_sections(run: Run) -> None:
    headings = [part.split("\n")[0] for part in run("feature", "refunds").out.split("\n\n")]
    assert headings == ["Refunds", "Documents: 1"]


def test_what_the_user_said_is_on_the_page(run: Run, depot: World) -> None:
    depot.plan("noted")
    entity = {"type": "feature", "id": depot.ask("features/get", id="noted")["id"]}
    depot.ask("tags/add", name="urgent", entity=entity)
    for key, value in (("note", "Ask \x1b[31mAnn.\nThen Bob."), ("rating", 4), ("deadline", {"day": 3})):
        depot.ask("metadata/set", entity=entity, key=key, value=value)
    depot.ask("externalLinks/create", entity=entity, url="https://github.com/me/depot/pull/42")
    page = run("feature", "noted", "--full").out
    for wanted in (
        "your tags  urgent",
        "rating     4 of 5",
        "Note\nAsk Ann.\nThen Bob.\n",
        "GitHub PR #42: https://github.com",
    ):
        assert wanted in page
    assert 'Metadata\n- deadline: {"day": 3}\n' in page


def test_a_slug_that_is_nearly_meant_is_named(run: Run) -> None:
    done = run("feature", "chekout")
    assert (done.code, done.out) == (1, "")
    assert done.err == "ccdash: There is no feature 'chekout'; did you mean checkout?\n"
    assert run("tasks", "--feature", "refund").err.endswith("did you mean refunds?\n")
    done = run("feature", "zzz")
    assert (done.code, done.err) == (1, "ccdash: no feature 'zzz'. `ccdash features --everywhere --all` lists them.\n")


def test_features_of_other_projects_are_found_where_this_one_has_none(run: Run) -> None:
    assert "\nfeature   loading in depot\n" in run("feature", "loading").out
    assert run("feature", "loading", "--project", "shop").code == 1
    assert run("feature", "depot/loading").out == run("feature", "loading").out
    assert "LOADING" not in run("tasks").out
    assert json.loads(run("tasks", "--feature", "loading", "--json").out)["total"] == 4
    assert run("docs", "--feature", "loading", "--project", "shop").code == 1


def test_tasks_are_listed(run: Run) -> None:
    heading, *rows = lines(run("tasks", "--sort", "status").out)
    assert heading == ["STATUS", "ID", "TITLE", "PHASE", "PRIORITY", "ASSIGNEE", "FEATURE", "FILE"]
    assert [row[1] for row in rows] == ["T2-002", "T1-001", "T2-001", "T2-003"]
    assert "FEATURE" not in run("tasks", "--feature", "checkout").out.splitlines()[0]
    assert rows[2] == [
        "done",
        "T2-001",
        "Take",
        "cards",
        "2",
        "high",
        "ann",
        "checkout",
        PHASE.format("checkout", 2) + ":11",
    ]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (("--open",), ["T2-002", "T2-003"]),
        (("--phase", "1"), ["T1-001"]),
        (("--feature", "checkout", "--status", "done"), ["T1-001", "T2-001"]),
        (("--document", PHASE.format("checkout", 1)), ["T1-001"]),
        (("--document", "phase-2-progress.md", "--priority", "HIGH"), ["T2-001"]),
        (("--assignee", "bob"), ["T2-002"]),
        (("large ones",), ["T2-001"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_tasks_are_filtered(run: Run, arguments: tuple[str, ...], ids: list[str]) -> None:
    page = json.loads(run("tasks", *arguments, "--json").out)
    assert [row["taskId"] for row in page["items"]] == ids


def test_a_task_is_shown(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run("task", "T2-002", "--full").out
    assert page.startswith(
        "Give change\ntask       T2-002\nstatus     todo ('pending')\nfeature    checkout\nphase      2\n"
    )
    assert re.search(r"Waits for\n.*\ntask +done +Take cards +.claude/progress/checkout/phase-2-progress.md#T2-001", page)
    assert "As written\n- id: T2-002\n" in page and '- dependencies: ["T2-001"]' in page
    monkeypatch.chdir(world.shop / ".claude/progress/checkout")
    assert run("task", "phase-2-progress.md#T2-002", "--full").out == page
    monkeypatch.chdir("/")
    done = run("task", "T2-002")
    assert done.code == 2
    said, *ids = done.err.splitlines()
    assert said == "ccdash: 'T2-002' means several tasks; give its id, or --feature or --project:"
    assert any(re.fullmatch(rf"    shop-\w+/{re.escape(PHASE.format('checkout', 2))}#T2-002", line) for line in ids)
    assert run("task", ids[0].strip(), "--json").code == 0
    assert run("task", "T2-002", "--feature", "checkout", "--full").out == page


def test_planning_files_are_listed(run: Run) -> None:
    heading, *rows = lines(run("docs", "--sort", "type").out)
    assert heading == ["STATUS", "TYPE", "PATH", "TITLE", "TASKS", "FEATURE", "FINDINGS", "CHANGED"]
    assert [row[1] for row in rows] == ["implementation_plan", "prd", "prd", "progress", "progress", "report"]
    (broken,) = json.loads(run("docs", "--problems", "--path", "docs", "--json").out)["items"]
    assert broken["path"] == "docs/project_plans/reports/notes.md"


def test_a_planning_file_is_shown(run: Run, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = run("doc", "phase-2-progress.md").out
    for wanted in (
        f"file {world.shop}/.claude/progress/checkout/phase-2-progress.md",
        "status in_progress ('in_progress', line 6)",
        "tasks 1 of 3 closed: 1 todo, 1 done, 1 blocked",
        "Tasks: 3",
        "Blockers: 1",
        "Criteria not met: 1 of 1",
    ):
        assert wanted in "\n".join(" ".join(words) for words in lines(page))
    broken = run("doc", "notes.md").out
    assert "only after a repair" in broken and re.search(r"Not understood\n- line 4: ", broken)
    assert re.search(r"related_documents +missing +docs/nowhere.md", run("doc", PLAN.format("checkout")).out)
    monkeypatch.chdir(world.shop / "docs/project_plans/PRDs")
    assert run("doc", "refunds.md", "--content").out == plans.BARE
    (tmp_path / "refunds.md").write_text("# Mine\n")
    monkeypatch.chdir(tmp_path)
    assert run("doc", "refunds.md", "--project", "shop", "--content").out == plans.BARE
    assert run("doc", "refunds.md").err.endswith("`ccdash docs --everywhere --all` lists them.\n")


def test_tasks_of_a_planning_file_are_told_once(run: Run, depot: World) -> None:
    path = ".claude/progress/quick-features/hinge.md"
    plans.write(depot.depot, {path: "# Hinge\n\n- [x] Oil the hinge\n- [ ] Turn the hinge\n"})
    page = wait_until(lambda: "\nTasks: 2\n" in (done := run("doc", path)).out and done.out, "the quick feature")
    assert "\nRelated\n" in page
    assert page.count("Oil the hinge") == page.count("Turn the hinge") == 1


@pytest.mark.parametrize("cells", [60, 80, 140])
def test_tables_keep_to_the_terminal(home: Path, monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setenv("COLUMNS", str(cells))
    for command in ("features", "tasks", "docs"):
        said = run_in_terminal(command).out
        table = re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()[:-1]
        assert len(table) > 2 and max(map(width, table)) <= cells
    assert "\x1b[36min_progress\x1b[0m" in run_in_terminal("features", "--open").out
    assert "█████░░░░░" in run_in_terminal("features").out


def test_a_task_changes_by_one_line(run: Run, depot: World) -> None:
    depot.plan("crane")
    path = depot.depot / PHASE.format("crane", 2)
    before = path.read_text()
    dry = run("set-status", "T2-002", "done", "--feature", "crane", "--dry-run")
    assert (dry.code, dry.err, path.read_text()) == (0, "Nothing was written.\n", before)
    assert "-    status: pending\n+    status: completed\n" in dry.out
    done = run("set-status", "T2-002", "done", "--feature", "crane", "--yes")
    assert (done.code, done.err) == (0, "")
    assert done.out == dry.out + "Written. T2-002 is done.\n"
    assert changed(before, path.read_text()) == ["-    status: pending", "+    status: completed"]
    assert depot.ask("tasks/get", id="T2-002", feature="crane")["status"] == "done"
    again = run("set-status", "T2-002", "done", "--feature", "crane", "--yes")
    assert again.out == "T2-002: its file says so already, there is nothing to write.\n"


def test_counters_and_date_are_written_when_asked(run: Run, depot: World) -> None:
    depot.plan("hoist")
    path = depot.depot / PHASE.format("hoist", 2)
    before = path.read_text()
    result = json.loads(
        run("set-status", "T2-002", "in_progress", "--feature", "hoist", "--counters", "--updated", "--yes", "--json").out
    )
    assert result["applied"] and result["entity"]["status"] == "in_progress"
    fields = {change["field"] for file in result["files"] for change in file["changes"]}
    assert fields == {"tasks.T2-002.status", "completed_tasks", "updated"}
    assert len(changed(before, path.read_text())) == 6


def test_a_feature_changes_in_the_file_that_holds_it(run: Run, depot: World) -> None:
    depot.plan("ramp")
    files = {path: (depot.depot / path).read_text() for path in plans.feature("ramp")}
    done = run("set-status", "ramp", "review", "--yes")
    assert done.out.endswith(f"Written. ramp is review ('review' in {PRD.format('ramp')}:4).\n")
    after = {path: (depot.depot / path).read_text() for path in files}
    assert [path for path in files if after[path] != files[path]] == [PRD.format("ramp")]
    assert changed(files[PRD.format("ramp")], after[PRD.format("ramp")]) == ["-status: draft", "+status: review"]
    back = run("set-status", "feature:ramp", "todo", "--yes")
    assert f"ramp is in_progress, as its phases and tasks say ('draft' in {PRD.format('ramp')}:4)" in back.out


def test_plans_and_phases_follow_a_feature_when_asked(run: Run, depot: World) -> None:
    depot.plan("winch")
    preview = json.loads(run("set-status", "winch", "done", "--cascade", "--dry-run", "--json").out)
    assert not preview["applied"]
    assert {file["path"] for file in preview["files"]} == {
        PRD.format("winch"), PLAN.format("winch"), PHASE.format("winch", 2)
    }  # fmt: skip
    assert run("set-status", "winch", "done", "--cascade", "--yes").code == 0
    for file in preview["files"]:
        assert re.search("^status: completed", (depot.depot / file["path"]).read_text(), re.MULTILINE)


def test_a_phase_is_named_by_its_feature_or_its_file(run: Run, depot: World) -> None:
    depot.plan("belt")
    path = PHASE.format("belt", 2)
    done = run("set-status", "phase:2", "review", "--feature", "belt", "--yes")
    assert done.out.endswith("Written. Phase 2: Payment is review.\n")
    assert "\nstatus: review  # since Monday\n" in (depot.depot / path).read_text()
    assert run("set-status", f"{path}#phase-2", "in_progress", "--yes").code == 0
    assert "\nstatus: in_progress  # since Monday\n" in (depot.depot / path).read_text()
    for target, feature, problem in (
        ("phase:9", ["--feature", "belt"], "belt has no phase '9'. Its phases: 1, 2.\n"),
        ("phase:2", [], "Say of which feature: `ccdash set-status phase:2 STATUS --feature SLUG`.\n"),
        (f"{path}#phase-9", [], "`ccdash feature SLUG` shows the phases of a feature.\n"),
    ):
        wrong = run("set-status", target, "done", *feature, "--yes")
        assert wrong.code == (1 if "9" in target else 2) and wrong.err.endswith(problem)


def test_a_name_of_a_feature_and_of_a_task_is_refused(run: Run, depot: World) -> None:
    depot.plan("t1-001")
    prd = depot.depot / PRD.format("t1-001")
    done = run("set-status", "t1-001", "done", "--yes")
    assert "did you mean" not in done.err and done.code == 0
    twin = depot.depot / PHASE.format("t1-001", 2)
    twin.write_text(twin.read_text().replace("id: T2-003", "id: t1-001"))
    wait_until(lambda: depot.ask("tasks/list", text="t1-001", feature="t1-001", status=["blocked"])["total"], "the twin")
    before = prd.read_text(), twin.read_text()
    done = run("set-status", "t1-001", "review", "--yes")
    assert (done.code, done.err) == (
        2, "ccdash: 't1-001' is a feature and a task. Say feature:t1-001 or task:t1-001.\n"
    )  # fmt: skip
    assert (prd.read_text(), twin.read_text()) == before
    assert run("set-status", "task:t1-001", "todo", "--yes").code == 0
    assert prd.read_text() == before[0] and "id: t1-001, title: Print receipts, status: pending" in twin.read_text()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("loading", "done"), "Nobody can be asked here. Say --yes to write, or --dry-run to see what would change.\n"),
        (("loading", "zork", "--yes"), "'zork' means no status; choose one of: todo, "),
        (("loding", "done", "--yes"), "There is no feature or task 'loding' in depot-"),
        (("loding", "done", "--yes"), "Did you mean loading?\n"),
        (("T9", "done", "--yes", "--feature", "loading"), "There is no task 'T9' of loading. "),
        (("T2-002", "done", "--yes"), "'T2-002' means several tasks; "),
        (
            ("T2-002", "done", "--yes", "--feature", "loading", "--cascade"),
            "--cascade is for features, and T2-002 is a task.",
        ),
        (("feature:loading", "done", "--yes", "--feature", "loading"), "name the feature itself as TARGET."),
        (("checkout", "done", "--yes"), "There is no feature or task 'checkout' in depot-"),
        (("T2-002", "done", "--yes", "--feature", "refunds"), "Those of other projects are set with --project."),
        (("T2-002", "finnished", "--yes", "--feature", "loading"), "ccdash: 'finnished' means no status; choose one of: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nothing_is_written_where_it_is_not_clear_what(
    run: Run, depot: World, arguments: tuple[str, ...], problem: str
) -> None:
    depot.plan("other")
    before = {path: path.read_text() for path in (*depot.shop.rglob("*.md"), *depot.depot.rglob("*.md"))}
    done = run("set-status", *arguments)
    assert done.code != 0 and done.out == "" and problem in done.err
    assert {path: path.read_text() for path in before} == before


@pytest.mark.parametrize(("typed", "code", "word"), [("y\n", 0, "completed"), ("n\n", 1, "pending"), ("\n", 1, "pending")])
def test_a_terminal_asks_before_it_writes(depot: World, typed: str, code: int, word: str) -> None:
    slug = f"asked-{len(typed)}-{code}-{ord(typed[0])}"
    depot.plan(slug)
    done = run_in_terminal("set-status", "T2-002", "done", "--feature", slug, typed=typed)
    assert done.code == code
    assert "\x1b[31m-    status: pending\x1b[0m\n\x1b[32m+    status: completed\x1b[0m\n" in done.out
    assert "Write this? [y/N]" in done.out
    assert f"    status: {word}\n    dependencies: [T2-001]" in (depot.depot / PHASE.format(slug, 2)).read_text()


class TestWithFakeDaemon:
    """What a real daemon says only in unlucky moments."""

    @pytest.fixture
    def home(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="ccd-", dir="/tmp"))
        (folder / "run").mkdir(mode=0o700)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    def test_a_file_that_changed_meanwhile_is_left_alone(self, run: Run, fake: FakeDaemon) -> None:
        preview = {**fake.answers["tasks/setStatus"], "applied": False}

        def answer(params: dict[str, Any]) -> Any:
            if params.get("apply"):
                raise Failure(-32002, "a.md changed since you read it; read it again", {"path": "a.md", "hash": "x"})
            return preview

        fake.answers["tasks/setStatus"] = answer
        done = run("set-status", "task:T1", "done", "--yes")
        assert done.code == 1
        assert done.err == "ccdash: a.md changed since the preview; written: nothing. Run it again.\n"
        assert fake.params("tasks/setStatus")["hashes"] == {file["path"]: file["hash"] for file in preview["files"]}

    def test_a_list_tells_while_the_first_index_runs(self, run: Run, fake: FakeDaemon) -> None:
        indexing = {"phase": "parse", "done": 10, "total": 40, "complete": False}
        fake.answers["ccdash/hello"]["indexing"] = fake.answers["ccdash/status"]["indexing"] = indexing
        for command in (["features"], ["tasks"], ["docs"], ["feature", "x"], ["task", "x"], ["doc", "x"]):
            assert "not complete (25 %)" in run(*command).err, command
            assert run(*command, "--json").err == "", command

    def test_costs_are_on_the_page_of_a_feature(self, run: Run, fake: FakeDaemon) -> None:
        cost = {"usd": 1234.5, "provenance": "lower_bound", "unpricedModels": ["m"]}
        linked = fake.answers["features/get"]["sessions"][0]
        fake.answers["features/get"] |= {"cost": cost, "sessionsTotal": 1, "sessions": [{**linked, "cost": cost}]}
        page = run("feature", "checkout").out
        assert page.count("≥ $1,234") == 2
