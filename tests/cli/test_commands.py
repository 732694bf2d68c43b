"""Each command: what it asks the daemon, and what it writes of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.protocol.methods import METHODS
from tests.cli.conftest import Done
from tests.cli.daemon import Failure, FakeDaemon, Raw
from tests.protocol.samples import SESSION

Run = Callable[..., Done]
AGENT = f"{SESSION}/agent-a1b2c3d4e5f6"


@pytest.fixture
def entries(fake: FakeDaemon) -> list[dict[str, Any]]:
    """Seven entries of a transcript, served in chunks of three."""
    (entry,) = fake.answers["sessions/transcript"]["items"]
    kinds = ("prompt", "thinking", "assistant", "toolCall", "toolResult", "toolResult", "assistant")
    items = [
        {**entry, "id": f"e{number}", "index": number, "kind": kind, "text": f"text {number}", "isError": number == 5}
        for number, kind in enumerate(kinds)
    ]

    def transcript(params: dict[str, Any]) -> dict[str, Any]:
        start = params["start"] if params["start"] >= 0 else max(0, len(items) + params["start"])
        chunk = items[start : start + min(3, params["limit"])]
        after = start + len(chunk)
        return {
            "sessionId": SESSION,
            "items": chunk,
            "total": len(items),
            "start": start,
            "next": after if after < len(items) else None,
            "previous": None,
            "revision": 9,
        }

    fake.answers["sessions/transcript"] = transcript
    return items


JSON = [
    (("status",), "ccdash/status"),
    (("sessions",), "sessions/list"),
    (("show", SESSION), "sessions/get"),
    (("show", SESSION, "--files"), "sessions/files"),
    (("show", SESSION, "--thread"), "sessions/thread"),
    (("active",), "sessions/active"),
    (("files", "/home/me/shop/till.py"), "files/context"),
    (("projects", "add", "/"), "projects/add"),
    (("projects", "rename", "shop", "Shop"), "projects/update"),
    (("projects", "remove", "shop"), "projects/remove"),
    (("doctor",), "ccdash/doctor"),
    (("rescan",), "cache/rescan"),
    (("rebuild",), "cache/rebuild"),
    (("verify",), "cache/verify"),
    (("rpc", "cache/status"), "cache/status"),
]


@pytest.mark.parametrize(("arguments", "method"), JSON, ids=lambda value: " ".join(value) if value else None)
def test_json_is_the_result_as_it_came(run: Run, fake: FakeDaemon, arguments: tuple[str, ...], method: str) -> None:
    fake.answers["projects/list"] = {**fake.answers["projects/list"], "total": 1}
    done = run(*arguments, "--json")
    assert json.loads(done.out) == fake.answers[method]
    assert done.out.count("\n") == 1
    assert done.err == ""
    assert done.code == (1 if method == "cache/verify" else 0)


def test_sessions_writes_a_table(run: Run, fake: FakeDaemon) -> None:
    fake.answers["sessions/list"]["items"][0] |= {"model": "claude-sonnet-4-20250514", "duration": 200}
    done = run("sessions")
    heading, row = done.out.splitlines()
    assert heading.split() == ["ID", "PROJECT", "TITLE", "LAST", "DURATION", "PROMPTS", "TOOLS", "TOKENS", "MODEL"]
    assert row.split() == ["5f3c1d9e", "shop", "Fix", "the", "till", "-", "3m", "20s", "2", "4", "36", "sonnet-4"]
    assert done.err == "1 of 2 sessions; `--all` shows every one.\n"
    assert fake.params("sessions/list") == {"offset": 0, "limit": 50}


def test_sessions_sends_its_filters(run: Run, fake: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("sessions", "--project", ".", "--model", "m", "--agent", "a", "--branch", "b", "t u", "--status",
        "empty", "--feature", "f", "--tag", "g",
        "--since", "2025-06-30T00:00Z", "--until", "2025-06-30T12:00:00Z", "--subagents", "--hidden", "--sort",
        "tokens", "--reverse", "--limit", "7", "--offset", "3")  # fmt: skip
    assert fake.params("sessions/list") == {
        "project": str(tmp_path),
        "model": "m",
        "agent": "a",
        "branch": "b",
        "feature": "f",
        "tag": "g",
        "text": "t u",
        "status": "empty",
        "since": "2025-06-30T00:00:00.000Z",
        "until": "2025-06-30T12:00:00.000Z",
        "includeSubagents": True,
        "includeHidden": True,
        "includeEmpty": True,
        "sort": "tokens",
        "order": "asc",
        "limit": 7,
        "offset": 3,
    }


@pytest.mark.parametrize(
    ("arguments", "order"),
    [((), None), (("--reverse",), "asc"), (("--sort", "title"), "asc"), (("--sort", "title", "--reverse"), None)],
)
def test_titles_go_up_and_all_else_goes_down(
    run: Run, fake: FakeDaemon, arguments: tuple[str, ...], order: str | None
) -> None:
    run("sessions", *arguments)
    assert fake.params("sessions/list").get("order") == order


def test_sessions_takes_a_project_by_its_name(run: Run, fake: FakeDaemon) -> None:
    fake.answers["projects/list"]["total"] = 1
    run("sessions", "--project", "SHOP")
    assert fake.params("sessions/list")["project"] == "p1"
    done = run("sessions", "--project", "nothing")
    assert (done.code, done.err) == (1, "ccdash: There is no project 'nothing'. `ccdash projects` lists them.\n")


def test_a_name_of_several_projects_is_refused(run: Run, fake: FakeDaemon) -> None:
    page = fake.answers["projects/list"]
    page["items"] = [page["items"][0], {**page["items"][0], "id": "p2", "root": "/elsewhere/shop"}]
    done = run("sessions", "--project", "shop")
    assert done.code == 2
    assert "/home/me/shop (p1), /elsewhere/shop (p2)" in done.err


def test_sessions_of_a_parent_are_subagents(run: Run, fake: FakeDaemon) -> None:
    run("sessions", "--parent", "5f3c")
    assert fake.params("sessions/get") == {"id": "5f3c"}
    assert fake.params("sessions/list")["parent"] == SESSION
    assert fake.params("sessions/list")["includeSubagents"] is True


def test_all_follows_the_cursor(run: Run, fake: FakeDaemon) -> None:
    row = fake.answers["sessions/list"]["items"][0]

    def pages(params: dict[str, Any]) -> dict[str, Any]:
        first = "cursor" not in params
        items = [{**row, "title": f"{'first' if first else 'second'} {number}"} for number in range(2)]
        cursor = "k" if first else None
        return {"items": items, "total": 4, "offset": 0, "limit": 500, "revision": 9, "nextCursor": cursor}

    fake.answers["sessions/list"] = pages
    done = run("sessions", "--all")
    assert [line.split()[2:4] for line in done.out.splitlines()[1:]] == [
        ["first", "0"], ["first", "1"], ["second", "0"], ["second", "1"]
    ]  # fmt: skip
    assert done.err == ""
    assert fake.params("sessions/list") == {"cursor": "k", "limit": 500}


def test_marks_of_a_session(run: Run, fake: FakeDaemon) -> None:
    fake.answers["sessions/list"]["items"][0] |= {
        "id": AGENT, "parentId": SESSION, "status": "active", "sourceGone": True, "indexed": False, "title": "",
    }  # fmt: skip
    row = run("sessions", "--subagents").out.splitlines()[1]
    assert row.startswith("5f3c1d9e/agent-a1b2c3d4")
    assert "↳ ● [log gone] (no title)" in row
    assert row.count("…") == 3


def test_a_list_tells_while_the_first_index_runs(run: Run, fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"]["indexing"] = {"phase": "parse", "done": 10, "total": 40, "complete": False}
    assert "not complete (25 %)" in run("sessions").err
    assert run("sessions", "--json").err == ""
    fake.answers["ccdash/status"]["indexing"]["complete"] = True
    assert "not complete" not in run("sessions").err, "it had only not opened its cache when it said hello"


def test_no_session_is_said_so(run: Run, fake: FakeDaemon) -> None:
    fake.answers["sessions/list"] |= {"items": [], "total": 0}
    done = run("sessions")
    assert (done.code, done.out, done.err) == (0, "", "There is no session yet.\n")
    assert run("sessions", "x").err == "No session fits.\n"


def test_active_sends_seconds(run: Run, fake: FakeDaemon) -> None:
    done = run("active", "--within", "2h")
    assert fake.params("sessions/active") == {"within": 7200}
    assert "Fix the till" in done.out
    fake.answers["sessions/active"]["items"] = []
    assert run("active").err == "No session was written to in the last 10m.\n"


def test_show_tells_the_figures(run: Run, fake: FakeDaemon) -> None:
    fake.answers["sessions/get"] |= {
        "outputLowerBoundMessages": 2,
        "models": {"model-1": 6, "model-2": 1},
        "sourceGone": True,
        "commands": {"/clear": 3},
    }
    node = fake.answers["sessions/thread"]["nodes"][0]
    fake.answers["sessions/thread"]["nodes"] += [
        {**node, "id": AGENT, "relation": "subagent", "agentType": "explorer", "missing": True}
    ]
    text = run("show", "5f3c1d9e").out
    for expected in (
        "Fix the till\n",
        f"id            {SESSION}\n",
        "its log is gone",
        "project       shop (p1)",
        "folder        /home/me/shop\n",
        "branch        main\n",
        "agent         claude-code 2.1.0",
        "model-1 (6 messages), model-2 (1 message)",
        "2 prompts, 1 steering, 6 answers, 4 tool calls, 1 tool error, 20 records",
        "5 input, >=7 output, 11 cache read, 13 cache write (output of 2 messages is a lower bound)",
        "0 of 36; others count the rest",
        "/clear (3)",
        "/logs/a.jsonl",
        "first prompt  The till is open",
        "Files edited: 1 (+10 -2 lines)",
        "(its log is missing)",
        "warning: not JSON, line 3",
    ):
        assert expected in text
    assert text.count("Edit") == 1
    assert "66 %" in text, "of the calls that came back"


def test_show_without_lower_bound_has_no_sign(run: Run, fake: FakeDaemon) -> None:
    assert "5 input, 7 output, 11 cache read, 13 cache write\n" in run("show", SESSION).out


def test_long_lists_are_cut_unless_all_is_wanted(run: Run, fake: FakeDaemon) -> None:
    usage = fake.answers["sessions/tools"]["usage"][0]
    fake.answers["sessions/tools"]["usage"] = [{**usage, "name": f"Tool{number:02}"} for number in range(15)]
    short, full = run("show", SESSION).out, run("show", SESSION, "--full").out
    assert "… 3 more; --tools lists them" in short
    assert ("Tool12" in short, "Tool12" in full) == (False, True)


def test_a_subagent_is_found_by_the_starts_of_both_ids(run: Run, fake: FakeDaemon) -> None:
    fake.answers["sessions/get"]["subagents"] = [AGENT, f"{SESSION}/agent-ffff"]
    run("show", "5f3c1d9e/agent-a1", "--files")
    assert fake.params("sessions/files") == {"id": AGENT}
    done = run("show", "5f3c1d9e/agent-", "--files")
    assert done.code == 2 and "fits 2 sub-agents" in done.err
    done = run("show", "5f3c1d9e/agent-x", "--files")
    assert done.code == 2 and "has no sub-agent 'agent-x'" in done.err
    node = fake.answers["sessions/thread"]["nodes"][0]
    fake.answers["sessions/thread"]["nodes"] = [{**node, "id": f"{SESSION}/agent-x1", "missing": True}]
    done = run("show", "5f3c1d9e/agent-x", "--files")
    assert done.code == 2 and "log of 5f3c1d9e/agent-x is missing" in done.err


def test_a_transcript_is_written_whole(run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]) -> None:
    lines = run("show", SESSION, "--transcript").out.splitlines()
    assert lines[0].startswith("--- 2026-02-03")
    assert [line.split()[1:] for line in lines[1:]] == [
        ["you", "text", "0"],
        ["thinks", "text", "1"],
        ["agent", "text", "2"],
        ["calls", "Edit", "text", "3"],
        ["result", "text", "4"],
        ["error", "text", "5"],
        ["agent", "text", "6"],
    ]


def test_what_says_nothing_is_left_out_unless_all_is_wanted(run: Run, entries: list[dict[str, Any]]) -> None:
    entries[1]["text"] = entries[2]["text"] = "\n"
    short, full = (run("show", SESSION, "--transcript", *more).out.splitlines() for more in ((), ("--full",)))
    assert len(full) == len(short) + 2 == 1 + 7
    assert [line.split()[1:] for line in full[2:4]] == [["thinks"], ["agent"]]


def test_a_transcript_as_json_is_one_result(run: Run, entries: list[dict[str, Any]]) -> None:
    result = json.loads(run("show", SESSION, "--transcript", "--json").out)
    assert result["items"] == entries
    assert (result["total"], result["next"]) == (7, None)


def test_long_entries_are_cut_unless_all_is_wanted(run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]) -> None:
    whole = "\n".join(f"line {number}" for number in range(30))
    entries[2] |= {"text": whole[:60], "truncated": True}
    entries[4] |= {"text": whole}
    fake.answers["sessions/entry"] |= {
        "entry": entries[2],
        "record": {"message": {"content": [{"type": "text", "text": whole}]}, "other": "line"},
    }
    short = run("show", SESSION, "--transcript").out
    assert "… cut; --full shows all" in short
    assert "… 18 more lines; --full shows all" in short
    full = run("show", SESSION, "--transcript", "--full").out
    assert full.count("line 29") == 2
    assert "…" not in full
    assert fake.params("sessions/entry") == {"id": SESSION, "entry": "e2"}


def test_text_of_others_cannot_act(run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]) -> None:
    evil = "a\x1b]52;c;ZXZpbA==\x07b\x1b[2Jc\x9b1md\x08"
    entries[0]["text"] = entries[3]["tool"] = evil
    fake.answers["sessions/list"]["items"][0] |= {"title": evil, "projectName": evil, "model": evil}
    fake.answers["sessions/get"] |= {"title": evil, "firstPrompt": evil, "gitBranch": evil}
    fake.answers["files/context"]["sessions"][0]["session"]["title"] = evil
    for arguments in (("sessions",), ("show", SESSION), ("show", SESSION, "--transcript"), ("files", "x"), ("tail", "5f")):
        done = run(*arguments)
        assert "abcd" in done.out
        assert not set(done.out + done.err) & set("\x1b\x07\x08\x9b")
    assert not set(run("sessions", "--json").out) & set("\x1b\x07\x08\x9b")


def test_all_tool_calls_are_listed(run: Run, fake: FakeDaemon) -> None:
    text = run("show", SESSION, "--tools").out
    assert text.splitlines()[0].split() == ["TOOL", "CALLS", "SUCCESS", "ERRORS", "PENDING", "TIME"]
    assert text.count("till.py") == 2
    assert fake.params("sessions/tools") == {"id": SESSION, "limit": 500, "offset": 1}


def test_tail_writes_the_last_entries(run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]) -> None:
    done = run("tail", "5f3c", "-n", "2")
    assert [line.split()[-1] for line in done.out.splitlines()[1:]] == ["5", "6"]
    assert json.loads(run("tail", "5f3c", "-n", "2", "--json").out)["items"] == entries[5:]
    assert run("tail", "5f3c", "-n", "5").out.count("text") == 5


def test_tail_takes_the_session_written_to_last(run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]) -> None:
    rows = fake.answers["sessions/active"]["items"]
    rows[0]["endedAt"] = "2026-02-03T04:05:06.789Z"
    rows.insert(0, {**rows[0], "id": "older", "endedAt": "2026-02-03T04:00:00.000Z"})
    assert SESSION in run("tail").err
    assert fake.params("sessions/transcript")["id"] == SESSION
    fake.answers["sessions/active"]["items"] = fake.answers["sessions/list"]["items"] = []
    done = run("tail")
    assert done.code == 1 and "There is no session yet" in done.err


def test_tail_follows_without_loss_or_repetition(run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]) -> None:
    """Entries come between reading and subscribing, twice, with a gap, and while the daemon is away."""
    last, transcript = entries[-1], fake.answers["sessions/transcript"]

    def entry(number: int) -> dict[str, Any]:
        return {**last, "id": f"e{number}", "index": number, "text": f"text {number}"}

    def note(*items: dict[str, Any], missed: bool = False) -> tuple[str, Any]:
        return "ccdash/transcript", {"sessionId": SESSION, "entries": items, "revision": 9, "missed": missed}

    def subscribed(params: object) -> dict[str, Any]:
        if fake.methods().count("ccdash/subscribe") == 1:
            entries.append(entry(7))
            fake.after["ccdash/subscribe"] = [note(entry(7)), note(entry(9))]
        else:
            fake.close_after = ""
            entries.append(entry(10))
            fake.after["ccdash/subscribe"] = [note(missed=True)]
        return {"topics": [], "revision": 9}

    def read(params: dict[str, Any]) -> Any:
        answer = transcript(params)
        if params["start"] == 7:
            entries.extend((entry(8), entry(9)))
        if params["start"] == 8:
            fake.close_after = "sessions/transcript"
        if params["start"] == 11:
            raise Failure(-32003, "enough")
        return answer

    fake.answers |= {"ccdash/subscribe": subscribed, "sessions/transcript": read}
    done = run("tail", "-f", "-n", "2", "5f3c")
    assert [int(line.split()[-1]) for line in done.out.splitlines()[1:]] == [5, 6, 7, 8, 9, 10]
    assert (done.code, done.err) == (1, "ccdash: enough.\n")
    assert fake.params("ccdash/subscribe") == {"topics": [f"transcript:{SESSION}"]}


def test_tail_gives_up_on_a_daemon_that_dies_again_and_again(
    run: Run, fake: FakeDaemon, entries: list[dict[str, Any]]
) -> None:
    fake.close_after = "ccdash/subscribe"
    done = run("tail", "-f", "5f3c")
    assert done.code == 1 and "connection" in done.err
    assert fake.methods().count("ccdash/subscribe") == 6


def test_files_sends_an_absolute_path(run: Run, fake: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("files", "src/../till.py")
    assert fake.params("files/context") == {"path": str(tmp_path / "till.py"), "cwd": str(tmp_path), "limit": 50}
    assert done.out.splitlines()[2].split()[:5] == ["5f3c1d9e", "shop", "Fix", "the", "till"]
    fake.answers["files/context"] |= {"sessions": [], "features": [], "documents": [], "tasks": []}
    assert run("files", "till.py").err == "No session touched /home/me/shop/till.py, and no plan speaks of it.\n"


def test_files_has_a_heading_for_each_kind(run: Run, fake: FakeDaemon) -> None:
    found = fake.answers["files/context"]
    headings = ["Sessions", "Features", "Planning files that name it", "Tasks that name it"]
    blocks = run("files", "till.py").out.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == headings
    own = {**found["documents"][0], "title": "Phase 1", "docType": "progress", "status": "done"}
    fake.answers["files/context"] = {**found, "document": own, "documents": []}
    first, *blocks = run("files", "till.py").out.split("\n\n")
    assert first == "A planning file of shop: Phase 1 (progress, done)."
    assert [block.splitlines()[0] for block in blocks] == ["Sessions", "Features", "Tasks"]
    fake.answers["files/context"] = {**found, "features": [], "documents": [], "tasks": []}
    assert run("files", "till.py").out.startswith("ID "), "what is alone needs no heading"


@pytest.mark.parametrize(
    ("arguments", "method", "params"),
    [
        (("add", "{folder}"), "projects/add", {"root": "{folder}"}),
        (("add", "{folder}", "--name", "N"), "projects/add", {"root": "{folder}", "name": "N"}),
        (("rename", "shop", "N"), "projects/update", {"id": "p1", "name": "N"}),
        (("hide", "/home/me/shop"), "projects/update", {"id": "p1", "hidden": True}),
        (("unhide", "p1"), "projects/update", {"id": "p1", "hidden": False}),
        (("remove", "p"), "projects/remove", {"id": "p1"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_projects_changes(
    run: Run, fake: FakeDaemon, tmp_path: Path, arguments: tuple[str, ...], method: str, params: dict[str, Any]
) -> None:
    fake.answers["projects/list"]["total"] = 1

    def filled(value: Any) -> Any:
        return value.format(folder=tmp_path) if isinstance(value, str) else value

    done = run("projects", *map(filled, arguments))
    assert done.code == 0 and done.out
    assert fake.params(method) == {name: filled(value) for name, value in params.items()}


def test_projects_lists(run: Run, fake: FakeDaemon) -> None:
    fake.answers["projects/list"] |= {"total": 1}
    fake.answers["projects/list"]["items"][0]["hidden"] = True
    done = run("projects")
    assert done.out.splitlines()[1].split()[:4] == ["p1", "shop", "[hidden]", "/home/me/shop"]
    assert {"FEATURES", "DOCS"} <= set(done.out.splitlines()[0].split())
    assert fake.params("projects/list")["includeHidden"] is False
    for arguments in (("projects", "--hidden"), ("projects", "list", "--hidden"), ("projects", "--hidden", "list")):
        run(*arguments)
        assert fake.params("projects/list")["includeHidden"] is True


def test_a_project_must_be_a_folder(run: Run, home: Path) -> None:
    done = run("projects", "add", str(home / "nothing"))
    assert done.code == 2 and "is no folder" in done.err


def test_doctor_explains(run: Run, fake: FakeDaemon) -> None:
    fake.answers["ccdash/doctor"] |= {"unknownRecordTypes": {"new-thing": 3}, "hiddenSessions": 5, "total": 7}
    finding = fake.answers["ccdash/doctor"]["diagnostics"][0]
    finding["hint"] = "Nothing to do."
    other = {**finding, "severity": "info", "path": None}
    fake.answers["ccdash/doctor"]["diagnostics"] += [{**finding, "line": 9, "count": 4}, other]
    text = run("doctor", "--severity", "warning", "--path", "/logs", "--types").out
    assert fake.params("ccdash/doctor") == {"severity": "warning", "path": "/logs", "limit": 500}
    for expected in (
        "database: The disk is full. Free some space.",
        "warning broken-json: not JSON\n    Nothing to do.\n    /logs/a.jsonl:3 (byte 120)\n"
        "    /logs/a.jsonl:9 (byte 120) (4 times)\n"
        f"info broken-json: not JSON\n    Nothing to do.\n    session {SESSION}\n",
        "… 4 more",
        "new-thing        3",
        "user        8",
        "5 sessions are not in lists",
    ):
        assert expected in text


def test_doctor_of_a_healthy_cache(run: Run, fake: FakeDaemon) -> None:
    fake.answers["ccdash/doctor"] |= {"problems": [], "diagnostics": [], "byCode": {}, "total": 0}
    assert run("doctor").out == "The daemon is well.\nEverything was understood.\n"


def test_status_tells_all(run: Run, fake: FakeDaemon) -> None:
    text = run("status").out
    for expected in (
        "degraded",
        "process 42",
        "1 of 4 files",
        "6s left",
        "/logs (claude-code: 4 files)",
        "inotify, 3 folders",
        "problem  database (since 2026-02-03): The disk is full. Free some space.",
    ):
        assert expected in text


def test_status_tells_of_costs_that_are_computed_anew(run: Run, fake: FakeDaemon) -> None:
    assert "costs " not in run("status").out
    fake.answers["ccdash/status"]["repricing"] = True
    assert "costs     being computed anew, at the prices of today\n" in run("status").out


def test_status_counts_planning_files_while_they_are_read(run: Run, fake: FakeDaemon) -> None:
    status = fake.answers["ccdash/status"]
    status["indexing"] |= {"phase": "plans", "done": 0, "total": 0, "filesDone": 1200, "filesTotal": 1542}
    status["counts"] = {"sessions": 0, "projects": 1, "files": 0, "documents": 1200, "features": 0}
    text = run("status").out
    assert "planning files: 1,200 of 1,542 read" in text
    assert "0 sessions, 1 project, 1,200 planning files\n" in text


def test_rescan_sends_absolute_paths(run: Run, fake: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fake.answers["ccdash/status"]["roots"][0]["path"] = str(tmp_path)
    assert run("rescan", "a").out.splitlines() == [
        "Compared with the cache in 0.25 s.",
        "logs            4: 1 read whole, 1 read on, 0 gone",
        "planning files  12: 2 read, 1 gone",
    ]
    assert fake.params("cache/rescan") == {"paths": [str(tmp_path / "a")]}
    run("rescan", "/home/me/shop/docs")
    assert fake.params("cache/rescan") == {"paths": ["/home/me/shop/docs"]}, "planning files of a project"
    run("rescan")
    assert fake.params("cache/rescan") == {}


@pytest.mark.parametrize("arguments", [("rescan",), ("doctor", "--path")], ids=" ".join)
def test_a_path_that_nobody_looks_at_is_refused(run: Run, fake: FakeDaemon, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, "/elsewhere")
    assert done.code == 2
    assert done.err == (
        "ccdash: /elsewhere is in no project and in no folder of logs. Logs are looked for in /logs; "
        "`ccdash projects` lists the projects.\n"
    )
    assert run(*arguments, "/").code == 0, "above all logs is as good"


def test_verify_tells_by_its_exit_code(run: Run, fake: FakeDaemon) -> None:
    done = run("verify")
    assert done.code == 1 and "fault" in done.out and "`ccdash verify --repair`" in done.err
    fake.answers["cache/verify"] |= {"ok": True, "faults": []}
    assert run("verify").code == 0


def test_stop_waits_until_the_daemon_is_gone(run: Run, fake: FakeDaemon) -> None:
    assert run("stop").out == "The daemon (process 42) has stopped.\n"
    assert fake.methods() == ["ccdash/hello", "ccdash/shutdown"]


def test_stop_takes_a_daemon_that_goes_at_once(run: Run, fake: FakeDaemon) -> None:
    def gone(params: object) -> None:
        raise Raw(b"")

    fake.answers["ccdash/shutdown"] = gone
    assert run("stop").code == 0


def test_stop_without_a_daemon_is_done(run: Run) -> None:
    assert run("stop") == Done(0, "No daemon runs for profile 'default'.\n", "")
    assert json.loads(run("stop", "--json").out) == {"ok": True, "revision": 0}


def test_status_without_a_daemon_starts_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCDASH_NO_SPAWN")
    done = run("status")
    assert (done.code, done.out) == (1, "")
    assert done.err == "ccdash: No daemon runs for profile 'default'. Start it with `ccdash up`.\n"


def test_up_tells_where_logs_were_found(run: Run, fake: FakeDaemon) -> None:
    done = run("up")
    assert done.code == 0
    assert "  /logs (claude-code: 4 files)\n" in done.out
    assert "ccdashd 0.1.0 is up (process 42, profile default).\n" in done.out
    assert "problem: The disk is full. Free some space.\n" in done.out


def test_up_waits_for_the_first_index(run: Run, fake: FakeDaemon) -> None:
    """The daemon reads, then has read all but not compared it yet, then is done; notifications say when to ask."""
    status = fake.answers["ccdash/status"]
    status["problems"][0]["part"] = "cache"
    idle = {**status["indexing"], "phase": "idle", "complete": True}
    states = [(status["indexing"], None), (status["indexing"], None), (idle, None), (idle, "2026-02-03T04:05:06.000Z")]
    asked: list[object] = []

    def answer(params: object) -> dict[str, Any]:
        indexing, scanned = states[min(len(asked), len(states) - 1)]
        asked.append(scanned)
        return {**status, "indexing": indexing, "watch": {**status["watch"], "lastScanAt": scanned}}

    fake.answers["ccdash/status"] = answer
    fake.after["ccdash/status"] = [("ccdash/indexing", {"indexing": idle})]
    done = run("up", "--wait")
    assert (done.code, done.err) == (0, "The disk is full. Free some space.\n")
    assert asked.count(None) == 3 and asked[-1] is not None
    asked.clear()
    assert run("up", "--no-wait").code == 0
    assert asked == [None, None]


def test_up_shows_no_demo_where_the_cache_cannot_be_opened(run: Run, fake: FakeDaemon, home: Path) -> None:
    status = fake.answers["ccdash/status"]
    status["problems"][0] |= {"part": "cache", "problem": "no permission", "hint": "Look at the folder."}
    status |= {"roots": [], "counts": {}}
    done = run("up")
    assert done.code == 1
    assert "problem: No permission. Look at the folder.\n" in done.out and "`ccdash status`" in done.out
    assert "demo" not in done.out + done.err


def test_who_waits_for_a_cache_that_cannot_be_opened_is_told_why_in_the_end(
    run: Run, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon was all right at first: a full disk comes later."""
    status = fake.answers["ccdash/status"]
    problem = status["problems"][0] | {"part": "cache", "problem": "no space left", "hint": "Free some."}
    broken = status | {"roots": [], "indexing": {**status["indexing"], "phase": "idle", "complete": False}}
    fake.answers["ccdash/status"] = lambda params: (
        status if fake.methods().count("ccdash/status") == 1 else broken | {"problems": [problem]}
    )
    monkeypatch.setattr("ccdash.commands.up.PATIENCE", 0.2)
    monkeypatch.setattr("ccdash.commands.up.POLL", 0.05)
    done = run("up", "--wait")
    assert done.code == 1
    assert done.err == "No space left. Free some.\n"
    assert "problem: No space left. Free some.\nNo log can be read until that is mended." in done.out


