"""Branches of transcripts: of conversations whose course is known, of any records whatever, and of real logs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.branches import Branch, Branches, derive
from ccdashd.sources.model import KIND, KINDS
from tests.sources.logs import Read


class Step(NamedTuple):
    uuid: str | None
    parent: str | None
    kind: int
    sidechain: bool = False


class Talk:
    """A conversation that is being written: each record follows the last one unless it is told otherwise."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.tip: str | None = None
        self._count = 0

    def add(self, kind: str, after: str | None = "", *, blocks: int = 1, hidden: bool = False, side: bool = False) -> str:
        """A record; `hidden` where it becomes no entry."""
        self._count += 1
        uuid = f"{self._count:08}"
        if not hidden:
            self.steps += [Step(uuid, self.tip if after == "" else after, KIND[kind], side)] * blocks
        self.tip = uuid
        return uuid

    @property
    def found(self) -> Branches:
        return derive(self.steps)

    def on(self, branch: int) -> list[str | None]:
        """Records with entries on a branch."""
        return [step.uuid for step, number in zip(self.steps, self.found.of, strict=True) if number == branch]

    def path(self, branch: int) -> list[str | None]:
        return [self.steps[index].uuid for part in self.found.path(branch) for index in part]


def shape(branch: Branch) -> tuple[Any, ...]:
    return branch.kind, branch.parent, branch.at, branch.joined, branch.first, branch.last, branch.entries


def test_a_conversation_is_one_branch() -> None:
    talk = Talk()
    for kind in ("prompt", "thinking", "assistant", "system", "prompt", "assistant"):
        talk.add(kind)
    assert [shape(branch) for branch in talk.found.items] == [("main", None, None, True, 0, 5, 6)]
    assert talk.found.current == 0
    assert talk.found.path(0) == [range(6)]


def test_nothing_has_no_branch() -> None:
    assert derive([]).items == []
    assert derive([]).current is None


def test_going_back_begins_a_branch() -> None:
    talk = Talk()
    talk.add("prompt")
    answer = talk.add("assistant", blocks=2)
    first = [talk.add("prompt"), talk.add("assistant")]
    again = [talk.add("prompt", answer), talk.add("assistant")]
    third = [talk.add("prompt", answer)]
    assert [shape(branch) for branch in talk.found.items] == [
        ("main", None, None, True, 0, 4, 5),
        ("rewind", 0, 2, True, 5, 6, 2),
        ("rewind", 0, 2, True, 7, 7, 1),
    ]
    assert talk.on(0)[3:] == first
    assert talk.path(1)[3:] == again
    assert talk.path(2)[3:] == third
    assert [branch.before for branch in talk.found.items] == [0, 3, 3]
    assert talk.found.current == 2


def test_notes_before_what_is_said_anew_go_along() -> None:
    talk = Talk()
    talk.add("prompt")
    answer = talk.add("assistant")
    talk.add("prompt")
    talk.add("assistant")
    before = [talk.add("attachment", answer), talk.add("meta"), talk.add("command")]
    assert len(talk.found.items) == 1, "a note alone is no branch"
    said = talk.add("assistant")
    late = talk.add("attachment", before[1])
    assert talk.on(1) == [*before, said, late]


def test_calls_at_the_same_time_are_no_branches() -> None:
    talk = Talk()
    talk.add("prompt")
    first = talk.add("toolCall")
    early = talk.add("toolResult")
    talk.add("toolCall", first)
    talk.add("toolResult")
    talk.add("assistant", early)
    talk.add("thinking", first)
    assert len(talk.found.items) == 1


def test_a_hook_that_writes_late_changes_nothing() -> None:
    talk = Talk()
    prompt = talk.add("prompt")
    talk.add("assistant")
    talk.add("system", prompt)
    talk.add("prompt", "00000002")
    assert len(talk.found.items) == 1


def test_what_follows_something_unknown_after_a_late_note_is_no_branch() -> None:
    talk = Talk()
    prompt = talk.add("prompt")
    talk.add("assistant")
    talk.add("system", prompt)
    talk.add("attachment", hidden=True)
    talk.add("assistant")
    assert [(branch.entries, branch.unjoined) for branch in talk.found.items] == [(4, 1)]


def test_going_back_to_a_note() -> None:
    talk = Talk()
    talk.add("prompt")
    talk.add("assistant")
    note = talk.add("system")
    talk.add("prompt")
    talk.add("prompt", note)
    assert shape(talk.found.items[1]) == ("rewind", 0, 2, True, 4, 4, 1)


