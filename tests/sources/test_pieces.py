"""A log that is read piece by piece, as it grows, gives the rows that one reading of the whole gives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.derive.pricing import Prices
from ccdashd.ingest import parse
from ccdashd.ingest.parse import read_log
from ccdashd.sources.claude_code import ClaudeCodeReader
from ccdashd.sources.model import PAGE
from ccdashd.store import pages, rollups
from ccdashd.store import rows as repository
from ccdashd.store.schema import metadata, session_logs, sync_state
from tests.sources.logs import OTHER, SESSION, USAGE, Writer, call, line, text

CAP = 200
PRICES = Prices()

ODD_USAGE = USAGE | {"speed": "fast", "server_tool_use": {"web_search_requests": 2}}


def records_of(w: Writer, number: int) -> dict[str, Callable[[], list[bytes]]]:
    """Makers of lines, by what they stand for."""
    id = f"t{number // 2}"
    return {
        "prompt": lambda: [line(w.user(f"prompt {number} é\U0001f600"))],
        "call": lambda: [
            line(w.assistant(text("so"), call(id, "Edit", file_path=f"/f{number % 3}"), id=f"m{number // 3}"))
        ],
        "early": lambda: [
            line(w.assistant(text("…"), id=f"m{number // 3}", stop_reason=None, usage=USAGE | {"output_tokens": 1}))
        ],
        "result": lambda: [
            line(w.result(id, "x" * number, error=number % 3 == 0, toolUseResult={"structuredPatch": [{"lines": ["+a"]}]}))
        ],
        "told": lambda: [
            line(w.assistant(text("so"), id=f"m{number // 3}", usage=ODD_USAGE, costUSD=number / 100)),
            line(w.assistant(call(id, "Bash", command="ls"), id=f"m{number // 2}", costUSD=1e-9)),
        ],
        "pause": lambda: [line(w.user("Go on", timestamp=f"2026-01-02T{number % 24:02}:{number * 7 % 60:02}:59.999Z"))],
        "timeless": lambda: [line(w.assistant(call(id, "Edit", file_path="/x"), id=f"m{number // 3}", timestamp=...))],
        "steering": lambda: [line(w.user([{"type": "tool_result", "tool_use_id": id}, text("no, not so")]))],
        "interrupt": lambda: [line(w.user("[Request interrupted by user]"))],
        "compact": lambda: [line(w.record("system", subtype="compact_boundary"))],
        "failed": lambda: [line(w.record("system", subtype="api_error", uuid=...))],
        "fork": lambda: [line(w.assistant(text("copied"), id=f"f{number}", sessionId=OTHER))],
        "queue": lambda: [line(w.record("queue-operation", operation="enqueue", content="later", uuid=...))],
        "summary": lambda: [line({"type": "summary", "summary": f"Sum {number}", "leafUuid": w.uuid()})],
        "command": lambda: [line(w.user("<command-name>/init</command-name>", cwd=f"/c{number % 2}"))],
        "plan": lambda: [
            line(w.user(f"Go on with @docs/plan-{number}.md and docs/b.md")),
            line(w.assistant(text("so"), call(id, "Bash", command=f"cat docs/c-{number}.md"), id=f"m{number // 3}")),
        ],
        "commit": lambda: [line(w.result(id, f"[main abcdef{number % 10}] So\n 1 file changed, 2 insertions(+)"))],
        "novel": lambda: [line({"type": "novel"})],
        "blank": lambda: [b"\r\n"],
        "nul": lambda: [b"\x00" * 20 + b"\n"],
        "broken": lambda: [b'{"type":"user","uui\n'],
        "bad": lambda: [line(w.user("b@d")).replace(b"@", b"\xff")],
        "surrogate": lambda: [line(w.user("b@d")).replace(b"@", b"\\ud83d")],
        "comment": lambda: [b"# note\n"],
        "glued": lambda: [line(w.user("a")).rstrip() + line(w.user("b"))],
        "torn": lambda: [b'{"type":"assistant","mess' + line(w.user("whole"))],
        "many": lambda: [line(w.user(f"{number} {n}")) for n in range(PAGE // 2 + 1)],
    }


KINDS = list(records_of(Writer(), 0))


@st.composite
def grown(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    """A log, and where it ended each time it was looked at: at ends of lines, and amid them."""
    w = Writer()
    lines: list[bytes] = []
    for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=14))):
        lines += records_of(w, number)[kind]()
        if draw(st.booleans()):
            lines.append(lines[draw(st.integers(0, len(lines) - 1))])  # a record that stands twice
    data = b"".join(lines)
    ends = [len(b"".join(lines[: number + 1])) for number in range(len(lines))]
    cuts = st.integers(0, len(data)) | st.sampled_from(ends) | st.sampled_from(ends).map(lambda end: end - 1)
    return data, sorted(draw(st.sets(cuts, max_size=5)))


class Cache:
    """The rows of one log, kept by the store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = sa.create_engine("sqlite://")
        metadata.create_all(self.engine)

    def look(self) -> None:
        with self.engine.begin() as connection:
            row = connection.execute(sa.select(sync_state.c.id)).one_or_none()
            known = None if row is None else repository.known(connection, row.id, str(self.path))
            stored = repository.store(connection, read_log(str(self.path), CAP, known))
            rollups.roll_up(connection, PRICES, stored.file_id, stored.since)

    def rows(self) -> Iterator[tuple[str, list[Any]]]:
        with self.engine.begin() as connection:
            for table in (sync_state, *repository.ROW_TABLES, *rollups.TABLES):
                rows = [dict(row._mapping) for row in connection.execute(sa.select(table))]
                for row in rows:
                    if table is sync_state:
                        row["stats"] = msgspec.json.decode(row["stats"])
                    if table is session_logs:
                        row["data"] = pages.unpack(row["data"])
                yield table.name, sorted(rows, key=repr)

    def close(self) -> None:
        self.engine.dispose()


