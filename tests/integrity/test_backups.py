"""Backups: whole or not there, restored byte by byte, deleted only where they certainly are backups."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccdashd.integrity import backup_worker, backups, check, messages, restore
from ccdashd.integrity.backup_worker import Job, Made
from ccdashd.integrity.backups import DamagedBackup
from ccdashd.paths import resolve
from ccdashd.runtime import AlreadyRunning, Lock, private_folder
from tests.helpers import Daemon, RpcError, file_system, wait_until
from tests.ingest.tables import dump_file, same
from tests.integrity import checking
from tests.integrity.checking import faults
from tests.integrity.test_flipped_bits import flip
from tests.integrity.world import Profile


def job(profile: Profile, parent: Path, *, archive: bool = True, keep: int | None = None) -> Job:
    paths = profile.paths
    return Job(
        parent=os.fsencode(parent),
        cache=os.fsencode(paths.database),
        files=[os.fsencode(path) for path in (paths.journal, paths.counters, paths.config_file)],
        archive=os.fsencode(paths.archive) if archive else None,
        keep=keep,
    )


def back_up(profile: Profile, parent: Path, *, archive: bool = True, keep: int | None = None) -> Made:
    work = backup_worker.work(backup_worker.encode(job(profile, parent, archive=archive, keep=keep)))
    *_, last = map(backup_worker.decode, work)
    assert isinstance(last, Made)
    return last


def folder_of(made: Made) -> Path:
    return Path(os.fsdecode(made.path))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def changed(path: Path) -> Iterator[None]:
    whole = path.read_bytes()
    flip(path, len(whole) * 4)
    yield
    path.write_bytes(whole)


def test_a_backup_is_put_back_as_it_was(profile: Profile, tmp_path: Path) -> None:
    paths = profile.paths
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text('log_level = "debug"\n')
    made = back_up(profile, tmp_path / "backups")
    backup = backups.load(folder_of(made))
    assert (made.size, made.files) == (backup.bytes, len(backup.files))
    assert {file.path.split("/")[0] for file in backup.files} == {
        "cache.db", "journal.jsonl", "counters.json", "config.toml", "archive",
    }  # fmt: skip
    told, journal, archive = dump_file(paths.database), paths.journal.read_bytes(), files(paths.archive)
    chunk = next(iter(profile.archive.chunks.all()))
    assert os.stat(chunk.path).st_nlink == 2, "files of the archive are linked"

    for path in (paths.database, paths.journal, paths.text_index):
        path.write_bytes(b"other")
    shutil.rmtree(paths.archive)
    done = restore.restore(folder_of(made), paths)
    same(told, dump_file(paths.database), "the cache is another one")
    assert paths.journal.read_bytes() == journal
    held = files(paths.archive)
    assert held == {name: data for name, data in archive.items() if name.startswith(("chunks/", "logs/"))}
    assert not paths.text_index.exists(), "it is made anew"
    kept = [path for path in done.kept if "cache.db" in path or "journal" in path]
    assert {Path(path).read_bytes() for path in kept if not path.endswith(("-wal", "-shm"))} == {b"other"}
    assert set(done.restored) == set(
        map(str, (paths.database, paths.journal, paths.counters, paths.config_file, paths.archive))
    )
    assert not [path for path in paths.data_dir.iterdir() if path.name.endswith(".restored")]


def test_nothing_is_put_back_of_a_damaged_backup(profile: Profile, tmp_path: Path) -> None:
    folder = folder_of(back_up(profile, tmp_path))
    before = files(profile.base)
    for name in ("cache.db", "journal.jsonl", "backup.json", next(str(f) for f in files(folder) if f.endswith(".zst"))):
        with changed(folder / name), pytest.raises(DamagedBackup, match=name.rpartition("/")[2]):
            restore.restore(folder, profile.paths)
    with pytest.raises(DamagedBackup, match="is no backup"):
        restore.restore(tmp_path, profile.paths)
    backup = backups.load(folder)
    backups.write_list(folder, type(backup)(version="9", schema="9999", created_at="", files=backup.files))
    with pytest.raises(DamagedBackup, match="newer"):
        restore.restore(folder, profile.paths)
    evil = backups.Copy("../evil", 1, "0" * 64)
    backups.write_list(folder, type(backup)(version="9", schema=backup.schema, created_at="", files=[evil]))
    with pytest.raises(DamagedBackup, match="outside"):
        restore.restore(folder, profile.paths)
    assert files(profile.base) == before


def test_nothing_is_put_back_while_a_daemon_runs(profile: Profile, tmp_path: Path) -> None:
    folder = folder_of(back_up(profile, tmp_path, archive=False))
    private_folder(profile.paths.runtime_dir)
    lock = Lock(profile.paths.daemon_lock)
    lock.take()
    try:
        with pytest.raises(AlreadyRunning):
            restore.restore(folder, profile.paths)
    finally:
        lock.release()


def test_old_ones_go_and_nothing_else(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "ccdash-20200101T000000Z").mkdir()
    (tmp_path / "ccdash-20200101T000000Z" / "mine.txt").write_text("mine")
    damaged = folder_of(back_up(profile, tmp_path, archive=False))
    flip(damaged / backups.LIST, 80)
    other = tmp_path / "ccdash-notes"
    other.mkdir()
    made = [folder_of(back_up(profile, tmp_path, archive=False, keep=2)) for _ in range(3)]
    assert made[2].exists() and made[1].exists() and not made[0].exists()
    assert damaged.exists(), "nobody knows what it is"
    assert (tmp_path / "ccdash-20200101T000000Z" / "mine.txt").exists() and other.exists()


def test_a_killed_process_leaves_no_half_backup(profile: Profile, tmp_path: Path) -> None:
    parent = tmp_path / "b"
    encoded = backup_worker.encode(job(profile, parent))
    code = f"""
