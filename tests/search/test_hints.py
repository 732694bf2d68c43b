"""What is told of changes, and when it is too little."""

from __future__ import annotations

import pytest

from ccdashd.protocol import types as t
from ccdashd.search import hints
from ccdashd.search.hints import Hint, Hints


def told(
    *ids: str, type: t.EntityType = "session", op: t.ChangeOp = "upsert", missed: bool = False
) -> t.ChangedNotification:
    return t.ChangedNotification(revision=1, changes=[t.Change(type=type, id=id, op=op) for id in ids], missed=missed)


def begun() -> Hints:
    found = Hints()
    assert found.take() == Hint(None, set(), True), "at first, anything may be another"
    return found


def test_what_was_told_is_looked_at_once() -> None:
    found = begun()
    found.note(told("a", "b"))
    found.note(told("f", type="feature"))
    hint = found.take()
    assert [change.id for change in hint.changes or ()] == ["a", "b", "f"]
    assert (hint.sessions, hint.all_logs) == ({"a", "b"}, False)
    assert found.take() == Hint([], set(), False)


def test_a_session_that_is_gone_leaves_its_logs_to_others() -> None:
    found = begun()
    found.note(told("a", op="delete"))
    assert found.take().all_logs


def test_who_missed_something_knows_nothing() -> None:
    found = begun()
    found.note(told(missed=True))
    assert found.take() == Hint(None, set(), True)


def test_too_many_changes_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "MOST_CHANGES", 2)
    found = begun()
    found.note(told("a", "b", "c"))
    found.note(told("d"))
    assert found.take() == Hint(None, {"a", "b", "c", "d"}, False)
