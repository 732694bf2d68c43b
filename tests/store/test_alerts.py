"""Rules of alerts and their history: made of the journal, bounded, and the same from a shorter one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.clock import iso
from ccdashd.derive.alerts import SEEDED, Rule, State, Subject
from ccdashd.edits import compaction
from ccdashd.edits.compaction import Line, live
from ccdashd.edits.decisions import AlertEdit, AlertFiredEdit, AnyAlertEdit, Name, decode, encode
from ccdashd.protocol import types as t
from ccdashd.store import alerts
from ccdashd.store.connection import raw_connection
from ccdashd.store.projects import project_id
from tests.ingest.tables import Tables
from tests.store.plans import cache, tables

HOME = "/home/me"
RULE = Rule(name="Dear", metric="cost", scope="project", period="day", threshold=20.0, resolve=18.0, root="/home/me/shop")
PROJECT = Name(type="project", root="/home/me/shop")
TABLES = ("alert_rules", "alert_states", "alert_history")


def fired(id: str, at: int = 0, rule: str = "r", session: str = "s", part: str = "") -> AlertFiredEdit:
    entity = Name(type="session", key=session) if session else None
    return AlertFiredEdit(
        op="fired", id=id, rule=rule, name="n", metric="cost", scope="session", value=6.5, threshold=5.0,
        entity=entity, part=part, label="l", at=iso(at) or "",
    )  # fmt: skip


def ended(id: str, at: int = 0, *, quiet: bool = False) -> AlertFiredEdit:
    return AlertFiredEdit(op="quieted" if quiet else "resolved", id=id, at=iso(at) or "")


@pytest.fixture(scope="module")
def shared() -> Iterator[sa.Connection]:
    """One cache for many scripts: a new one takes longer than a script."""
    with cache() as connection:
        yield connection


def after(connection: sa.Connection, edits: Iterable[AnyAlertEdit]) -> Tables:
    """What the tables hold that these edits make."""
    alerts.forget(connection)
    for edit in edits:
        alerts.apply(connection, edit)
    raw = raw_connection(connection)
    return {name: {tuple(row): {} for row in raw.execute(f"SELECT * FROM {name}")} for name in TABLES}


# --- rules ---


def test_a_change_of_a_seeded_rule_takes_its_place_until_it_is_deleted() -> None:
    with cache() as connection:
        assert alerts.rules(connection) == SEEDED
        changed = Rule(name="x", metric="cost", scope="session", threshold=9.0, resolve=8.0, active=False)
        for id, rule in (("session-cost", changed), ("0a1b", RULE)):
            alerts.apply(connection, AlertEdit(id=id, rule=rule))
        assert list(alerts.rules(connection)) == [*SEEDED, "0a1b"]
        assert alerts.rules(connection) == {**SEEDED, "session-cost": changed, "0a1b": RULE}
        for id in ("session-cost", "0a1b", "never"):
            alerts.apply(connection, AlertEdit(id=id))
        assert alerts.rules(connection) == SEEDED


def test_rules_and_alerts_mean_the_same_in_another_home() -> None:
    for edit in (AlertEdit(id="a", rule=RULE), AlertEdit(id="a"), fired("b"), ended("b"),
                 AlertFiredEdit(op="fired", id="c", rule="a", entity=PROJECT, part="2026-03-04")):  # fmt: skip
        line = encode(edit, HOME)
        assert b"/home/me" not in line
        assert decode(line, HOME) == edit
    moved = decode(encode(AlertEdit(id="a", rule=RULE), HOME), "/Users/you")
    assert isinstance(moved, AlertEdit) and moved.rule is not None and moved.rule.root == "/Users/you/shop"


# --- the history ---


def test_an_alert_from_its_begin_to_its_end() -> None:
    with cache() as connection:
        begun = AlertFiredEdit(
            op="fired", id="a", rule="r", name="Dear", metric="cost", scope="project", value=21.0, threshold=20.0,
            entity=PROJECT, part="2026-03-04", label="shop, 2026-03-04", at="2026-03-04T12:00:00.000Z",
        )  # fmt: skip
        alerts.apply(connection, begun)
        alerts.apply(connection, begun)
        key = Subject(project_id(PROJECT.root), "2026-03-04").key
        state = State("firing", 1_772_625_600_000)
        assert alerts.states(connection) == {("r", key): state}
        assert alerts.state(connection, "r", key) == state and alerts.state(connection, "r", "other") is None
        assert alerts.last_of(connection, "r", key) == "a"
        (alert,) = alerts.firing(connection)
        assert (alert.edit, alert.resolved_at) == (begun, None)
        assert alert.entity == t.EntityRef(type="project", id=project_id(PROJECT.root))
        assert alerts.said(connection) == {"r": alerts.Said(1, "2026-03-04T12:00:00.000Z")}
        alerts.apply(connection, ended("a", 1_772_629_200_000))
        alerts.apply(connection, ended("never", 5))
        assert alerts.states(connection) == {} and alerts.firing(connection) == []
        found = alerts.alert(connection, "a")
        assert found is not None and found.resolved_at == "2026-03-04T13:00:00.000Z"
        assert alerts.alert(connection, "b") is None


def test_the_newest_alerts_come_first_and_by_rule() -> None:
    with cache() as connection:
        for n, (id, rule) in enumerate((("a", "r"), ("b", "q"), ("c", "r"))):
            alerts.apply(connection, fired(id, 1000 * n, rule, session=""))
        page, total = alerts.history(connection, None, 0, 2)
        assert ([alert.edit.id for alert in page], total) == (["c", "b"], 3)
        page, total = alerts.history(connection, "r", 1, 50)
        assert ([alert.edit.id for alert in page], total) == (["a"], 2)
        assert page[0].entity is None


def test_a_subject_that_went_quiet_is_no_news_when_its_value_comes_back() -> None:
    with cache() as connection:
        for edit in (fired("a", 1), ended("a", 2, quiet=True)):
            alerts.apply(connection, edit)
        assert alerts.states(connection) == {("r", "s"): State("quiet", 2)}
        assert alerts.firing(connection) == []
        alerts.apply(connection, ended("a", 3))
        assert alerts.states(connection) == {}
        alerts.apply(connection, fired("b", 4))
        assert alerts.last_of(connection, "r", "s") == "b"


def test_times_that_are_none_are_those_of_the_beginning() -> None:
    with cache() as connection:
        alerts.apply(connection, AlertFiredEdit(op="fired", id="a", rule="r", at="noon"))
        assert [alert.edit.at for alert in alerts.firing(connection)] == ["noon"]
        assert alerts.states(connection) == {("r", ""): State("firing", 0)}


# --- it stays small ---


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (compaction, alerts):
        monkeypatch.setattr(module, "KEPT_ALERTS", 3)


def test_the_history_keeps_the_last_alerts_and_all_that_fire() -> None:
    with cache() as connection:
        alerts.apply(connection, fired("fires", session="0"))
        for n in range(1, 10):
            alerts.apply(connection, fired(f"a{n}", session=str(n)))
            alerts.apply(connection, ended(f"a{n}", quiet=n % 2 == 0))
        found, _ = alerts.history(connection, None, 0, 50)
        assert {alert.edit.id for alert in found} == {"fires", "a7", "a8", "a9"}
        assert {subject: state.phase for (_, subject), state in alerts.states(connection).items()} == {
            "0": "firing",
            "8": "quiet",
        }


def test_a_shorter_journal_keeps_no_more_than_the_history() -> None:
    told = [edit for n in range(10) for edit in (fired(f"a{n}", session=str(n)), ended(f"a{n}"), ended(f"a{n}"))]
    lines = live([Line(encode(edit, HOME), edit) for edit in told], HOME)
    assert [decode(line, HOME) for line in lines] == [told[at] for n in (7, 8, 9) for at in (3 * n, 3 * n + 2)]


edits = st.lists(
    st.one_of(
        st.builds(
            fired,
            st.sampled_from("abcdefgh"),
            st.integers(0, 9000),
            st.sampled_from("rq"),
            st.sampled_from(["s", "z", ""]),
            st.sampled_from(["", "2026-03-04"]),
        ),
        st.builds(ended, st.sampled_from("abcdefgh"), st.integers(0, 9000), quiet=st.booleans()),
        st.builds(AlertEdit, id=st.sampled_from(["x", "session-cost"]), rule=st.sampled_from([None, RULE])),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(edits=edits)
def test_a_shorter_journal_says_the_same(shared: sa.Connection, edits: list[AnyAlertEdit]) -> None:
    # An alert begins where none of its subject fires, as the daemon sees to.
    told: list[AnyAlertEdit] = []
    alerts.forget(shared)
    for edit in edits:
        if isinstance(edit, AlertFiredEdit) and edit.op == "fired":
            key = Subject(edit.entity.key if edit.entity is not None else "", edit.part).key
            if alerts.state(shared, edit.rule, key) is not None or any(was.id == edit.id for was in told):
                continue
        alerts.apply(shared, edit)
        told.append(edit)
    firing = len(alerts.firing(shared))
    lines = live([Line(encode(edit, HOME), edit) for edit in told], HOME)
    shorter = [decode(line, HOME) for line in lines]
    begun = [edit for edit in shorter if isinstance(edit, AlertFiredEdit) and edit.op == "fired"]
    assert len(begun) <= 3 + firing and len(shorter) <= 2 * len(begun) + 2
    assert after(shared, (edit for edit in shorter if isinstance(edit, AlertEdit | AlertFiredEdit))) == after(shared, told)


def test_all_is_forgotten() -> None:
    with cache() as connection:
        for edit in (AlertEdit(id="x", rule=RULE), fired("a"), fired("b", session="z")):
            alerts.apply(connection, edit)
        alerts.forget(connection)
        found = tables(connection)
        assert not any(found[name] for name in TABLES)


def test_rows_of_the_cache_are_as_the_wire_wants_them() -> None:
    with cache() as connection:
        alerts.apply(connection, fired("a", 1500))
        row = connection.execute(
            sa.text("SELECT fired_at, value FROM alert_history JOIN alert_states USING (rule_id)")
        ).one()
        assert tuple(row) == (1500, 6.5)
