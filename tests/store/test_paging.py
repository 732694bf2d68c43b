"""Pages of any list in any order: each row once, whatever comes or goes between two of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import paging

TABLE = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer),
    sa.Column("text", sa.Text),
    sa.Column("real", sa.Float),
)
KEYS = {
    "number": (TABLE.c.number, TABLE.c.id),
    "text": (TABLE.c.text, TABLE.c.id),
    "all": (TABLE.c.real, TABLE.c.text, TABLE.c.number, TABLE.c.id),
}


class Asked(msgspec.Struct, frozen=True):
    sort: str
    order: str
    limit: int = 2
    offset: int = 0
    cursor: str | None = None


def page(connection: sa.Connection, asked: Asked) -> t.Page[Any]:
    return paging.page(connection, sa.select(TABLE), lambda row: row, TABLE, [], KEYS[asked.sort], asked, 1)


ROWS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.tuples(
        st.none() | st.integers(-2, 2) | st.sampled_from([-(2**63), 2**63 - 1]),
        st.none() | st.text("aB%_'ä\n", max_size=2),
        st.none() | st.sampled_from([0.0, 1 / 3, -1e300, 2.0]),
    ),
    max_size=12,
)


def _least_first(value: Any) -> tuple[bool, Any]:
    """NULL is the least, and text is sorted by its bytes."""
    return (value is not None, value.encode() if isinstance(value, str) else value)


@given(ROWS, st.sampled_from(sorted(KEYS)), st.sampled_from(["asc", "desc"]), st.integers(1, 4), st.data())
def test_rows_that_stay_are_there_once_and_in_order(
    rows: dict[str, tuple[Any, ...]], sort: str, order: str, limit: int, data: st.DataObject
) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        TABLE.create(connection)
        write = sa.insert(TABLE).prefix_with("OR REPLACE")

        def put(id: str, values: tuple[Any, ...]) -> None:
            connection.execute(write.values(id=id, **dict(zip(("number", "text", "real"), values, strict=True))))

        for id, values in rows.items():
            put(id, values)
        others = data.draw(ROWS.map(lambda new: {f"new-{id}": values for id, values in new.items()}))
        asked = Asked(sort, order, limit)
        seen: list[Any] = []
        gone: set[str] = set()
        while True:
            found = page(connection, asked)
            assert len(found.items) <= limit
            seen += found.items
            if found.next_cursor is None:
                break
            assert len(found.items) == limit
            asked = msgspec.structs.replace(asked, cursor=found.next_cursor)
            if others:
                put(*others.popitem())
            if rows.keys() - gone and data.draw(st.booleans()):
                gone.add(data.draw(st.sampled_from(sorted(rows.keys() - gone))))
                connection.execute(sa.delete(TABLE).where(TABLE.c.id.in_(gone)))
    engine.dispose()
    ids = [row.id for row in seen]
    assert len(ids) == len(set(ids))
    assert set(ids) >= rows.keys() - gone
    names = [key.name for key in KEYS[sort]]
    assert seen == sorted(
        seen, key=lambda row: [_least_first(getattr(row, name)) for name in names], reverse=order == "desc"
    )


def test_an_offset_leaves_rows_out_and_the_total_counts_them() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        TABLE.create(connection)
        connection.execute(sa.insert(TABLE), [{"id": str(number), "number": -number} for number in range(5)])
        found = page(connection, Asked("number", "asc", offset=3))
        assert [row.id for row in found.items] == ["1", "0"]
        assert (found.total, found.offset, found.limit, found.next_cursor) == (5, 3, 2, None)
        assert page(connection, Asked("number", "asc", offset=9)).items == []
    engine.dispose()


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "ä",
        forged(),
        forged("number"),
        forged("number", "asc"),
        forged("number", "asc", 1),
        forged("number", "asc", 1, "x", 2),
        forged("number", "asc", "1", "x"),
        forged("number", "asc", 1, 2),
        forged("number", "asc", [], "x"),
        forged("number", "asc", 2**70, "x"),
        forged("number", "desc", 1, "x"),
        forged("text", "asc", "1", "x"),
        forged(1, "asc", 1, "x"),
    ],
)
def test_a_cursor_that_is_none(cursor: str) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        TABLE.create(connection)
        with pytest.raises(InvalidParams) as caught:
            page(connection, Asked("number", "asc", cursor=cursor))
    engine.dispose()
    assert caught.value.data["field"] == "cursor"