def test_rpc_passes_parameters_and_prints_the_result_alone(
    run: Run, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    fake.answers["any/method"] = lambda params: {"got": params}
    assert run("rpc", "any/method", '{"a": [1, "ü"]}') == Done(0, '{"got":{"a":[1,"\\u00fc"]}}\n', "")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": null}'))
    assert run("rpc", "any/method", "-").out == '{"got":{"b":null}}\n'
    run("rpc", "any/method")
    assert fake.params("any/method") is None


def test_rpc_refuses_what_is_no_json(run: Run) -> None:
    done = run("rpc", "any/method", "{")
    assert done.code == 2 and "not JSON" in done.err and done.out == ""


def test_rpc_lists_the_methods(run: Run, home: Path) -> None:
    done = run("rpc")
    assert done.code == 0
    listed = [line.split()[0] for line in done.out.splitlines()[1:]]
    assert listed == list(METHODS)
    assert re.search(r"^sessions/get +id,? ", done.out, re.MULTILINE)
    as_json = {method["name"]: method["takes"] for method in json.loads(run("rpc", "--json").out)}
    assert as_json["files/context"][0] == "path" and "[limit]" in as_json["files/context"]
    assert run("rpc", "any/method", "--timeout", "-1").code == 2


def test_up_says_what_runs_when_it_does_not_wait(run: Run, fake: FakeDaemon) -> None:
    status = fake.answers["ccdash/status"]
    scanning = {**status["indexing"], "phase": "scan", "complete": True}
    times = iter([None, None, "2026-02-03T04:05:06.000Z"])
    last: list[str | None] = []

    def answer(params: object) -> dict[str, Any]:
        last.append(next(times, "2026-02-03T04:05:06.000Z"))
        return {**status, "indexing": scanning, "watch": {**status["watch"], "lastScanAt": last[-1]}}

    fake.answers["ccdash/status"] = answer
    assert "Index: comparing files with the cache (3 sessions)" in run("up", "--no-wait").out
    assert last[:3] == [None, None, "2026-02-03T04:05:06.000Z"], "it tells figures once there are some"
