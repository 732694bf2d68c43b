"""How far plans are now, by what their files say, and were, by what the journal says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from msgspec import DecodeError

from ccdashd.derive.progress_days import Figures
from ccdashd.edits.decisions import DayEdit, decode, encode
from ccdashd.edits.seal import seal
from ccdashd.sources.planning.model import STATUSES, Document, Status
from ccdashd.store import progress_days
from ccdashd.store.progress_days import Completed
from ccdashd.store.projects import project_id
from tests.store.plans import PROJECT, cache, document, file, write

SHOP = "/home/me/shop"
ID = project_id(SHOP)
DAY = date(2026, 3, 4)


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    with cache() as connection:
        yield connection


def counts(**numbers: int) -> tuple[int, ...]:
    return tuple(numbers.get(status, 0) for status in STATUSES)


def progress(slug: str, status: Status, *tasks: Status, completed: str = "", own: str = "") -> Document:
    """A progress file of a feature, completed on a day, whose first task was on one of its own."""
    made = document(f".claude/progress/{slug}/all-phases-progress.md", "progress", status, tasks=tasks, prd=slug)
    made.completed = completed
    if own:
        made.tasks[0].completed = own
    return made


def test_what_files_say_now(connection: sa.Connection) -> None:
    assert progress_days.current(connection) == {}
    first = progress("till", "done", "done", "done", "deferred", completed="2026-02-03", own="2026-01-31T23:30:00+01:00")
    second = progress("stock", "in_progress", "done", "todo", "todo", completed="2026-02-03")
    loose = document("notes/list.md", "document", None, tasks=["done"])
    write(connection, [file(first), file(second), file(loose)])
    (found,) = progress_days.current(connection).items()
    assert found == (
        PROJECT,
        # A file that is not done says nothing of when its tasks were.
        Figures(counts(done=4, todo=2, deferred=1), undated=2, features=2, features_done=1, progress=0.666667),
    )
    till, stock = f"{PROJECT}/till", f"{PROJECT}/stock"
    assert set(progress_days.completed(connection, [PROJECT])) == {
        Completed(PROJECT, till, "2026-01-31T22:30:00Z", 1),
        Completed(PROJECT, till, "2026-02-03", 1),
    }
    assert progress_days.completed(connection, [ID]) == []
    assert progress_days.by_feature(connection, [PROJECT]) == {
        (PROJECT, till): Figures(counts(done=2, deferred=1), 0, 1, 1, 1.0),
        (PROJECT, stock): Figures(counts(done=1, todo=2), 1, 1, 0, pytest.approx(1 / 3)),
        (PROJECT, ""): Figures(counts(done=1), 1),
    }
    first.tasks[1].status = "todo"
    write(connection, [file(first, 2)])
    assert [row.at for row in progress_days.completed(connection, [PROJECT])] == ["2026-01-31T22:30:00Z"]


def test_the_last_line_of_a_day_counts(connection: sa.Connection) -> None:
    first = Figures(counts(todo=3, done=1), 1, 2, 0, 0.25)
    later = Figures(counts(done=4), 1, 2, 2, 1.0)
    for figures in (later, first):
        progress_days.store(connection, [progress_days.edit_of(SHOP, DAY, figures)])
    next_day = DAY + timedelta(3)
    progress_days.store(connection, [progress_days.edit_of(SHOP, next_day, later)])
    assert progress_days.days(connection, [ID, "other"]) == {ID: [(DAY, first), (next_day, later)]}
    known = [progress_days.last(connection, ID, DAY + timedelta(n)) for n in (-1, 0, 1, 3, 9)]
    assert known == [None, first, first, later, later]
    assert progress_days.last(connection, "other", DAY) is None
    progress_days.forget(connection)
    assert progress_days.days(connection, [ID]) == {}


def test_a_line_of_a_newer_version_counts_what_is_known_of_it(connection: sa.Connection) -> None:
    line = (
        b'{"type":"day","root":"~/shop","day":"2026-03-04","tasks":{"done":1,"parked":2,"unknown":3},"features":1,"x":1}\n'
    )
    edit = decode(line, "/home/me")
    assert isinstance(edit, DayEdit)
    progress_days.store(connection, [edit])
    assert progress_days.last(connection, ID, DAY) == Figures(counts(done=1, unknown=5), 0, 1)


@pytest.mark.parametrize(
    "fields",
    [
        '"day":"2026-02-30"',
        '"day":"today"',
        '"day":"2026-03-04","progress":1.5',
        '"day":"2026-03-04","undated":-1',
        '"day":"2026-03-04","tasks":{"done":99999999999999999999}',
    ],
)
def test_a_line_that_cannot_be_is_left_out(fields: str) -> None:
    with pytest.raises(DecodeError):
        decode(f'{{"type":"day","root":"/a",{fields}}}'.encode(), "/home/me")


def test_a_line_says_no_more_than_it_must() -> None:
    edit = progress_days.edit_of(SHOP, DAY, Figures(counts(done=1), 0, 1, 0, 1.0))
    assert encode(edit, "/home/me") == seal(
        b'{"type":"day","root":"~/shop","day":"2026-03-04","tasks":{"done":1},"features":1,"progress":1.0}\n'
    )


def test_old_days_are_left_out_project_by_project(connection: sa.Connection) -> None:
    figures = Figures(counts(done=1))
    old = [date(2024, 3, 4) + timedelta(n) for n in range(7)]  # Monday to Sunday
    progress_days.store(connection, [progress_days.edit_of(root, day, figures) for root in (SHOP, "/b") for day in old])
    progress_days.store(connection, [progress_days.edit_of(SHOP, DAY, figures)])
    held = progress_days.days(connection, [ID, project_id("/b")])
    assert {id: [day for day, _ in rows] for id, rows in held.items()} == {ID: [old[-1], DAY], project_id("/b"): old}
