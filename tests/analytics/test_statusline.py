"""The status line: the session at hand, found by where the user stands, and what goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ccdashd.analytics.statusline import statusline
from ccdashd.derive.slots import SLOT_MS
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from tests.store.ledger import APP, HIDDEN, MAIN, PLAIN, SECOND, Ledger, ledger
from tests.store.plans import cache

NOON = 1_971_600  # 2026-03-25, 12:00 UTC
NOW = NOON * SLOT_MS
DOLLAR = 10**12


@pytest.fixture
def book() -> Iterator[Ledger]:
    with cache() as connection:
        book = ledger(connection)
        connection.exec_driver_sql("UPDATE sessions SET cwd = '/work/app-1' WHERE id = ?", (MAIN,))
        connection.exec_driver_sql("UPDATE sessions SET cwd = '/work/other-2/deep' WHERE id = ?", (SECOND,))
        connection.exec_driver_sql("UPDATE sessions SET cwd = '/elsewhere/tree' WHERE id = ?", (HIDDEN,))
        connection.exec_driver_sql("UPDATE sessions SET ended_at = NULL")
        yield book


def touch(book: Ledger, id: str, ago: int = 60) -> None:
    book.connection.exec_driver_sql("UPDATE sessions SET ended_at = ? WHERE id = ?", (NOW - ago * 1000, id))


def line(book: Ledger, zone: str = "UTC", now: int = NOW, **params: Any) -> t.Statusline:
    return statusline(book.connection, t.StatuslineParams(**params), zone=ZoneInfo(zone), now=now, revision=7)


def answer(book: Ledger, log: int, n: int, model: str = "claude-opus-4-5", **values: Any) -> None:
    book.add("session_messages", file_id=log, n=n, model=model, time=NOW + n, counted=True, **values)


def test_nothing_is_known(book: Ledger) -> None:
    found = line(book)
    assert found == t.Statusline(
        project=None,
        feature=None,
        session=None,
        model=None,
        context_tokens=None,
        context_limit=None,
        session_cost=None,
        today=None,
        window=None,
        window_ends_at=None,
        usd_per_hour=None,
        active=0,
        alerts=0,
        revision=7,
    )
    assert line(book, cwd="/nowhere", session="not-yet-written") == found


def test_the_live_session_of_a_place(book: Ledger) -> None:
    assert (line(book, cwd="/work/app-1/src").session, line(book, cwd="/work/app-1/src").project) == (None, "app")
    touch(book, MAIN)
    touch(book, SECOND, ago=1)
    touch(book, HIDDEN, ago=2)
    placed = {
        "/work/app-1/src": ("app", MAIN),
        "/work/other-2": ("other", SECOND),  # it works below, in the same project
        "/work/other-2/deep/er": ("other", SECOND),
        "/elsewhere/tree": ("secret", HIDDEN),  # a worktree far from its project
        "/elsewhere": (None, None),
        "/work/app-12": (None, None),
    }
    assert {cwd: (line(book, cwd=cwd).project, line(book, cwd=cwd).session) for cwd in placed} == placed
    assert line(book).active == 3
    touch(book, MAIN, ago=601)
    assert line(book, cwd="/work/app-1").session is None
    touch(book, PLAIN, ago=5)
    assert line(book, cwd="/work/app-1").session == MAIN, "its sub-agent is written"
    book.connection.exec_driver_sql("UPDATE sessions SET source_gone = 1 WHERE id = ?", (MAIN,))
    assert line(book, cwd="/work/app-1").session is None


def test_of_several_sessions_the_nearest_and_then_the_newest(book: Ledger) -> None:
    for id, cwd, ago in (("n1", "/work/app-1", 9), ("n2", "/work/app-1", 8), ("n3", "/work/app-1/src", 100)):
        book.add("sessions", id=id, project_id=APP, cwd=cwd, ended_at=NOW - ago * 1000)
    assert line(book, cwd="/work/app-1").session == "n2"
    assert line(book, cwd="/work/app-1/src/deep").session == "n3"
    assert line(book, cwd="/work/app-1/docs").session == "n2"


def test_the_session_that_is_asked_for(book: Ledger) -> None:
    book.usage(1, NOON - 100, pico=2 * DOLLAR)
    book.usage(2, NOON - 100, pico=DOLLAR)
    book.link(MAIN, "feature", f"{APP}/x", 0.5)
    book.link(MAIN, "feature", f"{APP}/y", 0.9)
    found = line(book, session=MAIN[:6], cwd="/work/other-2")
    assert (found.session, found.project, found.feature) == (MAIN, "app", "y")
    assert found.session_cost == t.Cost(usd=3.0, provenance="computed", unpriced_models=[])
    assert (found.model, found.context_tokens) == (None, None), "it has not answered"


def test_how_full_the_context_is(book: Ledger) -> None:
    answer(book, 1, 1, input=1, cache_read=2)
    answer(book, 1, 2, input=10, output=99, cache_read=20_000, cache_write=300, cache_write_5m=100, cache_write_1h=200)
    answer(book, 1, 3, sidechain=True, input=5)
    answer(book, 1, 4, mirror=True, input=6)
    answer(book, 1, 5, "<synthetic>")
    answer(book, 2, 9, input=7)
    found = line(book, session=MAIN)
    assert (found.model, found.context_tokens, found.context_limit) == ("claude-opus-4-5", 20_310, 200_000)
    answer(book, 1, 6, input=200_001)
    found = line(book, session=MAIN)
    assert (found.context_tokens, found.context_limit) == (200_001, 1_000_000), "so it is the long context"
    answer(book, 1, 7, "claude-sonnet-4-5[1m]", input=1)
    assert line(book, session=MAIN).context_limit == 1_000_000
    answer(book, 1, 8, "my-own", input=1)
    assert (line(book, session=MAIN).model, line(book, session=MAIN).context_limit) == ("my-own", None)


def test_of_several_logs_the_newest_message_counts(book: Ledger) -> None:
    answer(book, 4, 9, input=1)
    answer(book, 5, 2, input=2)
    assert line(book, session=SECOND).context_tokens == 1


def test_what_today_and_the_window_cost(book: Ledger) -> None:
    book.usage(1, NOON - 60, pico=DOLLAR)  # yesterday at 21:00
    book.usage(4, NOON - 8, pico=5 * DOLLAR, lower_bounds=1)
    book.usage(8, NOON - 9, pico=DOLLAR)  # hidden, but it begins the window
    found = line(book)
    assert found.today == found.window == t.Cost(usd=5.0, provenance="lower_bound", unpriced_models=[])
    assert found.window_ends_at == "2026-03-25T14:00:00.000Z"
    assert found.usd_per_hour == 2.5
    days = [line(book, zone).today for zone in ("Asia/Tokyo", "Pacific/Kiritimati")]
    assert [day.usd for day in days if day] == [6.0, 5.0], "since 15:00 and since 10:00 UTC"
    later = line(book, now=NOW + 86_400_000)
    assert (later.today, later.window, later.usd_per_hour) == (None, None, None)


def test_alerts_that_fire(book: Ledger) -> None:
    for subject, state in (("a", "firing"), ("b", "firing"), ("c", "pending")):
        book.add("alert_states", rule_id="r", subject=subject, state=state, since=NOW, value=1.0)
    assert line(book).alerts == 2


def test_a_relative_path_is_refused(book: Ledger) -> None:
    with pytest.raises(InvalidParams, match="absolute"):
        line(book, cwd="work")
