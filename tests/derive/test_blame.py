"""Blame: replay of recorded edits, and what is left of them in a file that people changed as well."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.alignment import NOBODY, Line, in_order
from ccdashd.derive.blame import Block, blame, blocks, replayed
from ccdashd.sources.edits import Edit, Replacement


def origins(edits: list[Edit], now: str) -> list[int]:
    return [line.origin for line in blame(edits, now)]


def write(text: str) -> Edit:
    return Edit(text)


def edit(old: str, new: str, all: bool = False) -> Edit:
    return Edit(None, (Replacement(old, new, all),))


BODY = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n"


def test_a_file_that_was_written_is_of_its_writer() -> None:
    assert blame([write(BODY)], BODY) == [Line(0)] * 5


def test_an_edit_takes_the_lines_that_it_changed_and_no_other() -> None:
    changed = edit("    result = 0\n    for", "    result = 1\n    for")
    now = BODY.replace("result = 0", "result = 1")
    assert origins([write(BODY), changed], now) == [0, 1, 0, 0, 0]
    assert replayed([write(BODY), changed]) == now


def test_every_occurrence_where_all_are_meant() -> None:
    renamed = edit("result", "total", all=True)
    assert origins([write(BODY), renamed], BODY.replace("result", "total")) == [0, 1, 0, 1, 1]


def test_a_file_written_anew_keeps_the_lines_that_stay() -> None:
    assert origins([write("a = 1\nb = 2\nc = 3\n"), write("a = 1\nb = 5\nc = 3\n")], "a = 1\nb = 5\nc = 3\n") == [0, 1, 0]


def test_what_was_there_before_is_of_nobody() -> None:
    before = "import os\n"
    first = Edit("import os\nimport sys\n", before=lambda: before)
    assert origins([first], "import os\nimport sys\n") == [NOBODY, 0]


def test_lines_of_people_are_of_nobody() -> None:
    now = BODY.replace("    for", "    # summed by hand\n    for")
    assert origins([write(BODY)], now) == [0, 0, NOBODY, 0, 0, 0]


def test_an_edit_without_the_file_is_found_by_its_lines() -> None:
    lone = edit("    for item in items:", "    for position, item in enumerate(items):\n        check(position)")
    now = BODY.replace("    for item in items:", "    for position, item in enumerate(items):\n        check(position)")
    assert origins([lone], now) == [NOBODY, NOBODY, 0, 0, NOBODY, NOBODY]
    assert replayed([lone]) is None


def test_context_of_a_lone_edit_is_of_nobody() -> None:
    lone = edit("alpha = 1\nomega = 2", "alpha = 1\nmiddle = 3\nomega = 2")
    assert origins([lone], "alpha = 1\nmiddle = 3\nomega = 2\n") == [NOBODY, 0, NOBODY]


def test_a_later_edit_changes_an_earlier_fragment() -> None:
    first = edit("x", "first = compute(1)\nsecond = compute(2)")
    second = edit("second = compute(2)", "second = compute(20)")
    assert origins([first, second], "first = compute(1)\nsecond = compute(20)\n") == [0, 1]


def test_the_record_of_the_file_is_asked_for_only_where_an_edit_does_not_fit() -> None:
    def unneeded() -> str:
        raise AssertionError("asked for")

    fits = Edit(None, (Replacement("result = 0", "result = 1"),), unneeded)
    assert origins([write(BODY), fits], BODY.replace("result = 0", "result = 1")) == [0, 1, 0, 0, 0]
    by_hand = BODY.replace("items", "numbers")
    misfit = Edit(None, (Replacement("in numbers:", "in sorted(numbers):"),), lambda: by_hand)
    now = by_hand.replace("in numbers:", "in sorted(numbers):")
    found = blame([write(BODY), misfit], now)
    assert [line.origin for line in found] == [0, 0, 1, 0, 0]
    assert found[0].fit == "changed"


def test_replacements_of_one_edit_are_carried_out_together() -> None:
    several = Edit(None, (Replacement("result = 0", "result = 1"), Replacement("not there", "x")), lambda: BODY)
    now = BODY.replace("result = 0", "result = 1")
    assert origins([write(BODY), several], now) == [0, 1, 0, 0, 0]


def test_moved_and_indented_and_changed_lines_stay_whose_they_are() -> None:
    text = "first_step()\nsecond_step()\nthird_step()\nfourth_step()\nfifth_step()\n"
    moved = "fourth_step()\nfifth_step()\nfirst_step()\nsecond_step()\nthird_step()\n"
    assert {line.origin for line in blame([write(text)], moved)} == {0}
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    assert blame([write(text)], indented) == [Line(0, "indented")] * 5
    changed = text.replace("third_step()", "third_step(now)")
    assert blame([write(text)], changed)[2] == Line(0, "changed")


def test_a_changed_line_that_holds_a_whole_file_is_compared_in_no_time() -> None:
    words = ",".join(map(str, range(100_000)))
    now = f"{words[:1000]}:{words[1000:]}\nend\n"
    assert blame([Edit(content=f"{words}\nend\n")], now) == [Line(0, "changed"), Line(0)]
    assert blame([Edit(content=f"{words}\nend\n")], f"{words[:1000]}{'x' * len(words)}\nend\n")[0].origin == NOBODY


def test_blocks_join_lines_of_one_edit() -> None:
    lines = [Line(0), Line(0, "moved"), Line(NOBODY), Line(1), Line(0)]
    assert list(blocks(lines)) == [Block(0, 2, 0, "moved"), Block(3, 4, 1, "same"), Block(4, 5, 0, "same")]
    assert list(blocks([])) == []


def test_empty_files_and_missing_newlines() -> None:
    assert blame([], "") == []
    assert blame([write("")], "") == []
    assert origins([write("a = 1")], "a = 1") == [0]
    assert origins([write("a = 1\n")], "a = 1") == [0]
    assert origins([edit("", "")], "a = 1\n") == [NOBODY]


@given(st.lists(st.sampled_from("abc{}")), st.lists(st.sampled_from("abc{}")))
def test_pairs_in_order_are_equal_and_in_order(old: list[str], new: list[str]) -> None:
    pairs = list(in_order(old, new))
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(pairs))


@given(st.lists(st.sampled_from("abc{}")))
def test_a_text_is_itself(text: list[str]) -> None:
    assert list(in_order(text, text)) == [(i, i) for i in range(len(text))]


@dataclass
class _World:
    """A file with the truth about each of its lines, and the edits that agents recorded."""

    lines: list[str] = field(default_factory=list)
    truth: list[int] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    made: int = 0

    def line(self) -> str:
        self.made += 1
        # So far from every other line that none is taken for a changed form of another.
        return f"{'    ' * (self.made % 3)}{chr(0x4E00 + self.made) * 6}{self.made:04d}"

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


Step = tuple[str, int, int, int]


def _agent(world: _World, kind: str, at: int, removed: int, added: int, known: Callable[[str], str | None]) -> None:
    number = len(world.edits)
    before = world.text
    if kind == "write" or not world.lines:
        kept = world.lines[:at]
        new = [world.line() for _ in range(added + 1)]
        truth = world.truth[:at]
        world.lines, world.truth = kept + new, truth + [number] * len(new)
        world.edits.append(Edit(world.text, before=lambda: known(before)))
        return
    old = world.lines[at : at + removed + 1]
    new = [world.line() for _ in range(added)]
    world.lines[at : at + len(old)] = new
    world.truth[at : at + len(old)] = [number] * len(new)
    pieces = Replacement("".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new))
    world.edits.append(Edit(None, (pieces,), lambda: known(before)))


def _person(world: _World, kind: str, at: int, removed: int, added: int) -> None:
    if kind == "insert":
        world.lines[at:at] = [world.line() for _ in range(added)]
        world.truth[at:at] = [NOBODY] * added
    elif kind == "delete":
        del world.lines[at : at + removed]
        del world.truth[at : at + removed]
    elif kind == "indent":
        for n in range(at, min(at + removed, len(world.lines))):
            world.lines[n] = "  " + world.lines[n]
    else:
        lines, truth = world.lines[at : at + removed], world.truth[at : at + removed]
        del world.lines[at : at + removed]
        del world.truth[at : at + removed]
        place = added % (len(world.lines) + 1)
        world.lines[place:place] = lines
        world.truth[place:place] = truth


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "write", "insert", "delete", "indent", "move"]),
        st.integers(0, 30),
        st.integers(0, 4),
        st.integers(0, 5),
    ),
    max_size=25,
)


def _run(start: int, steps: list[Step], known: Callable[[str], str | None]) -> _World:
    world = _World()
    world.lines = [world.line() for _ in range(start)]
    world.truth = [NOBODY] * start
    for kind, at, removed, added in steps:
        at = at % (len(world.lines) + 1)
        if kind in ("edit", "write"):
            _agent(world, kind, at if kind == "write" else at % (len(world.lines) or 1), removed, added, known)
        else:
            _person(world, kind, at, removed, added)
    return world


@given(st.integers(0, 12), _STEPS)
def test_every_line_is_of_who_wrote_it_where_records_hold_the_file(start: int, steps: list[Step]) -> None:
    world = _run(start, steps, lambda before: before)
    assert origins(world.edits, world.text) == world.truth


@given(st.integers(0, 12), _STEPS)
def test_no_line_is_of_another_where_they_do_not(start: int, steps: list[Step]) -> None:
    """What others did before an agent wrote the file whole may then be taken for the agent's, and nothing else."""
    world = _run(start, steps, lambda before: None)
    for found, truth in zip(origins(world.edits, world.text), world.truth, strict=True):
        assert found == truth or (found > truth and world.edits[found].content is not None)
