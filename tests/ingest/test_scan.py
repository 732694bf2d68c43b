from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdashd.ingest.scan import FileStat, Problem, newest_first, scan


def is_log(path: str) -> bool:
    return path.endswith(".jsonl")


def found(*roots: Path, problems: list[Problem] | None = None) -> list[Path]:
    """The paths that a scan of `roots` yields, sorted, each as often as it is yielded."""
    return sorted(Path(file.path) for file in scan(roots, is_log, problems))


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_have_the_numbers_that_stat_gives(tmp_path: Path) -> None:
    log = touch(tmp_path / "a" / "b" / "log.jsonl", "12345")
    touch(tmp_path / "a" / "notes.txt")
    status = log.stat()
    assert list(scan([tmp_path], is_log)) == [
        FileStat(str(log), 5, status.st_mtime_ns, status.st_ino, status.st_dev),
    ]


def test_a_root_that_does_not_exist_or_is_a_file_yields_nothing(tmp_path: Path) -> None:
    problems: list[Problem] = []
    log = touch(tmp_path / "log.jsonl")
    assert found(tmp_path / "missing", log, problems=problems) == []
    assert problems == []


def test_roots_within_each_other_yield_each_path_once(tmp_path: Path) -> None:
    log = touch(tmp_path / "a" / "b" / "log.jsonl")
    assert found(tmp_path / "a" / "b", tmp_path / "a", tmp_path, tmp_path) == [log]


def test_only_folders_that_are_to_be_entered_are_looked_into(tmp_path: Path) -> None:
    root = tmp_path / "root"
    logs = [touch(root / "log.jsonl"), touch(root / "docs" / "a" / "log.jsonl")]
    touch(root / "src" / "docs" / "log.jsonl")
    (root / "link").symlink_to(root)
    asked: list[str] = []

    def enters(folder: str) -> bool:
        asked.append(folder)
        return folder.startswith(str(root / "docs"))

    assert sorted(Path(file.path) for file in scan([root], is_log, enters=enters)) == sorted(logs)
    # Neither of roots, nor of files, nor of links.
    assert sorted(asked) == [str(root / "docs"), str(root / "docs" / "a"), str(root / "src")]


def test_a_root_in_a_folder_that_is_not_entered_is_looked_into(tmp_path: Path) -> None:
    inner = touch(tmp_path / "src" / "lib" / "log.jsonl")
    touch(tmp_path / "src" / "log.jsonl")
    [file] = scan([tmp_path, inner.parent], is_log, enters=lambda _: False)
    assert file.path == str(inner)


def test_links_to_files_are_followed_to_regular_ones_alone(tmp_path: Path) -> None:
    target = touch(tmp_path / "elsewhere" / "target.txt", "123")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.jsonl").symlink_to(target)
    (root / "dangling.jsonl").symlink_to(tmp_path / "missing")
    (root / "folder.jsonl").symlink_to(target.parent)
    (root / "self.jsonl").symlink_to(root / "self.jsonl")
    problems: list[Problem] = []
    [file] = scan([root], is_log, problems)
    assert (file.path, file.size, file.inode) == (str(root / "link.jsonl"), 3, target.stat().st_ino)
    assert [problem.path for problem in problems] == [str(root / "self.jsonl")]


def test_links_to_folders_are_followed_at_a_root_alone(tmp_path: Path) -> None:
    log = touch(tmp_path / "real" / "log.jsonl")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert found(tmp_path / "root") == [tmp_path / "root" / log.name]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jsonl")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "fifo.jsonl")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.jsonl"))
        assert found(tmp_path) == []


def test_a_name_that_is_not_utf8_can_be_opened_again(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"\xff.jsonl")
    with open(name, "wb") as file:
        file.write(b"1")
    [found] = scan([tmp_path], is_log)
    assert os.fsencode(found.path) == name
    assert Path(found.path).read_bytes() == b"1"


def test_what_vanishes_during_the_walk_is_left_out(tmp_path: Path) -> None:
    for number in range(3):
        touch(tmp_path / f"{number}" / "log.jsonl")
    touch(tmp_path / "a.jsonl")
    touch(tmp_path / "b.jsonl")
    problems: list[Problem] = []
    files: Iterator[FileStat] = scan([tmp_path], is_log, problems)
    first = next(files)
    for path in tmp_path.rglob("*.jsonl"):
        path.unlink()
    (tmp_path / "1").rmdir()
    assert list(files) == []
    assert first.path in {str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")}
    assert problems == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told_and_the_rest_is_found(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    log = touch(tmp_path / "log.jsonl")
    problems: list[Problem] = []
    assert found(tmp_path, problems=problems) == [log]
    assert problems == [Problem(str(closed), "Permission denied")]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    too_long = tmp_path / "/".join(["x" * 200] * 30)
    problems: list[Problem] = []
    log = touch(tmp_path / "log.jsonl")
    assert found(too_long, tmp_path, problems=problems) == [log]
    assert problems == [Problem(str(too_long), "File name too long")]


def test_newest_first(tmp_path: Path) -> None:
    for name, seconds in [("old", 100), ("new", 300), ("middle", 200)]:
        os.utime(touch(tmp_path / f"{name}.jsonl"), (seconds, seconds))
    assert [Path(file.path).stem for file in newest_first(scan([tmp_path], is_log))] == ["new", "middle", "old"]
