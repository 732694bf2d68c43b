"""Statuses that are written into files: previews, hashes, conflicts, which file it is, and what is refused."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.errors import Busy
from ccdashd.rpc import status
from ccdashd.sources.planning.model import digest
from ccdashd.store import holders
from tests.helpers import RpcError, wait_until
from tests.rpc.conftest import Served

PRD = "docs/project_plans/PRDs/checkout-v1.md"
PLAN = "docs/project_plans/implementation_plans/checkout-v1.md"
ONE, TWO, MANY = (f".claude/progress/checkout/{name}-progress.md" for name in ("phase-1", "phase-2", "phases-3-4"))
QUICK = ".claude/progress/quick-features/typo.md"
ALONE = ".claude/progress/alone/phase-1-progress.md"

FILES = {
    PRD: "---\ntitle: Checkout\nstatus: draft # by hand\n---\n# PRD\n",
    PLAN: "---\ntitle: Checkout\nstatus: 'approved'\nupdated: 2020-01-01\n---\n# Plan\n## Phase 5: Later\n",
    ONE: """---
phase: 1
status: in-progress
completed_tasks: 0
tasks:
- {id: T1, status: pending}
- {id: T2, status: pending}
---
""",
    TWO: "---\nphase: 2\ntasks:\n- {id: T3, status: pending}\n---\n",
    MANY: """---
