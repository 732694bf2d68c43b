"""The file of the index: made where there is none, made anew where it is another's or of another time."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import apsw
import pytest

from ccdashd.store.text import connection as connections
from ccdashd.store.text import writer
from ccdashd.store.text.connection import Unusable, delete, explain, is_corrupt, open_reader, open_writer, size
from tests.store.text.filled import add, found, log

CAP = 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index with a log in it."""
    file = tmp_path / "text.db"
    text = open_writer(file, CAP)
    add(text, log("/a", 3), first=1)
    text.close()
    return file


def states(file: Path, cap: int = CAP) -> set[str]:
    text = open_writer(file, cap)
    try:
        return set(writer.states(text))
    finally:
        text.close()


def test_it_is_kept(path: Path) -> None:
    assert states(path) == {"/a"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_with_another_cap_it_is_made_anew(path: Path) -> None:
    assert states(path, CAP + 1) == set()
    assert states(path, CAP + 1) == set()


def test_of_another_version_it_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "VERSION", connections.VERSION + 1)
    assert states(path) == set()


def test_a_file_of_another_application_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "text.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(Unusable, match="another application"):
        open_writer(file, CAP)


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "text.db"
    file.write_bytes(content)
    with pytest.raises(Unusable, match="damaged") as caught:
        open_writer(file, CAP)
    assert is_corrupt(caught.value)


def test_readers_see_what_was_written_and_write_nothing(path: Path) -> None:
    reader = open_reader(path)
    assert found(reader, "word2") == [3]
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("DELETE FROM logs")
    reader.close()


def test_there_may_be_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(apsw.CantOpenError) as caught:
        open_reader(tmp_path / "text.db")
    assert explain(caught.value) == "text.db cannot be opened"
    assert not is_corrupt(caught.value)


def test_it_can_be_deleted(path: Path) -> None:
    assert size(path) > 4096
    delete(path)
    delete(path)
    assert size(path) == 0
    assert not list(path.parent.iterdir())