import os, signal, sys
from ccdashd.integrity import backup_worker
for number, answer in enumerate(backup_worker.work({encoded!r})):
    if number == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
"""
    for step in (0, 3):
        done = subprocess.run([sys.executable, "-c", code, str(step)], check=False)
        assert done.returncode == -signal.SIGKILL
        assert backups.all_in(parent) == []
        assert [path.name[-8:] for path in parent.iterdir()] == [".partial"]
    back_up(profile, parent)
    assert [path.name for path in parent.iterdir()] == [path.name for path in backups.all_in(parent)]


def test_a_full_disk_leaves_nothing(profile: Profile, tmp_path: Path) -> None:
    size = profile.paths.database.stat().st_size
    for room in (size // 2, size + 8192):
        point = tmp_path / f"small-{room}"
        with file_system(point, str(room)):
            with pytest.raises((OSError, ValueError), match=r"full|space"):
                back_up(profile, point)
            assert list(point.iterdir()) == []


def test_over_the_wire(profile: Profile, daemon: Daemon, tmp_path: Path) -> None:
    with daemon.start().client(60) as client:
        made = client.request("cache/backup")
        assert Path(made["path"]).parent == profile.paths.backups and made["verified"]
        with pytest.raises(RpcError, match="must be an absolute path"):
            client.request("cache/backup", {"folder": "here"})
        (tmp_path / "file").write_text("")
        with pytest.raises(RpcError, match=r"no backup was made in .*file"):
            client.request("cache/backup", {"folder": str(tmp_path / "file")})

        before = client.request("cache/vacuum")["after"]
        client.request("tags/create", {"name": "after"})
        with pytest.raises(RpcError, match="there is no such version; there are 0001"):
            client.request("cache/migrate", {"to": "9999"})
        here = client.request("cache/migrate")
        assert here["version"] == here["newest"] and all(one["applied"] for one in here["migrations"])
        down = client.request("cache/migrate", {"to": "0004"})
        assert [one["version"] for one in down["migrations"] if one["applied"]][-1] == down["version"] == "0004"
        assert "journal.jsonl" in files(Path(down["backup"]))
        with pytest.raises(RpcError, match="brought down to version 0004"):
            client.request("sessions/list")
        status = client.request("ccdash/status")
        assert (status["state"], status["problems"][0]["part"]) == ("degraded", "cache")
    daemon.kill(15)
    with daemon.start().client(60) as client:
        wait_until(lambda: client.request("ccdash/status")["state"] != "degraded", "the cache")
        assert client.request("cache/migrate")["version"] == here["newest"]
        assert client.request("cache/vacuum")["after"] <= 2 * before
        assert {tag["name"] for tag in client.request("tags/list")["items"]} == {"urgent", "after"}


def test_the_command_says_why(profile: Profile, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], **profile.cache.environ}
    assert resolve(environ=environ).database == profile.paths.database
    command = [sys.executable, "-m", "ccdashd.integrity.restore", str(tmp_path)]
    done = subprocess.run(command, env=environ, cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{tmp_path} is no backup: it has no backup.json\n"


def test_a_damaged_backup_is_named_by_a_check(profile: Profile) -> None:
    folder = folder_of(back_up(profile, profile.paths.backups, archive=False))
    assert [fault for fault in faults(profile.paths, profile.cache.settings) if fault.part == "backups"] == []
    for name in ("cache.db", "backup.json"):
        with changed(folder / name):
            (fault,) = [one for one in faults(profile.paths, profile.cache.settings) if one.part == "backups"]
            assert str(folder) in fault.where and "make another one" in fault.repair


def test_a_check_without_room_says_so(profile: Profile, tmp_path: Path) -> None:
    point = tmp_path / "small"
    with file_system(point, "64k"):
        asked = checking.job(profile.paths, profile.cache.settings)
        asked.new = os.fsencode(point / "new.db")
        with pytest.raises(ValueError, match="the disk is full"):
            list(check.work(messages.encode(asked)))
        assert list(point.iterdir()) == []
