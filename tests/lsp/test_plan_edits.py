"""Statuses that are set from editors, in the buffer where there is one, else on disk; and the work that plans show."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.sources.planning import documents
from tests.helpers import RpcError, wait_until
from tests.lsp.buffers import Buffers
from tests.lsp.conftest import Connect
from tests.lsp.editors import EditorClient
from tests.rpc.conftest import Served
from tests.sources.logs import SESSION, Writer, call, write
from tests.store import shop
from tests.store.shop import PHASE_1, PHASE_2, PLAN, PRD, QUICK

CORPUS = os.environ.get("CCDASH_CORPUS")
REAL = "skillmeat"
REAL_FOLDERS = (
    ".claude/progress/composite-artifact-ux-v2",
    ".claude/progress/quick-features",
    "docs/project_plans/PRDs/features",
)
USED = {"input_tokens": 1_000_000, "output_tokens": 0}
SYNC = {"synchronization": {"dynamicRegistration": True}}
LATER = "22222222-2222-4222-8222-222222222222"
"""A session that is linked with nothing."""


def lay_out(home: Path) -> None:
    root = home / "shop"
    (root / ".git").mkdir(parents=True)
    linked = shop.FILES[PHASE_1].replace("    priority: critical\n", f"    priority: critical\n    session_id: {SESSION}\n")
    shop.write(root, shop.FILES | {PHASE_1: linked, "docs/log.md": f"# Log\n\nBy {SESSION}.\n"})
    writer = Writer(1)
    place: dict[str, Any] = {"cwd": str(root)}
    written = call("toolu_1", "Write", file_path=str(root / PHASE_2), content="x")
    records = [
        writer.user("Count all coins", **place),
        writer.assistant(written, usage=USED, **place),
        writer.result("toolu_1", **place),
    ]
    logs = home / ".claude/projects/-shop"
    logs.mkdir(parents=True)
    (logs / f"{SESSION}.jsonl").write_bytes(write(*records))
    later = Writer(2)
    (logs / f"{LATER}.jsonl").write_bytes(write(later.user("Look around", sessionId=LATER, **place)))
    if CORPUS is not None:
        for folder in REAL_FOLDERS:
            shutil.copytree(Path(CORPUS, REAL, folder), home / REAL / folder)
        for path in (home / REAL).rglob("*"):
            path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A daemon that knows a project with planning files, and sessions that worked there."""
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        served = Served(Path(folder))
        lay_out(served.folder)
        try:
            served.start()
            yield served
        finally:
            served.stop()


@pytest.fixture
def root(served: Served) -> Path:
    return served.folder / "shop"


@pytest.fixture(autouse=True)
def as_it_was(root: Path) -> Iterator[None]:
    """Files are written back, so that tests do not depend on each other."""
    before = {path: path.read_bytes() for path in root.rglob("*.md")}
    yield
    for path, data in before.items():
        if path.read_bytes() != data:
            path.write_bytes(data)


def project_of(served: Served, name: str = "shop") -> str:
    with served.client() as client:
        (item,) = [item for item in client.request("projects/list")["items"] if item["name"] == name]
    return str(item["id"])


@pytest.fixture
def project(served: Served) -> str:
    return project_of(served)


def task(project: str, key: str, path: str = PHASE_1) -> str:
    return f"{project}/{path}#{key}"


# --- where it is written ---


def test_a_file_that_is_not_open_is_written(editor: EditorClient, root: Path, project: str) -> None:
    before = (root / PHASE_1).read_text()
    done = Buffers(editor).set("task", task(project, "T1-002"), "done")
    assert done == {"path": str(root / PHASE_1), "rawStatus": "completed", "changed": True, "saved": True}
    assert (root / PHASE_1).read_text() == before.replace("status: pending", "status: completed")
    tasks = editor.request("tasks/list", {"document": str(root / PHASE_1), "status": ["done"]})
    assert tasks["total"] == 2


def test_a_buffer_is_changed_and_the_file_is_not(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor).synced()
    uri = buffers.open(root / PHASE_1)
    buffers.type(uri, "---\ntype: progress\ntasks:\n  - {id: T1-002, title: 🎉🎉, status: pending}  # 🎉\n---\n")
    done = buffers.set("task", task(project, "T1-002"), "in_progress", buffers.apply)
    assert done == {"path": str(root / PHASE_1), "rawStatus": "in_progress", "changed": True, "saved": False}
    assert buffers.texts[uri].splitlines()[3] == "  - {id: T1-002, title: 🎉🎉, status: in_progress}  # 🎉"
    (change,) = buffers.edits[0]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 2}
    assert "pending" in (root / PHASE_1).read_text()


