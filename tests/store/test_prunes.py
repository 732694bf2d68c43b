"""What was pruned: made of the journal, bounded, and the same from a shorter one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.clock import iso
from ccdashd.edits import compaction
from ccdashd.edits.compaction import Line, live
from ccdashd.edits.decisions import AnyEdit, Name, PruneEdit, decode, encode
from ccdashd.protocol import types as t
from ccdashd.store import prunes
from ccdashd.store.connection import raw_connection
from tests.store.plans import cache

HOME = "/home/me"


def pruned(session: str, at: int = 0, size: int = 0) -> PruneEdit:
    name = Name(type="session", key=session)
    return PruneEdit(op="prune", session=name, title=f"T {session}", reason="old", bytes=5, size=size, at=iso(at) or "")


def released(session: str) -> PruneEdit:
    (edit,) = prunes.release([session])
    return edit


@pytest.fixture(scope="module")
def shared() -> Iterator[sa.Connection]:
    """One cache for many scripts: a new one takes longer than a script."""
    with cache() as connection:
        yield connection


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (compaction, prunes):
        monkeypatch.setattr(module, "KEPT_PRUNES", 3)


def after(connection: sa.Connection, edits: Iterable[AnyEdit]) -> list[tuple[object, ...]]:
    """What the table holds that these edits make, in its order."""
    prunes.forget(connection)
    for edit in edits:
        assert isinstance(edit, PruneEdit)
        prunes.apply(connection, edit)
    return raw_connection(connection).execute("SELECT * FROM prunes ORDER BY rowid").fetchall()


def shorter(edits: Iterable[PruneEdit]) -> list[AnyEdit]:
    """What compaction leaves of them."""
    return [decode(line, HOME) for line in live([Line(encode(edit, HOME), edit) for edit in edits], HOME)]


def test_a_session_that_was_pruned_is_kept_out_until_it_is_released(shared: sa.Connection) -> None:
    after(shared, [pruned("a", 1), pruned("b", 2)])
    assert prunes.kept_out(shared) == {"a", "b"}
    prunes.apply(shared, released("a"))
    prunes.apply(shared, released("never"))
    assert prunes.kept_out(shared) == {"b"}
    prunes.apply(shared, pruned("a", 3))
    assert prunes.kept_out(shared) == {"a", "b"}


def test_the_history_tells_the_newest_first(shared: sa.Connection) -> None:
    after(shared, [pruned("a", 1000), pruned("b", 1000), released("a"), pruned("a", 2000)])
    page = prunes.page(shared, t.PrunesParams(limit=2), 7)
    assert [(item.id, item.at) for item in page.items] == [
        ("a", "1970-01-01T00:00:02.000Z"),
        ("b", "1970-01-01T00:00:01.000Z"),
    ]
    assert (page.total, page.offset, page.limit, page.revision) == (3, 0, 2, 7)
    (last,) = prunes.page(shared, t.PrunesParams(offset=2), 7).items
    assert last == t.Pruned(at="1970-01-01T00:00:01.000Z", id="a", title="T a", reason="old", bytes=5)


def test_it_keeps_the_last_prunes_and_all_that_keep_a_session_out(shared: sa.Connection) -> None:
    edits = [pruned("stays"), *(edit for n in range(9) for edit in (pruned(f"s{n}", n), released(f"s{n}")))]
    rows = after(shared, edits)
    assert [row[0] for row in rows] == ["stays", "s6", "s7", "s8"]
    assert shorter(edits) == [edits[0], *edits[-6:]]


some_edits = st.lists(
    st.one_of(
        st.builds(pruned, st.sampled_from("abcdef"), st.integers(0, 3), st.integers(0, 2)),
        st.builds(released, st.sampled_from("abcdef")),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(some_edits)
def test_a_shorter_journal_says_the_same(shared: sa.Connection, edits: list[PruneEdit]) -> None:
    # A session is pruned once at a moment.
    told = [edit for n, edit in enumerate(edits) if edit.op == "release" or not any(
        (edit.session, edit.at) == (other.session, other.at) for other in edits[:n])]  # fmt: skip
    assert after(shared, shorter(told)) == after(shared, told)
    assert shorter(shorter(told)) == shorter(told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "size", "grown"), [("ok", 10, False), ("ok", 11, True), ("gone", 99, False), ("unreadable", 11, True)]
)
def test_a_session_whose_logs_grew_is_told(shared: sa.Connection, state: str, size: int, grown: bool) -> None:
    raw = raw_connection(shared)
    add = """
    INSERT INTO sync_state (path, agent, size, mtime_ns, inode, parsed_to, guard, parser, state, problem, root_uuid, stats,
                            session_id, parent_id, agent_id)
    VALUES (?, '', ?, 0, 0, 0, '', 0, ?, '', '', '{}', ?, ?, ?)
    """
    raw.execute("DELETE FROM sync_state")
    raw.execute(add, ("/main", 4, "ok", "main", None, None))
    raw.execute(add, ("/sub", size - 4, state, "main/agent-x", "main", "x"))
    raw.execute(add, ("/other", 500, "ok", "other", None, None))
    after(shared, [pruned("main", 1, 10), pruned("gone", 1, 0)])
    assert prunes.grown(shared) == (["main"] if grown else [])
    raw.execute("DELETE FROM sync_state")