@settings(deadline=None)  # the first one loads the prices
@given(grown())
def test_pieces_make_the_rows_of_the_whole(log: tuple[bytes, list[int]]) -> None:
    data, cuts = log
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{SESSION}.jsonl"
        path.touch()
        pieces, whole = Cache(path), Cache(path)
        with path.open("ab", buffering=0) as file:
            for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                file.write(data[begin:end])
                if end:
                    pieces.look()
        whole.look()
        expected = dict(whole.rows())
        for table, rows in pieces.rows():
            assert rows == expected[table], table
        pieces.close()
        whole.close()


def test_lines_that_are_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w = Writer()
    path = tmp_path / f"{SESSION}.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + b"".join(line(w.user(f"{size} {'x' * size}")) for size in (1, 5000, 70, 20_000, 3, 0))
    )
    plain = read_log(str(path), CAP)
    for block in (1, 7, 64, 300, 6000):
        monkeypatch.setattr(parse, "BLOCK", block)
        assert msgspec.msgpack.encode(read_log(str(path), CAP)) == msgspec.msgpack.encode(plain)
    assert plain.records == 6
    assert [row[0] for row in plain.findings] == ["bom"]


def test_a_log_that_shrinks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w = Writer()
    path = tmp_path / f"{SESSION}.jsonl"
    one, two = line(w.user("a")), line(w.user("b"))
    path.write_bytes(one + two)
    feed = ClaudeCodeReader.feed

    def shrink(self: ClaudeCodeReader, data: bytes, offset: int, *, final: bool = True) -> int:
        with path.open("r+b") as file:
            file.truncate(len(one) + 10)
        return feed(self, data, offset, final=final)

    monkeypatch.setattr(parse, "BLOCK", len(one))
    monkeypatch.setattr(ClaudeCodeReader, "feed", shrink)
    result = read_log(str(path), CAP)
    assert (result.records, result.parsed_to) == (1, len(one))