def test_a_task_that_is_not_saved_yet(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor).synced()
    uri = buffers.open(root / "docs/new.md", "# New\n")
    buffers.type(uri, "---\ntasks:\n- {id: N1, status: todo}\n---\n")
    buffers.set("task", task(project, "N1", "docs/new.md"), "blocked", buffers.apply)
    assert "{id: N1, status: blocked}" in buffers.texts[uri]
    assert not (root / "docs/new.md").exists()


@pytest.mark.parametrize("type", ["feature", "phase", "document"])
def test_the_status_of_a_file(editor: EditorClient, root: Path, project: str, type: str) -> None:
    buffers = Buffers(editor).synced()
    path, id = {
        "feature": (PRD, f"{project}/checkout"),
        "phase": (PHASE_2, f"{project}/{PHASE_2}#phase-2"),
        "document": (PLAN, f"{project}/{PLAN}"),
    }[type]
    uri = buffers.open(root / path)
    before = buffers.texts[uri]
    buffers.type(uri, before)
    buffers.set(type, id, "blocked", buffers.apply)
    assert [line for line in buffers.texts[uri].splitlines() if line not in before.splitlines()] == ["status: blocked"]


def test_what_it_says_already_stays(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor).synced()
    buffers.type(buffers.open(root / PHASE_1), (root / PHASE_1).read_text())
    done = buffers.set("task", task(project, "T1-001"), "done")
    assert (done["changed"], done["rawStatus"]) == (False, "completed")
    assert buffers.set("task", task(project, "@1", QUICK), "done")["changed"] is False


def test_an_editor_that_tells_no_changes_has_the_file_written(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor, "emacs_v29.1")
    buffers.open(root / PHASE_1)
    assert buffers.set("task", task(project, "T1-002"), "review")["saved"] is True
    assert "status: review" in (root / PHASE_1).read_text()


def test_an_editor_that_knows_no_versions(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor, capabilities={"workspace": {"applyEdit": True}, "textDocument": SYNC}).synced()
    uri = buffers.open(root / PHASE_1)
    buffers.type(uri, buffers.texts[uri])
    buffers.set("task", task(project, "T1-002"), "review", buffers.apply)
    assert list(buffers.edits[0]["changes"]) == [uri]
    assert "status: review" in buffers.texts[uri]


def test_an_editor_that_takes_no_edits(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor, capabilities={"textDocument": SYNC}).synced()
    uri = buffers.open(root / PHASE_1)
    buffers.type(uri, buffers.texts[uri] + "typed\n")
    with pytest.raises(RpcError, match="changes that are not saved; save it, then try again"):
        buffers.set("task", task(project, "T1-002"), "review")
    assert "status: pending" in (root / PHASE_1).read_text()
    buffers.type(uri, (root / PHASE_1).read_text())
    assert buffers.set("task", task(project, "T1-002"), "review")["saved"] is True


# --- what goes on meanwhile ---


def test_what_is_typed_meanwhile_stays(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor).synced()
    uri = buffers.open(root / PHASE_1)
    buffers.type(uri, buffers.texts[uri])

    def type_first(asked: dict[str, Any]) -> None:
        buffers.type(uri, buffers.texts[uri].replace("---\ntype:", "---\nnote: typed\ntype:", 1))
        buffers.apply(asked)

    sent = buffers.send("task", task(project, "T1-002"), "review")
    type_first(editor.told("workspace/applyEdit"))
    buffers.apply(editor.told("workspace/applyEdit"))
    assert editor.result(sent)["changed"] is True
    assert buffers.texts[uri].startswith("---\nnote: typed\n")
    assert buffers.texts[uri].count("status: review") == 1


def test_one_who_types_all_the_time_is_told(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor).synced()
    uri = buffers.open(root / PHASE_1)
    before = buffers.texts[uri]
    buffers.type(uri, before)
    sent = buffers.send("task", task(project, "T1-002"), "review")
    for n in range(3):
        asked = editor.told("workspace/applyEdit")
        buffers.type(uri, f"{before}{n}\n")
        buffers.apply(asked)
    with pytest.raises(RpcError, match="changes while its status is set; try again"):
        editor.result(sent)
    assert buffers.texts[uri] == f"{before}2\n"