def test_a_late_note_on_a_branch_that_was_left_does_not_lead_back_to_it() -> None:
    talk = Talk()
    answer = talk.add("assistant")
    left = talk.add("prompt")
    again = talk.add("prompt", answer)
    talk.add("attachment", left)
    talk.steps.append(Step(None, None, KIND["queued"]))
    assert talk.on(1) == [again, None]


def test_an_answer_given_anew_is_a_branch() -> None:
    talk = Talk()
    prompt = talk.add("prompt")
    talk.add("assistant")
    talk.add("assistant", prompt)
    assert [branch.kind for branch in talk.found.items] == ["main", "rewind"]


def test_a_compaction_begins_a_branch_that_all_before_leads_to() -> None:
    talk = Talk()
    for kind in ("prompt", "assistant", "compaction", "compactSummary", "assistant"):
        talk.add(kind)
    main, compacted = talk.found.items
    assert shape(compacted) == ("compaction", 0, 1, True, 2, 4, 3)
    assert main.entries == 2
    assert talk.found.path(1) == [range(5)]


def test_a_compaction_that_names_nothing_follows_what_stands_before() -> None:
    talk = Talk()
    talk.add("prompt")
    talk.add("assistant")
    talk.add("compaction", None)
    talk.add("compactSummary", None)
    assert [(b.kind, b.at, b.joined) for b in talk.found.items][1:] == [("compaction", 1, False), ("compaction", 2, False)]


def test_going_back_before_a_compaction() -> None:
    talk = Talk()
    talk.add("prompt")
    answer = talk.add("assistant")
    talk.add("compaction")
    talk.add("prompt")
    talk.add("prompt", answer)
    assert [(branch.kind, branch.at) for branch in talk.found.items] == [("main", None), ("compaction", 1), ("rewind", 1)]


def test_sidechains_hang_where_they_were_written() -> None:
    talk = Talk()
    talk.add("prompt")
    call = talk.add("toolCall")
    one = [talk.add("prompt", None, side=True), talk.add("assistant", side=True)]
    other = [talk.add("prompt", None, side=True)]
    one.append(talk.add("assistant", one[-1], side=True))
    result = talk.add("toolResult", call)
    said = talk.add("assistant", result)
    assert [(branch.kind, branch.at, branch.joined) for branch in talk.found.items] == [
        ("main", None, True),
        ("sidechain", 1, False),
        ("sidechain", 1, False),
    ]
    assert talk.on(1) == one
    assert talk.on(2) == other
    assert talk.path(0) == ["00000001", call, result, said]
    assert talk.found.current == 0


def test_a_sub_agents_own_log_is_no_sidechain() -> None:
    talk = Talk()
    talk.add("prompt", side=True)
    talk.add("assistant", side=True)
    assert [branch.kind for branch in talk.found.items] == ["main"]


def test_a_sidechain_at_the_very_beginning() -> None:
    talk = Talk()
    talk.add("prompt", None, side=True)
    talk.add("assistant", side=True)
    talk.add("prompt", None)
    talk.add("assistant")
    assert [(branch.kind, branch.parent, branch.entries) for branch in talk.found.items] == [
        ("sidechain", None, 2),
        ("main", None, 2),
    ]


def test_an_entry_after_a_record_that_is_not_shown_follows_the_one_before() -> None:
    talk = Talk()
    talk.add("prompt")
    talk.add("attachment", hidden=True)
    talk.add("assistant")
    assert [(branch.entries, branch.unjoined) for branch in talk.found.items] == [(2, 1)]


def test_going_back_to_a_record_that_is_not_shown() -> None:
    talk = Talk()
    talk.add("prompt")
    talk.add("assistant")
    hidden = talk.add("attachment", hidden=True)
    talk.add("prompt")
    talk.add("assistant")
    again = [talk.add("prompt", hidden), talk.add("assistant")]
    assert shape(talk.found.items[1]) == ("rewind", 0, 1, False, 4, 5, 2)
    assert talk.on(1) == again


def test_records_without_id_stand_on_the_line_of_the_conversation() -> None:
    talk = Talk()
    talk.steps.append(Step(None, None, KIND["summary"]))
    talk.add("prompt", None)
    talk.steps.append(Step(None, None, KIND["queued"]))
    assert [shape(branch) for branch in talk.found.items] == [("main", None, None, True, 0, 2, 3)]


