"""What an import does with each session, and with what was said of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.archive.bundles import edits
from ccdashd.archive.bundles.manifest import Manifest, decode
from ccdashd.archive.bundles.plan import Plan, Taken, groups, kept_path, plan
from ccdashd.edits.decisions import (
    AlertEdit,
    AnyEdit,
    ExternalLinkEdit,
    LinkEdit,
    MetadataEdit,
    Name,
    ProjectEdit,
    TagEdit,
    TagUse,
    encode,
)
from ccdashd.rpc.bundles import is_fit
from ccdashd.sources import identify, session_of
from ccdashd.store.bundles import Known
from tests.archive.parcels import AGENT, HOME, ID, LOG, manifest

FOLDER = "/h/.claude/projects"
MAIN, SUB = f"{FOLDER}/{LOG}", f"{FOLDER}/{AGENT}"


def bundle() -> Manifest:
    """A session with two versions of its log, and a sub-agent."""
    said = manifest(("logs/000001.jsonl", b"a"), ("logs/000002.jsonl", b"ab"), ("logs/000003.jsonl", b"c"))
    said["logs"][2] |= {"path": AGENT, "session": f"{ID}/agent-a1"}
    said["sessions"] += [{"id": f"{ID}/agent-a1", "title": "Sub", "agent": "claude-code", "root": "~/shop", "parent": ID}]
    return decode(msgspec.json.encode(said))


ALL = {"logs/000001.jsonl", "logs/000002.jsonl", "logs/000003.jsonl"}
FIRST = ["logs/000001.jsonl", "logs/000002.jsonl"]


def planned(
    conflict: Any = "skip",
    known: dict[str, list[Known]] | None = None,
    held: set[str] | None = None,
    here: set[str] | None = None,
    there: set[str] | None = None,
) -> Plan:
    found = groups(bundle(), FOLDER)
    return plan(found, conflict, known or {}, held or set(), (here or set()).__contains__, (there or set()).__contains__)


def test_what_is_not_here_is_added() -> None:
    done = planned()
    assert [(s.id, s.title, s.action, s.new_id) for s in done.sessions] == [(ID, "One", "added", None)]
    assert done.takes == [Taken(MAIN, FIRST, False), Taken(SUB, ["logs/000003.jsonl"], False)]
    assert (done.drops, done.forgets, done.ids) == ([], [], {ID: ID})


@pytest.mark.parametrize("conflict", ["skip", "replace", "keepBoth"])
def test_what_is_here_with_all_that_it_holds_is_left(conflict: str) -> None:
    done = planned(conflict, {ID: [Known("/elsewhere/x.jsonl", False)]}, ALL)
    assert [s.action for s in done.sessions] == ["same"]
    assert (done.takes, done.drops, done.forgets, done.ids) == ([], [], [], {ID: ID})


GONE = (MAIN, f"{MAIN}#0123456789ab", "/old/x.jsonl")
HERE = {ID: [*(Known(path, True) for path in GONE), Known("/new/x.jsonl", False)]}


def test_what_is_other_is_skipped() -> None:
    done = planned("skip", HERE, {"logs/000003.jsonl"})
    assert [s.action for s in done.sessions] == ["skipped"]
    assert (done.takes, done.ids) == ([], {ID: None})


def test_what_is_other_is_replaced_but_for_logs_of_agents() -> None:
    done = planned("replace", HERE, {"logs/000003.jsonl"})
    assert [s.action for s in done.sessions] == ["replaced"]
    assert done.takes == [Taken(MAIN, FIRST, False)]
    assert done.drops == ["/old/x.jsonl"]
    assert done.forgets == list(GONE)
    beside = planned("replace", {ID: [Known(MAIN, False)]}, {"logs/000003.jsonl"}, there={MAIN})
    assert beside.takes == [Taken(MAIN, FIRST, True)]
    assert (beside.drops, beside.forgets) == ([], [])


def test_what_is_other_is_kept_beside_under_an_id_that_is_always_the_same() -> None:
    done = planned("keepBoth", HERE, {"logs/000003.jsonl"})
    (kept,) = done.sessions
    assert (kept.action, kept.new_id) == ("keptBoth", groups(bundle(), FOLDER)[0].new_id)
    assert kept.new_id is not None
    assert [take.path for take in done.takes] == [
        f"{FOLDER}/-home-mona-shop/{kept.new_id}.jsonl",
        f"{FOLDER}/-home-mona-shop/{kept.new_id}/subagents/agent-a1.jsonl",
    ]
    assert done.ids == {ID: kept.new_id}
    again = planned("keepBoth", HERE, ALL, here={done.takes[0].path})
    assert [(s.action, s.new_id) for s in again.sessions] == [("same", kept.new_id)]


@pytest.mark.parametrize(
    "path",
    [
        f"/p/-home-x/{ID}.jsonl",
        "/p/-home-x/notes.jsonl",
        "/p/-home-x/agent-a1.jsonl",
        f"/p/-home-x/{ID}/subagents/agent-a1.jsonl",
        f"/p/-home-x/{ID}/subagents/workflows/wf_1/agent-a1.jsonl",
    ],
)
def test_readers_find_the_new_id_in_the_place_of_a_kept_log(path: str) -> None:
    new = "11111111-2222-5333-8444-555555555555"
    kept = kept_path(path, new)
    identity = identify(kept)
    assert identity is not None
    session, parent = session_of(kept, identity, {ID: 100})
    if "agent-" in path:
        assert (session, parent) == (f"{new}/agent-a1", new)
    else:
        assert (session, parent) == (new, None)


# --- what was said ---

SESSION = Name(type="session", key=ID)
OTHER = Name(type="session", key="other")
FEATURE = Name(type="feature", root=f"{HOME}/shop", key="till")
SAID: list[AnyEdit] = [
    TagEdit(op="set", name="Urgent", color="#ff0000"),
    TagEdit(op="set", name="unused", color="#00ff00"),
    TagUse(op="add", name="urgent", entity=SESSION),
    TagUse(op="add", name="urgent", entity=OTHER),
    MetadataEdit(entity=FEATURE, key="note", value="Later"),
    MetadataEdit(entity=SESSION, key="rating", value=3),
    MetadataEdit(entity=SESSION, key="rating", value=5),
    LinkEdit(op="make", source=SESSION, target=FEATURE, link_type="related", note="it is"),
    LinkEdit(op="make", source=OTHER, target=FEATURE, link_type="related"),
    LinkEdit(op="remove", source=OTHER, target=FEATURE, link_type="related"),
    ExternalLinkEdit(op="create", entity=SESSION, url="https://x.dev/1", label="One"),
    AlertEdit(id="a"),
    ProjectEdit(op="add", root=f"{HOME}/shop"),
]
JOURNAL = b"".join(encode(edit, HOME) for edit in SAID)


def test_only_what_counts_and_concerns_somebody_goes_into_a_bundle() -> None:
    kept = edits.chosen(edits.counting(JOURNAL + b"no line\n" + b'{"torn', HOME), lambda name: name == SESSION)
    assert kept == [SAID[0], msgspec.structs.replace(SAID[2], name="Urgent"), SAID[6], SAID[7], SAID[10]]
    everything = edits.chosen(edits.counting(JOURNAL, HOME), lambda name: True)
    assert len(everything) == 7


def fit(sessions: dict[str, str | None], there: set[str] = frozenset()) -> list[Any]:  # type: ignore[assignment]
    lines = [encode(edit, HOME).rstrip(b"\n") for edit in SAID]
    return edits.fitted(lines, lambda root: edits.placed(root, "/home/ann", HOME, there.__contains__), sessions)


def test_roots_are_those_of_this_machine_where_it_has_them() -> None:
    assert fit({}, {"/home/ann/shop"})[4].entity.root == "/home/ann/shop"
    assert fit({})[4].entity.root == f"{HOME}/shop"


def test_what_was_said_follows_its_session() -> None:
    found = fit({ID: "new"})
    assert found[2].entity.key == "new"
    assert found[7].source.key == "new"
    assert found[7].target.key == "till"
    assert found[3].entity.key == "other"
    left = fit({ID: None})
    assert [edit for edit in left if SESSION in edits.names(edit)] == []
    assert len(left) < len(found)


def test_nothing_but_what_adds_something_is_taken() -> None:
    assert not any(isinstance(edit, AlertEdit | ProjectEdit) for edit in fit({}))
    assert [edit.op for edit in fit({}) if isinstance(edit, LinkEdit)] == ["make", "make"]


@pytest.mark.parametrize(
    "edit",
    [
        TagUse(op="add", name="a", entity=SESSION, at="yesterday"),
        TagUse(op="add", name="", entity=SESSION),
        TagUse(op="add", name="x" * 101, entity=SESSION),
        TagUse(op="add", name="\x1b[31mred", entity=SESSION),
        TagUse(op="add", name="a", entity=Name(type="session")),
        TagUse(op="add", name="a", entity=Name(type="file", root="/home/x", key="../../etc/passwd")),
        TagUse(op="add", name="a", entity=Name(type="feature", root="relative", key="till")),
        TagUse(op="add", name="a", entity=Name(type="feature", root="/home/../x", key="till")),
        TagEdit(op="set", name="a", color="red; drop"),
        MetadataEdit(entity=SESSION, key="bad key", value=1),
        MetadataEdit(entity=SESSION, key="rating", value=6),
        MetadataEdit(entity=SESSION, key="note", value=["no", "text"]),
        MetadataEdit(entity=SESSION, key="note", value="x" * 300_000),
        ExternalLinkEdit(op="create", entity=SESSION, url="javascript:alert(1)"),
        ExternalLinkEdit(op="create", entity=SESSION, url="https://x.dev", label="a\nb"),
        LinkEdit(op="make", source=SESSION, target=SESSION, link_type="related"),
        LinkEdit(op="make", source=SESSION, target=FEATURE, link_type="related", note="x" * 70_000),
    ],
)
def test_what_no_user_could_have_said_is_left_out(edit: Any) -> None:
    assert not is_fit(edit)


def test_what_users_say_is_fit() -> None:
    assert all(is_fit(edit) for edit in fit({}))


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_lines_that_are_none_are_left_out(lines: list[bytes]) -> None:
    assert edits.fitted(lines, lambda root: root, {}) == []