def test_an_editor_that_does_not_do_it(editor: EditorClient, root: Path, project: str) -> None:
    buffers = Buffers(editor).synced()
    uri = buffers.open(root / PHASE_1)
    buffers.type(uri, buffers.texts[uri])
    refused = {"applied": False, "failureReason": "the buffer is read-only"}
    with pytest.raises(RpcError, match="the buffer is read-only; try again") as error:
        buffers.set("task", task(project, "T1-002"), "review", lambda asked: editor.answer(asked, refused))
    assert error.value.code == -32002
    with pytest.raises(RpcError, match="the editor refused: no"):
        buffers.set("task", task(project, "T1-002"), "review", lambda asked: editor.answer(asked, error="no"))


def test_two_editors_on_one_file(connect: Connect, root: Path, project: str) -> None:
    one, other = (Buffers(connect()).synced() for _ in range(2))
    uri = ""
    for buffers in (one, other):
        uri = buffers.open(root / PHASE_1)
        buffers.type(uri, buffers.texts[uri])
    one.set("task", task(project, "T1-002"), "review", one.apply)
    other.set("task", task(project, "T1-001"), "blocked", other.apply)
    # Each saves; the other has the file read again, as editors do.
    (root / PHASE_1).write_text(one.texts[uri])
    other.type(uri, one.texts[uri])
    other.set("task", task(project, "T1-001"), "blocked", other.apply)
    (root / PHASE_1).write_text(other.texts[uri])
    statuses = [item.status for item in documents.read(PHASE_1, (root / PHASE_1).read_bytes()).tasks]
    assert statuses == ["blocked", "review"]

    def both() -> bool:
        items = one.editor.request("tasks/list", {"document": str(root / PHASE_1)})["items"]
        return [item["status"] for item in items] == statuses

    wait_until(both, "what both said")


# --- what cannot be done ---


@pytest.mark.parametrize(
    ("entity", "status", "message"),
    [
        (("task", "{}/docs/loose.md#T9"), "done", "there is no task T9 any more"),
        (("task", "{}/docs/gone.md#T9"), "done", "docs/gone.md is not there any more"),
        (("task", "gone-000000/docs/loose.md#T9"), "done", "no task"),
        (("task", "nothing"), "done", "no task 'nothing'"),
        (("task", "{}/../../x.md#T1"), "done", "is no planning file"),
        (("document", "{}/src/till.py"), "done", "is no planning file"),
        (("document", "{}/docs/loose.md"), "sparkling", "'sparkling' means no status"),
        (("document", "{}/README.md"), "done", "has no frontmatter"),
        (("feature", "{}/gone"), "done", "no feature"),
        (("phase", "{}/docs/gone.md#phase-1"), "done", "no phase"),
        (("session", SESSION), "done", "must be task, phase, feature or document"),
    ],
)
def test_what_cannot_be_set_is_said(
    editor: EditorClient, project: str, entity: tuple[str, str], status: str, message: str
) -> None:
    with pytest.raises(RpcError, match=message):
        Buffers(editor).set(entity[0], entity[1].format(project), status)


@pytest.mark.parametrize("arguments", [[], [{}], [{"entity": 3, "status": "done"}], ["x"], [{"entity": {"type": "task"}}]])
def test_arguments_that_are_none(editor: EditorClient, arguments: list[Any]) -> None:
    editor.start()
    with pytest.raises(RpcError, match=r"arguments: of ccdash\.setStatus") as error:
        editor.request("workspace/executeCommand", {"command": "ccdash.setStatus", "arguments": arguments})
    assert error.value.code == -32602


# --- what is shown of the work ---


def test_sessions_of_a_task_are_shown_and_lead_to_transcripts(editor: EditorClient, root: Path, project: str) -> None:
    editor.start()
    uri = (root / PHASE_1).as_uri()
    lenses = [lens["command"] for lens in editor.at("textDocument/codeLens", uri)]
    (lens,) = [lens for lens in lenses if lens["command"] == "ccdash.openTranscript" and lens["title"].startswith("done")]
    assert lens["title"] == "done · 1 session · $5.00"
    assert lens["arguments"] == [{"session": SESSION}]
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    hints = editor.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})
    assert "done ← 1 session" in [hint["label"] for hint in hints]
    place = {"textDocument": {"uri": uri}, "position": {"line": 12, "character": 0}}
    assert "1 session · $5.00:\n\n- Count all coins" in editor.request("textDocument/hover", place)["contents"]["value"]
    session = {"textDocument": {"uri": uri}, "position": {"line": 15, "character": 20}}
    assert editor.request("textDocument/hover", session)["contents"]["value"].startswith("**Count all coins**")