# --- properties ---


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Talk, dict[str, list[str]]]:
    """A conversation, and for each record that was said the records that led there, by the one who wrote it."""
    talk = Talk()
    lines: dict[str, list[str]] = {}
    line: list[str] = []
    turns: list[tuple[str | None, list[str]]] = []

    def say(kind: str, after: str | None = "") -> None:
        line.append(talk.add(kind, after))
        lines[line[-1]] = list(line)

    for _ in range(draw(st.integers(1, 12))):
        step = draw(st.sampled_from(["turn", "turn", "back", "compact"]))
        if step == "back" and turns:
            talk.tip, before = draw(st.sampled_from(turns))
            line[:] = before
        elif step == "compact" and line:
            say("compaction")
            say("compactSummary")
        if line:
            turns.append((talk.tip, list(line)))
        if draw(st.booleans()) and line:
            say(draw(st.sampled_from(["system", "attachment", "meta", "command"])))
        say("prompt")
        for _ in range(draw(st.integers(0, 2))):
            calls = []
            for _ in range(draw(st.integers(1, 3))):
                say("toolCall")
                calls.append(line[-1])
            for call in draw(st.permutations(calls)):
                say("toolResult", call)
        say("assistant")
    return talk, lines


@given(conversations())
def test_the_path_of_a_branch_is_what_was_said_until_its_end(made: tuple[Talk, dict[str, list[str]]]) -> None:
    talk, lines = made
    found = talk.found
    ends = {number: talk.steps[branch.last].uuid for number, branch in enumerate(found.items)}
    for number, end in ends.items():
        assert end is not None
        assert talk.path(number) == lines[end]
    assert found.current == found.of[-1]


records = st.builds(
    Step,
    st.none() | st.integers(0, 30).map(str),
    st.none() | st.integers(0, 35).map(str),
    st.integers(0, len(KINDS) - 1),
    st.booleans(),
)


def _once(steps: list[Step]) -> list[Step]:
    """With each record once, and all its entries side by side."""
    seen: set[str] = set()
    kept: list[Step] = []
    for step in steps:
        if step.uuid is None or step.uuid not in seen or step.uuid == kept[-1].uuid:
            kept.append(step)
            seen.add(step.uuid or "")
    return kept


@given(st.lists(records, max_size=40).map(_once))
def test_branches_hold_each_entry_once_whatever_the_records(steps: list[Step]) -> None:
    check(steps, derive(steps))


def check(steps: Any, found: Branches) -> None:
    assert len(found.of) == len(steps)
    assert (found.current is None) == (not steps)
    for number, branch in enumerate(found.items):
        own = [index for index, other in enumerate(found.of) if other == number]
        assert (branch.first, branch.last, branch.entries) == (own[0], own[-1], len(own))
        path = [index for part in found.path(number) for index in part]
        assert path == sorted(set(path))
        assert len(path) == branch.before + branch.entries
        assert path[-1] == branch.last
        assert set(own) <= set(path)
        if branch.at is None:
            assert branch.parent is None
        else:
            assert branch.parent == found.of[branch.at]
            assert branch.at < branch.first
            assert path[branch.before - 1] == branch.at
    _ancestors_lead(steps, found)


def _ancestors_lead(steps: Any, found: Branches) -> None:
    """What a record says that it follows is on the path to it, unless that stands behind it or is of another agent."""
    first = {step.uuid: index for index, step in reversed(list(enumerate(steps))) if step.uuid is not None}
    paths = [{index for part in found.path(number) for index in part} for number in range(len(found.items))]
    for index, step in enumerate(steps):
        own = first.get(step.uuid)
        parent = first.get(steps[own].parent) if own is not None else None
        if own is not None and parent is not None and parent < own and steps[parent].sidechain == steps[own].sidechain:
            assert parent in paths[found.of[index]]


@pytest.mark.corpus
@pytest.mark.skipif("CCDASH_CORPUS" not in os.environ, reason="CCDASH_CORPUS names no folder of real logs")
def test_branches_of_real_logs() -> None:
    rewinds = {}
    for path in sorted(Path(os.environ["CCDASH_CORPUS"], "sessions").rglob("*.jsonl")):
        entries = Read(path.read_bytes(), own_id=None).entries
        found = derive(entries)
        check(entries, found)
        rewinds[path.name] = [branch for branch in found.items if branch.kind == "rewind"]
    (fork,) = rewinds["claude_forked_session.jsonl"]
    assert fork.joined
    assert fork.parent == 0
    assert sum(map(len, rewinds.values())) < len(rewinds) / 10, "what runs at the same time is not taken for branches"
