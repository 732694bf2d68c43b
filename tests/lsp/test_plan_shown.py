"""Lenses, hints, hovers and links of planning files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdashd.lsp import plan_lenses
from tests.lsp.desk import PROJECT, Desk, capable
from tests.lsp.real import paths
from tests.store.plans import cache
from tests.store.shop import FILES, PHASE_1, PHASE_2, PLAN, PRD

PLENTY = ".claude/progress/checkout/plenty-progress.md"
SESSION = "0c0ffee0-1111-4222-8333-444455556666"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with cache() as connection:
        desk = Desk(connection, tmp_path / "shop")
        desk.add()
        yield desk


# --- lenses ---


def test_a_lens_on_top_of_each_phase_and_of_each_task(desk: Desk) -> None:
    lenses = [(lens.range.start.line, lens.command.title) for lens in desk.lenses(PHASE_1)]
    assert lenses == [
        (0, "Checkout · in progress · 1 of 4 tasks · 1 blocker"),
        (5, "Phase 1: Count · done · 1 of 2 tasks"),
        (10, "done"),
        (18, "todo"),
    ]
    top, phase, *_ = desk.lenses(PHASE_1)
    assert (top.command.command, top.command.arguments) == ("ccdash.showFeature", ({"id": f"{PROJECT}/checkout"},))
    assert phase.command.command == ""


def test_a_plan_has_lenses_of_the_phases_that_it_announces(desk: Desk) -> None:
    assert [lens.command.title for lens in desk.lenses(PLAN)][1:] == ["Phase 3: Refund · todo"]


def test_a_file_that_cannot_be_read_as_yaml_has_its_lenses(desk: Desk) -> None:
    desk.open(PHASE_1, FILES[PHASE_1].replace("title: Count the coins", "title: `Count` the: coins"))
    assert [lens.range.start.line for lens in desk.lenses(PHASE_1)] == [0, 5, 10, 18]


def test_thousands_of_tasks_have_a_bounded_number_of_lenses(desk: Desk) -> None:
    boxes = "".join(f"- [ ] T{n}: more\n" for n in range(5_000))
    desk.open(PLENTY, f"---\ntype: progress\n---\n# Plenty\n\n{boxes}")
    lenses = desk.lenses(PLENTY)
    assert [lens.range.start.line for lens in lenses] == list(range(5, 5 + plan_lenses.MOST))
    assert len(desk.hints(PLENTY)) == 0


def test_files_elsewhere_have_nothing(desk: Desk) -> None:
    (desk.root.parent / "x.md").write_text(FILES[PRD])
    for path in ("../x.md", "docs/not-there.md", "../../etc/passwd"):
        assert desk.lenses(path) == desk.hints(path) == desk.links(path) == desk.actions(path, 0) == []
        assert desk.hover(path, 0) is None


# --- hints ---


def test_hints_tell_what_words_mean(desk: Desk) -> None:
    hints = [(hint.position.line, hint.position.character, hint.label) for hint in desk.hints(PHASE_1)]
    assert hints == [(5, 17, "done"), (13, 21, "done"), (20, 19, "todo")]
    assert desk.hints(PRD) == []  # `in-progress` is how it is written


def test_hints_of_a_part_of_a_file(desk: Desk) -> None:
    assert [hint.position.line for hint in desk.hints(PHASE_1, 6, 13)] == [13]


def test_a_hint_stands_behind_all_that_the_line_says(desk: Desk) -> None:
    desk.open(PHASE_1, FILES[PHASE_1].replace("status: pending\n", "status: pending  # 🎉 soon  \r\n"))
    (hint,) = desk.hints(PHASE_1, 20, 20)
    assert hint.position.character == len("    status: pending  # ") + 2 + len(" soon")


# --- hovers ---


def said(desk: Desk, path: str, line: int, character: int = 0) -> str:
    found = desk.hover(path, line, character)
    return "" if found is None else str(found.contents.value)


def test_a_task_tells_its_status_what_it_waits_for_and_what_holds_it_up(desk: Desk) -> None:
    text = said(desk, PHASE_2, 8)
    where = desk.uri(PHASE_2)
    assert text.split("\n\n") == [
        "**T2-001** · Pay",
        f"blocked · [phase-2-progress.md:7]({where}#L7)",
        "high",
        "Waits for:",
        "- T1-002 · todo",
        "Held up by:",
        f"- [No card reader]({where}#L17)",
    ]


def test_a_feature_tells_what_its_documents_say(desk: Desk) -> None:
    text = said(desk, PRD, 3)
    assert text.startswith("**Checkout** · in progress · 1 of 4 tasks\n")
    assert f"[phase-1-progress.md:6]({desk.uri(PHASE_1)}#L6): completed · done" in text
    assert "No card reader" in text
    assert said(desk, PRD, 20) == ""


def test_a_phase_tells_its_contradictions(desk: Desk) -> None:
    text = said(desk, PHASE_1, 5)
    assert text.startswith("**Phase 1: Count** · 1 of 2 tasks\n")
    assert "completed\\_tasks is 2, but 1 of 2 are done" in text


def test_names_come_before_what_they_stand_in(desk: Desk) -> None:
    assert said(desk, PHASE_2, 10, 21).startswith("**T1-002** · Count the notes")
    assert said(desk, PHASE_1, 22, 20).startswith("**T1-001** · Count the coins")
    assert said(desk, PLAN, 5, 20).startswith("**PRD: Checkout** · prd · in progress")


def test_text_of_files_is_no_markdown(desk: Desk) -> None:
    title = "[x](command:ccdash.blame) <b>*now*</b> `rm` & ![i](http://x/y.png)"
    desk.open(PHASE_1, FILES[PHASE_1].replace("title: Count the coins", f"title: '{title}'"))
    text = said(desk, PHASE_1, 11)
    assert "\\[x\\](command:ccdash.blame) \\<b\\>\\*now\\*\\</b\\> \\`rm\\` \\& \\!\\[i\\](http://x/y.png)" in text
    capable(desk, markdown=False)
    plain = desk.hover(PHASE_1, 11).contents
    assert plain.kind == "plaintext"
    assert title in plain.value
    assert "**" not in plain.value


# --- links ---


def links(desk: Desk, path: str) -> list[tuple[int, str, str]]:
    """Line, text and target, relative to the project."""
    lines = desk.plan(path).reading.lines
    root = desk.uri("")
    found = []
    for link in desk.links(path):
        start, end = link.range.start, link.range.end
        assert start.line == end.line
        text = lines[start.line].encode("utf-16-le")[2 * start.character : 2 * end.character].decode("utf-16-le")
        found.append((start.line, text, (link.target or "").removeprefix(f"{root}/")))
    return found


def test_links_lead_to_documents_and_tasks(desk: Desk) -> None:
    assert links(desk, PRD) == [(10, PLAN, PLAN)]
    assert links(desk, PHASE_2) == [(10, "T1-002", f"{PHASE_1}#L19"), (18, "T2-001", f"{PHASE_2}#L7")]


def test_links_in_the_text(desk: Desk) -> None:
    (desk.root / "src").mkdir()
    (desk.root / "src/till.py").write_text("pay\n")
    (desk.root / "docs/a-b.md").write_text("#\n")
    text = """# 🎉 Notes

