"""Where in the text at hand tasks, phases and statuses stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdashd.lsp import plan_places
from ccdashd.lsp.plan_places import Readings, plan_at, read
from tests.lsp.desk import Desk
from tests.lsp.real import paths
from tests.store.plans import cache
from tests.store.shop import FILES, PHASE_1, PHASE_2, PLAN, PRD, QUICK

PROGRESS = ".claude/progress/x/phase-1-progress.md"

FORMS = """---
status: pending
tasks:
  - id: T1
    title: "Naïve 🎉: first"

    # of what is left
    state: done

  - {id: T2, status: todo}
  - title: nameless

notes: none
---
# Text
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with cache() as connection:
        desk = Desk(connection, tmp_path)
        desk.add()
        yield desk


def test_tasks_of_a_list_end_where_they_say_the_last_thing() -> None:
    tasks = read(PROGRESS, FORMS).tasks
    assert [(at.task.key, at.first, at.last, at.status) for at in tasks] == [
        ("T1", 3, 7, 7),
        ("T2", 9, 9, 9),
        ("@1", 10, 10, 10),
    ]


def test_tasks_of_a_mapping() -> None:
    text = "---\ntasks:\n  T1:\n    title: A\n    status: done\n  T2: pending\n---\n"
    assert [(at.task.key, at.first, at.last, at.status) for at in read(PROGRESS, text).tasks] == [
        ("T1", 2, 4, 4),
        ("T2", 5, 5, 5),
    ]


def test_boxes_are_lines() -> None:
    reading = read(QUICK, FILES[QUICK])
    assert [(at.first, at.last, at.status) for at in reading.tasks] == [(8, 8, 8), (9, 9, 9), (10, 10, 10)]
    assert reading.status_line == 2
    assert [at.task.title for line in range(12) if (at := reading.task_at(line))] == ["Open it", "Find the key", "Count it"]


def test_a_task_behind_an_alias_is_where_it_begins() -> None:
    text = "---\none: &one\n  id: T1\n  status: done\ntasks:\n- *one\n- {<<: *one, id: T2}\n---\n"
    for at in read(PROGRESS, text).tasks:
        assert at.first <= at.status <= at.last


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_places_count_utf_16_units_and_no_line_ends(ending: str) -> None:
    reading = read(PROGRESS, FORMS.replace("\n", ending))
    whole, found = reading.range_of(4), reading.range_in(4, "first")
    # The party popper is one character of two units.
    assert (whole.start.character, whole.end.character) == (4, 28)
    assert (found.start.character, found.end.character) == (22, 27)
    assert reading.range_in(4, "last") == whole
    assert reading.range_of(10**6).start.line == len(FORMS.split("\n")) - 1


def test_half_a_character_is_read_over() -> None:
    reading = read(PROGRESS, "---\ntitle: \ud83d\nstatus: done\n---\n")
    assert reading.document.status == "done"


def test_bytes_that_are_no_text_stay_as_they_are(desk: Desk) -> None:
    data = FILES[PHASE_2].encode() + b"\xff\xfe\n"
    (desk.root / PHASE_2).write_bytes(data)
    assert desk.plan(PHASE_2).reading.data == data


def test_the_buffer_is_ahead_of_the_cache(desk: Desk) -> None:
    text = FILES[PHASE_1].replace("tasks:\n", "tasks:\n  - {id: T1-000, title: Before, status: review}\n")
    before = [lens.range.start.line for lens in desk.lenses(PHASE_1)]
    desk.open(PHASE_1, text)
    after = desk.lenses(PHASE_1)
    assert [lens.range.start.line for lens in after] == [*before[:2], 10, *(line + 1 for line in before[2:])]
    assert after[2].command.title == "review"


def test_phases_are_at_their_status_or_at_what_announces_them(desk: Desk) -> None:
    assert [(told.phase, line) for told, line in desk.plan(PHASE_1).phases()] == [("1", 5)]
    assert [(told.phase, line) for told, line in desk.plan(PLAN).phases()] == [("3", 14)]
    desk.open(PLAN, FILES[PLAN].replace("# Checkout Plan\n", "# Checkout Plan\n\nNew.\n"))
    assert [(told.phase, line) for told, line in desk.plan(PLAN).phases()] == [("3", 16)]
    desk.open(PLAN, FILES[PLAN].replace("## Phase 3: Refund\n", ""))
    assert list(desk.plan(PLAN).phases()) == []


def test_of_what_a_status_is(desk: Desk) -> None:
    assert desk.plan(PRD).status_of() == ("feature", "shop-000001/checkout")
    assert desk.plan(PLAN).status_of() == ("document", f"shop-000001/{PLAN}")
    assert desk.plan(PHASE_1).status_of()[0] == "phase"


def test_what_is_no_planning_file(desk: Desk) -> None:
    (desk.root / "src").mkdir()
    (desk.root / "src/till.md").write_text("# Not known\n")
    for uri in (
        desk.uri("src/till.md"),
        desk.uri("../outside.md"),
        "file:///nowhere.md",
        "untitled:Untitled-1",
        "git:/x.md",
        "file://[",
    ):
        assert plan_at(desk.connection, desk.editor, uri) is None
    (desk.root / PRD).unlink()
    assert plan_at(desk.connection, desk.editor, desk.uri(PRD)) is None


def test_a_link_out_of_the_project_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.md"
    outside.write_text(FILES[PRD])
    (desk.root / PRD).unlink()
    (desk.root / PRD).symlink_to(outside)
    assert plan_at(desk.connection, desk.editor, desk.uri(PRD)) is None


def test_a_file_that_is_not_saved_yet(desk: Desk) -> None:
    desk.open("docs/new.md", "---\ntasks:\n- {id: N1, status: pending}\n---\n")
    plan = desk.plan("docs/new.md")
    assert plan.version == 1
    assert plan.task_id(plan.reading.tasks[0].task) == "shop-000001/docs/new.md#N1"


def test_a_text_is_read_once_unless_others_came_since(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Readings().of
    first = read(PROGRESS, FORMS)
    assert read(PROGRESS, FORMS[:10] + FORMS[10:]) is first
    assert read(QUICK, FORMS) is not first
    monkeypatch.setattr(plan_places, "KEPT", 3 * len(FORMS))
    assert read(PROGRESS, FORMS) is first
    read(PROGRESS, FORMS + "x")
    assert read(PROGRESS, FORMS) is first
    for n in range(3):
        read(PROGRESS, f"{FORMS}{n}")
    assert read(PROGRESS, FORMS) is not first


@pytest.mark.corpus
def test_tasks_of_a_real_project_stand_one_after_the_other(real: Desk) -> None:
    number = 0
    for path in paths(real.root):
        reading = real.plan(path).reading
        number += len(reading.tasks)
        for at in reading.tasks:
            assert 0 <= at.first <= at.status <= at.last < len(reading.lines)
            assert reading.lines[at.last].strip()
            assert at.task.task_id in "\n".join(reading.lines[at.first : at.last + 1])
        for one, other in zip(reading.tasks, reading.tasks[1:], strict=False):
            assert one.last < other.first, path
    assert number > 3000
