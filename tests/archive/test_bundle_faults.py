"""Exports and imports that are killed, or whose disk is full, at each of their steps: nothing half is left that counts."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ccdashd.archive.archive import Archive
from ccdashd.archive.bundles import export, importing
from ccdashd.archive.bundles.messages import Checked, Exported, Refused, Taken, encode
from ccdashd.archive.bundles.writing import clear
from tests.archive.parcels import AGENT, LOG, Parcel, answers
from tests.archive.world import lines
from tests.helpers import file_system

STEPS = ("open", "write", "fsync", "rename", "link", "unlink", "makedirs", "ftruncate")
"""What changes a disk, by which the steps of a job are counted."""

LOGS = {LOG: lines(400_000), AGENT: lines(20_000, 2)}


class Killed(BaseException):
    """Raised in a test that counts the steps, in the place of dying."""


@contextmanager
def steps(at: int | None, then: Callable[[], None]) -> Iterator[list[str]]:
    """Count the calls that change a disk; at the `at`-th, do something else first. Gives their names."""
    done: list[str] = []
    real: dict[str, Any] = {name: getattr(os, name) for name in STEPS}

    def counted(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if name != "open" or args[1] & (os.O_WRONLY | os.O_RDWR):
                done.append(name)
                if len(done) == at:
                    then()
            return real[name](*args, **options)

        return call

    for name in STEPS:
        setattr(os, name, counted(name))
    try:
        yield done
    finally:
        for name in STEPS:
            setattr(os, name, real[name])


def killed(work: Callable[[], Any], at: int) -> None:
    """Do work in a process of its own that is killed at a step."""
    child = os.fork()
    if not child:
        with steps(at, lambda: os.kill(os.getpid(), 9)):
            work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == 9, "there is no such step"


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    parcel = Parcel(tmp_path)
    for place, data in LOGS.items():
        parcel.log(place, data)
    return parcel


def write(parcel: Parcel, **options: Any) -> Any:
    return answers(export.work(encode(parcel.job(*LOGS, **options))))


def read(parcel: Parcel, into: Archive) -> Any:
    return answers(importing.work(parcel.take_job(into)))


def held(archive: Archive) -> dict[str, bytes]:
    """All that an archive holds, which must be whole."""
    found = {}
    for manifest in archive.manifests():
        assert len(manifest.versions) == 1
        found[manifest.log.removeprefix("/new/")] = b"".join(archive.stream(manifest.newest))
    return found


def count(work: Callable[[], Any]) -> int:
    with steps(None, full) as done:
        work()
    return len(done)


@pytest.mark.parametrize("before", [None, b"mine"])
def test_an_export_that_is_killed_leaves_what_was_there(parcel: Parcel, before: bytes | None) -> None:
    number = count(lambda: write(parcel))
    parcel.target.unlink()
    for at in range(1, number + 1):
        if before is not None:
            parcel.target.write_bytes(before)
        killed(lambda: write(parcel, replace=before is not None), at)
        there = parcel.target.read_bytes() if parcel.target.exists() else None
        if there != before:
            assert isinstance(parcel.check(), Checked)  # it was killed after the last step that counts
        # What is left beside it hinders nobody, and the next export takes it over.
        assert {path.name for path in parcel.folder.iterdir() if path.is_file()} <= {"x.tar.zst", "x.tar.zst.part"}
        assert isinstance(write(parcel), Exported)
        assert not parcel.target.with_name("x.tar.zst.part").exists()
        parcel.target.unlink()


@pytest.mark.parametrize("before", [None, b"mine"])
def test_an_export_to_a_full_disk_leaves_what_was_there(parcel: Parcel, before: bytes | None) -> None:
    number = count(lambda: write(parcel))
    parcel.target.unlink()
    for at in range(1, number + 1):
        if before is not None:
            parcel.target.write_bytes(before)
        failed = None
        with steps(at, full):
            try:
                write(parcel, replace=before is not None)
            except OSError as error:
                failed = error
        there = parcel.target.read_bytes() if parcel.target.exists() else None
        if failed is None or there != before:
            assert isinstance(parcel.check(), Checked)  # there was another way, or only the tidying failed
        else:
            assert failed.errno == errno.ENOSPC
        parcel.target.unlink(missing_ok=True)
        parcel.target.with_name("x.tar.zst.part").unlink(missing_ok=True)


def test_an_import_that_is_killed_is_carried_on_by_the_next(parcel: Parcel) -> None:
    assert isinstance(write(parcel), Exported)
    number = count(lambda: read(parcel, Archive(parcel.folder / "counted")))
    whole = held(Archive(parcel.folder / "counted"))
    assert whole == LOGS
    for at in range(1, number + 1):
        into = Archive(parcel.folder / f"killed{at}")
        killed(lambda into=into: read(parcel, into), at)  # type: ignore[misc]
        assert held(into).items() <= whole.items()
        assert isinstance(read(parcel, into), Taken)
        assert held(into) == whole
        assert os.listdir(f"{into.folder}/tmp") == []


def test_an_import_to_a_full_disk_leaves_the_archive_as_it_was(parcel: Parcel) -> None:
    assert isinstance(write(parcel), Exported)
    number = count(lambda: read(parcel, Archive(parcel.folder / "counted")))
    whole = held(Archive(parcel.folder / "counted"))
    for at in range(1, number + 1):
        into = Archive(parcel.folder / f"full{at}")
        with pytest.raises(OSError, match="No space"), steps(at, full):
            read(parcel, into)
        assert held(into).items() <= whole.items()
        if not held(into):
            assert list(into.chunks.all()) == []  # space is given back
        assert isinstance(read(parcel, into), Taken)
        assert held(into) == whole


def test_a_bundle_that_lies_leaves_the_archive_as_it_was(parcel: Parcel) -> None:
    """What is checked was sound, and is another when it is taken in."""
    assert isinstance(write(parcel), Exported)
    job = parcel.take_job(into := Archive(parcel.folder / "other"))
    data = parcel.target.read_bytes()
    parcel.target.write_bytes(data[: len(data) // 2])
    assert type(answers(importing.work(job))).__name__ == "Refused"
    assert held(into) == {}
    assert list(into.chunks.all()) == []


def test_a_disk_that_is_really_full(parcel: Parcel) -> None:
    with file_system(parcel.folder / "m", "8k") as remount:
        parcel.target = parcel.folder / "m" / "x.tar.zst"
        # The first of these leaves no room for what goes in, the last but one none for the end of the bundle.
        for size in (8, 40, 64, 72, 100, 128):
            remount(f"size={size}k")
            with pytest.raises(OSError, match="No space"):
                write(parcel)
            assert list((parcel.folder / "m").iterdir()) == []
        parcel.target = parcel.folder / "x.tar.zst"
        write(parcel)
        into = Archive(parcel.folder / "m" / "archive")
        for size in (8, 40, 60):
            remount(f"size={size}k")
            with pytest.raises(OSError, match="No space"):
                read(parcel, into)
            assert held(into) == {}
            assert list(into.chunks.all()) == []
        remount("size=1m")
        read(parcel, into)
        assert held(into) == LOGS


def test_two_exports_to_one_file_do_not_mix(parcel: Parcel) -> None:
    work = export.work(encode(parcel.job(*LOGS)))
    with export.Writer(str(parcel.target)):
        assert answers(work) == Refused("busy", "another export is writing it")
    assert not parcel.target.exists()
    assert isinstance(write(parcel), Exported)


def test_what_a_killed_export_left_is_removed(parcel: Parcel) -> None:
    target, part = str(parcel.target), Path(f"{parcel.target}.part")
    with export.Writer(target):
        clear(target)
        assert part.exists(), "it is being written"
    part.write_bytes(b"torn")
    clear(target)
    assert not part.exists()
    clear(target)
