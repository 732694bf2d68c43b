"""Tasks done, completion and progress over time, by project and feature."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.analytics.progress import Part, Plans, value
from ccdashd.derive.periods import ALL, Range, midnight
from ccdashd.derive.progress_days import Figures
from ccdashd.edits.decisions import DayEdit
from ccdashd.sources.planning.model import Document, Status
from ccdashd.store import progress_days
from ccdashd.store.connection import raw_connection
from ccdashd.store.projects import project_id
from tests.store import plans
from tests.store.plans import PROJECT, document, file, write

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 4, 10)
OTHER = project_id("/other")
TILL, STOCK = f"{PROJECT}/till", f"{PROJECT}/stock"


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    with plans.cache() as connection:
        yield connection


def day(number: int, until: int | None = None) -> Range:
    """A day of April 2026, or all until another one."""
    first, last = date(2026, 4, number), date(2026, 4, until or number)
    return Range(midnight(first, ZONE), midnight(last + timedelta(1), ZONE))


def noted(connection: sa.Connection, number: int, project: str = PROJECT, undated: int = 0, **tasks: int) -> None:
    """What the journal says of a day of April 2026."""
    progress_days.store(connection, [DayEdit(root="/x", day=date(2026, 4, number), tasks=tasks, undated=undated)])
    moved = "UPDATE OR REPLACE progress_days SET project_id = ? WHERE project_id = ?"
    connection.exec_driver_sql(moved, (project, project_id("/x")))


def file_of(slug: str, *tasks: tuple[Status, str]) -> Document:
    """A progress file, or one of no feature, with tasks of a status, completed when."""
    path = f".claude/progress/{slug}/all-phases-progress.md" if slug else "notes.md"
    made = document(path, "progress" if slug else "document", tasks=[status for status, _ in tasks], prd=slug)
    for task, (_, completed) in zip(made.tasks, tasks, strict=True):
        task.completed = completed
    return made


def read(connection: sa.Connection, *projects: str) -> Plans:
    return Plans(connection, projects or (PROJECT, OTHER), ZONE, TODAY)


def done(part: Part, range: Range) -> int:
    found = value("tasksDone", [part], range)
    assert isinstance(found, int)
    return found


def test_nothing_is_known_without_plans(connection: sa.Connection) -> None:
    found = read(connection)
    assert (found.projects, found.features) == ({}, {})
    assert value("tasksDone", [], ALL) == 0
    assert value("taskCompletion", [], ALL) is value("featureProgress", [], ALL) is None


def test_tasks_count_when_their_files_say(connection: sa.Connection) -> None:
    # In Berlin it was the day after.
    file_of_till = file_of("till", ("done", "2026-04-02T22:30:00Z"), ("done", "2026-04-03"), ("done", ""), ("todo", ""))
    write(connection, [file(file_of_till), file(file_of("stock", ("done", "2026-04-10"), ("done", "2026-04-11")))])
    found = read(connection)
    (part,) = found.projects.values()
    assert [done(part, day(n)) for n in (2, 3, 4, 10, 11)] == [0, 2, 0, 1, 0]
    # The one without a date, and the one of tomorrow.
    assert (part.undated, done(part, ALL)) == (2, 5)
    assert [done(found.features[id], ALL) for id in (TILL, STOCK, "")] == [3, 2, 0]
    assert [done(found.features[id], day(3)) for id in (TILL, STOCK, "")] == [2, 0, 0]


def test_tasks_without_a_date_count_on_the_day_that_they_were_noted(connection: sa.Connection) -> None:
    for number, undated in ((2, 4), (4, 6), (7, 7)):
        noted(connection, number, undated=undated, done=undated, todo=3)
    write(connection, [file(file_of("till", *[("done", "")] * 9))])
    (part,) = read(connection).projects.values()
    assert [done(part, day(n)) for n in range(1, 11)] == [0, 0, 0, 2, 0, 0, 1, 0, 0, 2]
    assert (part.undated, done(part, ALL)) == (4, 9)
    assert done(read(connection).features[""], day(4, 7)) == 3


def test_plans_that_go_and_come_back_count_once(connection: sa.Connection) -> None:
    for number, undated in ((2, 10), (3, 12), (4, 0), (5, 12), (6, 13), (7, 1)):
        noted(connection, number, undated=undated, done=undated)
    (part,) = read(connection).projects.values()
    assert [done(part, day(n)) for n in range(2, 8)] == [0, 2, 0, 0, 1, 0]


def test_a_date_that_is_written_later_counts_once(connection: sa.Connection) -> None:
    noted(connection, 2, undated=0, todo=2)
    noted(connection, 3, undated=1, done=1, todo=1)
    noted(connection, 5, undated=0, done=1, todo=1)
    noted(connection, 6, undated=1, done=2)
    write(connection, [file(file_of("till", ("done", "2026-04-03"), ("done", "")))])
    (part,) = read(connection).projects.values()
    assert done(part, ALL) == done(part, day(2, 10)) == 2


def test_a_clock_that_was_ahead_says_nothing_of_the_present(connection: sa.Connection) -> None:
    noted(connection, 2, undated=1, done=1, todo=1)
    noted(connection, 20, undated=9, done=9)
    write(connection, [file(file_of("till", ("done", ""), ("todo", "")))])
    (part,) = read(connection).projects.values()
    assert (done(part, ALL), value("taskCompletion", [part], day(20))) == (1, 0.5)


def test_completion_is_that_of_the_last_day_known(connection: sa.Connection) -> None:
    noted(connection, 3, todo=3, done=1, deferred=4)
    noted(connection, 5, OTHER, todo=1, done=3)
    noted(connection, 6, todo=2, done=2, archived=4)
    found = read(connection)
    one, other = found.projects[PROJECT], found.projects[OTHER]
    assert [value("taskCompletion", [one], day(n)) for n in (2, 3, 5, 6, 9)] == [None, 0.25, 0.25, 0.5, 0.5]
    assert [value("taskCompletion", [one, other], day(n)) for n in (2, 4, 5, 6)] == [None, 0.25, 0.5, 0.625]
    # Today there are none any more, whatever was said in the morning.
    noted(connection, 10, todo=1)
    assert value("taskCompletion", read(connection).projects.values(), day(10)) is None
    write(connection, [file(file_of("till", ("done", ""), ("blocked", ""), ("deferred", "")))])
    found = read(connection)
    assert [value("taskCompletion", found.projects.values(), range) for range in (day(9), day(10), ALL)] == [
        0.625,
        0.5,
        0.5,
    ]
    assert value("taskCompletion", [found.features[TILL]], ALL) == 0.5
    assert value("taskCompletion", [found.features[TILL]], day(9)) is None


def test_progress_is_the_mean_of_all_features(connection: sa.Connection) -> None:
    figures = {3: Figures(features=2, progress=0.25), 4: Figures(features=1, progress=1.0)}
    for number, each in figures.items():
        progress_days.store(connection, [progress_days.edit_of("/other", date(2026, 4, number), each)])
    noted(connection, 4, "unused")
    write(connection, [file(file_of("till", ("done", ""), ("todo", ""))), file(file_of("stock", ("done", "")))])
    found = read(connection, PROJECT, OTHER, "unused")
    parts = found.projects.values()
    assert [value("featureProgress", parts, day(n)) for n in (2, 3, 4)] == [None, 0.25, 1.0]
    assert value("featureProgress", parts, ALL) == 0.75  # of two features here; there are none any more elsewhere
    assert value("featureProgress", [found.features[TILL]], ALL) == 0.5
    assert value("featureProgress", [found.features[""]], ALL) is None


days = st.integers(1, 14)
moments = st.one_of(st.just(""), days.map(lambda n: f"2026-04-{n:02}"), days.map(lambda n: f"2026-04-{n:02}T23:15:00Z"))
statuses: st.SearchStrategy[Status] = st.sampled_from(["done", "done", "todo"])
files = st.dictionaries(st.sampled_from(["till", "stock", ""]), st.lists(st.tuples(statuses, moments), max_size=5))
journals = st.lists(st.tuples(st.integers(1, 20), st.sampled_from([PROJECT, OTHER]), st.integers(0, 6)), max_size=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files, journals, st.sets(days, max_size=5))
def test_parts_of_time_projects_and_features_add_up(
    connection: sa.Connection,
    shown: dict[str, list[tuple[Status, str]]],
    journal: list[tuple[int, str, int]],
    cuts: set[int],
) -> None:
    raw_connection(connection).rollback()  # what the example before wrote
    for number, project, undated in journal:
        noted(connection, number, project, undated, done=undated)
    write(connection, [file(file_of(slug, *told)) for slug, told in shown.items()])
    found = read(connection)
    times = [None, *(midnight(date(2026, 4, cut), ZONE) for cut in sorted(cuts)), midnight(date(2027, 1, 1), ZONE)]
    ranges = [Range(start, end) for start, end in pairwise(times)]
    whole = value("tasksDone", found.projects.values(), ALL)
    undated = sum(part.undated for part in found.projects.values())
    assert sum(done(part, range) for part in found.projects.values() for range in ranges) + undated == whole
    for range in (ALL, *ranges):
        total = value("tasksDone", found.projects.values(), range)
        assert value("tasksDone", found.features.values(), range) == total
        assert all(done(part, range) >= 0 for part in (*found.projects.values(), *found.features.values()))
    now = [status for told in shown.values() for status, _ in told]
    assert isinstance(whole, int)
    assert whole >= now.count("done")
    completion = value("taskCompletion", found.projects.values(), ALL)
    assert completion == (now.count("done") / len(now) if now else None)
