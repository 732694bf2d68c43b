"""``sessions/transcript``, ``/branches``, ``/entry`` and ``/blob``, over a socket, with real logs."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import RpcError, wait_until
from tests.rpc.blame_world import BlameWorld, blame_world
from tests.store.edited import Session

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LIMIT = 500


@pytest.fixture(scope="module")
def world() -> Iterator[BlameWorld]:
    """One daemon for all tests: each has sessions of its own."""
    with blame_world() as world:
        yield world


class Asked:
    """A session, asked for its transcript."""

    def __init__(self, world: BlameWorld, session: Session) -> None:
        self._world = world
        self.id = f"{session.id}/agent-{session.agent_id}" if session.agent_id else session.id

    def __call__(self, method: str = "transcript", **params: Any) -> Any:
        with self._world.client() as client:
            return client.request(f"sessions/{method}", {"id": self.id, **params})

    def whole(self, **params: Any) -> list[dict[str, Any]]:
        found = self(limit=LIMIT, **params)
        assert len(found["items"]) == found["total"]
        items: list[dict[str, Any]] = found["items"]
        return items

    def texts(self, **params: Any) -> list[str]:
        return [item["text"] for item in self.whole(**params)]


def back_to(session: Session, record: dict[str, Any]) -> None:
    session._last = record["uuid"]


def image(data: bytes = PNG) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


# --- branches ---


@pytest.fixture(scope="module")
def branched(world: BlameWorld) -> Asked:
    """One prompt that was taken back, then a compaction."""
    session = world.session()
    session.prompt("Sort the list")
    asked = session.say("How?")
    session.prompt("With a heap")
    session.say("A heap it is")
    back_to(session, asked)
    session.prompt("Merge it")
    end = session.say("Merged")
    boundary = {"subtype": "compact_boundary", "content": "Compacted", "logicalParentUuid": end["uuid"], "parentUuid": None}
    session.record("system", **boundary)
    summary = {"role": "user", "content": "We sorted"}
    session.record("user", message=summary, isCompactSummary=True, isVisibleInTranscriptOnly=True)
    session.prompt("Now test it")
    world.logged(session)
    return Asked(world, session)


def test_branches_are_told_with_where_they_leave(branched: Asked) -> None:
    found = branched("branches")
    main, rewind, compaction = found["items"]
    entries = branched.whole()
    assert [branch["kind"] for branch in found["items"]] == ["main", "rewind", "compaction"]
    assert (main["parent"], main["parentEntry"]) == (None, None)
    assert (rewind["parent"], rewind["parentEntry"]) == (main["id"], entries[1]["id"])
    assert (compaction["parent"], compaction["parentEntry"]) == (rewind["id"], entries[5]["id"])
    assert [branch["prompt"] for branch in found["items"]] == ["Sort the list", "Merge it", "Now test it"]
    assert [(branch["start"], branch["end"], branch["entries"], branch["total"]) for branch in found["items"]] == [
        (0, 3, 4, 4),
        (4, 5, 2, 4),
        (6, 8, 3, 7),
    ]
    assert all(branch["joined"] and branch["unjoined"] == 0 for branch in found["items"])
    assert [branch["current"] for branch in found["items"]] == [False, False, True]
    assert found["current"] == compaction["id"] == entries[6]["id"] == compaction["first"]
    assert (rewind["startedAt"], rewind["endedAt"]) == (entries[4]["timestamp"], entries[5]["timestamp"])


def test_a_transcript_of_a_branch_is_what_leads_to_its_end(branched: Asked) -> None:
    main, rewind, compaction = (branch["id"] for branch in branched("branches")["items"])
    assert branched.texts(branch=main) == ["Sort the list", "How?", "With a heap", "A heap it is"]
    assert branched.texts(branch=rewind) == ["Sort the list", "How?", "Merge it", "Merged"]
    assert branched.texts(branch=compaction)[2:] == ["Merge it", "Merged", "Compacted", "We sorted", "Now test it"]
    assert branched.whole(branch="current") == branched.whole(branch=compaction)
    assert [item["index"] for item in branched.whole(branch=rewind)] == [0, 1, 2, 3]


def test_each_entry_tells_its_branch(branched: Asked) -> None:
    main, rewind, compaction = (branch["id"] for branch in branched("branches")["items"])
    assert [item["branch"] for item in branched.whole()] == [main] * 4 + [rewind] * 2 + [compaction] * 3
    (first,) = branched(limit=1)["items"]
    assert branched("entry", entry=first["id"])["entry"] == first


def test_a_branch_begins_in_the_middle_of_a_transcript_too(branched: Asked) -> None:
    rewind = branched("branches")["items"][1]["id"]
    found = branched(branch=rewind, **{"from": rewind}, direction="backward", limit=2)
    assert [item["text"] for item in found["items"]] == ["How?", "Merge it"]
    assert (found["start"], found["next"], found["previous"]) == (1, 3, 0)


def test_unknown_branches_and_entries_of_others_are_told(branched: Asked) -> None:
    main, rewind, _ = (branch["id"] for branch in branched("branches")["items"])
    other = branched.whole()[1]["id"]
    for wanted in ("main", "", other, "000000-0"):
        with pytest.raises(RpcError, match=r"no branch.*see sessions/branches") as caught:
            branched(branch=wanted)
        assert caught.value.code == -32001
    with pytest.raises(RpcError, match=r"no entry.*that branch of session"):
        branched(branch=main, **{"from": rewind})


def test_a_branch_is_there_when_a_log_grew_or_was_written_anew(world: BlameWorld) -> None:
    session = world.session()
    first = session.prompt("Begin")
    session.say("Begun")
    world.logged(session)
    asked = Asked(world, session)
    assert len(asked("branches")["items"]) == 1
    back_to(session, first)
    session.say("Begun anew")
    world.logged(session)
    wait_until(lambda: [branch["kind"] for branch in asked("branches")["items"]] == ["main", "rewind"], "the branch")
    session.records.clear()
    session.records += world.session(id=session.id).records
    session._last = None
    for number in range(4):
        session.prompt(f"Anew {number}")
    world.logged(session)
    wait_until(lambda: asked.texts() == [f"Anew {number}" for number in range(4)], "the new log")
    assert [(branch["kind"], branch["entries"]) for branch in asked("branches")["items"]] == [("main", 4)]


# --- sub-agents ---


@pytest.fixture(scope="module")
def family(world: BlameWorld) -> Asked:
    """Two sub-agents by calls, one of which started a third; one of which no call is known; two that name each other."""
    main = world.session()

    def agent(name: str) -> Session:
        return world.session(id=main.id, agent_id=name)

    main.prompt("Look around")
    one, two, three, lone, left, right = map(agent, ("a1", "a2", "a3", "lone", "left", "right"))
    main.call("Task", {"agentId": "a1", "status": "completed"}, description="One", prompt="Look here")
    one.prompt("Look here")
    one.say("Seen")
    lone.prompt("Who started me?")
    main.say("Between")
    main.call("Task", {"agentId": "a2", "status": "completed"}, description="Two", prompt="Look there")
    two.prompt("Look there")
    described = two.call("Agent", "done", description="Three", prompt="Look deeper")
    two.say("All seen")
    three.prompt("Look deeper")
    for here, other in ((left, "right"), (right, "left")):
        here.prompt(f"I am {here.agent_id}")
        here.call("Task", {"agentId": other, "status": "completed"}, description=other)
    main.say("Done")
    world.logged(main, one, two, three, lone, left, right)
    meta = three.log(world.logs).with_suffix(".meta.json")
    meta.write_text(json.dumps({"agentType": "Explore", "toolUseId": described}))
    asked = Asked(world, main)
    wait_until(lambda: ("Look deeper", 2) in [(item["text"], item["depth"]) for item in asked.whole(subagents=True)], "all")
    return asked


def test_sub_agents_stand_behind_the_calls_that_started_them(family: Asked) -> None:
    shown = [(item["depth"], item["text"]) for item in family.whole(subagents=True)]
    assert shown[:15] == [
        (0, "Look around"),
        (0, "One"),
        (1, "Look here"),
        (1, "Seen"),
        (0, "done"),
        (1, "Who started me?"),
        (0, "Between"),
        (0, "Two"),
        (1, "Look there"),
        (1, "Three"),
        (2, "Look deeper"),
        (1, "done"),
        (1, "All seen"),
        (0, "done"),
        (1, "I am left"),
    ]
    assert shown[-1] == (0, "Done")
    assert sorted(shown[15:-1]) == [(1, "done"), (1, "right"), (2, "I am right"), (2, "done"), (2, "left")]


def test_each_entry_tells_its_session_and_can_be_had_there(family: Asked, world: BlameWorld) -> None:
    items = family.whole(subagents=True)
    assert {item["sessionId"] for item in items if item["depth"] == 0} == {family.id}
    (seen,) = [item for item in items if item["text"] == "Seen"]
    assert seen["sessionId"] == f"{family.id}/agent-a1"
    with world.client() as client:
        payload = client.request("sessions/entry", {"id": seen["sessionId"], "entry": seen["id"]})
    assert payload["record"]["message"]["content"] == [{"type": "text", "text": "Seen"}]
    assert payload["entry"]["branch"] == seen["branch"]


def test_a_sub_agent_is_shown_with_its_own(world: BlameWorld, family: Asked) -> None:
    two = Asked(world, world.session(id=family.id, agent_id="a2"))
    shown = [(item["depth"], item["text"]) for item in two.whole(subagents=True)]
    assert shown == [(0, "Look there"), (0, "Three"), (1, "Look deeper"), (0, "done"), (0, "All seen")]


def test_sub_agents_are_left_out_unless_asked_for(family: Asked) -> None:
    assert family.texts() == ["Look around", "One", "done", "Between", "Two", "done", "Done"]


def test_sub_agents_of_a_branch(world: BlameWorld) -> None:
    main = world.session()
    asked = main.prompt("Begin")
    main.say("Begun")
    main.call("Task", {"agentId": "b1", "status": "completed"}, description="Left")
    back_to(main, asked)
    main.prompt("Again")
    main.call("Task", {"agentId": "b2", "status": "completed"}, description="Right")
    agents = [world.session(id=main.id, agent_id=name) for name in ("b1", "b2")]
    for agent in agents:
        agent.prompt(f"I am {agent.agent_id}")
    world.logged(main, *agents)
    shown = Asked(world, main)
    left, right = (branch["id"] for branch in shown("branches")["items"])
    assert shown.texts(branch=left, subagents=True) == ["Begin", "Begun", "Left", "I am b1", "done"]
    assert shown.texts(branch=right, subagents=True) == ["Begin", "Again", "Right", "I am b2", "done"]


# --- chunks ---


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_chunk_is_a_piece_of_the_whole(family: Asked, branched: Asked, data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from([family, branched]))
    branches = [branch["id"] for branch in asked("branches")["items"]]
    order = {"subagents": data.draw(st.booleans()), "branch": data.draw(st.sampled_from([None, "current", *branches]))}
    whole = asked.whole(**order)
    limit, start = data.draw(st.integers(1, 9)), data.draw(st.integers(-9, len(whole) - 1))
    at = max(len(whole) + start, 0) if start < 0 else start
    begin = {"start": start} if data.draw(st.booleans()) else {"from": whole[at]["id"]}
    forward = asked(limit=limit, **begin, **order)
    assert forward["items"] == whole[at : at + limit]
    assert forward["start"] == at
    backward = asked(limit=limit, direction="backward", **begin, **order)
    assert backward["items"] == whole[max(at + 1 - limit, 0) : at + 1]


@pytest.mark.parametrize("limit", [1, 3, 4])
@pytest.mark.parametrize("subagents", [False, True])
def test_chunks_behind_each_other_are_the_whole(family: Asked, branched: Asked, limit: int, subagents: bool) -> None:
    for asked in (family, branched):
        for branch in (None, *(branch["id"] for branch in asked("branches")["items"])):
            order = {"branch": branch, "subagents": subagents}
            whole = asked.whole(**order)
            assert [item["index"] for item in whole] == list(range(len(whole)))
            chunk = asked(start=0, limit=limit, **order)
            found = chunk["items"]
            while chunk["next"] is not None:
                chunk = asked(start=chunk["next"], limit=limit, **order)
                found += chunk["items"]
            assert found == whole
            chunk = asked(direction="backward", limit=limit, **order)
            found = chunk["items"]
            while chunk["start"] > 0:
                chunk = asked(start=chunk["start"] - 1, direction="backward", limit=limit, **order)
                found = chunk["items"] + found
            assert found == whole


# --- content that is no text ---


@pytest.fixture(scope="module")
def pictured(world: BlameWorld) -> Asked:
    """A prompt with an image, and a tool whose result is one that is declared to be HTML."""
    session = world.session()
    session.record("user", message={"role": "user", "content": [{"type": "text", "text": "What is this?"}, image()]})
    block = {"type": "tool_result", "tool_use_id": "t", "content": [image(PNG + b"!")], "is_error": False}
    answer = {"type": "text/html", "file": {"base64": base64.b64encode(b"<script>").decode(), "type": "text/html"}}
    session.record("user", message={"role": "user", "content": [block]}, toolUseResult=answer)
    session.say("A picture")
    world.logged(session)
    return Asked(world, session)


def test_entries_tell_that_they_hold_images(pictured: Asked) -> None:
    assert [(item["text"], item["hasBlobs"]) for item in pictured.whole()] == [
        ("What is this?\n[image]", True),
        ("[image]", True),
        ("A picture", False),
    ]


def test_a_record_is_told_without_its_binary_content(pictured: Asked) -> None:
    prompt, result, answer = pictured.whole()
    payload = pictured("entry", entry=prompt["id"])
    (blob,) = payload["blobs"]
    assert blob == {
        "id": f"{prompt['id']}.0",
        "mediaType": "image/png",
        "declared": "image/png",
        "bytes": len(PNG),
        "sha256": hashlib.sha256(PNG).hexdigest(),
    }
    assert payload["record"]["message"]["content"][1]["source"]["data"] == f"blob:{blob['id']}"
    kinds = [(blob["mediaType"], blob["declared"]) for blob in pictured("entry", entry=result["id"])["blobs"]]
    assert kinds == [("image/png", "image/png"), ("application/octet-stream", "text/html")]
    assert pictured("entry", entry=answer["id"])["blobs"] == []


@pytest.mark.parametrize("limit", [1 << 20, 4096, 1000])
def test_the_bytes_come_in_pieces(pictured: Asked, limit: int) -> None:
    id = pictured("entry", entry=pictured.whole()[0]["id"])["blobs"][0]["id"]
    data = b""
    start: int | None = 0
    while start is not None:
        piece = pictured("blob", blob=id, start=start, limit=limit)
        assert piece["start"] == start == len(data)
        data += base64.b64decode(piece["data"])
        start = piece["next"]
    assert data == PNG


def test_blobs_that_are_not_there_are_told(pictured: Asked) -> None:
    first = pictured.whole()[0]["id"]
    for wanted in ("", "x", first, f"{first}.1", f"{first}.-1", f"{first}.٣", f"{first}.{'9' * 5000}", "000000-0.0"):
        with pytest.raises(RpcError, match="no blob") as caught:
            pictured("blob", blob=wanted)
        assert caught.value.code == -32001
    assert pictured("blob", blob=f"{first}.0", start=10**9)["data"] == ""
    with pytest.raises(RpcError, match="limit"):
        pictured("blob", blob=f"{first}.0", limit=1 << 30)