See `src/till.py:12`, 🎉 src/till.py#L3 and (src/till.py).
Not src/gone.py, https://example.org/src/till.py, /etc/passwd or ~/src/till.py.
A [link](a-b.md) and docs/a-b.md.
"""
    desk.open("docs/notes.md", text)
    till = "src/till.py"
    assert links(desk, "docs/notes.md") == [
        (2, "src/till.py:12", f"{till}#L12"),
        (2, "src/till.py#L3", f"{till}#L3"),
        (2, "src/till.py", till),
        (4, "a-b.md", "docs/a-b.md"),
        (4, "docs/a-b.md", "docs/a-b.md"),
    ]


def test_links_never_lead_out_of_the_project(desk: Desk) -> None:
    (desk.root.parent / "secret.md").write_text("#\n")
    (desk.root / "docs/out.md").symlink_to(desk.root.parent / "secret.md")
    (desk.root / "docs/folder").mkdir()
    text = "[a](../../secret.md) [b](out.md) `docs/out.md` ../secret.md [c](folder) [d](%2e%2e/%2e%2e/secret.md) docs/\n"
    desk.open("docs/notes.md", text)
    assert links(desk, "docs/notes.md") == []


def test_sessions_that_are_not_known_are_no_links(desk: Desk) -> None:
    desk.open("docs/notes.md", f"Done in {SESSION}.\n")
    assert links(desk, "docs/notes.md") == []


def test_a_task_that_two_files_have_is_that_of_this_one_or_none(desk: Desk) -> None:
    desk.open(PHASE_2, FILES[PHASE_2].replace("# Phase 2", "After T1-001."))
    assert (21, "T1-001", f"{PHASE_2}#L12") in links(desk, PHASE_2)
    desk.open(PLAN, FILES[PLAN] + "\nAfter T1-001 comes T1-002.\n")
    assert [text for _, text, _ in links(desk, PLAN)] == [PRD, "T1-002"]


# --- real files ---


@pytest.mark.corpus
def test_all_that_is_shown_of_a_real_project_is_of_the_protocol(real: Desk) -> None:
    lenses = links = hovers = 0
    for path in paths(real.root)[::12]:
        shown = real.lenses(path)
        assert shown == sorted(shown, key=lambda lens: lens.range.start.line)
        lenses += len(shown)
        for target in (link.target for link in real.links(path)):
            assert Path(target.removeprefix("file://").partition("#")[0]).is_relative_to(real.root)
            links += 1
        for line in range(0, min(len(real.plan(path).reading.lines), 60), 7):
            hovers += real.hover(path, line, 8) is not None
    assert min(lenses, links, hovers) > 200
