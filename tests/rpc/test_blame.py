"""``files/blame``: what sessions wrote and what is left of it, over a socket, with real logs and files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import RpcError, wait_until
from tests.rpc.blame_world import BlameWorld, blame_world, lines_of
from tests.store.edited import MODEL, Edited, Session


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    """One daemon for all tests: each has files and sessions of its own."""
    with blame_world() as world:
        yield world


def test_a_line_is_told_with_call_prompt_and_cost(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    session.prompt("Write the file")
    first = file.written(session, 0, 6)
    second = session.prompt("Change two lines of it")
    edited = file.replaced(session, 2, 2, 2)
    world.save(file, session)
    found = world.blame(file.path)
    assert lines_of(found) == file.truth
    assert (found["lines"], found["agentLines"], found["recorded"], found["unread"]) == (6, 6, 2, 0)
    assert [(block["start"], block["end"], block["fit"]) for block in found["blocks"]] == [
        (1, 2, "same"),
        (3, 4, "same"),
        (5, 6, "same"),
    ]
    one, other = found["changes"]
    assert (one["toolUseId"], one["tool"], one["lines"]) == (first, "Write", 4)
    assert (other["toolUseId"], other["tool"], other["lines"]) == (edited, "Edit", 2)
    assert (other["sessionId"], other["title"], other["subagent"]) == (session.id, "Write the file", None)
    assert (other["model"], other["cost"]["provenance"]) == (MODEL, "computed")
    assert other["cost"]["usd"] > 0
    assert other["prompt"]["text"] == "Change two lines of it"
    assert one["prompt"]["text"] == "Write the file"
    with world.client() as client:
        for entry, kind in ((other["entry"], "toolCall"), (other["prompt"]["entry"], "prompt")):
            asked = client.request("sessions/entry", {"id": session.id, "entry": entry})
            assert asked["entry"]["kind"] == kind
        assert asked["record"]["uuid"] == second["uuid"]


def test_the_cost_of_a_turn_is_that_of_its_messages(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    file.by_hand(0, 0, 4)
    for count, words in ((1, "short"), (4, "long")):
        session.prompt(words)
        for _ in range(count - 1):
            session.say("Hm.")
        file.replaced(session, count - 1, 1, 1)
    world.save(file, session)
    short, long = (change["cost"]["usd"] for change in world.blame(file.path)["changes"])
    assert long == pytest.approx(4 * short, abs=1e-6)
    with world.client() as client:
        whole = client.request("analytics/sessionCost", {"id": session.id})["cost"]["usd"]
    assert short + long == pytest.approx(whole, abs=2e-6)


def test_lines_of_a_part(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    file.written(session, 0, 4)
    file.by_hand(2, 1, 1)
    world.save(file, session)
    part = world.blame(file.path, start=2, end=3)
    assert part["blocks"] == [{"start": 2, "end": 2, "change": 0, "fit": "same"}]
    assert (part["agentLines"], part["changes"][0]["lines"], part["lines"]) == (1, 1, 4)
    assert world.blame(file.path, start=4)["blocks"][0]["end"] == 4
    assert world.blame(file.path, start=3, end=3)["changes"] == []
    for params, field in (({"start": 0}, "start"), ({"start": 3, "end": 2}, "end"), ({"start": 5}, "start")):
        with pytest.raises(RpcError) as refused:
            world.blame(file.path, **params)
        assert (refused.value.code, refused.value.data["field"]) == (-32602, field)


def test_text_that_is_not_saved(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    call = file.written(session, 0, 2)
    world.save(file, session)
    typed = f"typed\n{file.lines[0]}\n{file.lines[1]} too\n"
    found = world.blame(file.path, text=typed)
    assert lines_of(found) == [None, call, call]
    assert [block["fit"] for block in found["blocks"]] == ["changed"]
    assert world.lines(file.path) == file.truth, "what was asked of another text is not remembered for the file"


def test_a_relative_path_needs_a_folder(world: BlameWorld) -> None:
    file, session = world.file("src/relative.py"), world.session()
    file.written(session, 0, 2)
    world.save(file, session)
    assert world.lines("src/../src/relative.py", cwd=str(world.root)) == file.truth
    with pytest.raises(RpcError, match="relative"):
        world.blame("src/relative.py")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [("gone.py", None, -32001), ("binary.py", b"a\0b", -32005), ("huge.py", b"a\n" * (4 * 2**20 + 1), -32005)],
)
def test_files_that_cannot_be_blamed(world: BlameWorld, name: str, data: bytes | None, code: int) -> None:
    file, session = world.file(name), world.session()
    file.written(session, 0, 1)
    world.logged(session)
    if data is not None:
        world.put(file.path, data)
    with pytest.raises(RpcError) as refused:
        world.blame(file.path)
    assert refused.value.code == code
    assert file.path in refused.value.message


def test_a_pipe_in_place_of_a_file_is_not_waited_for(world: BlameWorld) -> None:
    file, session = world.file("pipe.py"), world.session()
    file.written(session, 0, 1)
    world.logged(session)
    os.mkfifo(file.path)
    with pytest.raises(RpcError) as refused:
        world.blame(file.path)
    assert refused.value.code == -32001


def test_a_file_that_nobody_changed_is_not_looked_at(world: BlameWorld) -> None:
    read, session = world.file("read.py"), world.session()
    session.call("Read", {}, file_path=read.path)
    session.call("Edit", "Error", error=True, file_path=read.path, old_string="a", new_string="b")
    world.logged(session)
    for path in (read.path, "/nowhere/at/all", str(world.root)):
        found = world.blame(path, git=True)
        assert (found["lines"], found["recorded"], found["blocks"], found["commits"]) == (0, 0, [], None)


def test_line_ends_of_another_system(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    file.written(session, 0, 3)
    file.by_hand(1, 0, 1)
    world.save(file, session)
    world.put(file.path, file.text.replace("\n", "\r\n").encode())
    assert world.lines(file.path) == file.truth


def test_what_the_user_changed_in_a_proposal_is_what_was_written(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    first = file.written(session, 0, 3)
    proposed, accepted, old = file.line(), file.line(), file.lines[1]
    answer = {"oldString": old, "newString": accepted, "originalFile": file.text, "userModified": True}
    call = session.call("Edit", answer, file_path=file.path, old_string=old, new_string=proposed)
    file.lines[1], file.truth[1] = accepted, call
    world.save(file, session)
    assert world.lines(file.path) == [first, call, first]


def test_several_edits_in_one_call(world: BlameWorld) -> None:
    file, session = world.file(), world.session()
    first = file.written(session, 0, 4)
    new = [file.line(), file.line()]
    edits = [{"old_string": file.lines[n], "new_string": new[n]} for n in (0, 1)]
    answer = {"filePath": file.path, "edits": edits, "originalFileContents": file.text}
    call = session.call("MultiEdit", answer, file_path=file.path, edits=edits)
    file.lines[:2], file.truth[:2] = new, [call, call]
    world.save(file, session)
    assert world.lines(file.path) == [call, call, first, first]


def test_cells_of_a_notebook(world: BlameWorld) -> None:
    session, path = world.session(), str(world.root / "book.ipynb")
    cell = {"cell_type": "code", "source": ["total = compute(1)\n", "print(total)"], "metadata": {}}
    text = json.dumps({"cells": [cell], "nbformat": 4}, indent=1) + "\n"
    call = session.call(
        "NotebookEdit",
        {"new_source": "".join(cell["source"])},
        notebook_path=path,
        new_source="".join(cell["source"]),
        edit_mode="insert",
    )
    world.put(path, text.encode())
    world.logged(session)
    told = [line for line, origin in zip(text.splitlines(), world.lines(path), strict=True) if origin == call]
    assert told == ['    "total = compute(1)\\n",', '    "print(total)"']


def test_a_sub_agent_is_told_with_its_task(world: BlameWorld) -> None:
    file, main = world.file(), world.session()
    main.prompt("Have it written")
    worker = Session(world.clock, str(world.root), id=main.id, agent_id="a1b2c3d4")
    worker.prompt("Write two lines")
    call = file.written(worker, 0, 2)
    world.save(file, main, worker)
    (change,) = world.blame(file.path)["changes"]
    assert change["toolUseId"] == call
    assert change["sessionId"] == f"{main.id}/agent-a1b2c3d4"
    assert change["title"] == "Have it written"
    assert change["subagent"] is not None
    assert change["prompt"]["text"] == "Write two lines"


def test_the_calls_of_a_fork_count_once(world: BlameWorld) -> None:
    file, origin = world.file(), world.session()
    origin.prompt("Begin")
    file.written(origin, 0, 3)
    fork = world.session()
    fork.records = [dict(record) for record in origin.records]
    fork._last = origin._last
    fork.prompt("Go on")
    file.replaced(fork, 1, 1, 1)
    world.save(file, origin, fork)
    found = world.blame(file.path)
    assert lines_of(found) == file.truth
    assert found["recorded"] == 2
    assert [change["sessionId"] for change in found["changes"]] == [origin.id, fork.id]
    origin.log(world.logs).unlink()

    def left() -> bool:
        with world.client() as client:
            return bool(client.request("sessions/get", {"id": origin.id})["sourceGone"])

    wait_until(left, "the end of the log")
    assert world.lines(file.path) == file.truth, "the log of the fork holds the call as well"


def test_what_cannot_be_read_any_more_is_nobodys(world: BlameWorld) -> None:
    file, gone, there = world.file(), world.session(), world.session()
    lost = file.written(gone, 0, 3)
    kept = file.replaced(there, 1, 1, 1)
    world.save(file, gone, there)
    assert world.lines(file.path) == [lost, kept, lost]
    gone.log(world.logs).unlink()
    world.put(file.path, file.text.encode() + b"more\n")
    found = world.blame(file.path)
    assert (found["recorded"], found["unread"]) == (2, 1)
    assert lines_of(found) == [None, kept, None, None]


def test_a_worktree_is_the_same_file_elsewhere(world: BlameWorld) -> None:
    root = world.folder / "trees"
    root.mkdir()
    inside, outside = root / ".claude" / "worktrees" / "one", world.folder / "tree-two"
    environment = {"PATH": os.environ["PATH"], "HOME": str(world.folder), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=root, env=environment, check=True, capture_output=True)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "Begin")
    for tree in (inside, outside):
        git("worktree", "add", "-q", "--detach", str(tree))
    file = Edited(str(root / "src" / "shared.py"))
    file.by_hand(0, 0, 6)
    sessions = []
    for number, folder in enumerate((root, inside, outside)):
        session = world.session(folder)
        file.path = str(folder / "src" / "shared.py")
        file.replaced(session, 2 * number, 1, 2)
        sessions.append(session)
    for folder in (root, inside, outside):
        world.put(str(folder / "src" / "shared.py"), file.text.encode())
    world.logged(*sessions)
    for folder in (root, inside, outside):
        assert world.lines(str(folder / "src" / "shared.py")) == file.truth
    shutil.rmtree(root)


def test_working_copies_have_lives_of_their_own(world: BlameWorld) -> None:
    root = world.folder / "copies"
    (root / ".git").mkdir(parents=True)
    tree = root / ".worktrees" / "one"
    here, there = Edited(str(root / "a.py")), Edited(str(tree / "a.py"))
    session = world.session(root)
    here.by_hand(0, 0, 5)
    there.lines, there.truth = list(here.lines), list(here.truth)
    there.made = 1000
    here.replaced(session, 0, 1, 2)
    there.replaced(session, 3, 1, 2)
    here.replaced(session, 4, 1, 1)
    there.replaced(session, 0, 1, 1)
    for file in (here, there):
        world.put(file.path, file.text.encode())
    world.logged(session)
    for file in (here, there):
        assert world.lines(file.path) == file.truth


def test_commits_of_git(world: BlameWorld) -> None:
    root = world.folder / "repository"
    root.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(world.folder), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    file, session = Edited(str(root / "a.py")), world.session(root)
    file.written(session, 0, 4)
    world.save(file, session)
    assert world.blame(file.path, git=True)["commits"] is None, "git does not know the file yet"
    git("add", ".")
    git("commit", "-q", "-m", "Add a file")
    file.by_hand(1, 1, 2)
    world.put(file.path, file.text.encode())
    assert world.blame(file.path)["commits"] is None
    commits = world.blame(file.path, git=True)["commits"]
    hash = git("rev-parse", "HEAD")
    told = [(commit["start"], commit["end"], commit["hash"]) for commit in commits]
    assert told == [(1, 1, hash), (2, 3, "0" * 40), (4, 5, hash)]
    assert (commits[0]["author"], commits[0]["summary"]) == ("Ann", "Add a file")
    assert [commit["start"] for commit in world.blame(file.path, git=True, start=3, end=4)["commits"]] == [3, 4]


Step = tuple[str, int, int, int]

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "edit", "write", "person", "prompt"]),
        st.integers(0, 30),
        st.integers(0, 4),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS, agents=st.integers(1, 3), start=st.integers(0, 6))
def test_every_line_is_of_who_wrote_it(world: BlameWorld, steps: list[Step], agents: int, start: int) -> None:
    file, sessions = world.file(), [world.session() for _ in range(agents)]
    file.by_hand(0, 0, start)
    for number, (kind, at, removed, added) in enumerate(steps):
        session = sessions[number % agents]
        at = at % (len(file.lines) + 1)
        if kind == "prompt":
            session.prompt(f"Step {number}")
        elif kind == "person":
            file.by_hand(at, removed, added)
        elif kind == "write" or not file.lines:
            file.written(session, at, added + 1)
        else:
            file.replaced(session, at % len(file.lines), removed + 1, added)
    for session in sessions:
        session.say("Done.")
    world.put(file.path, file.text.encode())
    world.logged(*sessions)
    found = world.blame(file.path)
    assert lines_of(found) == (file.truth if found["recorded"] else [])


@pytest.mark.parametrize(("scope", "name"), [("--local", "evil"), ("--worktree", "evil"), ("--local", "e=vil")])
def test_no_program_of_a_repository_is_run(world: BlameWorld, scope: str, name: str) -> None:
    root = world.folder / f"hostile{scope}-{name}"
    ran = root / "ran"
    root.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(world.folder), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=root, env=environment, check=True, capture_output=True)

    git("init", "-q")
    git("config", "extensions.worktreeConfig", "true")
    file, session = Edited(str(root / "-a.py")), world.session(root)
    file.written(session, 0, 4)
    world.save(file, session)
    git("add", ".")
    git("commit", "-q", "-m", "Add a file")
    (root / ".gitattributes").write_text(f"*.py diff={name} filter={name}\n")
    program = f"touch {ran}; cat"
    for setting in (f"diff.{name}.textconv", f"filter.{name}.clean", "core.fsmonitor", "core.pager"):
        git("config", scope, setting, program)
    git("config", scope, f"filter.{name}.required", "true")
    file.by_hand(1, 1, 1)
    world.put(file.path, file.text.encode())
    commits = world.blame(file.path, git=True)["commits"]
    assert not ran.exists()
    assert [commit["start"] for commit in commits or ()] == ([1, 2, 3] if name == "evil" else [])