phase: 3-4
status: pending
tasks:
- {id: T4, phase: 3, status: pending}
- {id: T5, phase: 4, status: pending}
---
""",
    QUICK: "---\ntype: quick-feature\nstatus: draft\n---\n# Typo\n\n## Tasks\n\n- [ ] Find it\n",
    ALONE: "---\nphase: 1\nstatus: pending\ntasks:\n- {id: A1, status: pending}\n---\n",
}
TASKS = 7


class Project:
    """A project on disk, known to a daemon, and a client of that."""

    def __init__(self, served: Served, root: Path) -> None:
        self.served = served
        self.root = root
        for path, text in FILES.items():
            self.write(path, text)
        self.client = served.client()
        self.id: str = self.client.request("projects/add", {"root": str(root)})["id"]
        wait_until(lambda: self.client.request("tasks/list")["total"] == TASKS, "the tasks")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def unchanged(self, *but: str) -> bool:
        return all(self.text(path) == text for path, text in FILES.items() if path not in but)

    def task(self, id: str, status: str, **more: Any) -> Any:
        return self.client.request("tasks/setStatus", {"id": id, "status": status, **more})

    def feature(self, id: str, status: str, **more: Any) -> Any:
        return self.client.request("features/setStatus", {"id": id, "status": status, **more})

    def phase(self, id: str, status: str, **more: Any) -> Any:
        return self.client.request("features/setPhaseStatus", {"id": f"{self.id}/{id}", "status": status, **more})

    def refused(self, code: int, says: str, ask: Any, *arguments: Any, **more: Any) -> RpcError:
        """The error of a request; no file is changed."""
        with pytest.raises(RpcError) as caught:
            ask(*arguments, **more)
        assert (caught.value.code, bool(re.search(says, caught.value.message))) == (code, True), caught.value
        assert str(self.root) not in caught.value.message
        return caught.value


INVALID, NOT_FOUND, CONFLICT, READ_ONLY, BUSY = -32602, -32001, -32002, -32003, -32004


@pytest.fixture
def project(served: Served, short_folder: Path) -> Iterator[Project]:
    project = Project(served, short_folder / "shop")
    yield project
    project.client.close()


def hashes(preview: Any) -> dict[str, str]:
    return {file["path"]: file["hash"] for file in preview["files"]}


def test_a_preview_tells_what_would_change_and_changes_nothing(project: Project) -> None:
    preview = project.task("T1", "done")
    assert preview["applied"] is False
    (file,) = preview["files"]
    assert file["path"] == ONE
    assert file["documentId"] == f"{project.id}/{ONE}"
    assert file["hash"] == project.client.request("tasks/get", {"id": "T1"})["hash"]
    assert file["changes"] == [{"line": 6, "field": "tasks.T1.status", "before": "pending", "after": "completed"}]
    added = [line for line in file["diff"].splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == ["+- {id: T1, status: completed}"]
    assert preview["entity"]["status"] == "todo"
    assert project.unchanged()


def test_applied_is_what_was_previewed(project: Project) -> None:
    (project.root / ONE).chmod(0o640)
    preview = project.task("T1", "done", counters=True)
    before = project.client.request("ccdash/status")["revision"]
    answer = project.task("T1", "done", counters=True, apply=True, hashes=hashes(preview))
    assert answer["applied"] is True
    assert answer["files"] == preview["files"]
    assert answer["entity"]["status"] == "done"
    assert answer["revision"] > before
    expected = FILES[ONE].replace("T1, status: pending", "T1, status: completed").replace("tasks: 0", "tasks: 1")
    assert project.text(ONE) == expected
    assert digest(expected.encode()) == answer["files"][0]["newHash"]
    assert (project.root / ONE).stat().st_mode & 0o777 == 0o640
    task = project.client.request("tasks/get", {"id": "T1"})
    assert (task["rawStatus"], task["status"], task["hash"]) == ("completed", "done", answer["files"][0]["newHash"])
    assert task["revision"] >= answer["revision"]
    assert project.unchanged(ONE)


def test_subscribers_are_told(project: Project) -> None:
    with project.served.client() as other:
        other.request("ccdash/subscribe", {"topics": ["tasks"]})
        answer = project.task("T1", "done", apply=True, hashes=hashes(project.task("T1", "done")))
        told = other.notification("ccdash/changed")
    assert answer["entity"]["id"] in [change["id"] for change in told["changes"]]


def test_a_box(project: Project) -> None:
    preview = project.task(f"{project.id}/{QUICK}#@1", "done")
    answer = project.task(f"{project.id}/{QUICK}#@1", "done", apply=True, hashes=hashes(preview))
    assert answer["entity"]["status"] == "done"
    assert project.text(QUICK) == FILES[QUICK].replace("[ ]", "[x]")


def test_what_the_files_say_already_changes_nothing(project: Project) -> None:
    for apply in (False, True):
        answer = project.task("T1", "todo", apply=apply, hashes={})
        assert (answer["applied"], answer["files"]) == (apply, [])
        assert answer["entity"]["status"] == "todo"
    assert project.unchanged()


def test_a_feature_is_its_holder_alone(project: Project) -> None:
    preview = project.feature("checkout", "done")
    assert list(hashes(preview)) == [PRD]
    answer = project.feature("checkout", "done", apply=True, hashes=hashes(preview))
    assert (answer["entity"]["type"], answer["entity"]["id"]) == ("feature", f"{project.id}/checkout")
    assert answer["entity"]["status"] == "done"
    assert project.text(PRD) == FILES[PRD].replace("draft", "completed")
    assert project.unchanged(PRD)


def test_a_cascade_sets_plans_and_phases_that_have_a_status_and_no_task(project: Project) -> None:
    preview = project.feature("Checkout-v1", "done", cascade=True, updated=True)
    assert list(hashes(preview)) == [PRD, ONE, MANY, PLAN]
    project.feature("checkout", "done", cascade=True, updated=True, apply=True, hashes=hashes(preview))
    assert "status: 'completed'\n" in project.text(PLAN)
    assert "2020-01-01" not in project.text(PLAN)
    assert project.text(ONE) == FILES[ONE].replace("in-progress", "completed")
    assert project.text(MANY) == FILES[MANY].replace("status: pending", "status: completed", 1)
    assert project.unchanged(PRD, PLAN, ONE, MANY)


def test_a_feature_without_a_holder(project: Project) -> None:
    project.refused(READ_ONLY, "no document holds the status of the feature", project.feature, "alone", "done")


def test_a_phase_is_its_file(project: Project) -> None:
    preview = project.phase(f"{ONE}#phase-1", "completed")
    answer = project.phase(f"{ONE}#phase-1", "completed", apply=True, hashes=hashes(preview))
    assert (answer["entity"]["type"], answer["entity"]["status"]) == ("phase", "done")
    assert project.text(ONE) == FILES[ONE].replace("in-progress", "completed")


def test_a_phase_without_status_gets_one(project: Project) -> None:
    preview = project.phase(f"{TWO}#phase-2", "review")
    assert preview["files"][0]["changes"][0]["before"] == ""
    answer = project.phase(f"{TWO}#phase-2", "review", apply=True, hashes=hashes(preview))
    assert answer["entity"]["status"] == "review"
    assert project.text(TWO).replace("status: review\n", "") == FILES[TWO]


def test_phases_that_have_no_file_of_their_own(project: Project) -> None:
    for id in (f"{MANY}#phase-3", f"{PLAN}#phase-5"):
        project.refused(READ_ONLY, "the phase has no file of its own", project.phase, id, "done")
    project.refused(NOT_FOUND, "no phase", project.phase, f"{ONE}#phase-9", "done")
    assert project.unchanged()


def test_nothing_is_written_without_the_hash_of_each_file(project: Project) -> None:
    seen = hashes(project.feature("checkout", "done", cascade=True))
    project.refused(INVALID, "hashes: is missing; preview", project.feature, "checkout", "done", apply=True)
    del seen[MANY]
    ask = {"cascade": True, "apply": True, "hashes": seen}
    error = project.refused(INVALID, f"hashes: has none for {MANY}", project.feature, "checkout", "done", **ask)
    assert error.data["field"] == "hashes"
    assert project.unchanged()


def test_a_file_that_changed_is_a_conflict_and_none_is_written(project: Project) -> None:
    seen = hashes(project.feature("checkout", "done", cascade=True))
    project.write(PLAN, FILES[PLAN] + "more\n")
    ask = {"cascade": True, "apply": True, "hashes": seen}
    error = project.refused(
        CONFLICT, f"{PLAN} changed since you read it; read it", project.feature, "checkout", "done", **ask
    )
    assert error.data == {"path": PLAN, "hash": digest((FILES[PLAN] + "more\n").encode())}
    assert project.unchanged(PLAN)
    assert project.text(PLAN) == FILES[PLAN] + "more\n"


def test_a_file_that_is_not_to_be_written_but_changed_is_a_conflict_too(project: Project) -> None:
    project.refused(CONFLICT, "changed since you read it", project.task, "T1", "todo", apply=True, hashes={ONE: "0" * 64})
    assert project.unchanged()


def test_a_file_that_changes_while_it_is_written_is_a_conflict(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = hashes(project.task("T1", "done"))
    compare = status._compare

    def then_change(*arguments: Any) -> None:
        compare(*arguments)
        project.write(ONE, FILES[ONE] + "theirs\n")

    monkeypatch.setattr(status, "_compare", then_change)
    with pytest.raises(RpcError, match=f"{CONFLICT}.*{re.escape(ONE)} changed"):
        project.task("T1", "done", apply=True, hashes=seen)
    assert project.text(ONE) == FILES[ONE] + "theirs\n"


def test_where_the_cache_lags_the_file_counts(project: Project) -> None:
    project.write(ONE, FILES[ONE].replace("- {id: T1, status: pending}\n", ""))
    with pytest.raises(RpcError, match=r"there is no task T1 any more|no task 'T1'"):
        project.task("T1", "done")


def test_of_many_clients_one_wins(project: Project) -> None:
    words = ["done", "blocked", "review", "deferred", "archived", "in_progress"]
    seen = hashes(project.task("T2", "done"))
    barrier = threading.Barrier(len(words))
    won: dict[str, Any] = {}
    lost: dict[str, RpcError] = {}

    def apply(word: str) -> None:
        with project.served.client() as client:
            barrier.wait()
            try:
                won[word] = client.request("tasks/setStatus", {"id": "T2", "status": word, "apply": True, "hashes": seen})
            except RpcError as error:
                lost[word] = error

    threads = [threading.Thread(target=apply, args=(word,)) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((word, answer),) = won.items()
    assert answer["entity"]["status"] == word
    assert {error.code for error in lost.values()} == {CONFLICT}
    assert project.client.request("tasks/get", {"id": "T2"})["status"] == word
    written = answer["files"][0]["changes"][0]["after"]
    assert project.text(ONE) == FILES[ONE].replace("T2, status: pending", f"T2, status: {written}")


@pytest.mark.parametrize("word", ["", "nonsense", "unknown", "a: b", "\0", "x" * 1_000_000])
def test_words_that_mean_no_status(project: Project, word: str) -> None:
    for ask, id in ((project.task, "T1"), (project.feature, "checkout"), (project.phase, f"{ONE}#phase-1")):
        error = project.refused(INVALID, "^status: ", ask, id, word)
        assert "choose one of: todo, in_progress, review, done, blocked, deferred, archived" in error.message
        assert len(error.message) + len(error.data["got"]) < 600


def test_unknown_ids(project: Project) -> None:
    project.refused(NOT_FOUND, "no task 'T99'", project.task, "T99", "done")
    project.refused(NOT_FOUND, "no feature 'nothing'", project.feature, "nothing", "done")
    project.refused(NOT_FOUND, "no phase", project.phase, "nothing", "done")
    project.refused(NOT_FOUND, "no project", project.task, "T1", "done", project="elsewhere")


def test_a_file_that_leads_out_of_the_project(project: Project) -> None:
    outside = project.root.parent / "outside.md"
    outside.write_text(FILES[ONE])
    seen = hashes(project.task("T1", "done"))
    (project.root / ONE).unlink()
    (project.root / ONE).symlink_to(outside)
    with pytest.raises(RpcError) as caught:
        project.task("T1", "done", apply=True, hashes=seen)
    assert caught.value.code in (READ_ONLY, NOT_FOUND)
    assert str(outside) not in caught.value.message
    assert outside.read_text() == FILES[ONE]


def test_a_folder_that_leads_out_of_the_project(project: Project) -> None:
    seen = hashes(project.task("T1", "done"))
    folder = (project.root / ONE).parent
    folder.rename(project.root.parent / "outside")
    folder.symlink_to(project.root.parent / "outside")
    with pytest.raises(RpcError) as caught:
        project.task("T1", "done", apply=True, hashes=seen)
    assert caught.value.code in (READ_ONLY, NOT_FOUND)
    assert (project.root.parent / "outside/phase-1-progress.md").read_text() == FILES[ONE]


def test_a_link_inside_the_project_is_followed_and_stays(project: Project) -> None:
    (project.root / ONE).rename(project.root / "real.txt")
    (project.root / ONE).symlink_to(project.root / "real.txt")
    project.client.request("cache/rescan")  # the watcher may have seen the moment without the file
    project.task("T1", "done", apply=True, hashes=hashes(project.task("T1", "done")))
    assert (project.root / ONE).is_symlink()
    assert (project.root / "real.txt").read_text() == FILES[ONE].replace("T1, status: pending", "T1, status: completed")


def test_two_names_of_one_file_are_written_once(project: Project) -> None:
    (project.root / PLAN).unlink()
    (project.root / PLAN).symlink_to(project.root / PRD)
    project.client.request("cache/rescan")
    preview = project.feature("checkout", "done", cascade=True)
    assert list(hashes(preview)) == [PRD, ONE, MANY]
    project.feature("checkout", "done", cascade=True, apply=True, hashes=hashes(preview))
    assert project.text(PLAN) == project.text(PRD) == FILES[PRD].replace("draft", "completed")


def test_a_write_protected_file_and_one_that_is_gone(project: Project) -> None:
    seen = hashes(project.task("T1", "done"))
    (project.root / ONE).chmod(0o444)
    ask = {"apply": True, "hashes": seen}
    project.refused(READ_ONLY, f"{ONE} is write-protected; make it writable", project.task, "T1", "done", **ask)
    assert project.unchanged()
    (project.root / ONE).unlink()
    with pytest.raises(RpcError) as caught:
        project.task("T1", "done", **ask)
    assert caught.value.code in (READ_ONLY, NOT_FOUND)
    assert not os.path.lexists(project.root / ONE)


def test_an_edit_that_would_be_a_guess_is_refused_with_the_place(project: Project) -> None:
    project.write(PRD, "# Checkout\n\n**Status**: Draft (until May)\n")
    project.client.request("cache/rescan")
    says = f"^{PRD}: the status stands in the text, in line 3"
    error = project.refused(READ_ONLY, says, project.feature, "checkout", "done")
    assert error.data == {"path": PRD}


def test_a_cache_that_cannot_take_note_tells_that_the_file_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = hashes(project.task("T1", "done"))

    async def full(paths: Any) -> None:
        raise Busy("the disk is full", reason="cache")

    monkeypatch.setattr(project.served.app.pipeline, "apply", full)
    with pytest.raises(RpcError, match=f"{BUSY}.*{re.escape(ONE)}: written, but the cache cannot take note of it now"):
        project.task("T1", "done", apply=True, hashes=seen)
    assert "T1, status: completed" in project.text(ONE)


def test_a_file_that_reads_back_otherwise_is_an_internal_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = hashes(project.task("T1", "done"))
    written = FILES[ONE].replace("T1, status: pending", "T1, status: completed").encode()
    monkeypatch.setattr(holders, "stored", lambda connection, holder: (digest(written), "pending"))
    with pytest.raises(RpcError, match="-32603: the daemon failed; its log says why, under id"):
        project.task("T1", "done", apply=True, hashes=seen)


def test_wrong_types(project: Project) -> None:
    ask: list[dict[str, Any]] = [
        {},
        {"id": "T1"},
        {"id": 1, "status": "done"},
        {"id": "T1", "status": None},
        {"id": "T1", "status": "done", "apply": 1},
        {"id": "T1", "status": "done", "hashes": ["x"]},
        {"id": "T1", "status": "done", "cascade": True},
    ]
    for params in ask:
        project.refused(INVALID, "", project.client.request, "tasks/setStatus", params)
    assert project.unchanged()