def test_a_session_is_a_link_to_its_transcript(editor: EditorClient, root: Path) -> None:
    editor.start()
    (link,) = editor.at("textDocument/documentLink", (root / "docs/log.md").as_uri())
    assert "target" not in link
    target = editor.request("documentLink/resolve", link)["target"]
    path = Path(target.removeprefix("file://").partition("#")[0])
    assert "Count all coins" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    nothing: list[Any] = [None, {"session": 3}, [], {}]
    for data in nothing:
        with pytest.raises(RpcError, match="not that of a link to a session"):
            editor.request("documentLink/resolve", {**link, "data": data})
    with pytest.raises(RpcError, match="no session"):
        editor.request("documentLink/resolve", {**link, "data": {"session": "gone"}})


def test_a_session_can_be_linked_and_opened(editor: EditorClient, root: Path, project: str) -> None:
    editor.start()

    def actions(line: int) -> dict[str, Any]:
        where = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 0}}
        params = {"textDocument": {"uri": (root / PHASE_1).as_uri()}, "range": where, "context": {"diagnostics": []}}
        found = editor.request("textDocument/codeAction", params)
        return {action["title"]: action["command"] for action in found if "session" in str(action["command"]["arguments"])}

    assert [title.partition(",")[0] for title in actions(11)] == [
        "Link session “Look around”",
        "Open transcript of “Count all coins”",
    ]
    (title,) = [title for title in actions(20) if "Look around" in title]
    command = actions(20)[title]
    assert command["arguments"] == [{"entity": {"type": "task", "id": task(project, "T1-002")}, "session": LATER}]
    editor.request("workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]})
    assert "Open transcript of “Look around”" in actions(20)
    assert title not in actions(20)


# --- real files ---


@pytest.mark.corpus
@pytest.mark.skipif(CORPUS is None, reason="CCDASH_CORPUS names no folder of real files")
def test_every_status_of_real_files_can_be_set_in_a_buffer(served: Served, editor: EditorClient) -> None:
    with served.client() as client:
        client.request("projects/add", {"root": str(served.folder / REAL)})
        wait_until(lambda: client.request("tasks/list", {"project": REAL})["total"] > 100, "the tasks")
    buffers = Buffers(editor).synced()
    number = 0
    for path in sorted((served.folder / REAL).rglob("*.md"))[::6]:
        uri = buffers.open(path)
        name, before = path.relative_to(served.folder / REAL).as_posix(), buffers.texts[uri]
        buffers.type(uri, before)
        lines = {item.line - 1 for item in documents.read(name, before.encode()).tasks[::3]} | {0}
        for line in sorted(lines):
            number += set_each(buffers, uri, name, before, line)
        editor.close_document(path)
    assert number > 150


def set_each(buffers: Buffers, uri: str, name: str, before: str, line: int) -> int:
    """Carry out every action that sets a status at a line; returns how many."""
    where = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 0}}
    params = {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": [], "only": ["refactor.ccdash"]}}
    actions = buffers.editor.request("textDocument/codeAction", params)
    wishes = [action["command"] for action in actions if action["command"]["command"] == "ccdash.setStatus"]
    for wish in wishes:
        (argument,) = wish["arguments"]
        buffers.set(argument["entity"]["type"], argument["entity"]["id"], argument["status"], buffers.apply)
        after = buffers.texts[uri]
        differing = [pair for pair in zip(before.split("\n"), after.split("\n"), strict=False) if pair[0] != pair[1]]
        read = documents.read(name, after.encode())
        task = next((item for item in read.tasks if argument["entity"]["id"].endswith(f"#{item.key}")), None)
        assert (task.status if task is not None else read.status) == argument["status"], json.dumps(wish)
        assert after.count("\n") - before.count("\n") in (0, 1)
        assert len(differing) == 1 or after.count("\n") > before.count("\n")
        buffers.type(uri, before)
    return len(wishes)
